/** Buffers of two sizes that are used again: fresh ones are what large bodies cost most, in page clearing and garbage collection. */

const smallBytes = 64 * 1024
const largeBytes = 1024 * 1024
// What an ordinary load has in use, where that is more than what is in use now; what a peak added is left to the garbage collector.
const mostIdleBytes = 64 * 1024 * 1024

export class BufferPool {
  readonly #small = new Shelf(smallBytes)
  readonly #large = new Shelf(largeBytes)

  /** One of 64 KB. */
  take(): Buffer {
    return this.#small.take()
  }

  /** One of 1 MB. */
  takeLarge(): Buffer {
    return this.#large.take()
  }

  /** Nobody reads them any more. */
  give(buffers: readonly Buffer[]): void {
    for (const buffer of buffers) (buffer.length === largeBytes ? this.#large : this.#small).give(buffer)
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

/** Buffers of one size. */
class Shelf {
  readonly #bytes: number
  readonly #free: Buffer[] = []
  #usedBytes = 0

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  take(): Buffer {
    this.#usedBytes += this.#bytes
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes)
  }

  give(buffer: Buffer): void {
    this.#usedBytes -= this.#bytes
    const freeBytes = this.#free.length * this.#bytes
    if (freeBytes < Math.max(mostIdleBytes, this.#usedBytes)) this.#free.push(buffer)
  }
}
