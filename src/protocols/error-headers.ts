/** Headers that tell SDKs of both protocols whether and when to try again. */
import type { ErrorFacts, ErrorKind, GatewayError } from '../images/error.ts'
import type { WireFailure } from './protocol.ts'

// A retry of these gives the same answer, yet their status (409, 429, 5xx) makes the OpenAI SDKs try again by themselves.
const finalKinds: ReadonlySet<ErrorKind> = new Set(['quota-exhausted', 'upstream-credential', 'loop', 'internal'])
// The OpenAI SDK for Node takes a longer retry-after for none and tries again within seconds.
const longestWaitMs = 60_000
// Upstreams may write any number: this is one that every client can read, and as good as never.
const longestToldMs = 365 * 86_400_000

export function retryHeaders({ kind, facts }: GatewayError): Record<string, string> {
  const { retryAfterMs } = facts
  const final = facts.final ?? (finalKinds.has(kind) || (retryAfterMs ?? 0) > longestWaitMs)
  const toldMs = toldWaitMs(retryAfterMs ?? 0)
  return {
    ...(retryAfterMs !== undefined && {
      'retry-after': String(Math.max(1, Math.ceil(toldMs / 1000))),
      'retry-after-ms': String(toldMs),
    }),
    ...(final && { 'x-should-retry': 'false' }),
  }
}

/** A wait as whole milliseconds that callers can be told. */
export const toldWaitMs = (ms: number): number => Math.ceil(Math.min(ms, longestToldMs))

/** Milliseconds that an upstream's headers tell to wait; undefined where they tell nothing. */
export function waitInHeaders(headers: NonNullable<WireFailure['headers']>): number | undefined {
  const ms = Number.parseFloat(String(headers['retry-after-ms'] ?? ''))
  if (ms >= 0) return Math.ceil(ms)
  const after = String(headers['retry-after'] ?? '')
  if (/^\d+(?:\.\d+)?$/.test(after)) return Math.ceil(Number(after) * 1000)
  // RFC 9110, 10.2.3: or a date. Told by the clock of whoever wrote it.
  const wait = Date.parse(after) - (Date.parse(String(headers.date ?? '')) || Date.now())
  return wait >= 0 ? wait : undefined
}

/** What an upstream's headers say of trying again, whatever went wrong: one that knows that no retry can cure it is believed. */
export const finalityInHeaders = (headers: NonNullable<WireFailure['headers']>): Pick<ErrorFacts, 'final'> =>
  headers['x-should-retry'] === 'false' ? { final: true } : {}
