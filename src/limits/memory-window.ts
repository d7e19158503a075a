/** One sliding window in memory: a ring of sub-buckets with a running sum, so that asking costs no walk. */
import { subBuckets } from './store.ts'

/** The sub-buckets that count at one time: those of a whole window, and the one that is being filled. */
const ringSize = subBuckets + 1

/** Times are numbers of sub-buckets, and never go back. */
export class MemoryWindow {
  readonly #counts = new Array<number>(ringSize).fill(0)
  #sum = 0
  #first: number
  #last: number

  /** A window that begins at this time. */
  constructor(begin: number) {
    this.#first = begin
    this.#last = begin
  }

  /** What it counts, as of the time that `used` was last asked for. */
  get sum(): number {
    return this.#sum
  }

  /** What the window counts at this time. */
  used(bucket: number): number {
    const oldest = bucket - subBuckets
    if (oldest > this.#last) {
      if (this.#sum !== 0) this.#counts.fill(0)
      this.#sum = 0
      this.#first = bucket
      this.#last = bucket
      return 0
    }
    for (; this.#first < oldest; this.#first++) {
      this.#sum -= this.#count(this.#first)
      this.#counts[this.#first % ringSize] = 0
    }
    return this.#sum
  }

  /** After `used` at the same time. */
  add(bucket: number, cost: number): void {
    this.#counts[bucket % ringSize] = this.#count(bucket) + cost
    this.#sum += cost
    this.#last = bucket
  }

  /** What is counted at `bucket` becomes more or less, never less than nothing. @returns by how much; 0 where it no longer counts. */
  correct(bucket: number, delta: number): number {
    if (bucket < this.#first || bucket > this.#last) return 0
    const done = Math.max(delta, -this.#count(bucket))
    this.#counts[bucket % ringSize] = this.#count(bucket) + done
    this.#sum += done
    return done
  }

  /** The first time at which this much is used at most. To be asked only while more is used. */
  bucketOfUse(atMost: number): number {
    let left = this.#sum
    for (let bucket = this.#first; bucket < this.#last; bucket++) {
      left -= this.#count(bucket)
      if (left <= atMost) return bucket + ringSize
    }
    return this.#last + ringSize
  }

  /** The first time at which the window is empty. */
  emptyFrom(): number {
    return this.#last + ringSize
  }

  #count(bucket: number): number {
    return this.#counts[bucket % ringSize] ?? 0
  }
}
