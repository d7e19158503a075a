/** The holds that the memory store knows of, by id and in the order in which they lapse. */
import type { Counter } from './memory-counters.ts'
import type { Hold } from './store.ts'

/** What is known of a hold while it runs. */
export interface Running {
  readonly hold: Hold
  /** In the order of its reservations; those of the time when it was reserved. */
  readonly counters: readonly Counter[]
  /** Null: it had lapsed, so nobody knows what windows and days still count of it. */
  readonly reservedMs: number | null
}

/**
 * All holds live equally long from when they were last heard of, so the one that lapses first is the one that was not heard
 * of for longest. They are chained in that order: a Map alone keeps the places of what was taken out of it, and to look for
 * its first entry is to step over all of them.
 */
export class Entries {
  readonly #byId = new Map<string, Entry>()
  readonly #ends = new Entry('', null, 0)
  readonly #onLapse: (running: Running) => void

  /** `onLapse` hears of each hold that lapsed while it ran. */
  constructor(onLapse: (running: Running) => void) {
    this.#onLapse = onLapse
  }

  /** Undefined: not known; null: settled. */
  get(id: string): Running | null | undefined {
    return this.#byId.get(id)?.running
  }

  /** Null: settled. */
  set(id: string, running: Running | null, lapsesMs: number): void {
    let entry = this.#byId.get(id)
    if (entry) {
      entry.running = running
      entry.lapsesMs = lapsesMs
      unchain(entry)
    } else {
      entry = new Entry(id, running, lapsesMs)
      this.#byId.set(id, entry)
    }
    chain(entry, this.#ends)
  }

  forgetLapsed(nowMs: number): void {
    for (let entry = this.#ends.after; entry !== this.#ends && entry.lapsesMs <= nowMs; entry = this.#ends.after) {
      unchain(entry)
      this.#byId.delete(entry.id)
      if (entry.running) this.#onLapse(entry.running)
    }
  }
}

class Entry {
  readonly id: string
  running: Running | null
  lapsesMs: number
  before: Entry = this
  after: Entry = this

  constructor(id: string, running: Running | null, lapsesMs: number) {
    this.id = id
    this.running = running
    this.lapsesMs = lapsesMs
  }
}

function unchain({ before, after }: Entry): void {
  before.after = after
  after.before = before
}

/** As the last. */
function chain(entry: Entry, ends: Entry): void {
  entry.before = ends.before
  entry.after = ends
  ends.before.after = entry
  ends.before = entry
}
