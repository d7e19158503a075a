/** What callers are told: a test for each policy, named by what it promises. Finer points are tested where each is built. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { ask, askGemini, askOpenai, type Told } from '../helpers/callers.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { json as answering, type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'
import type { FakeAnswer } from '../upstreams/contract.ts'
import { startGoogle } from '../upstreams/google.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { type Place, placeFor } from './setup.ts'

const google = await placeFor(startGoogle)
const openai = await placeFor(startOpenAI)
let scripted: ScriptedUpstream
/** Before the scripted upstream, as one of Google's and as one of OpenAI's. */
let scriptedGoogle: TestGateway
let scriptedOpenai: TestGateway

beforeAll(async () => {
  scripted = await startUpstream(() => {})
  scriptedGoogle = await startGateway({ upstream: scripted.url })
  const upstreamConfig = {
    name: 'openai',
    protocol: 'openai',
    dialect: 'openai',
    baseUrl: `${scripted.url}/v1`,
  } as const
  scriptedOpenai = await startGateway({ upstream: scripted.url, upstreamConfig })
})
afterAll(async () => {
  for (const each of [scriptedGoogle, scriptedOpenai, scripted]) await each.close()
})

const translated = { model: 'gpt-image-2', aspect_ratio: '1:1' }

async function after(answer: FakeAnswer, ask: (gateway: TestGateway) => Promise<Told>, { fake, gateway }: Place) {
  fake.reset()
  fake.answerNext(answer)
  return await ask(gateway)
}

const toOpenaiCaller = (gateway: TestGateway) => askOpenai(gateway)
const toGoogleCaller = (gateway: TestGateway) => askGemini(gateway)
const toGoogleCallerOfGpt = (gateway: TestGateway) => askGemini(gateway, 'gpt-image-2')

describe('the picture', () => {
  test('is the last that is no thought, however many drafts came before it', async () => {
    const { json } = await after({ kind: 'drafts', count: 3 }, toOpenaiCaller, google)
    const [last] = google.fake.pictures.slice(-1)
    expect([json.data.length, json.data[0].b64_json]).toEqual([1, last?.bytes.toString('base64')])
  })

  test('is the last thought where nothing else came', async () => {
    scripted.script = answerWith('answers/thoughts-only.json')
    const { status, json } = await askOpenai(scriptedGoogle)
    expect([status, json.data.length]).toEqual([200, 1])
  })
})

test('usage: output is what is not input, pictures and text are told apart, and what nobody counted is left out', async () => {
  const counted = (await after({ kind: 'ok' }, toOpenaiCaller, google)).json.usage
  expect(counted.output_tokens).toBe(counted.total_tokens - counted.input_tokens)
  expect(counted.output_tokens_details.image_tokens + counted.output_tokens_details.text_tokens).toBe(
    counted.output_tokens,
  )
  expect(counted.output_tokens_details.image_tokens).toBeGreaterThan(1000)
  const [{ content }] = JSON.parse(await picturesOnly()).candidates
  scripted.script = answering({ candidates: [{ content, finishReason: 'STOP' }] })
  expect((await askOpenai(scriptedGoogle)).json).not.toHaveProperty('usage')
})

async function picturesOnly(): Promise<string> {
  scripted.script = answerWith('answers/tiny-picture.json')
  return (await askGemini(scriptedGoogle)).text
}

describe('a refusal', () => {
  test('is the caller’s own mistake with its reason, and is never tried again', async () => {
    const { status, json, line } = await after({ kind: 'refusal', reason: 'IMAGE_SAFETY' }, toOpenaiCaller, google)
    expect([status, json.error.type, json.error.code]).toEqual([
      400,
      'image_generation_user_error',
      'moderation_blocked',
    ])
    expect(json.error.message).toContain('IMAGE_SAFETY')
    expect([google.fake.requests.length, line.outcome]).toEqual([1, 'refused'])
  })

  test('is none where nothing was refused but no picture came, and what the model said is told', async () => {
    const { status, json } = await after({ kind: 'text-only' }, toOpenaiCaller, google)
    expect([status, json.error.code]).toEqual([400, 'no_image_generated'])
    expect(json.error.message).toContain('In which style shall it be?')
  })

  test('of an OpenAI model is an answer to a Gemini caller: the prompt is blocked, or the picture filtered', async () => {
    const input = await after({ kind: 'refusal', stage: 'input' }, toGoogleCallerOfGpt, openai)
    expect([input.status, input.json.promptFeedback.blockReason]).toEqual([200, 'SAFETY'])
    const output = await after({ kind: 'refusal', stage: 'output' }, toGoogleCallerOfGpt, openai)
    expect([output.status, output.json.candidates[0].finishReason]).toEqual([200, 'IMAGE_SAFETY'])
  })
})

