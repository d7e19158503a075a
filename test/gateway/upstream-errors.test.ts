/** Every error Google is known to send, as a caller of each protocol is told it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answerWith, fixture } from '../fixtures/gemini.ts'
import { askGemini, askOpenai, type Told } from '../helpers/callers.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { json, type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'

let upstream: ScriptedUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startUpstream(answerWith('errors/internal.json', 500))
  gateway = await startGateway({ upstream: upstream.url })
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

interface Case {
  readonly name: string
  /** What Google answered with. */
  readonly upstream: number
  readonly openai: readonly [status: number, type: string, code: string | null]
  /** `passes`: byte for byte. */
  readonly gemini: 'passes' | readonly [status: number, name: string]
  readonly outcome?: string
  /** Milliseconds that both protocols' SDKs are told to wait. */
  readonly waitMs?: number
  /** A retry cannot cure it. */
  readonly final?: boolean
  /** The caller reads Google's own words. */
  readonly says?: RegExp
}

const invalid = [400, 'invalid_request_error', null] as const
const credential = [502, 'server_error', 'upstream_credential'] as const
const failed = [502, 'server_error', 'upstream_failed'] as const
const limited = [429, 'requests', 'rate_limit_exceeded'] as const
const quota = [429, 'insufficient_quota', 'insufficient_quota'] as const
const unavailable = [503, 'UNAVAILABLE'] as const

const errors: readonly Case[] = [
  { name: 'api-key-invalid.json', upstream: 400, openai: credential, gemini: unavailable, final: true },
  { name: 'unknown-field.json', upstream: 400, openai: invalid, gemini: 'passes', says: /Unknown name "colour"/ },
  { name: 'no-contents.json', upstream: 400, openai: invalid, gemini: 'passes', says: /contents is not specified/ },
  { name: 'bad-ratio.json', upstream: 400, openai: invalid, gemini: 'passes', says: /must be one of '1:1'/ },
  { name: 'bad-size.json', upstream: 400, openai: invalid, gemini: 'passes', says: /Unsupported image_size '8K'/ },
  { name: 'multiple-candidates.json', upstream: 400, openai: invalid, gemini: 'passes', says: /Multiple candidates/ },
  { name: 'bad-request-array.json', upstream: 400, openai: invalid, gemini: 'passes', says: /invalid argument/ },
  { name: 'location.json', upstream: 400, openai: credential, gemini: unavailable, final: true },
  { name: 'bad-oauth.json', upstream: 401, openai: credential, gemini: unavailable, final: true },
  { name: 'key-reported-leaked.json', upstream: 403, openai: credential, gemini: unavailable, final: true },
  {
    name: 'model-not-found.json',
    upstream: 404,
    openai: [404, 'invalid_request_error', 'model_not_found'],
    gemini: 'passes',
    says: /is not found for API version v1beta/,
  },
  {
    name: 'not-found.html',
    upstream: 404,
    openai: [404, 'invalid_request_error', 'model_not_found'],
    gemini: [404, 'NOT_FOUND'],
  },
  {
    name: 'payload-too-large.json',
    upstream: 413,
    openai: [413, 'invalid_request_error', 'request_too_large'],
    gemini: 'passes',
    says: /exceeds the limit/,
  },
  { name: 'quota-retry-whole.json', upstream: 429, openai: limited, gemini: 'passes', waitMs: 34_000 },
  { name: 'quota-retry-fraction.json', upstream: 429, openai: limited, gemini: 'passes', waitMs: 34_282 },
  { name: 'quota-retry-in-words.json', upstream: 429, openai: limited, gemini: 'passes', waitMs: 12_500 },
  { name: 'quota-retry-zero.json', upstream: 429, openai: limited, gemini: 'passes', waitMs: 0 },
  {
    name: 'quota-retry-an-hour.json',
    upstream: 429,
    openai: limited,
    gemini: 'passes',
    waitMs: 3_600_000,
    final: true,
  },
  { name: 'quota-no-wait.json', upstream: 429, openai: limited, gemini: 'passes' },
  { name: 'quota-wait-malformed.json', upstream: 429, openai: limited, gemini: 'passes' },
  { name: 'quota-per-day.json', upstream: 429, openai: quota, gemini: 'passes', final: true },
  { name: 'quota-zero.json', upstream: 429, openai: quota, gemini: 'passes', final: true },
  { name: 'credits-depleted.json', upstream: 429, openai: quota, gemini: 'passes', final: true, says: /depleted/ },
  { name: 'cancelled.json', upstream: 499, openai: failed, gemini: unavailable, says: /cancelled/ },
  { name: 'internal.json', upstream: 500, openai: failed, gemini: unavailable, says: /internal error/ },
  { name: 'not-implemented.json', upstream: 501, openai: failed, gemini: unavailable },
  { name: 'bad-gateway.html', upstream: 502, openai: failed, gemini: unavailable },
  {
    name: 'overloaded.json',
    upstream: 503,
    openai: [503, 'server_error', 'overloaded'],
    gemini: unavailable,
    says: /overloaded/,
  },
  {
    name: 'overloaded-array.json',
    upstream: 503,
    openai: [503, 'server_error', 'overloaded'],
    gemini: unavailable,
    says: /overloaded/,
  },
  {
    name: 'overloaded-in-text.json',
    upstream: 503,
    openai: [503, 'server_error', 'overloaded'],
    gemini: unavailable,
    says: /^The model is overloaded/,
  },
  {
    name: 'deadline.json',
    upstream: 504,
    openai: [504, 'server_error', 'timeout'],
    gemini: [504, 'DEADLINE_EXCEEDED'],
    outcome: 'timeout',
  },
]

