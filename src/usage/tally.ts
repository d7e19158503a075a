/** Rows of usage added up in memory, of which there are only so many. */
import { sumCounts, type UsageRow } from './usage.ts'

export class Tally {
  readonly #rows = new Map<string, UsageRow>()
  readonly #mostRows: number

  constructor(mostRows: number) {
    this.#mostRows = mostRows
  }

  /** @returns false where there is no room for another row. */
  add(row: UsageRow): boolean {
    const key = `${row.day} ${row.caller} ${row.model}`
    const known = this.#rows.get(key)
    if (!known && this.#rows.size >= this.#mostRows) return false
    this.#rows.set(key, known ? { ...known, counts: sumCounts(known.counts, row.counts) } : row)
    return true
  }

  get size(): number {
    return this.#rows.size
  }

  /** The row that came first. */
  first(): UsageRow | undefined {
    return this.#rows.values().next().value
  }

  rows(): readonly UsageRow[] {
    return [...this.#rows.values()]
  }

  /** Takes out the rows that came first. */
  take(most: number): readonly UsageRow[] {
    const taken: UsageRow[] = []
    for (const [key, row] of this.#rows) {
      if (taken.length === most) break
      this.#rows.delete(key)
      taken.push(row)
    }
    return taken
  }

  /** @returns how many rows there were. */
  forget(isOld: (row: UsageRow) => boolean): number {
    const before = this.#rows.size
    for (const [key, row] of this.#rows) if (isOld(row)) this.#rows.delete(key)
    return before - this.#rows.size
  }
}

export const requestsIn = (rows: readonly UsageRow[]): number =>
  rows.reduce((sum, { counts }) => sum + counts.requests, 0)
