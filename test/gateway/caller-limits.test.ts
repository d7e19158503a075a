/** A caller's limits as the caller sees them: what is left on every answer, and a refusal that says when to come back. */
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { CallerLimits } from '../../src/config/config.ts'
import { answerWith } from '../fixtures/gemini.ts'
import { ask } from '../helpers/callers.ts'
import { callerOf, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { json, type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'

const caller = (id: string, limits: CallerLimits) => callerOf(id, { limits })

let upstream: ScriptedUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startUpstream(answerWith('answers/tiny-picture.json'))
  gateway = await startGateway({
    upstream: upstream.url,
    callers: [
      caller('steady', { requestsPerMinute: 3 }),
      caller('google', { requestsPerMinute: 1 }),
      caller('many', { requestsPerMinute: 1 }),
      caller('careless', { requestsPerMinute: 1 }),
      caller('narrow', { concurrent: 1 }),
      caller('free', {}),
      caller('small', { imagesPerMinute: 2, tokensPerMinute: 2000 }),
      caller('leaver', { imagesPerDay: 10 }),
      { ...caller('special', {}), modelLimits: [{ model: 'Nano-Banana-Pro', limits: { imagesPerDay: 1 } }] },
    ],
  })
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})
beforeEach(() => {
  upstream.seen.length = 0
})

const paint = (id: string, body: object = {}) =>
  ask(gateway, '/v1/images/generations', { prompt: 'A red kite', ...body }, { authorization: `Bearer key-of-${id}` })
const call = (id: string) =>
  ask(gateway, '/v1beta/models/nano-banana:generateContent', { contents: [] }, { 'x-goog-api-key': `key-of-${id}` })

test('every answer says what is left, and the one too many when to come back', async () => {
  for (const left of ['2', '1', '0']) {
    const { status, headers } = await paint('steady')
    expect(status).toBe(200)
    expect(headers.get('x-ratelimit-limit-requests')).toBe('3')
    expect(headers.get('x-ratelimit-remaining-requests')).toBe(left)
    expect(headers.get('x-ratelimit-reset-requests')).toMatch(/^(?:\d+m)?[\d.]+m?s$/)
    expect(headers.get('ratelimit-policy')).toBe('"requests";q=3;w=60')
    expect(headers.get('ratelimit')).toMatch(new RegExp(`^"requests";r=${left};t=\\d+$`))
  }
  const { status, reason, headers, json, line } = await paint('steady')
  expect([status, reason]).toEqual([429, 'rate_limit_exceeded'])
  expect(json.error).toMatchObject({ type: 'requests', code: 'rate_limit_exceeded', param: null })
  expect(json.error.message).toMatch(/3 per minute.*try again in [\d.]+s/)
  const [seconds, ms] = [Number(headers.get('retry-after')), Number(headers.get('retry-after-ms'))]
  expect(seconds).toBe(Math.ceil(ms / 1000))
  expect(ms).toBeGreaterThan(0)
  expect(ms).toBeLessThanOrEqual(61_000)
  expect(headers.get('x-ratelimit-remaining-requests')).toBe('0')
  expect(line).toMatchObject({ outcome: 'limited', status: 429, attempts: 0, caller: 'steady' })
  expect(upstream.seen).toHaveLength(3)
})

test('a Gemini caller is refused in Google’s words, with the wait inside', async () => {
  expect((await call('google')).status).toBe(200)
  const { status, reason, headers, json } = await call('google')
  expect([status, reason]).toEqual([429, 'RESOURCE_EXHAUSTED'])
  expect(json.error).toMatchObject({ code: 429, status: 'RESOURCE_EXHAUSTED' })
  const retry = json.error.details.find((detail: { '@type': string }) => detail['@type'].endsWith('RetryInfo'))
  expect(Number.parseFloat(retry.retryDelay) * 1000).toBe(Number(headers.get('retry-after-ms')))
  expect(json.error.details[0]['@type']).toMatch(/QuotaFailure$/)
})

test('a limit for a model holds for all of its names, whichever the operator wrote', async () => {
  expect((await paint('special', { model: 'gemini-3-pro-image' })).status).toBe(200)
  for (const model of ['nano-banana-pro', 'gemini-3-pro-image-preview'])
    expect((await paint('special', { model })).status).toBe(429)
  expect((await paint('special', { model: 'nano-banana-2' })).status).toBe(200)
})

test('any number of pictures is one request', async () => {
  expect((await paint('many', { n: 4 })).status).toBe(200)
  expect((await paint('many')).status).toBe(429)
  expect(upstream.seen).toHaveLength(4)
})

