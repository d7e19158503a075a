/** Headers that tell SDKs of both protocols whether and when to try again. */
import type { ErrorKind, GatewayError } from '../images/error.ts'

// A retry of these gives the same answer, yet their status (409, 429, 5xx) makes the OpenAI SDKs try again by themselves.
const finalKinds: ReadonlySet<ErrorKind> = new Set(['quota-exhausted', 'upstream-credential', 'loop', 'internal'])
// The OpenAI SDK for Node takes a longer retry-after for none and tries again within seconds.
const longestWaitMs = 60_000

export function retryHeaders({ kind, facts }: GatewayError): Record<string, string> {
  const { retryAfterMs } = facts
  const final = facts.final ?? (finalKinds.has(kind) || (retryAfterMs ?? 0) > longestWaitMs)
  return {
    ...(retryAfterMs !== undefined && {
      'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))),
      'retry-after-ms': String(Math.ceil(retryAfterMs)),
    }),
    ...(final && { 'x-should-retry': 'false' }),
  }
}
