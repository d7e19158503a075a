/** What the limiter decided, and how it is told to the caller: as headers, and as an error where it refused. */
import { type ErrorFacts, GatewayError } from '../images/error.ts'
import { defaultTimes, type Hold, type Standing, type Wait } from './store.ts'

export type Dimension = NonNullable<ErrorFacts['dimension']>

/** The standing of each limit that the caller has. */
export type Standings = Readonly<Partial<Record<Dimension, Standing>>>

export interface Admitted {
  readonly admitted: true
  readonly standings: Standings
  /** What is to be given back; null where nothing was asked for. */
  readonly hold: Hold | null
}

export interface Refused {
  readonly admitted: false
  readonly dimension: Dimension
  readonly limit: number
  readonly wait: Wait
  readonly standings: Standings
}

export type Decision = Admitted | Refused

/** A refusal as the error that each protocol has an envelope for, with the true wait where one is known. */
export function refusalError({ dimension, limit, wait }: Refused): GatewayError {
  const reached = `Rate limit reached for ${subjects[dimension]}: ${limit} ${measures[dimension]}.`
  if (wait === 'never') {
    return new GatewayError('rate-limited', `${reached} This request alone is above it.`, { dimension, final: true })
  }
  const retryAfterMs = wait === 'unknown' ? unknownWaitMs : wait
  const orSooner = wait === 'unknown' ? ', or as soon as one of yours has finished' : ''
  const advice = `Please try again in ${Math.ceil(retryAfterMs / 100) / 10}s${orSooner}.`
  // OpenAI's SDKs do not keep a longer wait but come back within seconds: better that they stop.
  const final = retryAfterMs > longestKeptWaitMs
  return new GatewayError('rate-limited', `${reached} ${advice}`, { dimension, retryAfterMs, ...(final && { final }) })
}

/** Nobody knows when a call will end: come back soon enough to take its place, and not at once. */
const unknownWaitMs = 1_000
const longestKeptWaitMs = 60_000

const subjects: Record<Dimension, string> = {
  requests: 'requests',
  images: 'images',
  tokens: 'tokens',
  concurrent: 'concurrent requests',
}
const measures: Record<Dimension, string> = {
  requests: 'per minute',
  images: 'per minute',
  tokens: 'per minute',
  concurrent: 'at a time',
}

/**
 * Headers for the answer, admitted or refused: OpenAI's `x-ratelimit-*`, and the `RateLimit` pair of
 * draft-ietf-httpapi-ratelimit-headers-10. None where the caller has no such limit.
 */
export function limitHeaders({ standings: { requests } }: Decision): Record<string, string> {
  if (!requests) return {}
  const { limit, used, resetMs } = requests
  const remaining = Math.max(0, limit - used)
  return {
    'x-ratelimit-limit-requests': String(limit),
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests': duration(resetMs ?? 0),
    'ratelimit-policy': `"requests";q=${limit};w=${defaultTimes.windowMs / 1000}`,
    ratelimit: `"requests";r=${remaining};t=${Math.ceil((resetMs ?? 0) / 1000)}`,
  }
}

/** As Go writes durations and OpenAI sends them: `350ms`, `1s`, `1.5s`, `6m0s`. */
function duration(ms: number): string {
  if (ms > 0 && ms < 1000) return `${ms}ms`
  const minutes = Math.floor(ms / 60_000)
  const seconds = `${(ms - minutes * 60_000) / 1000}s`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}
