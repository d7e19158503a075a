/** The memory that answers lie in while they are held, and its budget: one for the whole process. */

/** Keeps chunks alive and counts them. Two ways: slabs (slabs.ts) and the buffers that plain sockets allocate. */
export interface AnswerMemory {
  /** No further chunk should be held: spill instead. */
  readonly full: boolean
  readonly bytesInUse: number
  /** The chunk's bytes stay as they are until it is released as often as it was retained. */
  retain(chunk: Buffer): void
  release(chunk: Buffer): void
}

/** The plain way: every chunk is a buffer of its own, and the garbage collector frees it. */
export function createPlainMemory(budgetBytes: number): AnswerMemory {
  let bytesInUse = 0
  return {
    get full() {
      return bytesInUse >= budgetBytes
    },
    get bytesInUse() {
      return bytesInUse
    },
    retain(chunk) {
      bytesInUse += chunk.length
    },
    release(chunk) {
      bytesInUse -= chunk.length
    },
  }
}
