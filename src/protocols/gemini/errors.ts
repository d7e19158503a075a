/** Errors as Google spells them (google.rpc.Status in JSON: https://google.aip.dev/193), told to callers and read from upstreams. */
import { bytesOfText } from '../../images/bytes.ts'
import { type ErrorFacts, type ErrorKind, GatewayError } from '../../images/error.ts'
import { finalityInHeaders, retryHeaders, toldWaitMs, waitInHeaders } from '../error-headers.ts'
import type { WireFailure, WireReply } from '../protocol.ts'
import { type ErrorStatus, readErrorStatus } from './wire.ts'

interface WireError {
  readonly code: number
  readonly status: string
}

const invalid = (code: number): WireError => ({ code, status: 'INVALID_ARGUMENT' })

const wireErrors: Record<ErrorKind, WireError> = {
  'invalid-request': invalid(400),
  'unsupported-parameter': invalid(400),
  'unsupported-media': invalid(415),
  unauthenticated: invalid(400), // Google's own answer to a wrong API key
  forbidden: { code: 403, status: 'PERMISSION_DENIED' },
  'model-unknown': { code: 404, status: 'NOT_FOUND' },
  'route-unknown': { code: 404, status: 'NOT_FOUND' },
  'method-not-allowed': { code: 405, status: 'UNIMPLEMENTED' },
  'request-timeout': { code: 408, status: 'DEADLINE_EXCEEDED' },
  conflict: { code: 409, status: 'ABORTED' },
  'key-reused': { code: 422, status: 'FAILED_PRECONDITION' },
  'too-large': invalid(413),
  'headers-too-large': invalid(431),
  'rate-limited': { code: 429, status: 'RESOURCE_EXHAUSTED' },
  'quota-exhausted': { code: 429, status: 'RESOURCE_EXHAUSTED' },
  overloaded: { code: 503, status: 'UNAVAILABLE' },
  'content-refused': invalid(400),
  'no-image': invalid(400),
  // Google has no 502: its SDKs and their users know UNAVAILABLE.
  'upstream-failed': { code: 503, status: 'UNAVAILABLE' },
  'upstream-credential': { code: 503, status: 'UNAVAILABLE' },
  'upstream-timeout': { code: 504, status: 'DEADLINE_EXCEEDED' },
  loop: { code: 508, status: 'FAILED_PRECONDITION' },
  'caller-left': { code: 499, status: 'CANCELLED' },
  internal: { code: 500, status: 'INTERNAL' },
}

export function encodeError(error: GatewayError): WireReply {
  const { code, status } = wireErrors[error.kind]
  return {
    status: code,
    reasonPhrase: status,
    headers: { 'content-type': 'application/json; charset=UTF-8', ...retryHeaders(error) },
    body: bytesOfText(JSON.stringify(errorDocument(error))),
  }
}

/** The error as it stands in a body, or in an event. */
export function errorDocument(error: GatewayError): object {
  const { code, status } = wireErrors[error.kind]
  const details = errorDetails(error)
  return { error: { code, message: error.message, status, ...(details.length > 0 && { details }) } }
}

const spentReason = 'INSUFFICIENT_QUOTA'
const rpc = (name: string) => `type.googleapis.com/google.rpc.${name}`

function errorDetails({ kind, message, facts }: GatewayError): readonly object[] {
  switch (kind) {
    case 'unauthenticated':
      return [{ '@type': rpc('ErrorInfo'), reason: 'API_KEY_INVALID', domain: 'googleapis.com' }]
    case 'rate-limited':
    case 'quota-exhausted': {
      // Of an upstream whose quota has no name here.
      const quotaId = facts.quota ?? `PlantainUpstream-${facts.dimension ?? 'requests'}`
      const retry = facts.retryAfterMs !== undefined && {
        '@type': rpc('RetryInfo'),
        retryDelay: `${toldWaitMs(facts.retryAfterMs) / 1000}s`,
      }
      return [
        { '@type': rpc('QuotaFailure'), violations: [{ quotaId, description: message }] },
        ...(retry ? [retry] : []),
        // What no wait cures looks like any other limit otherwise: Google has no word of its own for it.
        ...(kind === 'quota-exhausted' && facts.final !== false
          ? [{ '@type': rpc('ErrorInfo'), reason: spentReason, domain: 'plantain' }]
          : []),
      ]
    }
    case 'invalid-request':
    case 'unsupported-parameter': {
      if (!facts.param) return []
      return [{ '@type': rpc('BadRequest'), fieldViolations: [{ field: facts.param, description: message }] }]
    }
    default:
      return []
  }
}

