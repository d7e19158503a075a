/** Bytes that lie in pieces: slices of the buffers they arrived in, or a stretch of a file. Never joined to be sent. */

import type { Soon } from './soon.ts'

/** The pieces in order: at once where they lie in memory, else as they are read. */
export type Slices = Iterable<Buffer> | AsyncIterable<Buffer>

export interface Bytes {
  /** How many bytes in all: known before the first is read, so that answers carry an exact `content-length`. */
  readonly length: number
  /**
   * The pieces in order. May be called again (a second attempt sends the same body again), until the owner lets go.
   * In memory they come as a plain iterable, and each stays valid; from a file as an async one, and each is valid
   * only until the next is asked for.
   */
  slices(): Slices
  /** A part of them, without a copy. */
  slice(start: number, length: number): Bytes
}

/** Wraps buffers that are in memory already. */
export const bytesOf = (...pieces: readonly Buffer[]): Bytes => stretchOf(pieces, 0, lengthOf(pieces))

/** In UTF-8. */
export const bytesOfText = (text: string): Bytes => bytesOf(Buffer.from(text))

/** A stretch of buffers that lie behind one another. They are looked at when its slices are asked for, not before. */
export const stretchOf = (pieces: readonly Buffer[], start: number, length: number): Bytes =>
  new Stretch(pieces, start, length)

/**
 * The same for buffers of which very many stretches are taken: each is found without a walk past all that lies before it. The
 * buffers must all be there.
 */
export function stretchesOf(pieces: readonly Buffer[]): (start: number, length: number) => Bytes {
  const starts: number[] = []
  let end = 0
  for (const piece of pieces) {
    starts.push(end)
    end += piece.length
  }
  return (start, length) => {
    const first = placeOf(start, starts)
    return stretchOf(pieces.slice(first, placeOf(start + length, starts) + 1), start - (starts[first] ?? 0), length)
  }
}

/** Which of those that begin there holds the offset. */
function placeOf(offset: number, starts: readonly number[]): number {
  let [low, high] = [0, starts.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle
  }
  return low
}

/** Puts bytes of different owners behind one another. */
export const concat = (parts: readonly Bytes[]): Bytes => new Chain(parts)

/** Joins everything into one buffer: for small things (error bodies, prompts), never for images. */
export function join(bytes: Bytes): Soon<Buffer> {
  const slices = bytes.slices()
  return isInMemory(slices) ? Buffer.concat([...slices]) : joinLater(slices)
}

async function joinLater(slices: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of slices) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

/** They can be read at once, without waiting for a file. */
export const isInMemory = (slices: Slices): slices is Iterable<Buffer> => Symbol.iterator in slices

/** The overlap of `start … start + length` with buffers that lie behind one another. */
export function* cut(pieces: Iterable<Buffer>, start: number, length: number): Generator<Buffer> {
  let offset = 0
  for (const piece of pieces) {
    if (offset >= start + length) return
    const from = Math.max(0, start - offset)
    const to = Math.min(piece.length, start + length - offset)
    if (from < to) yield from === 0 && to === piece.length ? piece : piece.subarray(from, to)
    offset += piece.length
  }
}

const lengthOf = (parts: readonly { readonly length: number }[]) => parts.reduce((sum, { length }) => sum + length, 0)

// Classes rather than literals with functions: a handful of them stands around every answer.
class Stretch implements Bytes {
  readonly length: number
  readonly #pieces: readonly Buffer[]
  readonly #start: number

  constructor(pieces: readonly Buffer[], start: number, length: number) {
    this.#pieces = pieces
    this.#start = start
    this.length = length
  }

  slices(): Iterable<Buffer> {
    return [...cut(this.#pieces, this.#start, this.length)]
  }

  slice(start: number, length: number): Bytes {
    return new Stretch(this.#pieces, this.#start + start, Math.max(0, Math.min(length, this.length - start)))
  }
}

class Chain implements Bytes {
  readonly length: number
  readonly #parts: readonly Bytes[]

  constructor(parts: readonly Bytes[]) {
    this.#parts = parts
    this.length = lengthOf(parts)
  }

  slices(): Slices {
    const all: Buffer[] = []
    for (const part of this.#parts) {
      const slices = part.slices()
      if (!isInMemory(slices)) return this.#read()
      all.push(...slices)
    }
    return all
  }

  slice(start: number, length: number): Bytes {
    const parts: Bytes[] = []
    let offset = 0
    for (const part of this.#parts) {
      const from = Math.max(0, start - offset)
      const to = Math.min(part.length, start + length - offset)
      if (from < to) parts.push(part.slice(from, to - from))
      offset += part.length
    }
    const [only] = parts
    return only && parts.length === 1 ? only : new Chain(parts)
  }

  async *#read(): AsyncGenerator<Buffer> {
    for (const part of this.#parts) yield* part.slices()
  }
}