describe('to an OpenAI caller', () => {
  test.each(errors)('$upstream $name', async ({ name, upstream: status, openai, says, ...rest }) => {
    upstream.script = answerWith(`errors/${name}`, status)
    const told = await askOpenai(gateway)
    expectOpenai(told, openai)
    if (says) expect(told.json.error.message).toMatch(says)
    expectRetryAdvice(told, rest)
    expect(told.line).toMatchObject({ outcome: rest.outcome ?? 'failed', status: openai[0], images: 0, attempts: 1 })
    expect(told.headers.get('x-plantain-upstream')).toBe('google')
  })
})

describe('to a Gemini caller', () => {
  test.each(errors)('$upstream $name', async ({ name, upstream: status, gemini, says, ...rest }) => {
    upstream.script = answerWith(`errors/${name}`, status)
    const told = await askGemini(gateway)
    if (gemini === 'passes') {
      expect(told.status).toBe(status)
      expect(told.text).toBe(fixture(`errors/${name}`).toString())
      expect(told.reason).toBe([JSON.parse(told.text)].flat()[0].error.status)
    } else {
      expectGemini(told, gemini)
      if (says) expect(told.json.error.message).toMatch(says)
    }
    expectRetryAdvice(told, rest)
    const lineStatus = gemini === 'passes' ? status : gemini[0]
    expect(told.line).toMatchObject({ outcome: rest.outcome ?? 'failed', status: lineStatus, attempts: 1 })
  })
})

describe('what an upstream says of the operator', () => {
  test.each(errors.filter(({ openai }) => openai === credential))(
    '$name is nobody else’s business',
    async ({ name, upstream: status }) => {
      upstream.script = answerWith(`errors/${name}`, status)
      for (const told of [await askOpenai(gateway), await askGemini(gateway)]) {
        expect(told.json.error.message).toMatch(/operator/)
        expect(told.text).not.toMatch(/leaked|projects\/|API key not valid|location|OAuth/)
      }
    },
  )
})

describe('an upstream that speaks Google’s language and is not Google', () => {
  const error = (code: number) => ({ error: { code, message: 'Not now.', status: 'UNAVAILABLE' } })

  test('may tell the wait in a header', async () => {
    upstream.script = json(error(429), 429, { 'retry-after': '7' })
    expectRetryAdvice(await askOpenai(gateway), { waitMs: 7000 })
    const relayed = await askGemini(gateway)
    expect(relayed.text).toBe(JSON.stringify(error(429)))
    expectRetryAdvice(relayed, { waitMs: 7000 })
  })

  const inOpenaiForm = (code: string, message = 'Told.') => ({
    error: { message, type: 'an_error', param: null, code },
  })

  test.each([
    [400, inOpenaiForm('invalid_value'), invalid, [400, 'INVALID_ARGUMENT']],
    [400, { error: 'Told.' }, invalid, [400, 'INVALID_ARGUMENT']],
    [404, { message: 'Told.' }, [404, 'invalid_request_error', 'model_not_found'], [404, 'NOT_FOUND']],
    [429, inOpenaiForm('insufficient_quota'), quota, [429, 'RESOURCE_EXHAUSTED']],
  ] as const)(
    'may tell errors in another’s form, and callers hear them in their own: %i %j',
    async (status, document, toOpenai, toGemini) => {
      upstream.script = json(document, status)
      const [translated, relayed] = [await askOpenai(gateway), await askGemini(gateway)]
      expectOpenai(translated, toOpenai)
      expectGemini(relayed, toGemini)
      for (const { json: told } of [translated, relayed]) expect(told.error.message).toBe('Told.')
    },
  )

  test.each([400, 403])('may refuse in OpenAI’s words, and it is a refusal, with a %i too', async refusing => {
    upstream.script = json(inOpenaiForm('moderation_blocked'), refusing)
    const { status, json: told, line } = await askOpenai(gateway)
    expect([status, told.error.code, line.outcome]).toEqual([400, 'moderation_blocked', 'refused'])
    const relayed = await askGemini(gateway)
    expectGemini(relayed, [400, 'INVALID_ARGUMENT'])
    expect(relayed.line.outcome).toBe('refused')
  })

  test('may tell the wait in OpenAI’s words', async () => {
    upstream.script = json(inOpenaiForm('rate_limit_exceeded', 'Please try again in 12s.'), 429)
    for (const told of [await askOpenai(gateway), await askGemini(gateway)]) expectRetryAdvice(told, { waitMs: 12_000 })
  })

  test('may want to be paid first: that is a quota which no wait renews', async () => {
    upstream.script = json(error(402), 402)
    const [translated, relayed] = [await askOpenai(gateway), await askGemini(gateway)]
    expectOpenai(translated, quota)
    expectGemini(relayed, [429, 'RESOURCE_EXHAUSTED'])
    for (const told of [translated, relayed]) expectRetryAdvice(told, { final: true })
  })

  test.each([429, 500, 503, 504])(
    'may say of a %i that no retry cures it, and both protocols’ callers are told',
    async status => {
      upstream.script = json(error(status), status, { 'x-should-retry': 'false' })
      for (const told of [await askOpenai(gateway), await askGemini(gateway)]) expectRetryAdvice(told, { final: true })
    },
  )
})

