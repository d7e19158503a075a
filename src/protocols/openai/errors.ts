/** Errors as OpenAI spells them: https://platform.openai.com/docs/guides/error-codes. All four keys are always there. */
import { bytesOfText } from '../../images/bytes.ts'
import type { ErrorKind, GatewayError } from '../../images/error.ts'
import { retryHeaders } from '../error-headers.ts'
import type { WireReply } from '../protocol.ts'

interface WireError {
  readonly status: number
  readonly type: string
  readonly code: string | null
}

const invalid = (status: number, code: string | null): WireError => ({ status, type: 'invalid_request_error', code })
const server = (status: number, code: string | null): WireError => ({ status, type: 'server_error', code })
const user = (code: string): WireError => ({ status: 400, type: 'image_generation_user_error', code })

const wireErrors: Record<ErrorKind, WireError> = {
  'invalid-request': invalid(400, null),
  'unsupported-parameter': invalid(400, 'unsupported_parameter'),
  'unsupported-media': invalid(415, 'unsupported_media_type'),
  unauthenticated: invalid(401, 'invalid_api_key'),
  forbidden: invalid(403, 'forbidden'),
  'model-unknown': invalid(404, 'model_not_found'),
  'route-unknown': invalid(404, 'unknown_url'),
  'method-not-allowed': invalid(405, 'method_not_allowed'),
  'request-timeout': invalid(408, 'request_timeout'),
  conflict: invalid(409, 'conflict'),
  'key-reused': invalid(422, 'idempotency_key_reused'),
  'too-large': invalid(413, 'request_too_large'),
  'headers-too-large': invalid(431, 'request_header_fields_too_large'),
  'rate-limited': { status: 429, type: 'requests', code: 'rate_limit_exceeded' },
  'quota-exhausted': { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  overloaded: server(503, 'overloaded'),
  'content-refused': user('moderation_blocked'),
  'no-image': user('no_image_generated'),
  'upstream-failed': server(502, 'upstream_failed'),
  'upstream-credential': server(502, 'upstream_credential'),
  'upstream-timeout': server(504, 'timeout'),
  loop: server(508, 'loop_detected'),
  'caller-left': invalid(499, 'client_closed_request'),
  internal: server(500, 'internal_error'),
}

// A code may be an upstream's own, and theirs are in any language and of any length. Node sends nothing at all with others.
const fitsStatusLine = /^[\x21-\x7e](?:[\x20-\x7e]{0,98}[\x21-\x7e])?$/

export function encodeError(error: GatewayError): WireReply {
  const { status, type, code, document } = describe(error)
  return {
    status,
    reasonPhrase: code !== null && fitsStatusLine.test(code) ? code : type,
    headers: { 'content-type': 'application/json', ...retryHeaders(error) },
    body: bytesOfText(JSON.stringify(document)),
  }
}

/** The error as it stands in a body, or in an event. */
export const errorDocument = (error: GatewayError): object => describe(error).document

function describe({ kind, message, facts }: GatewayError): WireError & { readonly document: object } {
  const wire = wireErrors[kind]
  const type = facts.dimension === 'images' || facts.dimension === 'tokens' ? facts.dimension : wire.type
  const code = facts.code ?? wire.code
  const details = kind === 'content-refused' && {
    moderation_details: {
      moderation_stage: facts.stage ?? 'unknown',
      categories: facts.categories ?? (facts.reason ? [facts.reason] : []),
    },
  }
  const document = { error: { message, type, param: facts.param ?? null, code, ...details } }
  return { status: wire.status, type, code, document }
}
