/** Errors as Google spells them (google.rpc.Status in JSON: https://google.aip.dev/193). */
import { bytesOfText } from '../../images/bytes.ts'
import type { ErrorKind, GatewayError } from '../../images/error.ts'
import { retryHeaders, toldWaitMs } from '../error-headers.ts'
import type { WireReply } from '../protocol.ts'

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

/** Of what is spent, in an ErrorInfo: Google has no word of its own for it. */
export const spentReason = 'INSUFFICIENT_QUOTA'
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
        // What no wait cures looks like any other limit otherwise.
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
