/** What upstreams' errors mean, in the words of each vendor. */
import { describe, expect, test } from 'vitest'
import { openai } from '../../../src/dialects/openai.ts'
import type { ErrorKind } from '../../../src/images/error.ts'
import { createOutbound } from '../../../src/protocols/openai/index.ts'

const { decodeError } = createOutbound(openai)
const decode = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  decodeError({ status, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) })
const inOpenAiForm = (error: object) => ({
  error: { message: 'Told.', type: 'invalid_request_error', param: null, code: null, ...error },
})

const table: readonly (readonly [string, number, unknown, ErrorKind, object])[] = [
  [
    'a wrong value',
    400,
    inOpenAiForm({ param: 'size', code: 'invalid_value' }),
    'invalid-request',
    { param: 'size', code: 'invalid_value' },
  ],
  [
    'an unknown field',
    400,
    inOpenAiForm({ param: 'style', code: 'unknown_parameter' }),
    'invalid-request',
    { param: 'style' },
  ],
  ['an unprocessable one', 422, inOpenAiForm({}), 'invalid-request', {}],
  ['another gateway’s answer without a picture', 400, inOpenAiForm({ code: 'no_image_generated' }), 'no-image', {}],
  ['a conflict', 409, inOpenAiForm({}), 'invalid-request', {}],
  [
    'a reseller’s wrong value',
    400,
    { error: { message: 'Invalid aspect ratio', type: 'invalid_request_error', code: 'invalid_parameter' } },
    'invalid-request',
    { code: 'invalid_parameter' },
  ],
  [
    'a refusal of the prompt',
    400,
    inOpenAiForm({
      type: 'image_generation_user_error',
      code: 'moderation_blocked',
      moderation_details: { moderation_stage: 'input', categories: ['violence', 'self-harm'] },
    }),
    'content-refused',
    { stage: 'input', reason: 'violence, self-harm' },
  ],
  [
    'a refusal of the picture',
    400,
    inOpenAiForm({ code: 'moderation_blocked', moderation_details: { moderation_stage: 'output', categories: [] } }),
    'content-refused',
    { stage: 'output', reason: 'moderation_blocked' },
  ],
  [
    'a refusal without details',
    400,
    inOpenAiForm({ code: 'moderation_blocked', moderation_details: { moderation_stage: 'unknown' } }),
    'content-refused',
    { reason: 'moderation_blocked' },
  ],
  ['a refusal of old', 400, inOpenAiForm({ code: 'content_policy_violation' }), 'content-refused', {}],
  [
    'Azure’s filter, before',
    400,
    { created: 1, error: { code: 'contentFilter', message: 'Your task failed as a result of our safety system.' } },
    'content-refused',
    { stage: 'input' },
  ],
  [
    'Azure’s filter, after',
    400,
    { error: { code: 'contentFilter', message: 'Generated image was filtered as a result of our safety system.' } },
    'content-refused',
    { stage: 'output' },
  ],
  [
    'Azure’s filter, below',
    400,
    { error: { code: 'content_policy', message: 'Filtered.', innererror: { code: 'ResponsibleAIPolicyViolation' } } },
    'content-refused',
    { reason: 'ResponsibleAIPolicyViolation' },
  ],
  [
    'a refusal in words alone',
    400,
    { message: 'The request was rejected because it may contain prohibited content.', statusCode: '400' },
    'content-refused',
    {},
  ],
  ['a wrong key', 401, inOpenAiForm({ code: 'invalid_api_key' }), 'upstream-credential', {}],
  [
    'Azure’s wrong key',
    401,
    { error: { code: '401', message: 'Access denied due to invalid subscription key.' } },
    'upstream-credential',
    {},
  ],
  ['a region or an organisation', 403, inOpenAiForm({}), 'upstream-credential', {}],
  [
    'spent at OpenAI',
    429,
    inOpenAiForm({ type: 'insufficient_quota', code: 'insufficient_quota' }),
    'quota-exhausted',
    {},
  ],
  [
    'spent by its limit',
    400,
    inOpenAiForm({ code: 'billing_hard_limit_reached', message: 'Billing hard limit has been reached' }),
    'quota-exhausted',
    {},
  ],
  ['spent in advance', 429, inOpenAiForm({ code: 'credit_balance_exhausted' }), 'quota-exhausted', {}],
  [
    'spent at a reseller',
    403,
    { message: "You've run out of credits. Please top up your balance.", statusCode: '403' },
    'quota-exhausted',
    {},
  ],
  [
    'spent where the status has a name',
    403,
    { statusCode: 403, error: 'Forbidden', message: 'You have run out of credits.' },
    'quota-exhausted',
    {},
  ],
  [
    'refused where the status has a name',
    400,
    { statusCode: 400, error: 'Bad Request', message: 'The prompt holds prohibited content.' },
    'content-refused',
    {},
  ],
  ['payment required', 402, {}, 'quota-exhausted', {}],
  [
    'an unknown model',
    404,
    inOpenAiForm({ code: 'model_not_found', param: 'model' }),
    'model-unknown',
    { param: 'model' },
  ],
  [
    'an unknown deployment',
    404,
    { error: { code: 'DeploymentNotFound', message: 'None.' } },
    'model-unknown',
    { param: 'model' },
  ],
  ['too large', 413, '<html>413</html>', 'too-large', {}],
  [
    'a rate',
    429,
    inOpenAiForm({ type: 'images', code: 'rate_limit_exceeded' }),
    'rate-limited',
    { dimension: 'images' },
  ],
  ['broken', 500, inOpenAiForm({ type: 'server_error' }), 'upstream-failed', {}],
  ['a proxy’s page', 502, '<html><body>502 Bad Gateway</body></html>', 'upstream-failed', {}],
  ['overloaded', 503, { error: { code: 'ServiceUnavailable', message: 'Later.' } }, 'overloaded', {}],
  ['too slow', 504, '', 'upstream-timeout', {}],
  ['a redirect', 302, '', 'upstream-failed', {}],
]

