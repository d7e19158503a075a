/** Figures that others keep, read at each scrape: what is under way or held now, and how much of it there may be. */
import { Counter, Gauge, type Registry } from 'prom-client'

/** Bounds are absent where nobody has set one. */
export interface Readings {
  /** Calls under way now, by upstream name. */
  readonly upstreamInFlight: () => Iterable<readonly [upstream: string, calls: number]>
  /** How many there can be at once. */
  readonly upstreamInFlightMax?: Iterable<readonly [upstream: string, calls: number]>
  /** Upstream bytes held in memory now. */
  readonly answerBytesInMemory: () => number
  readonly answerBytesInMemoryMax?: number
  /** Upstream bytes that lie in spill files now. */
  readonly answerBytesOnDisk?: () => number
  readonly answerBytesOnDiskMax?: number
  /** Upstream bytes written to spill files since the start. */
  readonly answerBytesSpilled: () => number
  /** Bytes set apart for bodies and references now. */
  readonly requestBytesInMemory?: () => number
  readonly requestBytesInMemoryMax?: number
  /** Does the shared limit store not answer? */
  readonly limitStoreDegraded?: () => boolean
  /** Exchanges that wait for a limit now, by their callers' ids; absent: nobody waits. */
  readonly queueWaiting?: () => Iterable<readonly [caller: string, exchanges: number]>
  /** Requests whose usage is still to be written, and those whose never will be. Absent: none. */
  readonly usage?: { unwritten(): number; lost(): number }
  readonly budgets?: Iterable<CallerBudget>
}

/** What a caller may spend. */
export interface CallerBudget {
  readonly caller: string
  readonly period: 'day' | 'month'
  readonly usd: number
}

export function registerGauges(registry: Registry, readings: Readings): void {
  const registers = [registry]

  function gauge(name: string, help: string, read: (() => number) | undefined): void {
    if (!read) return
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  const constant = (value: number | undefined) => (value === undefined ? undefined : () => value)

  gauge('plantain_limit_store_degraded', '1 while the shared limit store does not answer.', () =>
    readings.limitStoreDegraded?.() ? 1 : 0,
  )
  new Gauge({
    name: 'plantain_upstream_in_flight',
    help: 'Calls to upstreams under way.',
    labelNames: ['upstream'],
    registers,
    collect() {
      this.reset()
      for (const [upstream, calls] of readings.upstreamInFlight()) this.set({ upstream }, calls)
    },
  })
  new Gauge({
    name: 'plantain_queue_waiting',
    help: 'Exchanges that wait for a limit instead of being refused.',
    labelNames: ['caller'],
    registers,
    collect() {
      this.reset()
      for (const [caller, exchanges] of readings.queueWaiting?.() ?? []) this.set({ caller }, exchanges)
    },
  })
  const inFlightMax = new Gauge({
    name: 'plantain_upstream_in_flight_max',
    help: 'Calls to upstreams that this gateway can have under way at once: its connections to them.',
    labelNames: ['upstream'],
    registers,
  })
  for (const [upstream, calls] of readings.upstreamInFlightMax ?? []) inFlightMax.set({ upstream }, calls)

  gauge('plantain_answer_bytes_in_memory', 'Upstream bytes held in memory.', readings.answerBytesInMemory)
  gauge(
    'plantain_answer_bytes_in_memory_max',
    'Upstream bytes that memory has room for; what is more is spilled.',
    constant(readings.answerBytesInMemoryMax),
  )
  gauge('plantain_answer_bytes_on_disk', 'Upstream bytes that lie in spill files.', readings.answerBytesOnDisk)
  gauge(
    'plantain_answer_bytes_on_disk_max',
    'Upstream bytes that spill files have room for; what is more waits.',
    constant(readings.answerBytesOnDiskMax),
  )
  new Counter({
    name: 'plantain_answer_bytes_spilled_total',
    help: 'Upstream bytes written to spill files.',
    registers,
    collect() {
      this.reset()
      this.inc(readings.answerBytesSpilled())
    },
  })
  gauge(
    'plantain_request_bytes_in_memory',
    'Bytes set apart for bodies and references of requests under way.',
    readings.requestBytesInMemory,
  )
  gauge(
    'plantain_request_bytes_in_memory_max',
    'Bytes that there are for bodies and references; a request that needs more waits.',
    constant(readings.requestBytesInMemoryMax),
  )
  gauge(
    'plantain_usage_unwritten_requests',
    'Requests whose usage is kept here until Redis takes it.',
    () => readings.usage?.unwritten() ?? 0,
  )
  new Counter({
    name: 'plantain_usage_lost_requests_total',
    help: 'Requests missing in the usage: Redis was away for so long that there was no room for them here.',
    registers,
    collect() {
      this.reset()
      this.inc(readings.usage?.lost() ?? 0)
    },
  })
  const budget = new Gauge({
    name: 'plantain_caller_budget_usd',
    help: 'What a caller may spend in a day or a month, as configured.',
    labelNames: ['caller', 'period'],
    registers,
  })
  for (const { caller, period, usd } of readings.budgets ?? []) budget.set({ caller, period }, usd)
}