type Broken = readonly (readonly [what: string, fixture: string, Case['openai']])[]

/** What is no document at all, though its status says so. */
const noDocuments: Broken = [
  ['HTML', 'page.html', failed],
  ['nothing at all', 'empty.json', failed],
  ['a document that was cut', 'cut.json', failed],
  ['something behind the document', 'trailing-garbage.json', failed],
]

/** Documents that are no answer. */
const noAnswers: Broken = [
  ['null', 'null.json', failed],
  ['parts that are no list', 'parts-no-list.json', failed],
  ['a picture that is no base64', 'bad-base64.json', failed],
  ['a picture that is a web page', 'html-as-picture.json', failed],
  ['a finish reason that owns up to it', 'malformed-response.json', failed],
  ['an error inside', 'error-in-200.json', failed],
  ['an error in an array inside', 'error-in-200-array.json', [503, 'server_error', 'overloaded']],
  ['a quota inside', 'error-in-200-quota.json', limited],
  ['an error without a code inside', 'error-in-200-without-code.json', failed],
]

describe('a 200 that is no answer', () => {
  test.each([...noDocuments, ...noAnswers])('with %s is an error to an OpenAI caller', async (_what, name, openai) => {
    upstream.script = answerWith(`broken/${name}`)
    const told = await askOpenai(gateway)
    expectOpenai(told, openai)
    expect(told.line).toMatchObject({ outcome: 'failed', status: openai[0], images: 0 })
  })

  test.each(noDocuments)('with %s is an error to a Gemini caller', async (_what, name) => {
    upstream.script = answerWith(`broken/${name}`)
    const told = await askGemini(gateway)
    expectGemini(told, unavailable)
    expect(told.line).toMatchObject({ outcome: 'failed', status: 503, images: 0 })
  })

  test.each(noAnswers)('with %s passes to a Gemini caller as it came', async (_what, name) => {
    upstream.script = answerWith(`broken/${name}`)
    const told = await askGemini(gateway)
    expect(told.status).toBe(200)
    expect(told.text).toBe(fixture(`broken/${name}`).toString())
  })

  test.each(noAnswers.filter(([, name]) => name.startsWith('error-in-200')))(
    'with %s counts as failed, though its bytes were passed on',
    async (_what, name) => {
      upstream.script = answerWith(`broken/${name}`)
      const told = await askGemini(gateway)
      expect(told.line).toMatchObject({ outcome: 'failed', status: 200 })
    },
  )

  test('other statuses that look like success are failures, but for 201', async () => {
    for (const status of [203, 204, 206, 302]) {
      upstream.script = (_request, response) =>
        void response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(status === 204 ? undefined : '{}')
      expectOpenai(await askOpenai(gateway), failed)
      expectGemini(await askGemini(gateway), unavailable)
    }
  })
})

test('a failed call is counted as one, translated or relayed, with the status it got', async () => {
  const fresh = await startGateway({ upstream: upstream.url })
  upstream.script = answerWith('errors/quota-retry-whole.json', 429)
  for (const asked of [askOpenai(fresh), askGemini(fresh)]) expect((await asked).status).toBe(429)
  const metrics = await (await fetch(`${fresh.adminUrl}/metrics`)).text()
  await fresh.close()
  const series = metrics.split('\n').filter(line => line.startsWith('plantain_upstream_requests_total{'))
  expect(series).toHaveLength(1)
  expect(series[0]).toMatch(/outcome="failed",status="429"\} 2$/)
})

