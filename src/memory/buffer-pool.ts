/** Buffers of two sizes that are used again: fresh ones are what large bodies cost most, in page clearing and garbage collection. */

const smallBytes = 64 * 1024
const largeBytes = 1024 * 1024
// What an ordinary load has in use; what a peak added is left to the garbage collector.
const mostFreeBytes = 64 * 1024 * 1024

export class BufferPool {
  readonly #small: Buffer[] = []
  readonly #large: Buffer[] = []

  /** One of 64 KB. */
  take(): Buffer {
    return this.#small.pop() ?? Buffer.allocUnsafeSlow(smallBytes)
  }

  /** One of 1 MB. */
  takeLarge(): Buffer {
    return this.#large.pop() ?? Buffer.allocUnsafeSlow(largeBytes)
  }

  /** Nobody reads them any more. */
  give(buffers: readonly Buffer[]): void {
    for (const buffer of buffers) {
      const free = buffer.length === largeBytes ? this.#large : this.#small
      if ((free.length + 1) * buffer.length <= mostFreeBytes) free.push(buffer)
    }
  }

  /** For one body, held as `expectedBytes`; 0 where nobody knows how large it will be. */
  blocksFor(expectedBytes: number): Blocks {
    return new Blocks(this, expectedBytes)
  }
}

/**
 * The buffers of one body, until all of them are released: large ones, small ones for what is less than that. A body in 5 buffers
 * instead of 80 is sent for a tenth less CPU.
 */
export class Blocks {
  readonly #pool: BufferPool
  readonly #taken: Buffer[] = []
  #expectedBytes: number
  #rest: Buffer | null = null

  constructor(pool: BufferPool, expectedBytes: number) {
    this.#pool = pool
    this.#expectedBytes = expectedBytes
  }

  readonly take = (): Buffer => {
    const rest = this.#rest
    this.#rest = null
    if (rest) return rest
    const block = this.#expectedBytes >= largeBytes ? this.#pool.takeLarge() : this.#pool.take()
    this.#taken.push(block)
    this.#expectedBytes -= block.length
    return block
  }

  /** The end of the block that was taken last, which its taker has no use for: the next one has. */
  readonly giveRest = (rest: Buffer): void => {
    if (rest.length > 0) this.#rest = rest
  }

  /** Nobody reads them any more. */
  release(): void {
    this.#rest = null
    this.#pool.give(this.#taken.splice(0))
  }
}
