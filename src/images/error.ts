/** Everything that can go wrong, as a closed union: each protocol has a total table from kind to wire error. */
import type { Usage } from './result.ts'

export type ErrorKind =
  | 'invalid-request'
  | 'unsupported-parameter'
  | 'unsupported-media'
  | 'unauthenticated'
  | 'forbidden'
  | 'model-unknown'
  | 'route-unknown'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'conflict'
  | 'key-reused'
  | 'too-large'
  | 'headers-too-large'
  | 'rate-limited'
  | 'quota-exhausted'
  | 'overloaded'
  | 'content-refused'
  | 'no-image'
  | 'upstream-failed'
  | 'upstream-credential'
  | 'upstream-timeout'
  | 'loop'
  | 'caller-left'
  | 'internal'

export interface ErrorFacts {
  /** The request field at fault, as the caller spelt it. */
  readonly param?: string
  /** A finer OpenAI code than the kind's own: `missing_required_parameter`. */
  readonly code?: string
  /** Wait this long before trying again, in milliseconds. */
  readonly retryAfterMs?: number
  /** No retry can cure it: told to SDKs as `x-should-retry: false`. */
  readonly final?: boolean
  /** The upstream's own word for a refusal: `IMAGE_SAFETY`. */
  readonly reason?: string
  /** What a refusal was about, as far as the upstream said. Absent: its word above is all that it said. */
  readonly categories?: readonly string[]
  readonly stage?: 'input' | 'output'
  /** For `rate-limited` and `quota-exhausted`: what ran out. */
  readonly dimension?: 'requests' | 'images' | 'tokens' | 'concurrent' | 'budget'
  /** The name of our own limit that ran out, as Google's errors name quotas. */
  readonly quota?: string
  /** The HTTP status the upstream answered with, where one came. */
  readonly upstreamStatus?: number
  /** Nothing of the request reached the upstream: another attempt can't be billed twice. */
  readonly notSent?: boolean
  /** The tokens that an upstream counted for a call which gave no picture: it bills them nevertheless. */
  readonly usage?: Usage
  readonly cause?: unknown
}

/** An error with its kind, a sentence that tells the reader what to change, and facts for the wire. */
export class GatewayError extends Error {
  readonly kind: ErrorKind
  readonly facts: ErrorFacts

  constructor(kind: ErrorKind, message: string, facts: ErrorFacts = {}) {
    super(message, { cause: facts.cause })
    this.name = 'GatewayError'
    this.kind = kind
    this.facts = facts
  }
}

/** Whatever was thrown: anything can be. */
export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)))

/** What became of an exchange: one label for logs, metrics and the limiter's refunds. */
export type Outcome = 'ok' | 'refused' | 'failed' | 'timeout' | 'left' | 'limited'

/** What an error of this kind makes of the exchange. Total: a new kind does not compile without one. */
const outcomes: Record<ErrorKind, Outcome> = {
  'invalid-request': 'failed',
  'unsupported-parameter': 'failed',
  'unsupported-media': 'failed',
  unauthenticated: 'failed',
  forbidden: 'failed',
  'model-unknown': 'failed',
  'route-unknown': 'failed',
  'method-not-allowed': 'failed',
  'request-timeout': 'timeout',
  conflict: 'failed',
  'key-reused': 'failed',
  'too-large': 'failed',
  'headers-too-large': 'failed',
  'rate-limited': 'limited',
  'quota-exhausted': 'limited',
  overloaded: 'limited',
  'content-refused': 'refused',
  'no-image': 'refused',
  'upstream-failed': 'failed',
  'upstream-credential': 'failed',
  'upstream-timeout': 'timeout',
  loop: 'failed',
  'caller-left': 'left',
  internal: 'failed',
}

/** `limited` is our own doing only: an upstream that refuses for load or quota has failed the exchange. */
export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof GatewayError)) return 'failed'
  const outcome = outcomes[error.kind]
  return outcome === 'limited' && error.facts.upstreamStatus !== undefined ? 'failed' : outcome
}