function expectOpenai({ status, reason, headers, json }: Told, [wanted, type, code]: Case['openai']): void {
  expect(json.error).toMatchObject({ type, code })
  expect(Object.keys(json.error).sort()).toEqual(['code', 'message', 'param', 'type'])
  expect(json.error.message).not.toBe('')
  expect(status).toBe(wanted)
  expect(reason).toBe(code ?? type)
  expect(headers.get('content-type')).toBe('application/json')
}

function expectGemini({ status, reason, headers, json }: Told, [wanted, name]: readonly [number, string]): void {
  expect(json.error).toMatchObject({ code: wanted, status: name })
  expect(json.error.message).not.toBe('')
  expect(status).toBe(wanted)
  expect(reason).toBe(name)
  expect(headers.get('content-type')).toBe('application/json; charset=UTF-8')
}

function expectRetryAdvice({ headers }: Told, { waitMs, final }: Pick<Case, 'waitMs' | 'final'>): void {
  const seconds = waitMs === undefined ? null : String(Math.max(1, Math.ceil(waitMs / 1000)))
  expect(headers.get('retry-after')).toBe(seconds)
  expect(headers.get('retry-after-ms')).toBe(waitMs === undefined ? null : String(waitMs))
  expect(headers.get('x-should-retry')).toBe(final ? 'false' : null)
}

describe('an upstream that repeats the key it was called with', () => {
  // Google's JSON writes some characters as escapes; what JSON may hold otherwise means the same to whoever reads it.
  const escaped = '\\u0075pstream\\u002Dkey'
  const errorWith = (key: string, code: number) =>
    `{"error":{"code":${code},"message":"No key ${key} here","status":"X"}}`

  test.each([
    ['in an error', 400, errorWith('upstream-key', 400)],
    ['in an error, as escapes', 400, errorWith(escaped, 400)],
    ['in an error of its own making', 500, errorWith(escaped, 500)],
    ['with a wait', 429, errorWith(escaped, 429)],
  ])('%s: no caller sees it', async (_how, status, body) => {
    upstream.script = json(body, status)
    for (const { json: read, text } of [await askOpenai(gateway), await askGemini(gateway)]) {
      expect(JSON.stringify(read)).not.toContain('upstream-key')
      expect(text).toContain('No key [redacted] here')
    }
  })

  test.each([400, 429, 500])(
    'in an error %i that stands in an answer with 200: no caller of a translation sees it',
    async code => {
      for (const key of ['upstream-key', escaped]) {
        upstream.script = json(errorWith(key, code))
        const { status, json: read, line } = await askOpenai(gateway)
        expect(status).toBeGreaterThanOrEqual(400)
        expect(read.error.message).toContain('No key [redacted] here')
        expect(line.errorMessage).toContain('No key [redacted] here')
      }
    },
  )
})

test('an error too large to be read is told in words of the gateway, not as a piece of JSON', async () => {
  upstream.script = json({ error: { code: 400, message: 'x'.repeat(3_000_000), status: 'INVALID_ARGUMENT' } }, 400)
  expectOpenai(await askOpenai(gateway), invalid)
  expectGemini(await askGemini(gateway), [400, 'INVALID_ARGUMENT'])
})

test.each([
  ['seconds', { 'retry-after': '99999999999999999999' }],
  ['milliseconds', { 'retry-after-ms': '1e300' }],
  ['a date', { 'retry-after': 'Wed, 21 Oct 2099 07:28:00 GMT' }],
])('a wait that nobody can mean, in %s, is told as a year', async (_form, headers) => {
  upstream.script = json({ error: { code: 429, message: 'Later', status: 'RESOURCE_EXHAUSTED' } }, 429, headers)
  for (const told of [await askOpenai(gateway), await askGemini(gateway)]) {
    expectRetryAdvice(told, { waitMs: 365 * 86_400_000, final: true })
  }
})

test('a key of a letter or two is no secret: errors keep their words, and a real key is taken out of them', async () => {
  const says = 'A real-upstream-key is not what this takes.'
  upstream.script = json({ error: { code: 400, message: says, status: 'INVALID_ARGUMENT' } }, 400)
  for (const [key, told] of [
    ['a', says],
    ['real-upstream-key', says.replace('real-upstream-key', '[redacted]')],
  ] as const) {
    const own = await startGateway({ upstream: upstream.url, upstreamConfig: { keys: [key] } })
    for (const ask of [askGemini, askOpenai]) expect((await ask(own)).json.error.message).toBe(told)
    await own.close()
  }
})