test.each(table)('%s: %i', (_name, status, body, kind, facts) => {
  const error = decode(status, body)
  expect(error).toMatchObject({ kind, facts: { upstreamStatus: status, ...facts } })
})

describe('the sentence is found wherever a vendor puts it', () => {
  test.each([
    [{ error: { message: 'Told.' } }],
    [[{ error: { message: 'Told.' } }]],
    [{ error: 'Told.' }],
    [{ message: 'Told.', statusCode: '400' }],
    [{ statusCode: 400, error: 'Bad Request', message: 'Told.' }],
    [{ statusCode: 400, error: 'Bad Request', message: ['Told.'] }],
    [{ detail: 'Told.' }],
    [{ error: { message: ['Told.'] } }],
    [{ error: { message: 'Told.', code: 400, param: 7, type: null } }],
    [{ detail: [{ loc: ['body', 'size'], msg: 'Told.', type: 'value_error' }] }],
    [{ error: { message: '{"error":{"code":400,"message":"Told.","status":"INVALID_ARGUMENT"}}' } }],
    [{ error: { message: JSON.stringify([{ error: { message: '{\n "error": {"message": "Told."}}' } }]) } }],
  ])('%j', body => {
    expect(decode(400, body)).toMatchObject({ kind: 'invalid-request', message: 'Told.' })
  })

  test.each(['', 'null', '[]', '{"error":{}}', '{"error":null}', '<html></html>', '{'])('no sentence in %s', body => {
    expect(decode(400, body).message).toBe('The upstream answered 400 without a reason.')
  })
})

test('what is wrong with the operator’s key is not told to callers', () => {
  const { message } = decode(
    401,
    inOpenAiForm({ message: 'Incorrect API key provided: sk-live.', code: 'invalid_api_key' }),
  )
  expect(message).not.toContain('sk-live')
})

describe('how long to wait', () => {
  const limited = (message: string, headers = {}) =>
    decode(429, inOpenAiForm({ message, code: 'rate_limit_exceeded' }), headers).facts.retryAfterMs

  test.each([
    [{ 'retry-after-ms': '1200.4', 'retry-after': '9' }, 1201],
    [{ 'retry-after': '12' }, 12_000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': 'Sat, 21 Nov 2026 12:00:30 GMT', date: 'Sat, 21 Nov 2026 12:00:00 GMT' }, 30_000],
    [{ 'retry-after': 'Sat, 21 Nov 2026 11:00:00 GMT', date: 'Sat, 21 Nov 2026 12:00:00 GMT' }, undefined],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('by header: %j', (headers, ms) => {
    expect(limited('Slow down.', headers)).toBe(ms)
  })

  test.each([
    ['Please try again in 12s.', 12_000],
    ['Please try again in 1.5s.', 1500],
    ['Please try again in 1m12s.', 72_000],
    ['Please try again in 6h0m20s.', 21_620_000],
    ['Please try again in 350ms.', 350],
    ['Please retry after 12 seconds.', 12_000],
  ])('by words: %s', (message, ms) => {
    expect(limited(message)).toBe(ms)
  })

  test('of what ran out', () => {
    const dimension = (message: string, type = 'x') => decode(429, inOpenAiForm({ message, type })).facts.dimension
    expect(dimension('Rate limit reached on images per min: Limit 5')).toBe('images')
    expect(dimension('Limit.', 'tokens')).toBe('tokens')
    expect(dimension('Limit.')).toBeUndefined()
  })

  test.each([429, 500, 502, 503, 504])('an upstream that forbids a retry of a %i is believed', status => {
    expect(decode(status, inOpenAiForm({}), { 'x-should-retry': 'false' }).facts.final).toBe(true)
    expect(decode(status, inOpenAiForm({}), {}).facts.final).toBeUndefined()
  })
})
