/** An upstream's document while it is held: slices in memory, and past the budget the rest in a file. No copy is made of it. */
import { type Bytes, concat, stretchOf } from '../images/bytes.ts'
import type { AnswerMemory } from './answer-memory.ts'
import { largestSlabBytes } from './slabs.ts'
import type { SpillFile, SpillSpace } from './spill.ts'

export interface HoldingPlaces {
  readonly memory: AnswerMemory
  readonly spill: SpillSpace
}

// Stands in for pieces that were given up, so that the others keep their places. No read of a socket is larger.
const nothing = Buffer.alloc(largestSlabBytes)

const canGo = (piece: Buffer) => piece.buffer !== nothing.buffer && piece.length <= nothing.length

export class HeldDocument {
  readonly #places: HoldingPlaces
  readonly #signal: AbortSignal
  readonly #pieces: Buffer[] = []
  #inMemory = 0
  #length = 0
  #file: SpillFile | null = null
  #waiting: Buffer[] = []
  #writing: Promise<void> | null = null
  #released = false

  /** `signal`: the exchange's end, at which nobody waits for room any more. */
  constructor(places: HoldingPlaces, signal: AbortSignal) {
    this.#places = places
    this.#signal = signal
  }

  get length(): number {
    return this.#length
  }

  /** Takes the next bytes. Where it returns a promise, the upstream's socket should wait for it. */
  append(chunk: Buffer): Promise<void> | undefined {
    if (this.#released) return undefined
    const { memory, spill } = this.#places
    const { full } = memory
    spill.line.enter(this)
    memory.retain(chunk)
    this.#length += chunk.length
    if (!this.#file && !this.#writing && !full) {
      this.#keep([chunk])
      return undefined
    }
    this.#waiting.push(chunk)
    if (!this.#writing) {
      this.#writing = this.#write()
      // Whoever appended may fail of something else before it settles, and listens no more.
      this.#writing.catch(() => {})
    }
    return this.#writing
  }

  /** Settles when everything lies where it will stay: at once where nothing returned a promise. Before, slices of the spilled end must not be read. */
  complete(): Promise<void> | undefined {
    return this.#writing ?? undefined
  }

  /** A stretch of the document. */
  slice(start: number, length: number): Bytes {
    const inMemory = Math.max(0, Math.min(length, this.#inMemory - start))
    const head = stretchOf(this.#pieces, start, inMemory)
    if (inMemory === length) return head
    return concat([head, this.#fileSlice(Math.max(0, start - this.#inMemory), length - inMemory)])
  }

  /** Frees what lies in memory of a stretch that nobody will read. */
  discard(start: number, length: number): void {
    let offset = 0
    for (const [index, piece] of this.#pieces.entries()) {
      if (offset >= start && offset + piece.length <= start + length && canGo(piece)) {
        this.#places.memory.release(piece)
        this.#pieces[index] = nothing.subarray(0, piece.length)
      }
      offset += piece.length
    }
  }

  /** Lets everything go; slices handed out before are invalid from now on. May be called again. */
  release(): void {
    if (this.#released) return
    this.#released = true
    for (const piece of this.#pieces) if (piece.buffer !== nothing.buffer) this.#places.memory.release(piece)
    this.#pieces.length = 0
    // It may wait for room itself, and need not any more.
    this.#places.spill.line.wake()
    if (this.#writing || this.#file) void this.#leaveLater()
    else this.#places.spill.line.leave(this)
  }

  #fileSlice(start: number, length: number): Bytes {
    return {
      length,
      slices: () => this.#readFile(start, length),
      slice: (from, size) => this.#fileSlice(start + from, size),
    }
  }

  async *#readFile(start: number, length: number): AsyncGenerator<Buffer> {
    if (this.#file) yield* this.#file.read(start, length)
  }

  // One write at a time; what comes meanwhile goes with the next.
  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const place = await this.#room()
        const chunks = this.#waiting
        this.#waiting = []
        if (this.#released) this.#letGo(chunks)
        else if (place === 'memory') this.#keep(chunks)
        else await this.#spill(chunks)
      }
    } finally {
      this.#letGo(this.#waiting)
      this.#waiting = []
      this.#writing = null
    }
  }

  /** Waits for room where the document can go on: once it is in the file, only there. */
  async #room(): Promise<'memory' | 'file'> {
    const { memory, spill } = this.#places
    while (!this.#released) {
      const beyond = spill.line.mayGoBeyond(this)
      if (!this.#file && (!memory.full || (spill.none && beyond))) return 'memory'
      if (!spill.none && (!spill.full || beyond)) return 'file'
      this.#signal.throwIfAborted()
      await spill.line.wait(this.#signal, this)
    }
    return 'memory'
  }

  #keep(chunks: readonly Buffer[]): void {
    for (const chunk of chunks) {
      this.#pieces.push(chunk)
      this.#inMemory += chunk.length
    }
  }

  async #spill(chunks: readonly Buffer[]): Promise<void> {
    try {
      this.#file ??= this.#places.spill.open()
      await this.#file.write(chunks)
    } finally {
      this.#letGo(chunks)
    }
  }

  #letGo(chunks: readonly Buffer[]): void {
    for (const chunk of chunks) this.#places.memory.release(chunk)
  }

  // Whoever appended was told already when the file could not be opened or written.
  async #leaveLater(): Promise<void> {
    await this.#writing?.catch(() => {})
    await this.#file?.close().catch(() => {})
    this.#places.spill.line.leave(this)
  }
}
