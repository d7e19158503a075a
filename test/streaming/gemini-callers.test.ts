/** Streams in Google's form that the gateway writes itself: several candidates of a Gemini model, and models of OpenAI's. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type GenerateContentResponse, GoogleGenAI } from '@google/genai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newId, readMetrics } from '../faults/setup.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { lineOf } from '../helpers/log.ts'
import { type RawScript, type RawUpstream, rawChunk, rawHead, startRawUpstream } from '../helpers/raw-upstream.ts'
import type { FakeUpstream } from '../upstreams/contract.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { errorEvent, googlesHead, lastEvent, model, pictureEvent, pictureText, sendStream } from './setup.ts'

const pictures = [1, 2, 3].map(seed => pictureText(40_000, seed))
const [first = '', second = '', third = ''] = pictures

let upstream: RawUpstream
let gateway: TestGateway
/** Heartbeats between any two events. */
let lively: TestGateway

beforeAll(async () => {
  upstream = await startRawUpstream(() => {})
  gateway = await startGateway({ upstream: upstream.url })
  lively = await startGateway({ upstream: upstream.url, heartbeatMs: 5 })
})
afterAll(async () => {
  await gateway.close()
  await lively.close()
  await upstream.close()
})

const contents = [{ role: 'user', parts: [{ text: 'A red kite' }] }]
const two = { contents, generationConfig: { candidateCount: 2 } }
const path = (form: 'sse' | 'array', name = model) =>
  `/v1beta/models/${name}:streamGenerateContent${form === 'sse' ? '?alt=sse' : ''}`
const ask = (form: 'sse' | 'array', body: object = two, id = newId()) =>
  gateway.post(path(form), body, { 'x-request-id': id })

/** Each call its own script, in the order in which they come. */
function inTurn(...scripts: readonly RawScript[]): RawScript {
  let turn = 0
  return call => scripts[turn++ % scripts.length]?.(call)
}
const sending =
  (...pieces: readonly Buffer[]): RawScript =>
  call =>
    sendStream(call, pieces)
const later =
  (ms: number, script: RawScript): RawScript =>
  async call => {
    await sleep(ms)
    await script(call)
  }

// biome-ignore lint/suspicious/noExplicitAny: tests look into events of any shape
const documentsIn = (body: string): any[] =>
  body
    .split('\n\n')
    .filter(Boolean)
    .map(event => JSON.parse(event.slice('data: '.length)))

/** `draft 0`, `done 1 STOP`: which picture each document brings, of which candidate. */
// biome-ignore lint/suspicious/noExplicitAny: as above
const told = (documents: readonly any[]): readonly string[] =>
  documents.map(({ error, candidates }) => {
    if (error) return `error ${error.code} ${error.status}`
    const [{ index, finishReason, content }] = candidates
    const [{ thought, inlineData }] = content.parts ?? [{}]
    const which = pictures.indexOf(inlineData?.data)
    return thought ? `draft ${which}` : `done ${index} ${which} ${finishReason}`
  })

const calls = () =>
  inTurn(
    sending(pictureEvent(first, true), pictureEvent(second), lastEvent()),
    later(100, sending(pictureEvent(third), lastEvent())),
  )

describe('several candidates of a Gemini model', () => {
  test('come as events, drafts as thoughts, and usage grows', async () => {
    upstream.script = calls()
    const response = await ask('sse')
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    const body = await response.text()
    expect(body).toMatch(/^(?:data: \{[^\n]*\}\n\n)+$/)
    const documents = documentsIn(body)
    expect(told(documents)).toEqual(['draft 0', 'done 0 1 STOP', 'done 1 2 STOP'])
    expect(documents.map(({ usageMetadata }) => usageMetadata?.totalTokenCount)).toEqual([undefined, 1127, 2254])
    expect(new Set(documents.map(({ responseId, modelVersion }) => `${responseId} ${modelVersion}`)).size).toBe(1)
  })

  test('or as the items of an array, each when it comes', async () => {
    const { promise: seen, resolve: see } = Promise.withResolvers<void>()
    upstream.script = inTurn(sending(pictureEvent(first), lastEvent()), async call => {
      await seen
      sendStream(call, [pictureEvent(second), lastEvent()])
    })
    const response = await ask('array')
    expect(response.headers.get('content-type')).toBe('application/json; charset=UTF-8')
    const pieces: Buffer[] = []
    for await (const piece of response.body ?? []) {
      pieces.push(Buffer.from(piece))
      if (Buffer.concat(pieces).includes('"finishReason"')) see()
    }
    expect(told(JSON.parse(Buffer.concat(pieces).toString()))).toEqual(['done 0 0 STOP', 'done 1 1 STOP'])
  })

  test('are told of an error in the stream once it has begun, and with its status before', async () => {
    const failing = sending(pictureEvent(first, true), errorEvent)
    upstream.script = failing
    for (const form of ['sse', 'array'] as const) {
      const id = newId()
      const body = await (await ask(form, two, id)).text()
      const documents = form === 'sse' ? documentsIn(body) : JSON.parse(body)
      expect(told(documents)).toEqual(['draft 0', 'draft 0', 'error 503 UNAVAILABLE'])
      expect(await lineOf(gateway, id)).toMatchObject({ status: 200, outcome: 'failed', images: 0 })
    }
    upstream.script = sending(errorEvent)
    const response = await ask('sse')
    expect([response.status, await response.json()]).toMatchObject([503, { error: { status: 'UNAVAILABLE' } }])
  })

  test.each(['sse', 'array'] as const)('are told of a refusal as Google tells it, in the form %s', async form => {
    upstream.script = sending(lastEvent('IMAGE_SAFETY'))
    const id = newId()
    const response = await ask(form, two, id)
    const body = await response.text()
    const documents = form === 'sse' ? documentsIn(body) : JSON.parse(body)
    expect([response.status, told(documents)]).toEqual([200, ['done 0 -1 IMAGE_SAFETY']])
    expect(await lineOf(gateway, id)).toMatchObject({ status: 200, outcome: 'refused', images: 0 })
  })

  test('leave nothing in memory', async () => {
    upstream.script = calls()
    await (await ask('sse')).text()
    await upstream.hangUp()
    expect((await readMetrics(gateway))('plantain_answer_bytes_in_memory')).toBe(0)
  })
})