test('why a vendor refuses the operator’s key is told in the log, in the vendor’s words, and to no caller', async () => {
  for (const [place, asked, words] of [
    [google, toOpenaiCaller, /API key not valid/],
    [google, toGoogleCaller, /API key not valid/],
    [openai, (gateway: TestGateway) => askOpenai(gateway, { model: 'gpt-image-2' }), /Incorrect API key/],
  ] as const) {
    const { json, line } = await after({ kind: 'unauthorized' }, asked, place)
    expect(line).toMatchObject({ errorKind: 'upstream-credential', errorCause: expect.stringMatching(words) })
    expect(JSON.stringify(json)).not.toMatch(words)
  }
})

test('a failing key of the operator’s is 502, or 503 in Google’s words: neutral, not to be tried again, never 401', async () => {
  for (const [place, asked] of [
    [google, toOpenaiCaller],
    [openai, (gateway: TestGateway) => askOpenai(gateway, translated)],
    [openai, (gateway: TestGateway) => askOpenai(gateway, { model: 'gpt-image-2' })],
    [google, toGoogleCaller],
    [openai, toGoogleCallerOfGpt],
  ] as const) {
    const { status, headers, json } = await after({ kind: 'unauthorized' }, asked, place)
    expect(status).toBe('type' in json.error ? 502 : 503)
    expect([headers.get('x-should-retry'), json.error.message]).toEqual(['false', expect.stringMatching(/operator/)])
  }
})

describe('a limit of the upstream', () => {
  test('is told with the wait, rounded up to seconds and in milliseconds', async () => {
    const { status, headers } = await after({ kind: 'rate-limited', waitSeconds: 34.282 }, toOpenaiCaller, google)
    expect([status, headers.get('retry-after'), headers.get('retry-after-ms')]).toEqual([429, '35', '34282'])
  })

  test.each(['errors/quota-per-day.json', 'errors/credits-depleted.json'])(
    'that no wait cures is a spent quota: %s',
    async name => {
      scripted.script = answerWith(name, 429)
      const { status, headers, json } = await askOpenai(scriptedGoogle)
      expect([status, json.error.code, headers.get('x-should-retry')]).toEqual([429, 'insufficient_quota', 'false'])
    },
  )
})

test('an upstream that has too much to do may say how long, and its callers are told, passed on or translated', async () => {
  scripted.script = answering({ error: { code: 503, message: 'Overloaded.' } }, 503, { 'retry-after': '7' })
  const answers = [
    await askOpenai(scriptedGoogle),
    await askGemini(scriptedGoogle),
    await askOpenai(scriptedOpenai, translated),
    await askOpenai(scriptedOpenai, { model: 'gpt-image-2' }),
    await askGemini(scriptedOpenai, 'gpt-image-2'),
  ]
  const told = answers.map(({ status, headers }) => [status, headers.get('retry-after')])
  expect(told).toEqual(answers.map(() => [503, '7']))
})

test('a vendor may answer with 201, as servers do that create something', async () => {
  const b64_json = (await after({ kind: 'ok' }, toOpenaiCaller, google)).json.data[0].b64_json
  scripted.script = answering({ created: 1, data: [{ b64_json }] }, 201)
  for (const asked of [translated, { model: 'gpt-image-2' }]) {
    const { status, json, line } = await askOpenai(scriptedOpenai, asked)
    expect([status, json.data[0].b64_json === b64_json, line.images]).toEqual([200, true, 1])
  }
})

