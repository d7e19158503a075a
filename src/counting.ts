/** What is counted: the metrics, what they read of the gateway's parts, and what events of those parts add to them. */
import type { CallerConfig, Config, UpstreamConfig } from './config/config.ts'
import type { UpstreamCallFacts } from './gateway/call.ts'
import { outcomeOf } from './images/error.ts'
import type { LimitEvent } from './limits/asking.ts'
import type { HoldingPlaces } from './memory/held-document.ts'
import type { Room } from './memory/room.ts'
import type { CallerBudget, Readings } from './telemetry/gauges.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'

export interface CountedParts {
  readonly upstreams: readonly UpstreamConfig[]
  readonly places: HoldingPlaces
  readonly room: Room
  readonly limitStoreDegraded: () => boolean
  readonly usage: NonNullable<Readings['usage']>
  /** Exchanges that wait for a limit now, by their callers' ids. */
  readonly queueWaiting: () => Iterable<readonly [caller: string, exchanges: number]>
}

export interface Counting {
  readonly metrics: Metrics
  callBegins(upstream: string): void
  callEnded(facts: UpstreamCallFacts): void
  limitsDecided(event: LimitEvent): void
}

export function createCounting(
  { answers, requests, callers }: Config,
  { upstreams, places: { memory, spill }, room, limitStoreDegraded, queueWaiting, usage }: CountedParts,
): Counting {
  const inFlight = new Map(upstreams.map(({ name }) => [name, 0]))
  const metrics = createMetrics({
    limitStoreDegraded,
    queueWaiting,
    usage,
    upstreamInFlight: () => inFlight,
    upstreamInFlightMax: upstreams.map(({ name, connections }) => [name, connections]),
    answerBytesInMemory: () => memory.bytesInUse,
    answerBytesInMemoryMax: answers.memoryBytes,
    answerBytesOnDisk: () => spill.bytesInUse,
    answerBytesOnDiskMax: answers.spillBytes,
    answerBytesSpilled: () => spill.bytesSpilled,
    requestBytesInMemory: () => room.bytesInUse,
    requestBytesInMemoryMax: requests.memoryBytes,
    budgets: callers.flatMap(budgetsOf),
  })

  return {
    metrics,
    callBegins: upstream => inFlight.set(upstream, (inFlight.get(upstream) ?? 0) + 1),
    callEnded({ upstream, resolution, error, status, durationMs, firstByteMs }) {
      inFlight.set(upstream, (inFlight.get(upstream) ?? 1) - 1)
      const outcome = error === null ? 'ok' : outcomeOf(error)
      const { id: model, model: known } = resolution
      metrics.upstreamCall({ upstream, model, modelKnown: known !== null, outcome, status, durationMs, firstByteMs })
    },
    limitsDecided({ decision, rules, storeMs }) {
      for (const [index, { scope, dimension }] of rules.entries()) {
        metrics.limitDecision({ scope, dimension, decision, ...(index === 0 && storeMs !== undefined && { storeMs }) })
      }
    },
  }
}

function budgetsOf({ id, limits }: CallerConfig): readonly CallerBudget[] {
  const { budgetMicroUsdPerDay: day, budgetMicroUsdPerMonth: month } = limits
  return [
    ...(day === undefined ? [] : [{ caller: id, period: 'day', usd: day / 1e6 } as const]),
    ...(month === undefined ? [] : [{ caller: id, period: 'month', usd: month / 1e6 } as const]),
  ]
}
