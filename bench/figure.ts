/** A figure of the table: what was measured in each round, what it must reach, and whether it does. */
import { median } from './statistics.ts'

/** `''`: a count. */
export type Unit = '×' | 'MB' | 'MiB' | 'KB' | 's' | 'ms' | 'µs' | '%' | '/s' | ''

export interface Figure {
  readonly name: string
  readonly unit: Unit
  /** One a round. */
  readonly values: readonly number[]
  /** Absent: reported for comparison, nothing to reach. */
  readonly atMost?: number
  readonly atLeast?: number
  /** `each`: no round may miss it. Default: the median must reach it. */
  readonly judged?: 'median' | 'each'
}

/** Numbers beside the table: absolute costs and latencies. */
export interface Detail {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** What one part of the bench brings home. */
export interface Findings {
  readonly figures: readonly Figure[]
  readonly details: readonly Detail[]
  /** Sentences on what was left out and why. */
  readonly notes: readonly string[]
}

/** Null where there is nothing to reach. `slack` widens the bounds (1.5: by half), for runs too short to be exact. */
export function isMet({ values, atMost, atLeast, judged = 'median' }: Figure, slack = 1): boolean | null {
  const judgedValues = judged === 'each' ? values : [median(values)]
  if (atMost !== undefined) return judgedValues.every(value => value <= atMost * slack)
  if (atLeast !== undefined) return judgedValues.every(value => value >= atLeast / slack)
  return null
}

const digits: Record<Unit, number> = { '×': 2, MB: 0, MiB: 0, KB: 0, s: 1, ms: 2, µs: 1, '%': 2, '/s': 0, '': 0 }

export function printValue(value: number, unit: Unit): string {
  return `${value.toFixed(digits[unit])}${unit === '×' ? '' : ' '}${unit}`.trimEnd()
}

export function printBound({ atMost, atLeast, unit, judged }: Figure): string {
  const each = judged === 'each' ? ', each round' : ''
  if (atMost !== undefined) return `≤ ${printValue(atMost, unit)}${each}`
  if (atLeast !== undefined) return `≥ ${printValue(atLeast, unit)}${each}`
  return ''
}

/** `0.31× (0.29–0.38)` */
export function printMeasured(values: readonly number[], unit: Unit): string {
  const number = (value: number) => printValue(value, unit).replace(/[^\d.]+$/, '')
  return `${printValue(median(values), unit)} (${number(Math.min(...values))}–${number(Math.max(...values))})`
}
