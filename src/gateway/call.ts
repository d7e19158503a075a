/** One call to one upstream, with everything that is written down about it. */
import { GatewayError } from '../images/error.ts'
import type { Resolution } from '../models/catalogue.ts'
import type { UpstreamCall } from '../upstreams/upstream.ts'
import type { Exchange } from './exchange.ts'
import type { Candidate } from './routing.ts'

export interface CallParts {
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
export type CallFrame = Pick<UpstreamCall, 'signal' | 'trail' | 'onFirstByte'>

export type Call = <Result>(
  exchange: Exchange,
  resolution: Resolution,
  candidate: Candidate,
  work: (frame: CallFrame) => Promise<Result>,
) => Promise<Result>

export function createCall({ now, onUpstreamStart, onUpstreamCall }: CallParts): Call {
  return async ({ record, signal, trail, headers, dryRun }, resolution, { upstream }, work) => {
    if (dryRun) return work({ signal, trail })
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
      }
      return await work({ signal, trail, onFirstByte })
    } catch (error) {
      failure = error
      if (error instanceof GatewayError) status = error.facts.upstreamStatus ?? status
      throw error
    } finally {
      const durationMs = now() - startedMs
      record.upstreamMs = Math.max(record.upstreamMs ?? 0, durationMs)
      onUpstreamCall({ upstream: upstream.name, resolution, error: failure, status, durationMs, firstByteMs })
    }
  }
}
