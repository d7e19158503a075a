/** The holds that the memory store knows of, by id and in the order in which they lapse. */
import type { Counter } from './memory-counters.ts'
import type { Hold } from './store.ts'

/** A hold that runs; or, until it is forgotten, one that was settled. */
export class Entry {
  readonly id: string
  /** Null: settled. */
  hold: Hold | null
  /** In the order of its reservations; those of the time when it was reserved. */
  counters: readonly Counter[]
  /** Null: it had lapsed, so nobody knows what windows and days still count of it. */
  readonly reservedMs: number | null
  lapsesMs = 0
  /** Its neighbours: the one that lapses sooner, and the one that lapses later. */
  before: Entry = this
  after: Entry = this

  constructor(id: string, hold: Hold | null, counters: readonly Counter[], reservedMs: number | null) {
    this.id = id
    this.hold = hold
    this.counters = counters
    this.reservedMs = reservedMs
  }
}

const none: readonly Counter[] = []

/**
 * All live equally long from when they were last heard of, so they are chained in that order. A Map has an order too, but
 * keeps the places of what was taken out of it: to look for its first entry is to step over all of them.
 */
export class Entries {
  readonly #byId = new Map<string, Entry>()
  readonly #ends = new Entry('', null, none, null)

  get(id: string): Entry | undefined {
    return this.#byId.get(id)
  }

  /** One that is not known yet. Null: it is settled already. */
  add(id: string, hold: Hold | null, counters: readonly Counter[], reservedMs: number | null, lapsesMs: number): void {
    const entry = new Entry(id, hold, counters, reservedMs)
    this.#byId.set(id, entry)
    this.#chain(entry, lapsesMs)
  }

  prolong(entry: Entry, lapsesMs: number): void {
    unchain(entry)
    this.#chain(entry, lapsesMs)
  }

  settle(entry: Entry, lapsesMs: number): void {
    entry.hold = null
    entry.counters = none
    this.prolong(entry, lapsesMs)
  }

  /** Forgets one that has lapsed, and says which; undefined: there is none. */
  lapse(nowMs: number): Entry | undefined {
    const first = this.#ends.after
    if (first === this.#ends || first.lapsesMs > nowMs) return undefined
    unchain(first)
    this.#byId.delete(first.id)
    return first
  }

  /** As the last to lapse. */
  #chain(entry: Entry, lapsesMs: number): void {
    const last = this.#ends.before
    entry.lapsesMs = lapsesMs
    entry.before = last
    entry.after = this.#ends
    last.after = entry
    this.#ends.before = entry
  }
}

function unchain({ before, after }: Entry): void {
  before.after = after
  after.before = before
}
