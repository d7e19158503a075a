/** What a transport error means: told by its code, so that no caller ever sees a library's words. */
import { type ErrorFacts, GatewayError } from '../images/error.ts'
import { DocumentError } from '../streams/document-reader.ts'

const timeouts: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'PLANTAIN_TOTAL_TIMEOUT',
])
// Of the disk that answers are held on, and of this process's descriptors.
const ours: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOENT',
  'ENOTDIR',
  'EACCES',
])

/**
 * Turns whatever a call threw into an error for callers. What is one already (a deadline, a caller who left) stays as it is.
 * @param sent the request went out: only the upstream knows whether it bills it.
 */
export function failureOf(error: unknown, sent: boolean): GatewayError {
  if (error instanceof GatewayError) return error
  const facts: ErrorFacts = { cause: error, ...(!sent && { notSent: true }) }
  if (error instanceof DocumentError) {
    return new GatewayError('upstream-failed', "The upstream's answer was cut or is not valid JSON.", facts)
  }
  const code = codeOf(error)
  if (ours.has(code)) return new GatewayError('internal', 'The gateway could not hold the answer.', facts)
  if (timeouts.has(code)) {
    const what = sent ? 'The upstream took too long to answer.' : 'The upstream could not be reached in time.'
    return new GatewayError('upstream-timeout', what, facts)
  }
  const what = sent
    ? 'The connection to the upstream failed before its answer was complete.'
    : `The upstream could not be reached${code && !code.startsWith('UND_') ? ` (${code})` : ''}.`
  return new GatewayError('upstream-failed', what, facts)
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
