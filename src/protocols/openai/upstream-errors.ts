/** What errors of OpenAI's form mean: from OpenAI, from Azure, and from vendors with words of their own. */
import { type ErrorFacts, GatewayError } from '../../images/error.ts'
import { finalityInHeaders, waitInHeaders } from '../error-headers.ts'
import type { WireFailure } from '../protocol.ts'
import { refusedKey } from '../refused-key.ts'
import { readUpstreamError, type UpstreamError } from './wire.ts'

/** The operator's own troubles (key, organisation, region, credits) are told neutrally. */
export function decodeError({ status, headers = {}, body }: WireFailure): GatewayError {
  const error = readUpstreamError(body)
  const message = error.message || `The upstream answered ${status} without a reason.`
  const facts: ErrorFacts = { upstreamStatus: status, ...finalityInHeaders(headers) }
  if (isRefusal(status, error)) return refusal(error, message, facts)
  // Another gateway's word for an answer without a picture.
  if (error.code === 'no_image_generated') return new GatewayError('no-image', message, facts)
  if (isSpent(status, error)) return new GatewayError('quota-exhausted', message, facts)
  if (status === 401 || status === 403 || error.code === 'invalid_api_key') return refusedKey(message, facts)
  switch (status) {
    case 404:
      return new GatewayError('model-unknown', message, { ...facts, param: 'model' })
    case 413:
      return new GatewayError('too-large', message, facts)
    case 429:
      return rateLimited(error, message, headers, facts)
    case 503:
    case 529:
      return new GatewayError('overloaded', message, { ...facts, ...waitIn(error, headers) })
    case 408:
    case 504:
      return new GatewayError('upstream-timeout', message, facts)
    default:
      return status >= 400 && status < 500
        ? invalidRequest(error, message, facts)
        : new GatewayError('upstream-failed', `The upstream failed with ${status}: ${message}`, facts)
  }
}

const refusalCodes: ReadonlySet<string> = new Set([
  'moderation_blocked',
  'content_policy_violation',
  'content_filter',
  'contentFilter',
  'ResponsibleAIPolicyViolation',
])
// For vendors whose errors have no code.
const refusalWords = /safety system|content polic|content management polic|prohibited content/i

function isRefusal(status: number, { code, innerCode, message }: UpstreamError): boolean {
  if (refusalCodes.has(code) || refusalCodes.has(innerCode)) return true
  return status === 400 && refusalWords.test(message)
}

function refusal(error: UpstreamError, message: string, facts: ErrorFacts): GatewayError {
  const { categories } = error
  const reason = categories.join(', ') || error.innerCode || error.code || 'moderation_blocked'
  const stage = stageOf(error)
  return new GatewayError('content-refused', message, { ...facts, reason, categories, ...(stage && { stage }) })
}

function stageOf({ stage, message }: UpstreamError): 'input' | 'output' | undefined {
  if (stage === 'input' || stage === 'output') return stage
  if (/generated image was filtered/i.test(message)) return 'output'
  return /your (?:prompt|task)\b/i.test(message) ? 'input' : undefined
}

const spentCodes: ReadonlySet<string> = new Set([
  'insufficient_quota',
  'billing_hard_limit_reached',
  'credit_balance_exhausted',
  'insufficient_credits',
])
const spentWords = /out of credits|insufficient (?:credits|balance|funds)|credit balance|top up your balance/i

function isSpent(status: number, { type, code, message }: UpstreamError): boolean {
  if (spentCodes.has(code) || spentCodes.has(type) || status === 402) return true
  return (status === 403 || status === 429) && spentWords.test(message)
}

function invalidRequest({ param, code }: UpstreamError, message: string, facts: ErrorFacts): GatewayError {
  return new GatewayError('invalid-request', message, { ...facts, ...(param && { param }), ...(code && { code }) })
}

function rateLimited(
  error: UpstreamError,
  message: string,
  headers: NonNullable<WireFailure['headers']>,
  facts: ErrorFacts,
): GatewayError {
  const dimension = dimensionOf(error.type, error.message)
  return new GatewayError('rate-limited', message, {
    ...facts,
    ...waitIn(error, headers),
    ...(dimension && { dimension }),
  })
}

function waitIn(
  { message }: UpstreamError,
  headers: NonNullable<WireFailure['headers']>,
): Pick<ErrorFacts, 'retryAfterMs'> {
  const retryAfterMs = waitInHeaders(headers) ?? waitInWords(message)
  return retryAfterMs === undefined ? {} : { retryAfterMs }
}

/** `Please try again in 1m12.5s.`, `… in 350ms.`, Azure's `Please retry after 12 seconds.` */
function waitInWords(message: string): number | undefined {
  const [, ms] = /(?:try again|retry) in (\d+(?:\.\d+)?)ms\b/i.exec(message) ?? []
  if (ms !== undefined) return Math.ceil(Number(ms))
  const [, hours = 0, minutes = 0, seconds] =
    /(?:try again|retry) (?:in|after) (?:(\d+)h)?(?:(\d+)m)?(\d+(?:\.\d+)?) ?s/i.exec(message) ?? []
  if (seconds === undefined) return undefined
  return Math.ceil((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000)
}

type Dimension = NonNullable<ErrorFacts['dimension']>
const dimensions: readonly Dimension[] = ['requests', 'images', 'tokens']

function dimensionOf(type: string, message: string): Dimension | undefined {
  const named = dimensions.find(dimension => dimension === type)
  return named ?? dimensions.find(dimension => message.includes(` ${dimension} per `))
}
