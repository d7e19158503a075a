/** The metrics of several processes as those of one: texts in Prometheus' format in, one such text out. */

type Join = (one: number, other: number) => number

const sum: Join = (one, other) => one + other

/** What each process says of the whole, or of a fault that is everybody's. */
const sameForAll: ReadonlySet<string> = new Set([
  'nodejs_version_info',
  'plantain_caller_budget_usd',
  'plantain_limit_store_degraded',
])

/** How the samples of a metric become one: added up, unless that would say nothing. */
function joinOf(name: string): Join {
  // The worst of the processes: a mean of them would hide the one that is stuck.
  if (name.startsWith('nodejs_eventloop_lag')) return Math.max
  if (sameForAll.has(name)) return Math.max
  if (name === 'process_start_time_seconds') return Math.min
  return sum
}

interface Family {
  /** The lines `# HELP` and `# TYPE`. */
  readonly head: string[]
  type: string
  /** By name and labels, as they are written. */
  readonly samples: Map<string, number>
}

export interface JoinOptions {
  /** Leaves out what is not counted up: gauges tell of a moment. */
  readonly onlyCounted?: boolean
}

/** Histograms must have the same bounds in all texts. Of the lines that say what a metric is, the first text's count. */
export function joinMetrics(texts: readonly string[], { onlyCounted = false }: JoinOptions = {}): string {
  const families = new Map<string, Family>()
  for (const text of texts) addText(families, text)
  const kept = [...families.values()].filter(({ type }) => !onlyCounted || type === 'counter' || type === 'histogram')
  return kept.map(print).join('\n')
}

function addText(families: Map<string, Family>, text: string): void {
  let family: Family = { head: [], type: '', samples: new Map() }
  let join = sum
  let isKnown = false
  for (const line of text.split('\n')) {
    if (line.startsWith('# HELP ')) {
      const name = line.split(' ', 3)[2] ?? ''
      const known = families.get(name)
      isKnown = known !== undefined
      family = known ?? { head: [], type: '', samples: new Map() }
      families.set(name, family)
      join = joinOf(name)
    }
    if (line.startsWith('#')) {
      if (line.startsWith('# TYPE ')) family.type = line.slice(line.lastIndexOf(' ') + 1)
      if (!isKnown) family.head.push(line)
    } else if (line !== '') {
      addSample(family, line, join)
    }
  }
}

/** A sample ends in its number; its labels may hold spaces. */
function addSample({ samples }: Family, line: string, join: Join): void {
  const end = line.lastIndexOf(' ')
  const key = line.slice(0, end)
  const value = read(line.slice(end + 1))
  const before = samples.get(key)
  // Some have no value yet: that is none of the others' business.
  if (before === undefined || Number.isNaN(before)) samples.set(key, value)
  else if (!Number.isNaN(value)) samples.set(key, join(before, value))
}

function read(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text)
}

function written(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

function print({ head, samples }: Family): string {
  const lines = [...samples].map(([key, value]) => `${key} ${written(value)}`)
  return `${[...head, ...lines].join('\n')}\n`
}
