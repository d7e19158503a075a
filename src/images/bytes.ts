/** Bytes that lie in pieces: slices of the buffers they arrived in, or a stretch of a file. Never joined to be sent. */

export interface Bytes {
  /** How many bytes in all: known before the first is read, so that answers carry an exact `content-length`. */
  readonly length: number
  /** The pieces in order. May be called again (a second attempt sends the same body again), not after its owner let go. */
  slices(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

/** Wraps buffers that are in memory already. */
export function bytesOf(...pieces: readonly Uint8Array[]): Bytes {
  return { length: pieces.reduce((sum, piece) => sum + piece.byteLength, 0), slices: () => pieces }
}

/** Joins a piecewise text into one buffer: for small things (error bodies, prompts), never for images. */
export async function join(bytes: Bytes): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of bytes.slices()) pieces.push(piece)
  return Buffer.concat(pieces)
}
