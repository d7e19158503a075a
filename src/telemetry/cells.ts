/**
 * Counters and histograms that cost next to nothing to add to. prom-client looks every label up and checks it at each addition;
 * here that is done once, and what is added to is a cell. prom-client prints them: it asks a metric of its registry for `get`.
 */
import type { Metric, Registry } from 'prom-client'

export type Labels = Readonly<Record<string, string>>

/** The count of one series. */
export interface CountCell {
  value: number
}

/** The histogram of one series. */
export interface SpreadCell {
  observe(value: number): void
}

/** One metric: the cell of each combination of labels, made when it is first asked for. */
export type CellOf<Cell> = (labels: Labels) => Cell

interface Value {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly metricName?: string
}

export function countCells(registry: Registry, name: string, help: string): CellOf<CountCell> {
  const [cellOf, series] = cellTable<CountCell>(() => ({ value: 0 }))
  register(registry, name, help, 'counter', () => series().map(([labels, { value }]) => ({ labels, value })))
  return cellOf
}

/** `buckets`: upper bounds, ascending, without the infinite one. */
export function spreadCells(
  registry: Registry,
  name: string,
  help: string,
  buckets: readonly number[],
): CellOf<SpreadCell> {
  const [cellOf, series] = cellTable(() => new Spread(buckets))
  register(registry, name, help, 'histogram', () => series().flatMap(([labels, spread]) => spread.values(name, labels)))
  return cellOf
}

function cellTable<Cell>(make: () => Cell): [CellOf<Cell>, () => (readonly [Labels, Cell])[]] {
  const cells = new Map<string, readonly [Labels, Cell]>()
  const cellOf = (labels: Labels) => {
    const key = JSON.stringify(labels)
    const entry = cells.get(key) ?? ([labels, make()] as const)
    cells.set(key, entry)
    return entry[1]
  }
  return [cellOf, () => [...cells.values()]]
}

function register(
  registry: Registry,
  name: string,
  help: string,
  type: 'counter' | 'histogram',
  values: () => readonly Value[],
): void {
  const metric = { name, help, type, aggregator: 'sum', get: async () => ({ name, help, type, values: values() }) }
  registry.registerMetric(metric as unknown as Metric)
}

class Spread implements SpreadCell {
  readonly #bounds: readonly number[]
  /** Of each bucket by itself, the last one without a bound. */
  readonly #counts: number[]
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Array<number>(bounds.length + 1).fill(0)
  }

  // An odd figure would spoil the sum for ever.
  observe(value: number): void {
    if (!Number.isFinite(value)) return
    let bucket = 0
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] ?? 0)) bucket += 1
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#sum += value
  }

  values(name: string, labels: Labels): readonly Value[] {
    let count = 0
    const buckets = this.#counts.map((own, bucket) => {
      count += own
      const le = this.#bounds[bucket] ?? '+Inf'
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
    })
    const sum = { metricName: `${name}_sum`, labels, value: this.#sum }
    return [...buckets, sum, { metricName: `${name}_count`, labels, value: count }]
  }
}