describe('a failure of the upstream', () => {
  const openaiCodes = { 500: 502, 502: 502, 503: 503 } as const
  test.each([500, 502, 503] as const)('%i is 502 or 503, which is all that Google’s callers are told', async status => {
    const answer = { kind: 'server-error', status } as const
    expect((await after(answer, toOpenaiCaller, google)).status).toBe(openaiCodes[status])
    expect((await after(answer, toGoogleCaller, google)).json.error).toMatchObject({ code: 503, status: 'UNAVAILABLE' })
  })

  test('an answer that is cut, or nonsense, is 502', async () => {
    expect((await after({ kind: 'cut' }, toOpenaiCaller, google)).status).toBe(502)
    scripted.script = answerWith('broken/page.html')
    expect((await askOpenai(scriptedGoogle)).status).toBe(502)
  })

  test('silence is 504', async () => {
    const timeouts = { connectSeconds: 5, firstByteSeconds: 0.1, idleSeconds: 60, totalSeconds: 600 }
    const own = await startGateway({
      upstream: google.fake.baseUrl,
      upstreamConfig: { keys: [google.fake.key], timeouts },
    })
    google.fake.reset()
    google.fake.answerNext({ kind: 'slow', delayMs: 5000 }, 2)
    expect((await askOpenai(own)).status).toBe(504)
    expect((await askGemini(own)).json.error).toMatchObject({ code: 504, status: 'DEADLINE_EXCEEDED' })
    await own.close()
  })
})

describe('an OpenAI model’s error told to a Gemini caller', () => {
  const error = (code: string | null, type = 'invalid_request_error') => ({
    error: { message: 'Told.', type, param: null, code },
  })
  test.each([
    [400, error('invalid_value'), 400, 'INVALID_ARGUMENT'],
    [401, error('invalid_api_key'), 503, 'UNAVAILABLE'],
    [403, error(null), 503, 'UNAVAILABLE'],
    [404, error('model_not_found'), 404, 'NOT_FOUND'],
    [409, error(null), 400, 'INVALID_ARGUMENT'],
    [422, error(null), 400, 'INVALID_ARGUMENT'],
    [413, error(null), 413, 'INVALID_ARGUMENT'],
    [429, error('rate_limit_exceeded', 'requests'), 429, 'RESOURCE_EXHAUSTED'],
    [429, error('insufficient_quota', 'insufficient_quota'), 429, 'RESOURCE_EXHAUSTED'],
    [500, error(null, 'server_error'), 503, 'UNAVAILABLE'],
    [503, error(null, 'server_error'), 503, 'UNAVAILABLE'],
  ])('%i %j is %i %s', async (status, body, code, word) => {
    scripted.script = answering(body, status, { 'retry-after': '7' })
    const { json } = await askGemini(scriptedOpenai, 'gpt-image-2')
    expect(json.error).toMatchObject({ code, status: word })
    const waits = JSON.stringify(json.error.details ?? []).includes('"retryDelay":"7s"')
    expect(waits).toBe(body.error.code === 'rate_limit_exceeded')
  })
})

test('our own limit counts a request as one, whatever n is, and says what ran out and when to come back', async () => {
  const keySha256 = createHash('sha256').update('key').digest('hex')
  const callers = [{ id: 'a', keySha256, models: null, limits: { requestsPerMinute: 2 } }]
  const own = await startGateway({
    upstream: google.fake.baseUrl,
    upstreamConfig: { keys: [google.fake.key] },
    callers,
  })
  google.fake.reset()
  const asked = (path: string, body: object) => ask(own, path, body, { authorization: 'Bearer key' })
  const paths = '/v1/images/generations'
  expect((await asked(paths, { prompt: 'A kite', n: 3 })).status).toBe(200)
  expect((await asked(paths, { prompt: 'A kite' })).status).toBe(200)
  const { status, headers, json } = await asked(paths, { prompt: 'A kite' })
  expect([status, json.error.type, json.error.code]).toEqual([429, 'requests', 'rate_limit_exceeded'])
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect(google.fake.requests.length).toBe(4)
  await own.close()
})

describe('in one language on both sides', () => {
  test.each([
    [400, 'invalid_value'],
    [404, 'model_not_found'],
    [413, null],
  ])('the upstream’s own %i passes byte for byte', async (status, code) => {
    const text = JSON.stringify(
      { error: { message: 'Told.', type: 'invalid_request_error', param: null, code } },
      null,
      1,
    )
    scripted.script = answering(text, status)
    const told = await askOpenai(scriptedOpenai, { model: 'gpt-image-2' })
    expect([told.status, told.text]).toEqual([status, text])
  })

  test('its 429 passes with the wait added', async () => {
    const error = { message: 'Please try again in 12s.', type: 'requests', param: null, code: 'rate_limit_exceeded' }
    const text = JSON.stringify({ error })
    scripted.script = answering(text, 429)
    const told = await askOpenai(scriptedOpenai, { model: 'gpt-image-2' })
    expect([told.status, told.text, told.headers.get('retry-after')]).toEqual([429, text, '12'])
  })
})
