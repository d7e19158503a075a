/** Every metric of the gateway by name, over a registry of its own. prom-client's only door. */
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { LimitDimension, LimitScope } from '../config/config.ts'
import type { Outcome } from '../images/error.ts'
import { type CountCell, countCells, type SpreadCell, spreadCells, textOf } from './cells.ts'
import { type Readings, registerGauges } from './gauges.ts'
import { callerLabel, modelLabel, reasonLabel, resolutionLabel, statusLabel, tokenCounts } from './labels.ts'
import type { ExchangeRecord } from './record.ts'

export interface MetricsParams extends Readings {
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
  readonly scope: LimitScope
  readonly dimension: LimitDimension
  readonly decision: 'admitted' | 'refused' | 'error' | 'bypassed'
  /** How long the store took. A decision on several dimensions asks it once: only one of them carries the time. */
  readonly storeMs?: number
}

/** One request for a picture that was answered by URL. */
export interface Download {
  /** `failed`: there is none at the address, or the store did not give it. `left`: the caller did not take all of it. */
  readonly outcome: Extract<Outcome, 'ok' | 'failed' | 'left'>
  /** Null: no answer went out. */
  readonly status: number | null
  /** Of the picture. */
  readonly bytes: number
}

export interface Metrics {
  readonly contentType: string
  /** Counts an exchange that has ended, well or not. */
  exchange(record: ExchangeRecord): void
  upstreamCall(call: UpstreamCall): void
  limitDecision(decision: LimitDecision): void
  /** A reference picture was fetched by its address, or was not. `refused`: the address is none to call. */
  referenceFetch(outcome: Outcome): void
  /** A picture that was answered by URL was asked for. */
  download(download: Download): void
  /** Prometheus' text format. Thousands of series cost milliseconds of event loop, so it is made at most once a second and shared. */
  text(): Promise<string>
}

interface ExchangeCells {
  readonly requests: CountCell
  readonly duration: SpreadCell
  readonly tokens: Record<string, CountCell>
  overhead?: SpreadCell
  images?: CountCell
  cost?: CountCell
}

interface CallCells {
  readonly requests: CountCell
  readonly duration: SpreadCell
  firstByte?: SpreadCell
}

const textForMs = 1000
const secondsOf = (ms: number): number => ms / 1000

// An image takes seconds to a few minutes; a refusal or a 4xx takes milliseconds.
const durationBuckets = [0.01, 0.05, 0.25, 1, 2.5, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300]
const overheadBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30]
const queueBuckets = [0.05, 0.25, 1, 2.5, 5, 10, 15, 20, 30, 45, 60, 120, 300]
const storeBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1]

