/** Base64 text as the bytes it stands for, decoded piece by piece while they are sent. */
import { type Bytes, cut, isInMemory, join } from '../images/bytes.ts'
import { decodeSlices, lengthSaid } from './base64-decoder.ts'

// Fresh for each piece, since nobody knows when the socket is done with it. What one step of the decoder makes.
const pieceBytes = 48 * 1024
const freshPiece = () => Buffer.allocUnsafeSlow(pieceBytes)

/** `base64`: standard alphabet, padded, and in memory (as callers' pictures are); it stays its owner's. @throws NotBase64Error where it is read. */
export function decoded(base64: Bytes): Bytes {
  const tail = join(base64.slice(Math.max(0, base64.length - 2), Math.min(2, base64.length)))
  if (tail instanceof Promise) throw new Error('Only text in memory is decoded.')
  return viewOf(() => decodeSlices(base64.length, inMemory(base64), freshPiece), lengthSaid(base64.length, tail))
}

function viewOf(slices: () => Iterable<Buffer>, length: number): Bytes {
  return { length, slices, slice: (start, size) => viewOf(() => cut(slices(), start, size), size) }
}

function inMemory(base64: Bytes): Iterable<Buffer> {
  const slices = base64.slices()
  if (isInMemory(slices)) return slices
  throw new Error('Only text in memory is decoded.')
}
