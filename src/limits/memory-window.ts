/** One sliding window in memory: a ring of sub-buckets with a running sum, so that asking costs no walk. */
import { subBuckets } from './store.ts'

/** Times are numbers of sub-buckets, and never go back. A window is asked only until it is empty: then it is dropped. */
export interface MemoryWindow {
  /** What the window counts at this time. */
  used(bucket: number): number
  /** After `used` at the same time. */
  add(bucket: number, cost: number): void
  /** The first time at which this much is used at most. To be asked only while more is used. */
  bucketOfUse(atMost: number): number
  /** The first time at which the window is empty. */
  emptyFrom(): number
}

/** The sub-buckets that count at one time: those of a whole window, and the one that is being filled. */
const ringSize = subBuckets + 1

/** A window that begins at this time. */
export function createMemoryWindow(begin: number): MemoryWindow {
  const counts = new Array<number>(ringSize).fill(0)
  let sum = 0
  let first = begin
  let last = begin

  const count = (bucket: number) => counts[bucket % ringSize] ?? 0

  return {
    used(bucket) {
      for (; first < bucket - subBuckets; first++) {
        sum -= count(first)
        counts[first % ringSize] = 0
      }
      return sum
    },
    add(bucket, cost) {
      counts[bucket % ringSize] = count(bucket) + cost
      sum += cost
      last = bucket
    },
    bucketOfUse(atMost) {
      let left = sum
      for (let bucket = first; bucket < last; bucket++) {
        left -= count(bucket)
        if (left <= atMost) return bucket + ringSize
      }
      return last + ringSize
    },
    emptyFrom: () => last + ringSize,
  }
}