test('what is refused before it is counted costs nothing', async () => {
  for (const body of [
    { n: 11 },
    { model: '../x' },
    { response_format: 'html' },
    { size: 'huge' },
    { image_size: '9K' },
  ]) {
    expect((await paint('careless', body)).status).toBeGreaterThanOrEqual(400)
  }
  expect((await paint('careless')).status).toBe(200)
})

test('a place at the table is taken while a call runs, and free again when it is over, however it ends', async () => {
  let answer = () => {}
  upstream.script = (request, response) => {
    answer = () => void answerWith('answers/tiny-picture.json')(request, response)
  }
  const first = paint('narrow')
  await expect.poll(() => upstream.seen.length).toBe(1)
  for (const second of [await paint('narrow'), await call('narrow')]) {
    expect(second.status).toBe(429)
    expect(second.json.error.message).toMatch(/concurrent requests: 1 at a time/)
    expect(second.headers.get('retry-after')).toBe('1')
  }
  answer()
  expect((await first).status).toBe(200)
  upstream.script = answerWith('errors/internal.json', 500)
  expect((await paint('narrow')).status).toBe(502)
  upstream.script = answerWith('refusals/image-safety.json')
  expect((await paint('narrow')).status).toBe(400)
  upstream.script = answerWith('answers/tiny-picture.json')
  expect((await call('narrow')).status).toBe(200)
})

test('who has no limit is told of none', async () => {
  const { headers } = await paint('free')
  expect([...headers.keys()].filter(name => /ratelimit/.test(name))).toEqual([])
})

test('a caller who leaves pays for the pictures that had begun to come, not for all that were asked for', async () => {
  const paints = upstream.script
  onTestFinished(() => {
    upstream.script = paints
  })
  const begun = Promise.withResolvers<void>()
  upstream.script = (_request, response) => {
    if (upstream.seen.length !== 3) return
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"candidates":', () => begun.resolve())
  }
  const leaving = new AbortController()
  const asked = fetch(`${gateway.url}/v1/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer key-of-leaver' },
    body: JSON.stringify({ prompt: 'A red kite', n: 3 }),
    signal: leaving.signal,
  })
  await begun.promise
  // For its first bytes to have come.
  await new Promise(resolve => setTimeout(resolve, 100))
  leaving.abort()
  await expect(asked).rejects.toThrow()
  await expect.poll(() => gateway.log.some(({ outcome }) => outcome === 'left')).toBe(true)
  upstream.script = paints
  const { headers } = await paint('leaver')
  expect(headers.get('x-ratelimit-remaining-images')).toBe('8')
})

test.each([
  ['/v1/images/generations', { prompt: 'A red kite', n: 3 }, 'n'],
  ['/v1/images/generations', { prompt: 'x'.repeat(8_000) }, 'prompt'],
  [':generateContent', { contents: [{ parts: [{ text: 'x'.repeat(8_000) }] }] }, 'contents'],
  [
    ':generateContent',
    { contents: [{ parts: [{ text: 'x' }] }], generationConfig: { candidateCount: 3 } },
    'generation_config.candidate_count',
  ],
  [':predict', { instances: [{ prompt: 'x' }], parameters: { sampleCount: 3 } }, 'parameters.sample_count'],
])('a request to %s that no limit could hold is refused by the name the field has there', async (path, body, field) => {
  const url = path.startsWith(':') ? `/v1beta/models/nano-banana${path}` : path
  const { status, json } = await ask(gateway, url, body, { 'x-goog-api-key': 'key-of-small' })
  expect(status).toBe(400)
  expect(json.error.param ?? json.error.details[0].fieldViolations[0].field).toBe(field)
})

test('a call that is passed on counts as many pictures as it asks for, though OpenAI itself takes ten at most', async () => {
  const local = await startUpstream(json({ created: 1, data: Array(11).fill({ b64_json: 'iVBORw0KGgo=' }) }))
  const own = await startGateway({
    upstream: local.url,
    upstreamConfig: { name: 'local', protocol: 'openai', dialect: 'openai', baseUrl: `${local.url}/v1` },
    callers: [caller('small', { imagesPerMinute: 12 })],
  })
  onTestFinished(async () => {
    await own.close()
    await local.close()
  })
  for (const [n, status] of [
    [20, 400],
    [11, 200],
    [2, 429],
  ]) {
    const body = { model: 'local/flux', prompt: 'A red kite', n }
    const told = await ask(own, '/v1/images/generations', body, { authorization: 'Bearer key-of-small' })
    expect([n, told.status]).toEqual([n, status])
    if (status === 400) expect(told.json.error).toMatchObject({ code: 'invalid_value', param: 'n' })
  }
})
