/**
 * Counters and histograms that cost next to nothing to add to and little to print. prom-client looks every label up and checks
 * it at each addition, and puts every line of a scrape together anew: here both are done once for each series. prom-client
 * still knows them: it asks a metric of its registry for `get`.
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

/** One line of a scrape: what stands before its value, which never changes, and the value now. */
interface Line {
  readonly head: string
  readonly value: number
}

interface Series<Cell> {
  readonly labels: Labels
  readonly cell: Cell
  /** Of each of its lines, without name and braces where it has no labels. */
  readonly heads: readonly string[]
}

/** `help`: the sentence that a scrape has beside it. */
export function countCells(registry: Registry, name: string, help: string): CellOf<CountCell> {
  const { cellOf, series } = cellTable<CountCell>(
    () => ({ value: 0 }),
    labels => [head(name, labels)],
  )
  register(registry, {
    name,
    help,
    type: 'counter',
    values: () => series().map(({ labels, cell }) => ({ labels, value: cell.value })),
    lines: () => series().map(({ heads, cell }) => ({ head: heads[0] ?? '', value: cell.value })),
  })
  return cellOf
}

/** `buckets`: upper bounds, ascending, without the infinite one. */
export function spreadCells(
  registry: Registry,
  name: string,
  help: string,
  buckets: readonly number[],
): CellOf<SpreadCell> {
  const names = (labels: Labels) => [
    ...[...buckets, '+Inf'].map(le => ({ metricName: `${name}_bucket`, labels: { le, ...labels } })),
    { metricName: `${name}_sum`, labels },
    { metricName: `${name}_count`, labels },
  ]
  const { cellOf, series } = cellTable(
    () => new Spread(buckets),
    labels => names(labels).map(line => head(line.metricName, line.labels)),
  )
  register(registry, {
    name,
    help,
    type: 'histogram',
    values: () =>
      series().flatMap(({ labels, cell }) => {
        const figures = cell.figures()
        return names(labels).map((line, index) => ({ ...line, value: figures[index] ?? 0 }))
      }),
    lines: () =>
      series().flatMap(({ heads, cell }) =>
        cell.figures().map((value, index) => ({ head: heads[index] ?? '', value })),
      ),
  })
  return cellOf
}

/** All metrics of a registry in Prometheus' text format, as `registry.metrics()` has it. */
export async function textOf(registry: Registry): Promise<string> {
  const metrics: readonly { readonly name: string }[] = registry.getMetricsAsArray()
  const texts = metrics.map(metric => (isCells(metric) ? metric.text() : registry.getSingleMetricAsString(metric.name)))
  return `${(await Promise.all(texts)).join('\n\n')}\n`
}

interface CellMetric {
  text(): string
}

const isCells = (metric: object): metric is CellMetric => 'text' in metric && typeof metric.text === 'function'

function cellTable<Cell>(make: () => Cell, headsOf: (labels: Labels) => readonly string[]) {
  const table = new Map<string, Series<Cell>>()
  const cellOf = (labels: Labels): Cell => {
    const key = JSON.stringify(labels)
    const series = table.get(key) ?? { labels, cell: make(), heads: headsOf(labels) }
    table.set(key, series)
    return series.cell
  }
  return { cellOf, series: () => [...table.values()] }
}

interface MetricParams {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'histogram'
  readonly values: () => readonly Value[]
  readonly lines: () => readonly Line[]
}

function register(registry: Registry, { name, help, type, values, lines }: MetricParams): void {
  const title = `# HELP ${name} ${help}\n# TYPE ${name} ${type}`
  const metric = {
    name,
    help,
    type,
    aggregator: 'sum',
    get: async () => ({ name, help, type, values: values() }),
    text: () => lines().reduce((text, { head, value }) => `${text}\n${head}${value}`, title),
  }
  registry.registerMetric(metric as unknown as Metric)
}

function head(name: string, labels: Readonly<Record<string, string | number>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(String(value))}"`)
  return pairs.length === 0 ? `${name} ` : `${name}{${pairs.join(',')}} `
}

const escaped = (value: string) => value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"')

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

  /** Each bucket's with those below it, then the sum, then the count. */
  figures(): readonly number[] {
    let count = 0
    const buckets = this.#counts.map(own => {
      count += own
      return count
    })
    return [...buckets, this.#sum, count]
  }
}
