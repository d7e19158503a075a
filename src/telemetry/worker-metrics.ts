/** The metrics of a machine that serves with several workers: theirs joined, and those of the process that leads them. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { joinMetrics } from './joined-metrics.ts'

export interface WorkerMetricsParams {
  /** Workers that serve now. */
  readonly workersUp: () => number
}

export interface WorkerMetrics {
  readonly contentType: string
  /** A worker ended that was not told to, and is started again. */
  restarted(): void
  /** What a worker that has ended said last goes on to count: counters that fell would look like new ones that rose. */
  keep(text: string): void
  /** @param texts of the workers that there are. */
  join(texts: readonly string[]): Promise<string>
}

export function createWorkerMetrics({ workersUp }: WorkerMetricsParams): WorkerMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  // Memory and CPU are the machine's to pay; but that this process' event loop idles would say nothing of those that work.
  for (const { name } of registry.getMetricsAsArray()) {
    if (!name.startsWith('process_')) registry.removeSingleMetric(name)
  }
  const registers = [registry]
  new Gauge({
    name: 'plantain_workers',
    help: 'Worker processes that serve.',
    registers,
    collect() {
      this.set(workersUp())
    },
  })
  const restarts = new Counter({
    name: 'plantain_worker_restarts_total',
    help: 'Worker processes that ended by themselves and were started again.',
    registers,
  })
  let ended = ''

  return {
    contentType: registry.contentType,
    restarted: () => restarts.inc(),
    keep(text) {
      ended = joinMetrics([ended, text], { onlyCounted: true })
    },
    async join(texts) {
      return joinMetrics([...texts, ended, await registry.metrics()])
    },
  }
}