/** Builds the series. Nothing here throws on odd figures: a metric is never the reason why an exchange fails. */
export function createMetrics(params: MetricsParams): Metrics {
  const { now = () => performance.now() } = params
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })

  const requests = countCells(registry, 'plantain_requests_total', 'Exchanges that ended, by what became of them.')
  const requestDuration = spreadCells(
    registry,
    'plantain_request_duration_seconds',
    "From the caller's request to the end of the answer.",
    durationBuckets,
  )
  const overhead = spreadCells(
    registry,
    'plantain_gateway_overhead_seconds',
    "The part of an exchange that was not spent on upstreams or in line: the gateway's own work and both ways to the caller.",
    overheadBuckets,
  )
  const upstreamRequests = countCells(
    registry,
    'plantain_upstream_requests_total',
    'Calls to upstreams, retries counted one by one.',
  )
  const upstreamDuration = spreadCells(
    registry,
    'plantain_upstream_duration_seconds',
    "From a call to the end of the upstream's answer.",
    durationBuckets,
  )
  const upstreamFirstByte = spreadCells(
    registry,
    'plantain_upstream_first_byte_seconds',
    "From a call to the first byte of the upstream's answer.",
    durationBuckets,
  )
  const images = countCells(registry, 'plantain_images_total', 'Images delivered to callers.')
  const tokens = countCells(
    registry,
    'plantain_tokens_total',
    'Tokens that upstreams counted; unsplit: without saying of what.',
  )
  const cost = countCells(
    registry,
    'plantain_cost_usd_total',
    "What upstreams bill for callers' exchanges by the catalogue's prices, those that failed included.",
  )
  const refusals = countCells(
    registry,
    'plantain_refusals_total',
    'Exchanges in which the upstream declined to paint, by its own reason.',
  )
  const limitDecisions = countCells(registry, 'plantain_limit_decisions_total', 'What the limits decided.')
  const limitStore = spreadCells(
    registry,
    'plantain_limit_store_duration_seconds',
    'How long the limit store took to decide.',
    storeBuckets,
  )({})
  const referenceFetches = countCells(
    registry,
    'plantain_reference_fetches_total',
    'Reference pictures that were to be fetched by their address, by what became of it.',
  )
  const downloads = countCells(
    registry,
    'plantain_asset_downloads_total',
    'Requests for pictures that were answered by URL, by what became of them.',
  )
  const downloadedBytes = countCells(
    registry,
    'plantain_asset_bytes_total',
    'Bytes of pictures answered by URL that were downloaded, of downloads that came to their end.',
  )({})
  const queueWait = spreadCells(
    registry,
    'plantain_queue_wait_seconds',
    'How long exchanges that waited for a limit did so, by what became of them.',
    queueBuckets,
  )
  registerGauges(registry, params)

  // What exchanges and calls of one kind add to. Labels are bounded, so kinds are.
  const exchanges: Record<string, ExchangeCells> = {}
  const calls: Record<string, CallCells> = {}
  let latest: { readonly madeMs: number; readonly text: Promise<string> } | null = null

  return {
    contentType: registry.contentType,
    exchange(record) {
      const { protocol, operation, outcome, durationMs, upstreamMs, queuedMs } = record
      const model = modelLabel(record.model, record.modelKnown)
      const caller = callerLabel(record.caller)
      const status = statusLabel(record.status)
      const resolution = resolutionLabel(record.resolution)
      const kind = [protocol, operation, model, caller, outcome, status, resolution].join('\n')
      exchanges[kind] ??= {
        requests: requests({ protocol, operation, model, caller, outcome, status }),
        duration: requestDuration({ protocol, operation, model, outcome }),
        tokens: {},
      }
      const cells = exchanges[kind]
      cells.requests.value += 1
      cells.duration.observe(secondsOf(durationMs))
      if (upstreamMs !== null && outcome !== 'left') {
        cells.overhead ??= overhead({ protocol, operation })
        cells.overhead.observe(secondsOf(Math.max(0, durationMs - upstreamMs - queuedMs)))
      }
      if (queuedMs > 0) queueWait({ caller, outcome }).observe(secondsOf(queuedMs))
      if (record.images > 0) {
        cells.images ??= images({ model, caller, resolution })
        cells.images.value += record.images
      }
      if (record.costMicroUsd !== undefined) {
        cells.cost ??= cost({ model, caller })
        cells.cost.value += record.costMicroUsd / 1e6
      }
      if (outcome === 'refused') refusals({ model, reason: reasonLabel(record.refusalReason) }).value += 1
      if (record.usage === undefined) return
      for (const { direction, modality, tokens: count } of tokenCounts(record.usage)) {
        const which = `${direction} ${modality}`
        cells.tokens[which] ??= tokens({ model, direction, modality })
        cells.tokens[which].value += count
      }
    },
    upstreamCall(call) {
      const { upstream, outcome } = call
      const model = modelLabel(call.model, call.modelKnown)
      const status = statusLabel(call.status)
      const kind = [upstream, model, outcome, status].join('\n')
      calls[kind] ??= {
        requests: upstreamRequests({ upstream, model, outcome, status }),
        duration: upstreamDuration({ upstream, model }),
      }
      const cells = calls[kind]
      cells.requests.value += 1
      cells.duration.observe(secondsOf(call.durationMs))
      if (call.firstByteMs === null) return
      cells.firstByte ??= upstreamFirstByte({ upstream, model })
      cells.firstByte.observe(secondsOf(call.firstByteMs))
    },
    limitDecision({ scope, dimension, decision, storeMs }) {
      limitDecisions({ scope, dimension, decision }).value += 1
      if (storeMs !== undefined) limitStore.observe(secondsOf(storeMs))
    },
    referenceFetch(outcome) {
      referenceFetches({ outcome }).value += 1
    },
    download({ outcome, status, bytes }) {
      downloads({ outcome, status: statusLabel(status) }).value += 1
      if (outcome === 'ok') downloadedBytes.value += bytes
    },
    text() {
      const madeMs = now()
      if (latest === null || madeMs - latest.madeMs >= textForMs) latest = { madeMs, text: textOf(registry) }
      return latest.text
    },
  }
}
