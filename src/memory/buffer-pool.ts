/** Buffers of two sizes that are used again: fresh ones are what large bodies cost most, in page clearing and garbage collection. */

const smallBytes = 64 * 1024
const largeBytes = 1024 * 1024
// Kept however little is in use.
const alwaysKeptBytes = 64 * 1024 * 1024
// Longer than the waves of a load, whose every ebb would make garbage that the next flood has to make again.
const lookMs = 10_000

export interface BufferPoolParts {
  readonly makeLarge?: (bytes: number) => Buffer
  /** One of so many bytes is handed out. */
  readonly onTake?: ((bytes: number) => void) | undefined
  /** So many bytes were more than a load has use for: they are no longer kept. */
  readonly onLetGo?: ((bytes: number) => void) | undefined
}

export class BufferPool {
  readonly #small: Shelf
  readonly #large: Shelf
  readonly #onTake: (bytes: number) => void

  constructor({ makeLarge = Buffer.allocUnsafeSlow, onTake = () => {}, onLetGo = () => {} }: BufferPoolParts = {}) {
    this.#small = new Shelf(smallBytes, Buffer.allocUnsafeSlow, onLetGo)
    this.#large = new Shelf(largeBytes, makeLarge, onLetGo)
    this.#onTake = onTake
  }

  /** One of 64 KB. */
  take(): Buffer {
    this.#onTake(smallBytes)
    return this.#small.take()
  }

  /** One of 1 MB. */
  takeLarge(): Buffer {
    this.#onTake(largeBytes)
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

/** Buffers of one size: as many as a load has in use at once. What a peak added is left to the garbage collector once it is over. */
class Shelf {
  readonly #bytes: number
  readonly #make: (bytes: number) => Buffer
  readonly #onLetGo: (bytes: number) => void
  readonly #free: Buffer[] = []
  #used = 0
  /** The most since the last look. */
  #mostUsed = 0
  #look: NodeJS.Timeout | null = null

  constructor(bytes: number, make: (bytes: number) => Buffer, onLetGo: (bytes: number) => void) {
    this.#bytes = bytes
    this.#make = make
    this.#onLetGo = onLetGo
  }

  take(): Buffer {
    this.#used += 1
    this.#mostUsed = Math.max(this.#mostUsed, this.#used)
    return this.#free.pop() ?? this.#make(this.#bytes)
  }

  give(buffer: Buffer): void {
    this.#used -= 1
    this.#free.push(buffer)
    this.#lookLater()
  }

  #lookLater(): void {
    if (this.#excess(0) > 0) this.#look ??= setTimeout(() => this.#letGo(), lookMs).unref()
  }

  #letGo(): void {
    this.#look = null
    const letGo = this.#free.splice(this.#free.length - this.#excess(this.#mostUsed))
    this.#onLetGo(letGo.length * this.#bytes)
    this.#mostUsed = this.#used
    this.#lookLater()
  }

  /** How many of the free ones a load that has so many in use at once can do without. */
  #excess(mostUsed: number): number {
    const kept = Math.max(mostUsed, alwaysKeptBytes / this.#bytes)
    return Math.min(this.#free.length, Math.max(0, this.#used + this.#free.length - kept))
  }
}
