/**
 * Slabs: buffers that sockets read into and that are used again, instead of a fresh buffer for every read.
 *
 * Fresh buffers are what an image costs most (the kernel clears their pages, and their external memory drives major garbage
 * collections). A slab is pinned by the socket that reads into it and by every chunk of it that is held; at zero pins it goes
 * back to the free ones. They are parts of larger regions, which are kept for good. The pool is the budget of held answers too: it
 * counts whole slabs.
 */
import type { AnswerMemory } from './answer-memory.ts'

/**
 * A read brings no more at once. It fills what room there is, if that much has come, and costs several microseconds beside its bytes:
 * in four times the room, an answer of 16 MB costs a fifth less.
 */
export const largestSlabBytes = 256 * 1024
// Once half the budget is in use: a slab is pinned whole by whatever little of it is held, and one by each idle connection.
const smallBytes = 64 * 1024
// Less room than this is not worth a read.
const leastWindowBytes = 16 * 1024
// The first read of a connection: an idle one owns no slab.
const firstWindowBytes = 2048
// Kept for the next reads even where the budget is smaller.
const warmBytes = 4 * 2 ** 20
// A full pool still lends slabs to sockets whose bytes go on to the disk: made anew each time, those would be garbage.
const overBudget = 1.125
// V8 counts a whole region as in use, however little of it is: much larger ones would make it collect garbage.
const regionBytes = 16 * 2 ** 20

interface Slab {
  readonly bytes: Buffer
  /** Part of a region: those are never given back. */
  readonly isKept: boolean
  pins: number
}

/** What one socket reads into. */
export interface ReadWindows {
  /** Where the next read goes. Its bytes are the socket's to write until `filled` is called. */
  next(): Buffer
  /**
   * The read brought this many bytes, and `unread` of what the socket handed on (these included) were not consumed yet.
   * @returns true where the socket owns more than it reads into: `consumed` should be told.
   */
  filled(bytes: number, unread: number): boolean
  /** All that the socket handed on was consumed. */
  consumed(): void
  /** The socket is closed and all it handed on was consumed. */
  close(): void
}

export class SlabPool implements AnswerMemory {
  readonly #budgetBytes: number
  readonly #allocate: (bytes: number) => Buffer
  /** By where they lie, in steps of the small ones. */
  readonly #slabs = new WeakMap<ArrayBufferLike, Slab[]>()
  readonly #large: Slab[] = []
  readonly #small: Slab[] = []
  /** Not cut into slabs yet. */
  #region: Buffer = Buffer.alloc(0)
  /** May still become regions. Slabs beyond those go back to the operating system when they are free. */
  #regionBytesLeft: number
  #bytesInSlabs = 0
  #strayBytes = 0

  /** `allocate` makes the regions that slabs are cut out of, each beginning where its `ArrayBuffer` does. */
  constructor(budgetBytes: number, allocate: (bytes: number) => Buffer = Buffer.allocUnsafeSlow) {
    this.#budgetBytes = budgetBytes
    this.#allocate = allocate
    this.#regionBytesLeft = Math.max(warmBytes, Math.floor(budgetBytes * overBudget))
  }

  get full(): boolean {
    return this.bytesInUse >= this.#budgetBytes
  }

  get bytesInUse(): number {
    return this.#bytesInSlabs + this.#strayBytes
  }

  retain(chunk: Buffer): void {
    const slab = this.#slabOf(chunk)
    if (slab) slab.pins += 1
    else this.#strayBytes += chunk.length
  }

  release(chunk: Buffer): void {
    const slab = this.#slabOf(chunk)
    if (slab) this.#unpin(slab)
    else this.#strayBytes -= chunk.length
  }

  /** An empty chunk is of none: where a slab ends, the next one begins. */
  #slabOf({ buffer, byteOffset, length }: Buffer): Slab | undefined {
    return length === 0 ? undefined : this.#slabs.get(buffer)?.[Math.floor(byteOffset / smallBytes)]
  }

  /** For a new socket. */
  openWindows(): ReadWindows {
    let slab: Slab | null = null
    let used = 0
    let first: Buffer | null = Buffer.allocUnsafeSlow(firstWindowBytes)
    // Slabs this socket has filled, whose last chunks may still wait in it to be read.
    let full: Slab[] = []
    const consumed = () => {
      for (const each of full) this.#unpin(each)
      full = []
    }
    return {
      next: () => {
        if (first) return first
        if (!slab) {
          slab = this.#take()
          used = 0
        }
        return slab.bytes.subarray(used)
      },
      filled: (bytes, unread) => {
        if (unread <= bytes) consumed()
        if (first) first = null
        else used += bytes
        if (slab && slab.bytes.length - used < leastWindowBytes) {
          full.push(slab)
          slab = null
        }
        return full.length > 0
      },
      consumed,
      close: () => {
        consumed()
        if (slab) this.#unpin(slab)
        slab = null
      },
    }
  }

  #take(): Slab {
    const isAmple = this.bytesInUse + largestSlabBytes <= this.#budgetBytes / 2
    const [fitting, other] = isAmple ? [this.#large, this.#small] : [this.#small, this.#large]
    // A free one of the other size is better than one more.
    const slab = fitting.pop() ?? other.pop() ?? this.#make(isAmple ? largestSlabBytes : smallBytes)
    slab.pins = 1
    this.#bytesInSlabs += slab.bytes.length
    return slab
  }

  #make(bytes: number): Slab {
    const part = this.#cut(bytes)
    const slab = { bytes: part ?? Buffer.allocUnsafeSlow(bytes), isKept: part !== null, pins: 0 }
    const { buffer, byteOffset } = slab.bytes
    const slabs = this.#slabs.get(buffer) ?? []
    this.#slabs.set(buffer, slabs)
    for (let at = 0; at < bytes; at += smallBytes) slabs[(byteOffset + at) / smallBytes] = slab
    return slab
  }

  /** Null where no region is left to be cut. What is too little at a region's end is given up. */
  #cut(bytes: number): Buffer | null {
    if (this.#region.length < bytes) {
      const size = Math.min(regionBytes, this.#regionBytesLeft)
      if (size < bytes) return null
      this.#region = this.#allocate(size)
      this.#regionBytesLeft -= size
    }
    const part = this.#region.subarray(0, bytes)
    this.#region = this.#region.subarray(bytes)
    return part
  }

  #unpin(slab: Slab): void {
    slab.pins -= 1
    if (slab.pins > 0) return
    const { length } = slab.bytes
    this.#bytesInSlabs -= length
    if (!slab.isKept) return
    const free = length === largestSlabBytes ? this.#large : this.#small
    free.push(slab)
  }
}
