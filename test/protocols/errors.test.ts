/** Every kind of error in both envelopes. A kind that is added without its words does not compile; here is what the words are. */
import { describe, expect, test } from 'vitest'
import { google } from '../../src/dialects/google.ts'
import { join } from '../../src/images/bytes.ts'
import { type ErrorFacts, type ErrorKind, GatewayError } from '../../src/images/error.ts'
import * as gemini from '../../src/protocols/gemini/index.ts'
import * as openai from '../../src/protocols/openai/index.ts'
import type { WireReply } from '../../src/protocols/protocol.ts'

type Row = readonly [status: number, type: string, code: string | null, googleStatus: number, google: string]

const invalid = 'invalid_request_error'
const table: Record<ErrorKind, Row> = {
  'invalid-request': [400, invalid, null, 400, 'INVALID_ARGUMENT'],
  'unsupported-parameter': [400, invalid, 'unsupported_parameter', 400, 'INVALID_ARGUMENT'],
  'unsupported-media': [415, invalid, 'unsupported_media_type', 415, 'INVALID_ARGUMENT'],
  unauthenticated: [401, invalid, 'invalid_api_key', 400, 'INVALID_ARGUMENT'],
  forbidden: [403, invalid, 'forbidden', 403, 'PERMISSION_DENIED'],
  'model-unknown': [404, invalid, 'model_not_found', 404, 'NOT_FOUND'],
  'route-unknown': [404, invalid, 'unknown_url', 404, 'NOT_FOUND'],
  'method-not-allowed': [405, invalid, 'method_not_allowed', 405, 'UNIMPLEMENTED'],
  'request-timeout': [408, invalid, 'request_timeout', 408, 'DEADLINE_EXCEEDED'],
  conflict: [409, invalid, 'conflict', 409, 'ABORTED'],
  'key-reused': [422, invalid, 'idempotency_key_reused', 422, 'FAILED_PRECONDITION'],
  'too-large': [413, invalid, 'request_too_large', 413, 'INVALID_ARGUMENT'],
  'headers-too-large': [431, invalid, 'request_header_fields_too_large', 431, 'INVALID_ARGUMENT'],
  'rate-limited': [429, 'requests', 'rate_limit_exceeded', 429, 'RESOURCE_EXHAUSTED'],
  'quota-exhausted': [429, 'insufficient_quota', 'insufficient_quota', 429, 'RESOURCE_EXHAUSTED'],
  overloaded: [503, 'server_error', 'overloaded', 503, 'UNAVAILABLE'],
  'content-refused': [400, 'image_generation_user_error', 'moderation_blocked', 400, 'INVALID_ARGUMENT'],
  'no-image': [400, 'image_generation_user_error', 'no_image_generated', 400, 'INVALID_ARGUMENT'],
  'upstream-failed': [502, 'server_error', 'upstream_failed', 503, 'UNAVAILABLE'],
  'upstream-credential': [502, 'server_error', 'upstream_credential', 503, 'UNAVAILABLE'],
  'upstream-timeout': [504, 'server_error', 'timeout', 504, 'DEADLINE_EXCEEDED'],
  loop: [508, 'server_error', 'loop_detected', 508, 'FAILED_PRECONDITION'],
  'caller-left': [499, invalid, 'client_closed_request', 499, 'CANCELLED'],
  internal: [500, 'server_error', 'internal_error', 500, 'INTERNAL'],
}
const rows = Object.entries(table) as [ErrorKind, Row][]
const sentence = 'Say "please" — and mind the ünïcode.'

const bodyOf = async ({ body }: WireReply) => JSON.parse((await join(body)).toString())
const error = (kind: ErrorKind, facts: ErrorFacts = {}) => new GatewayError(kind, sentence, facts)

describe("in OpenAI's envelope", () => {
  test.each(rows)('%s', async (kind, [status, type, code]) => {
    const reply = openai.encodeError(error(kind, { param: 'size' }))
    expect(reply.status).toBe(status)
    expect(reply.reasonPhrase).toBe(code ?? type)
    expect(reply.headers['content-type']).toBe('application/json')
    expect((await bodyOf(reply)).error).toMatchObject({ message: sentence, type, param: 'size', code })
  })

  test.each(rows)('%s has all four keys, though there is nothing to say', async kind => {
    const { error: told, ...rest } = await bodyOf(openai.encodeError(error(kind)))
    expect(rest).toEqual({})
    expect(Object.keys(told)).toEqual(expect.arrayContaining(['message', 'type', 'param', 'code']))
    expect(told.param).toBeNull()
  })

  test('a finer code stands in for the kind’s own, in the body and on the status line', async () => {
    const reply = openai.encodeError(error('invalid-request', { code: 'missing_required_parameter', param: 'prompt' }))
    expect(reply.reasonPhrase).toBe('missing_required_parameter')
    expect((await bodyOf(reply)).error).toMatchObject({ code: 'missing_required_parameter', param: 'prompt' })
  })

  test.each(['images', 'tokens'] as const)('the type of a rate limit says that %s ran out', async dimension => {
    const reply = openai.encodeError(error('rate-limited', { dimension }))
    expect((await bodyOf(reply)).error).toMatchObject({ type: dimension, code: 'rate_limit_exceeded' })
  })

  test('only a refusal tells who refused what', async () => {
    const reply = openai.encodeError(error('content-refused', { stage: 'output', reason: 'IMAGE_SAFETY' }))
    const details = { moderation_stage: 'output', categories: ['IMAGE_SAFETY'] }
    expect((await bodyOf(reply)).error.moderation_details).toEqual(details)
    const bare = await bodyOf(openai.encodeError(error('content-refused')))
    expect(bare.error.moderation_details).toEqual({ moderation_stage: 'unknown', categories: [] })
  })
})

