/** Bytes that lie in pieces: slices of the buffers they arrived in, or a stretch of a file. Never joined to be sent. */

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
export function bytesOf(...pieces: readonly Buffer[]): Bytes {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return { length, slices: () => pieces, slice: (start, size) => bytesOf(...cut(pieces, start, size)) }
}

export const bytesOfText = (text: string): Bytes => bytesOf(Buffer.from(text))

/** Puts bytes of different owners behind one another. */
export function concat(parts: readonly Bytes[]): Bytes {
  return {
    length: parts.reduce((sum, part) => sum + part.length, 0),
    slices: () => chain(parts.map(part => part.slices())),
    slice: (start, length) => concat([...cutParts(parts, start, length)]),
  }
}

/** Joins everything into one buffer: for small things (error bodies, prompts), never for images. */
export async function join(bytes: Bytes): Promise<Buffer> {
  const slices = bytes.slices()
  if (isInMemory(slices)) return Buffer.concat([...slices])
  const pieces: Buffer[] = []
  for await (const piece of slices) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

export const isInMemory = (slices: Slices): slices is Iterable<Buffer> => Symbol.iterator in slices

/** The overlap of `start … start + length` with buffers that lie behind one another. */
export function* cut(pieces: Iterable<Buffer>, start: number, length: number): Generator<Buffer> {
  let offset = 0
  for (const piece of pieces) {
    if (offset >= start + length) return
    const from = Math.max(0, start - offset)
    const to = Math.min(piece.length, start + length - offset)
    if (from < to) yield piece.subarray(from, to)
    offset += piece.length
  }
}

function* cutParts(parts: readonly Bytes[], start: number, length: number): Generator<Bytes> {
  let offset = 0
  for (const part of parts) {
    const from = Math.max(0, start - offset)
    const to = Math.min(part.length, start + length - offset)
    if (from < to) yield part.slice(from, to - from)
    offset += part.length
  }
}

function chain(all: readonly Slices[]): Slices {
  const inMemory = all.filter(isInMemory)
  return inMemory.length === all.length ? chainSync(inMemory) : chainAsync(all)
}

function* chainSync(all: readonly Iterable<Buffer>[]): Generator<Buffer> {
  for (const slices of all) yield* slices
}

async function* chainAsync(all: readonly Slices[]): AsyncGenerator<Buffer> {
  for (const slices of all) yield* slices
}