/** What an upstream's error means for the caller. The operator's own troubles (key, billing, region) are told neutrally. */
export function decodeError({ status: upstreamStatus, headers = {}, body }: WireFailure): GatewayError {
  const error = readErrorStatus(body)
  const message = error.message || `The upstream answered ${upstreamStatus} without a reason.`
  const facts: ErrorFacts = { upstreamStatus, ...finalityInHeaders(headers) }
  if (isOperatorsFault(upstreamStatus, error)) {
    const hint = 'The upstream refuses the credentials of this gateway. Its operator has to mend that.'
    return new GatewayError('upstream-credential', hint, { ...facts, cause: message })
  }
  const refused = error.reasons.find(reason => refusals.has(reason))
  if (refused !== undefined) return new GatewayError('content-refused', message, { ...facts, reason: refused })
  switch (upstreamStatus) {
    case 400:
      return new GatewayError('invalid-request', message, facts)
    case 402:
      return new GatewayError('quota-exhausted', message, facts)
    case 404:
      return new GatewayError('model-unknown', message, { ...facts, param: 'model' })
    case 413:
      return new GatewayError('too-large', message, facts)
    case 429:
      return decodeQuota(error, message, headers, facts)
    case 503:
      return new GatewayError('overloaded', message, { ...facts, ...waitIn(error, message, headers) })
    case 504:
      return new GatewayError('upstream-timeout', message, facts)
    default:
      return new GatewayError('upstream-failed', `The upstream failed with ${upstreamStatus}: ${message}`, facts)
  }
}

// Of gateways that speak Google's form and tell errors in OpenAI's.
const refusals: ReadonlySet<string> = new Set(['moderation_blocked', 'content_policy_violation'])
const spentReasons: readonly string[] = [spentReason, 'insufficient_quota']

function isOperatorsFault(httpStatus: number, { status, reasons }: ErrorStatus): boolean {
  if (httpStatus === 401 || httpStatus === 403) return true
  return httpStatus === 400 && (reasons.includes('API_KEY_INVALID') || status === 'FAILED_PRECONDITION')
}

function decodeQuota(
  error: ErrorStatus,
  message: string,
  headers: NonNullable<WireFailure['headers']>,
  facts: ErrorFacts,
): GatewayError {
  const { reasons, quotas } = error
  const isDaily = quotas.some(({ quotaId, quotaValue }) => quotaId.includes('PerDay') || quotaValue === '0')
  const isSpent = reasons.some(reason => spentReasons.includes(reason)) || /deplet|prepay/i.test(message)
  if (isDaily || isSpent) return new GatewayError('quota-exhausted', message, facts)
  return new GatewayError('rate-limited', message, { ...facts, ...waitIn(error, message, headers) })
}

// Google sends no retry-after header: the wait is in RetryInfo, or only in the message. Gateways that speak its language may.
function waitIn(
  { retryDelay }: ErrorStatus,
  message: string,
  headers: NonNullable<WireFailure['headers']>,
): Pick<ErrorFacts, 'retryAfterMs'> {
  const seconds = retryDelay ?? /(?:retry|try again) in (\d+(?:\.\d+)?)s/i.exec(message)?.[1]
  const retryAfterMs = seconds === undefined ? waitInHeaders(headers) : Math.ceil(Number(seconds) * 1000)
  return retryAfterMs === undefined ? {} : { retryAfterMs }
}