describe("in Google's envelope", () => {
  test.each(rows)('%s', async (kind, [, , , code, status]) => {
    const reply = gemini.encodeError(error(kind))
    expect(reply.status).toBe(code)
    expect(reply.reasonPhrase).toBe(status)
    expect(reply.headers['content-type']).toBe('application/json; charset=UTF-8')
    const { error: told, ...rest } = await bodyOf(reply)
    expect(rest).toEqual({})
    expect(told).toMatchObject({ code, message: sentence, status })
    expect(Number.isInteger(told.code)).toBe(true)
  })

  test.each(rows)('%s has details that are a list of typed objects, or none', async kind => {
    const full: ErrorFacts = {
      param: 'contents',
      retryAfterMs: 1500,
      dimension: 'requests',
      reason: 'X',
      stage: 'input',
    }
    for (const facts of [{}, full]) {
      const { error: told } = await bodyOf(gemini.encodeError(error(kind, facts)))
      if (!('details' in told)) continue
      expect(told.details.length).toBeGreaterThan(0)
      for (const detail of told.details) expect(detail['@type']).toMatch(/^type\.googleapis\.com\/google\.rpc\.[A-Z]/)
    }
  })

  test('a wrong key is known by its reason', async () => {
    const { error: told } = await bodyOf(gemini.encodeError(error('unauthenticated')))
    expect(told.details).toEqual([
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' },
    ])
  })

  test('a rate limit says how long to wait where that is known', async () => {
    const { error: told } = await bodyOf(gemini.encodeError(error('rate-limited', { retryAfterMs: 1500 })))
    expect(told.details).toContainEqual({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.5s' })
    const { error: unknown } = await bodyOf(gemini.encodeError(error('rate-limited')))
    expect(JSON.stringify(unknown.details)).not.toMatch(/RetryInfo/)
  })

  test('what is used up is told apart from a limit that passes, and is read so by another gateway', async () => {
    const reply = gemini.encodeError(error('quota-exhausted'))
    const body = await join(reply.body)
    expect(JSON.parse(body.toString()).error.details.at(-1)).toMatchObject({ reason: 'INSUFFICIENT_QUOTA' })
    expect(gemini.createOutbound(google).decodeError({ status: reply.status, body }).kind).toBe('quota-exhausted')
  })

  test('a field at fault is named', async () => {
    const { error: told } = await bodyOf(gemini.encodeError(error('invalid-request', { param: 'pageSize' })))
    expect(told.details[0].fieldViolations).toEqual([{ field: 'pageSize', description: sentence }])
  })
})

describe('advice on trying again, the same in both', () => {
  const headersOf = (kind: ErrorKind, facts: ErrorFacts) => {
    const [one, other] = [
      openai.encodeError(error(kind, facts)).headers,
      gemini.encodeError(error(kind, facts)).headers,
    ]
    const advice = ({ 'content-type': _type, ...rest }: typeof one) => rest
    expect(advice(one)).toEqual(advice(other))
    return advice(one)
  }

  test('a wait is told in milliseconds, and in seconds rounded up', () => {
    expect(headersOf('rate-limited', { retryAfterMs: 1200.5 })).toEqual({
      'retry-after': '2',
      'retry-after-ms': '1201',
    })
  })

  test('a wait longer than SDKs honour ends their retries', () => {
    expect(headersOf('rate-limited', { retryAfterMs: 60_000 })).not.toHaveProperty('x-should-retry')
    expect(headersOf('rate-limited', { retryAfterMs: 60_001 })).toMatchObject({ 'x-should-retry': 'false' })
  })

  test.each(['quota-exhausted', 'upstream-credential', 'loop', 'internal'] as const)('%s is final', kind => {
    expect(headersOf(kind, {})).toEqual({ 'x-should-retry': 'false' })
  })

  test.each(['rate-limited', 'overloaded', 'upstream-failed', 'upstream-timeout'] as const)('%s is not', kind => {
    expect(headersOf(kind, {})).toEqual({})
    expect(headersOf(kind, { final: true })).toEqual({ 'x-should-retry': 'false' })
  })
})
