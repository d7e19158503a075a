/** Every metric of the gateway by name, over a registry of its own. prom-client's only door. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Outcome } from '../images/error.ts'
import { callerLabel, modelLabel, reasonLabel, resolutionLabel, statusLabel, tokenCounts } from './labels.ts'
import type { ExchangeRecord } from './record.ts'

/** What is read at each scrape, because others count it already. */
export interface MetricsParams {
  /** Calls under way now, by upstream name. */
  readonly upstreamInFlight: () => Iterable<readonly [upstream: string, calls: number]>
  /** Upstream bytes held in memory now. */
  readonly answerBytesInMemory: () => number
  /** Upstream bytes written to spill files since the start. */
  readonly answerBytesSpilled: () => number
  /** Milliseconds, monotonic; absent: this process's clock. */
  readonly now?: () => number
}

/** One call to one upstream, retries counted one by one. */
export interface UpstreamCall {
  readonly upstream: string
  readonly model: string
  readonly modelKnown: boolean
  readonly outcome: Outcome
  /** Null: no answer came. */
  readonly status: number | null
  readonly durationMs: number
  /** Null: no byte came. */
  readonly firstByteMs: number | null
}

/** What the limits said about one dimension of one scope; `error`: the store gave no answer. */
export interface LimitDecision {
  readonly scope: 'caller' | 'upstream'
  readonly dimension: 'requests' | 'images' | 'tokens' | 'concurrent'
  readonly decision: 'admitted' | 'refused' | 'error'
  /** How long the store took. A decision on several dimensions asks it once: only one of them carries the time. */
  readonly storeMs?: number
}

export interface Metrics {
  readonly contentType: string
  /** Counts an exchange that has ended, well or not. */
  exchange(record: ExchangeRecord): void
  upstreamCall(call: UpstreamCall): void
  limitDecision(decision: LimitDecision): void
  /** A reference picture was fetched by its address, or was not. `refused`: the address is none to call. */
  referenceFetch(outcome: Outcome): void
  /** Prometheus' text format. Thousands of series cost milliseconds of event loop, so it is made at most once a second and shared. */
  text(): Promise<string>
}

const textForMs = 1000
const secondsOf = (ms: number): number => ms / 1000

// An image takes seconds to a few minutes; a refusal or a 4xx takes milliseconds.
const durationBuckets = [0.01, 0.05, 0.25, 1, 2.5, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300]
const overheadBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30]
const storeBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1]

