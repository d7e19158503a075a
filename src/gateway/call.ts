/** One call to one upstream, with everything that is written down about it. */
import { GatewayError } from '../images/error.ts'
import { refusalError } from '../limits/decision.ts'
import type { Limits } from '../limits/limits.ts'
import type { CallResult } from '../limits/refunds.ts'
import type { Resolution } from '../models/catalogue.ts'
import { isAnswered, type Upstream, type UpstreamCall } from '../upstreams/upstream.ts'
import type { Exchange } from './exchange.ts'
import type { Candidate } from './routing.ts'

export interface CallParts {
  readonly limits: Limits
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number
  readonly onUpstreamStart: (upstream: string) => void
  readonly onUpstreamCall: (facts: UpstreamCallFacts) => void
}

export interface UpstreamCallFacts {
  readonly upstream: string
  readonly resolution: Resolution
  readonly error: unknown
  readonly status: number | null
  readonly durationMs: number
  readonly firstByteMs: number | null
}

/** What a call needs beside its request. */
export type CallFrame = Pick<UpstreamCall, 'signal' | 'trail' | 'key' | 'onFirstByte'>

/**
 * `images`: how many it asks for. `waits`: with the exchange's patience, where the upstream's own limits allow no call.
 * @throws GatewayError `rate-limited`, not sent, where they don't.
 */
export type Call = <Result>(
  exchange: Exchange,
  resolution: Resolution,
  candidate: Candidate,
  work: (frame: CallFrame) => Promise<Result>,
  images?: number,
  waits?: boolean,
) => Promise<Result>

export function createCall({ limits, now, onUpstreamStart, onUpstreamCall }: CallParts): Call {
  return async (exchange, resolution, { upstream }, work, images = 1, waits = false) => {
    const { record, signal, trail, headers, dryRun, deadlineMs } = exchange
    if (dryRun) return work({ signal, trail })
    const patience = waits ? exchange.patience : null
    const asking = { id: record.requestId, upstream: upstream.name, images, deadlineMs, patience }
    const decision = await limits.admitCall(asking)
    if (!decision.admitted) throw refusalError(decision)
    if (signal.aborted) {
      await limits.settleCall(decision, { outcome: 'not-sent' })
      throw signal.reason
    }
    const startedMs = now()
    let firstByteMs: number | null = null
    let failure: unknown = null
    let status: number | null = null
    record.attempts += 1
    record.upstream = upstream.name
    headers.set('x-plantain-upstream', upstream.name)
    headers.set('x-plantain-attempts', String(record.attempts))
    onUpstreamStart(upstream.name)
    try {
      const onFirstByte = (answered: number) => {
        status = answered
        firstByteMs = now() - startedMs
        record.firstByteMs ??= firstByteMs
        if (isAnswered(answered)) record.begun += images
      }
      return await work({ signal, trail, key: decision.key, onFirstByte })
    } catch (error) {
      failure = withoutKeys(error, upstream)
      if (error instanceof GatewayError) {
        status = error.facts.upstreamStatus ?? status
        if (error.facts.usage) record.usageOfFailures.push(error.facts.usage)
      }
      throw failure
    } finally {
      const durationMs = now() - startedMs
      record.upstreamMs = Math.max(record.upstreamMs ?? 0, durationMs)
      await limits.settleCall(decision, resultOf(failure))
      onUpstreamCall({ upstream: upstream.name, resolution, error: failure, status, durationMs, firstByteMs })
    }
  }
}

/** Error answers come without keys already, but an error may stand in an answer with 200 too. */
function withoutKeys(error: unknown, upstream: Upstream): unknown {
  if (!(error instanceof GatewayError)) return error
  const message = upstream.scrub(error.message)
  return message === error.message ? error : new GatewayError(error.kind, message, error.facts)
}

function resultOf(failure: unknown): CallResult {
  if (failure === null) return { outcome: 'ok' }
  return { outcome: failure instanceof GatewayError && failure.facts.notSent ? 'not-sent' : 'failed' }
}
