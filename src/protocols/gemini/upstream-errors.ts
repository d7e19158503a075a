/** What errors of Google's form mean: from Google, from Vertex AI, and from gateways with words of their own. */
import { type ErrorFacts, GatewayError } from '../../images/error.ts'
import { finalityInHeaders, waitInHeaders } from '../error-headers.ts'
import type { WireFailure } from '../protocol.ts'
import { refusedKey } from '../refused-key.ts'
import { spentReason } from './errors.ts'
import { type ErrorStatus, readErrorStatus } from './wire.ts'

/** The operator's own troubles (key, billing, region) are told neutrally. */
export function decodeError({ status: upstreamStatus, headers = {}, body }: WireFailure): GatewayError {
  const error = readErrorStatus(body)
  const message = error.message || `The upstream answered ${upstreamStatus} without a reason.`
  const facts: ErrorFacts = { upstreamStatus, ...finalityInHeaders(headers) }
  const refused = error.reasons.find(reason => refusals.has(reason))
  if (refused !== undefined) return new GatewayError('content-refused', message, { ...facts, reason: refused })
  if (isOperatorsFault(upstreamStatus, error)) return refusedKey(message, facts)
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
