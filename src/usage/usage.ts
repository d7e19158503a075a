/** What callers have used, by day and model, for their operator. Two keep it: this process's memory, and Redis for many gateways. */

/** All whole numbers; money in micro-USD. */
export interface Counts {
  readonly requests: number
  /** Those of the requests that did not go well. */
  readonly failed: number
  readonly images: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly tokens: number
  readonly microUsd: number
}

export type Measure = keyof Counts

export const measures: readonly Measure[] = [
  'requests',
  'failed',
  'images',
  'inputTokens',
  'outputTokens',
  'tokens',
  'microUsd',
]

export interface UsageRow {
  /** `2026-11-21` */
  readonly day: string
  /** A configured id: no spaces. */
  readonly caller: string
  /** An id of the catalogue, or `other`. */
  readonly model: string
  readonly counts: Counts
}

/** Days from `from` to `to`, both included; absent: every caller, every model. */
export interface UsageQuestion {
  readonly from: string
  readonly to: string
  readonly caller?: string
  readonly model?: string
  /** More rows than this are not read: see TooManyRows. */
  readonly mostRows: number
}

export interface UsageKeeper {
  /** Adds to the row of the same day, caller and model. Takes no time worth counting and never fails. */
  add(row: UsageRow): void
  /**
   * Sorted by day, caller and model; rows of nothing are left out.
   * @throws TooManyRows. Rejects with another error where the store does not answer.
   */
  read(question: UsageQuestion): Promise<readonly UsageRow[]>
  /** In requests: what is kept here until the store takes it, and what never got there. */
  unwritten(): number
  lost(): number
  /** Writes what is not written yet, if that is possible now. */
  close(): Promise<void>
}

/** Nobody is given a part of the truth in place of the whole. */
export class TooManyRows extends Error {
  constructor(most: number) {
    super(`There are more than ${most} rows.`)
    this.name = 'TooManyRows'
  }
}

export const noCounts: Counts = {
  requests: 0,
  failed: 0,
  images: 0,
  inputTokens: 0,
  outputTokens: 0,
  tokens: 0,
  microUsd: 0,
}

export function sumCounts(a: Counts, b: Counts): Counts {
  return {
    requests: a.requests + b.requests,
    failed: a.failed + b.failed,
    images: a.images + b.images,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    tokens: a.tokens + b.tokens,
    microUsd: a.microUsd + b.microUsd,
  }
}

/** By day, then caller, then model. */
export function sorted(rows: readonly UsageRow[]): readonly UsageRow[] {
  return rows.toSorted((a, b) => order(a.day, b.day) || order(a.caller, b.caller) || order(a.model, b.model))
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
