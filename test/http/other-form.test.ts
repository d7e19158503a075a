/** A call that its best upstream would take as it came goes on to vendors of other forms, where that upstream can't be asked. */
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { CallerConfig } from '../../src/config/config.ts'
import { answerWith } from '../fixtures/gemini.ts'
import { ask } from '../helpers/callers.ts'
import { callerOf, googleAt, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { picture } from '../helpers/pictures.ts'
import { json, type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'
import { startAzure } from '../upstreams/azure.ts'
import type { FakeUpstream } from '../upstreams/contract.ts'
import { startNanoBanana } from '../upstreams/nano-banana.ts'

let google: ScriptedUpstream
let nano: FakeUpstream
let gone: string

const model = 'gemini-3.1-flash-image'
const kite = { contents: [{ role: 'user', parts: [{ text: 'A red kite' }] }] }
/** In a size that the other vendor has not. */
const small = { ...kite, generationConfig: { imageConfig: { imageSize: '512' } } }
const path = (method: string) => `/v1beta/models/${model}:${method}`

beforeAll(async () => {
  google = await startUpstream(answerWith('answers/tiny-picture.json'))
  nano = await startNanoBanana()
  const nobody = await startUpstream(() => {})
  gone = nobody.url
  await nobody.close()
})
afterAll(async () => {
  await google.close()
  await nano.close()
})
beforeEach(() => {
  google.seen.length = 0
  nano.reset()
})

const asAnn = { authorization: 'Bearer key-of-ann' }

async function open(
  url: string,
  ann: Partial<CallerConfig> = {},
  limits = {},
  nextUrl = nano.baseUrl,
): Promise<TestGateway> {
  const other = { name: 'nano', protocol: 'openai', dialect: 'nano-banana', baseUrl: nextUrl } as const
  const gateway = await startGateway({
    upstream: url,
    callers: [callerOf('ann', ann)],
    config: { upstreams: [googleAt(url, { limits }), { ...googleAt(url), ...other, keys: [nano.key] }] },
  })
  onTestFinished(() => gateway.close())
  return gateway
}

describe('an upstream that can’t be reached', () => {
  test.each(['generateContent', 'streamGenerateContent?alt=sse'])(
    'has its call translated for the next: %s',
    async method => {
      const gateway = await open(gone)
      const { status, text, line } = await ask(gateway, path(method), kite, asAnn)
      expect([status, line.upstream, line.attempts, line.images]).toEqual([200, 'nano', 2, 1])
      expect(text).toContain(nano.pictures[0]?.bytes.toString('base64'))
    },
  )

  test('does not make two requests of one', async () => {
    const gateway = await open(gone, { limits: { requestsPerMinute: 1, concurrent: 1, imagesPerDay: 1 } })
    const { status, headers } = await ask(gateway, path('generateContent'), kite, asAnn)
    expect([status, headers.get('x-ratelimit-remaining-requests')]).toEqual([200, '0'])
    expect((await ask(gateway, path('generateContent'), kite, asAnn)).status).toBe(429)
  })

  test('is what is told where the next has not what was asked for', async () => {
    const gateway = await open(gone)
    const { status, json: answer, line } = await ask(gateway, path('generateContent'), small, asAnn)
    expect([status, answer.error.status, line.upstream]).toEqual([503, 'UNAVAILABLE', 'google'])
    expect(nano.requests).toHaveLength(0)
  })
})

test('a call that went up goes to nobody else', async () => {
  google.script = json({ error: { code: 503, message: 'Overloaded.', status: 'UNAVAILABLE' } }, 503)
  onTestFinished(() => {
    google.script = answerWith('answers/tiny-picture.json')
  })
  const gateway = await open(google.url)
  expect((await ask(gateway, path('generateContent'), kite, asAnn)).status).toBe(503)
  expect([google.seen.length, nano.requests.length]).toEqual([1, 0])
})

describe('an upstream that has no room', () => {
  const queue = { max: 5, waitSeconds: 30 }

  test('is not waited for where the next has some', async () => {
    const gateway = await open(google.url, { queue }, { requestsPerMinute: 1 })
    const upstreams = []
    for (const _ of [1, 2]) upstreams.push((await ask(gateway, path('generateContent'), kite, asAnn)).line.upstream)
    expect(upstreams).toEqual(['google', 'nano'])
  })

  test.each([
    ['has not what was asked for', small, () => nano.baseUrl],
    ['can’t be reached', kite, () => gone],
  ])('is waited for where the next %s', async (_why, call, nextUrl) => {
    let answerFirst = () => {}
    google.script = async (request, response) => {
      if (google.seen.length === 1) await new Promise<void>(resolve => (answerFirst = resolve))
      await answerWith('answers/tiny-picture.json')(request, response)
    }
    onTestFinished(() => {
      google.script = answerWith('answers/tiny-picture.json')
    })
    const gateway = await open(google.url, { queue }, { concurrent: 1 }, nextUrl())
    const first = ask(gateway, path('generateContent'), call, asAnn)
    await expect.poll(() => google.seen.length).toBe(1)
    const second = ask(gateway, path('generateContent'), call, asAnn)
    setTimeout(answerFirst, 100)
    expect((await first).line.upstream).toBe('google')
    expect((await second).line).toMatchObject({ status: 200, upstream: 'google', queuedMs: expect.any(Number) })
    expect(nano.requests).toHaveLength(0)
  })
})

test('an edit as JSON that OpenAI would take goes to Azure as a form', async () => {
  const azure = await startAzure('v1')
  onTestFinished(() => azure.close())
  const deployments = new Map([['gpt-image-2', 'pictures-2']])
  const base = { ...googleAt(gone), protocol: 'openai' } as const
  const upstreams = [
    { ...base, name: 'openai', dialect: 'openai' },
    { ...base, name: 'azure', dialect: 'azure', baseUrl: azure.baseUrl, keys: [azure.key], models: deployments },
  ] as const
  const gateway = await startGateway({ upstream: gone, config: { upstreams } })
  onTestFinished(() => gateway.close())
  const image_url = `data:image/png;base64,${(await picture('png')).toString('base64')}`
  const body = { model: 'gpt-image-2', prompt: 'A hat', images: [{ image_url }] }
  const { status, line } = await ask(gateway, '/v1/images/edits', body)
  expect([status, line.upstream, line.attempts]).toEqual([200, 'azure', 2])
})
