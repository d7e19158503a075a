/** Google's genai SDK for JavaScript in a chat: every turn sends all pictures before it again, whoever paints. */
import { createHash } from 'node:crypto'
import { GoogleGenAI, type Part } from '@google/genai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { picture } from '../helpers/pictures.ts'
import type { FakeUpstream, SeenRequest } from '../upstreams/contract.ts'
import { startGoogle } from '../upstreams/google.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { filesOf, jsonOf } from '../upstreams/seen.ts'

const print = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const printsOf = (request: SeenRequest | undefined): readonly string[] => {
  if (request?.body.kind === 'form') return filesOf(request).map(({ bytes }) => print(bytes))
  const { contents = [] } = jsonOf(request)
  const parts: Part[] = contents.flatMap(({ parts }: { parts: Part[] }) => parts)
  return parts.flatMap(({ inlineData }) => (inlineData ? [print(Buffer.from(inlineData.data ?? '', 'base64'))] : []))
}

describe.each([
  { name: 'Google', start: startGoogle, model: 'gemini-3.1-flash-image' },
  { name: 'OpenAI', start: startOpenAI, model: 'gpt-image-2' },
])('on $name', ({ start, model }) => {
  let upstream: FakeUpstream
  let gateway: TestGateway
  beforeAll(async () => {
    upstream = await start()
    const { name, protocol, dialect, baseUrl, key } = upstream
    gateway = await startGateway({
      upstream: baseUrl,
      upstreamConfig: { name, protocol, dialect, baseUrl, keys: [key] },
    })
  })
  afterAll(async () => {
    await gateway.close()
    await upstream.close()
  })

  test('each turn has all pictures of the turns before it, and gives its own, byte for byte', async () => {
    const sent = await picture('png')
    const client = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: gateway.url } })
    const config = { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '1:1', imageSize: '1K' } }
    const chat = client.chats.create({ model, config })

    const inlineData = { mimeType: 'image/png', data: sent.toString('base64') }
    const got: string[] = []
    for (const message of ['A red kite', 'Now a blue one', ['Hang this beside it', { inlineData }]]) {
      const { candidates } = await chat.sendMessage({ message })
      const painted = candidates?.[0]?.content?.parts?.find(part => part.inlineData)?.inlineData?.data
      got.push(print(Buffer.from(painted ?? '', 'base64')))
    }

    const [first = '', second = '', third] = upstream.pictures.map(({ sha256 }) => sha256)
    expect(upstream.problems).toEqual([])
    expect(got).toEqual([first, second, third])
    expect(upstream.requests.map(request => new Set(printsOf(request)))).toEqual([
      new Set(),
      new Set([first]),
      new Set([first, second, print(sent)]),
    ])
  })
})
