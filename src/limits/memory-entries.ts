/** The holds that the memory store knows of, and those that run in the order in which they lapse. */
import type { Counter } from './memory-counters.ts'
import type { Hold } from './store.ts'

/** Of a hold that runs. */
export class Entry {
  readonly hold: Hold
  /** In the order of its reservations: those of the time when it was reserved. */
  readonly counters: readonly Counter[]
  /** In which day and month its money counts. */
  readonly reservedMs: number
  /** It has not lapsed since it was reserved: windows and days know what they count of it. */
  readonly isUnbroken: boolean
  lapsesMs = 0
  /** Its neighbours: the one that lapses sooner, and the one that lapses later. */
  before: Entry = this
  after: Entry = this

  constructor(hold: Hold, counters: readonly Counter[], reservedMs: number, isUnbroken: boolean) {
    this.hold = hold
    this.counters = counters
    this.reservedMs = reservedMs
    this.isUnbroken = isUnbroken
  }
}

/** What is known of a hold that lapsed. */
interface Lapsed {
  readonly reservedMs: number
}

/**
 * What is known of a hold goes when the hold itself goes, and nobody can ask for it any more. A Map by ids would have to be told;
 * and one that is filled and emptied all the time is dear: its outgrown tables keep each other, and all that was in them, from
 * being collected young. So would values of this one that know their key, which is why only those that run have entries.
 *
 * All that run live equally long from when they were last heard of, so they are chained in that order.
 */
export class Entries {
  readonly #known = new WeakMap<Hold, Entry | Lapsed | 'settled'>()
  readonly #ends = new Entry({ id: '', side: 'caller', reservations: [] }, [], 0, false)

  get(hold: Hold): Entry | Lapsed | 'settled' | undefined {
    return this.#known.get(hold)
  }

  /** One that does not run yet, or no more, does. */
  run(entry: Entry, lapsesMs: number): void {
    this.#known.set(entry.hold, entry)
    this.#chain(entry, lapsesMs)
  }

  prolong(entry: Entry, lapsesMs: number): void {
    unchain(entry)
    this.#chain(entry, lapsesMs)
  }

  settle(hold: Hold): void {
    const known = this.#known.get(hold)
    if (known instanceof Entry) unchain(known)
    this.#known.set(hold, 'settled')
  }

  /** Ends one that has lapsed, and says which; undefined: there is none. */
  lapse(nowMs: number): Entry | undefined {
    const first = this.#ends.after
    if (first === this.#ends || first.lapsesMs > nowMs) return undefined
    unchain(first)
    this.#known.set(first.hold, { reservedMs: first.reservedMs })
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

function unchain(entry: Entry): void {
  entry.before.after = entry.after
  entry.after.before = entry.before
  // Whoever is gone and not collected yet would keep its neighbours from being collected, and they theirs.
  entry.before = entry
  entry.after = entry
}