describe('in silence', () => {
  test('events get blank lines between them, and nothing else', async () => {
    upstream.script = later(50, calls())
    const body = await (await lively.post(path('sse'), two)).text()
    expect(body).toMatch(/^\n\n+data: /)
    expect(
      told(
        body
          .split(/\n\n+/)
          .filter(Boolean)
          .map(event => JSON.parse(event.slice('data: '.length))),
      ),
    ).toHaveLength(3)
  })

  test('an array gets white space, and stays JSON, with an error too', async () => {
    upstream.script = later(50, calls())
    const body = await (await lively.post(path('array'), two)).text()
    expect(body).toMatch(/^\n+\[/)
    expect(told(JSON.parse(body))).toEqual(['draft 0', 'done 0 1 STOP', 'done 1 2 STOP'])
    upstream.script = later(50, sending(errorEvent))
    expect(told(JSON.parse(await (await lively.post(path('array'), two)).text()))).toEqual(['error 503 UNAVAILABLE'])
  })
})

const clientOf = ({ url }: TestGateway) => new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: url } })

async function readAll(stream: AsyncIterable<GenerateContentResponse>): Promise<readonly GenerateContentResponse[]> {
  const all: GenerateContentResponse[] = []
  for await (const item of stream) all.push(item)
  return all
}

describe('Google’s SDK', () => {
  const request = { model, contents: 'A red kite', config: { candidateCount: 2 } }

  test('reads drafts and pictures past heartbeats', async () => {
    upstream.script = later(50, calls())
    const chunks = await readAll(await clientOf(lively).models.generateContentStream(request))
    expect(told(chunks)).toEqual(['draft 0', 'done 0 1 STOP', 'done 1 2 STOP'])
    expect(chunks.at(-1)?.usageMetadata?.totalTokenCount).toBe(2254)
  })

  test('raises an error that comes late', async () => {
    upstream.script = later(50, sending(errorEvent))
    const stream = await clientOf(lively).models.generateContentStream(request)
    await expect(readAll(stream)).rejects.toMatchObject({ status: 503, message: expect.stringContaining('overloaded') })
  })
})

describe('an OpenAI model', () => {
  let openai: FakeUpstream
  let toOpenai: TestGateway
  beforeAll(async () => {
    openai = await startOpenAI()
    const { baseUrl, key } = openai
    const upstreamConfig = { name: 'openai', protocol: 'openai', dialect: 'openai', baseUrl, keys: [key] } as const
    toOpenai = await startGateway({ upstream: baseUrl, upstreamConfig, heartbeatMs: 5 })
  })
  afterAll(async () => {
    await toOpenai.close()
    await openai.close()
  })
  beforeEach(() => openai.reset())

  test('is asked for no draft, since those are billed, and its picture is an event', async () => {
    openai.answerNext({ kind: 'slow', delayMs: 50 })
    const chunks = await readAll(
      await clientOf(toOpenai).models.generateContentStream({ model: 'gpt-image-2', contents: 'A red kite' }),
    )
    const parts = chunks.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? [])
    expect(parts.map(({ inlineData }) => inlineData?.data)).toEqual(
      openai.pictures.map(({ bytes }) => bytes.toString('base64')),
    )
    expect(openai.requests.map(({ body }) => (body.kind === 'json' ? body.value : null))).toEqual([
      { model: 'gpt-image-2', prompt: 'A red kite' },
    ])
  })
})

test('a Gemini upstream that has no streams is asked for a whole answer', async () => {
  const answer = JSON.stringify({
    candidates: [
      { content: { parts: [{ inlineData: { mimeType: 'image/png', data: first } }] }, finishReason: 'STOP' },
    ],
  })
  const heads: string[] = []
  upstream.script = ({ socket, head }) => {
    heads.push(head.split(' ')[1] ?? '')
    socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${answer.length}`) + answer)
  }
  const upstreamConfig = { name: 'zenlayer', dialect: 'zenlayer' } as const
  const own = await startGateway({ upstream: upstream.url, upstreamConfig })
  const body = await (await own.post(path('sse'), { contents })).text()
  expect(told(documentsIn(body))).toEqual(['done 0 0 STOP'])
  expect(heads).toEqual([expect.stringMatching(/:generateContent$/)])
  await own.close()
})

test('a caller of Google’s form who leaves between two events ends the upstream’s calls', async () => {
  upstream.script = ({ socket }) => {
    socket.write(googlesHead)
    socket.write(rawChunk(pictureEvent(first, true)))
  }
  const called = upstream.nextCall()
  const leaving = new AbortController()
  const id = newId()
  const response = await fetch(gateway.url + path('sse'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': id },
    body: JSON.stringify(two),
    signal: leaving.signal,
  })
  await response.body?.getReader().read()
  leaving.abort()
  await (await called).closed
  expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'left', status: 200 })
})
