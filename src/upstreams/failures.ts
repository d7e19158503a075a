/** What a transport error means: told by its code, so that no caller ever sees a library's words. */
import { type ErrorFacts, GatewayError } from '../images/error.ts'
import { DocumentError } from '../streams/document-reader.ts'

// Before a connection stood: nothing was sent, so nothing can have been billed.
const unreachable: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'PLANTAIN_PRIVATE_ADDRESS',
])
const connectTimeouts: ReadonlySet<string> = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT'])
const timeouts: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'PLANTAIN_TOTAL_TIMEOUT',
])
const isCertificateError = (code: string) => /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|^ERR_SSL|^ERR_TLS|^EPROTO/.test(code)

/** Turns whatever a call threw into an error for callers. What is one already (a deadline, a caller who left) stays as it is. */
export function failureOf(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  const facts: ErrorFacts = { cause: error }
  if (error instanceof DocumentError) {
    return new GatewayError('upstream-failed', "The upstream's answer was cut or is not valid JSON.", facts)
  }
  const code = codeOf(error)
  if (connectTimeouts.has(code)) {
    return new GatewayError('upstream-timeout', 'The upstream could not be reached in time.', {
      ...facts,
      notSent: true,
    })
  }
  if (unreachable.has(code) || isCertificateError(code)) {
    return new GatewayError('upstream-failed', `The upstream could not be reached (${code}).`, {
      ...facts,
      notSent: true,
    })
  }
  if (timeouts.has(code)) return new GatewayError('upstream-timeout', 'The upstream took too long to answer.', facts)
  return new GatewayError(
    'upstream-failed',
    'The connection to the upstream failed before its answer was complete.',
    facts,
  )
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