/** Builds the series. Nothing here throws on odd figures: a metric is never the reason why an exchange fails. */
export function createMetrics(params: MetricsParams): Metrics {
  const { now = () => performance.now() } = params
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const requests = new Counter({
    name: 'plantain_requests_total',
    help: 'Exchanges that ended, by what became of them.',
    labelNames: ['protocol', 'operation', 'model', 'caller', 'outcome', 'status'],
    registers,
  })
  const requestDuration = new Histogram({
    name: 'plantain_request_duration_seconds',
    help: "From the caller's request to the end of the answer.",
    labelNames: ['protocol', 'operation', 'model', 'outcome'],
    buckets: durationBuckets,
    registers,
  })
  const overhead = new Histogram({
    name: 'plantain_gateway_overhead_seconds',
    help: "The part of an exchange that was not spent on upstreams: the gateway's own work and both ways to the caller.",
    labelNames: ['protocol', 'operation'],
    buckets: overheadBuckets,
    registers,
  })
  const upstreamRequests = new Counter({
    name: 'plantain_upstream_requests_total',
    help: 'Calls to upstreams, retries counted one by one.',
    labelNames: ['upstream', 'model', 'outcome', 'status'],
    registers,
  })
  const upstreamDuration = new Histogram({
    name: 'plantain_upstream_duration_seconds',
    help: "From a call to the end of the upstream's answer.",
    labelNames: ['upstream', 'model'],
    buckets: durationBuckets,
    registers,
  })
  const upstreamFirstByte = new Histogram({
    name: 'plantain_upstream_first_byte_seconds',
    help: "From a call to the first byte of the upstream's answer.",
    labelNames: ['upstream', 'model'],
    buckets: durationBuckets,
    registers,
  })
  const images = new Counter({
    name: 'plantain_images_total',
    help: 'Images delivered to callers.',
    labelNames: ['model', 'caller', 'resolution'],
    registers,
  })
  const tokens = new Counter({
    name: 'plantain_tokens_total',
    help: 'Tokens that upstreams counted; unsplit: without saying of what.',
    labelNames: ['model', 'direction', 'modality'],
    registers,
  })
  const refusals = new Counter({
    name: 'plantain_refusals_total',
    help: 'Exchanges in which the upstream declined to paint, by its own reason.',
    labelNames: ['model', 'reason'],
    registers,
  })
  const limitDecisions = new Counter({
    name: 'plantain_limit_decisions_total',
    help: 'What the limits decided.',
    labelNames: ['scope', 'dimension', 'decision'],
    registers,
  })
  const limitStore = new Histogram({
    name: 'plantain_limit_store_duration_seconds',
    help: 'How long the limit store took to decide.',
    buckets: storeBuckets,
    registers,
  })
  const referenceFetches = new Counter({
    name: 'plantain_reference_fetches_total',
    help: 'Reference pictures that were to be fetched by their address, by what became of it.',
    labelNames: ['outcome'],
    registers,
  })
  new Gauge({
    name: 'plantain_upstream_in_flight',
    help: 'Calls to upstreams under way.',
    labelNames: ['upstream'],
    registers,
    collect() {
      this.reset()
      for (const [upstream, calls] of params.upstreamInFlight()) this.set({ upstream }, calls)
    },
  })
  new Gauge({
    name: 'plantain_answer_bytes_in_memory',
    help: 'Upstream bytes held in memory.',
    registers,
    collect() {
      this.set(params.answerBytesInMemory())
    },
  })
  new Counter({
    name: 'plantain_answer_bytes_spilled_total',
    help: 'Upstream bytes written to spill files.',
    registers,
    collect() {
      this.reset()
      this.inc(params.answerBytesSpilled())
    },
  })

  let latest: { readonly madeMs: number; readonly text: Promise<string> } | null = null

  return {
    contentType: registry.contentType,
    exchange(record) {
      const { protocol, operation, outcome } = record
      const model = modelLabel(record.model, record.modelKnown)
      const caller = callerLabel(record.caller)
      requests.inc({ protocol, operation, model, caller, outcome, status: statusLabel(record.status) })
      requestDuration.observe({ protocol, operation, model, outcome }, secondsOf(record.durationMs))
      if (record.upstreamMs !== null && outcome !== 'left') {
        overhead.observe({ protocol, operation }, secondsOf(Math.max(0, record.durationMs - record.upstreamMs)))
      }
      if (record.images > 0) {
        images.inc({ model, caller, resolution: resolutionLabel(record.resolution) }, record.images)
      }
      if (outcome === 'refused') refusals.inc({ model, reason: reasonLabel(record.refusalReason) })
      if (record.usage === undefined) return
      for (const { direction, modality, tokens: count } of tokenCounts(record.usage)) {
        tokens.inc({ model, direction, modality }, count)
      }
    },
    upstreamCall(call) {
      const { upstream, outcome } = call
      const model = modelLabel(call.model, call.modelKnown)
      upstreamRequests.inc({ upstream, model, outcome, status: statusLabel(call.status) })
      upstreamDuration.observe({ upstream, model }, secondsOf(call.durationMs))
      if (call.firstByteMs !== null) upstreamFirstByte.observe({ upstream, model }, secondsOf(call.firstByteMs))
    },
    limitDecision({ scope, dimension, decision, storeMs }) {
      limitDecisions.inc({ scope, dimension, decision })
      if (storeMs !== undefined) limitStore.observe(secondsOf(storeMs))
    },
    referenceFetch(outcome) {
      referenceFetches.inc({ outcome })
    },
    text() {
      const madeMs = now()
      if (latest === null || madeMs - latest.madeMs >= textForMs) latest = { madeMs, text: registry.metrics() }
      return latest.text
    },
  }
}
