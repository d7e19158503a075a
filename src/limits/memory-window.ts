/** One sliding window in memory: a ring of sub-buckets with a running sum, so that asking costs no walk. */
import { subBuckets } from './store.ts'

/** The sub-buckets that can count at one time: those of a whole window, and the one that is being filled. */
const ringSize = subBuckets + 1

export interface MemoryWindow {
  /** What the window counts at this sub-bucket's time. */
  used(bucket: number): number
  add(bucket: number, cost: number): void
  /** The first sub-bucket at whose time this much is used at most. To be asked only where more is used now. */
  bucketOfUse(atMost: number): number
  /** The first sub-bucket at whose time the window is empty. */
  emptyFrom(): number
}

export function createMemoryWindow(): MemoryWindow {
  const counts = new Float64Array(ringSize)
  let sum = 0
  let first = 0
  let last = Number.NEGATIVE_INFINITY

  const count = (bucket: number) => counts[bucket % ringSize] ?? 0

  function forgetBefore(oldest: number) {
    if (last < oldest) {
      counts.fill(0)
      sum = 0
      first = oldest
    }
    for (; first < oldest; first++) {
      sum -= count(first)
      counts[first % ringSize] = 0
    }
  }

  return {
    used(bucket) {
      forgetBefore(bucket - subBuckets)
      return sum
    },
    add(bucket, cost) {
      if (sum === 0) first = bucket
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
    emptyFrom: () => (sum === 0 ? Number.NEGATIVE_INFINITY : last + ringSize),
  }
}
