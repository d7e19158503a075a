/** Base64 text as the bytes it stands for, decoded piece by piece while they are sent. */
import { type Bytes, isInMemory } from '../images/bytes.ts'

/** `base64`: standard alphabet, padded, and in memory (as callers' pictures are); it stays its owner's. */
export function decoded(base64: Bytes): Bytes {
  const slices = () => decodedSlices(inMemory(base64))
  return viewOf(slices, (base64.length / 4) * 3 - paddingOf(base64))
}

function viewOf(slices: () => Iterable<Buffer>, length: number): Bytes {
  return { length, slices, slice: (start, size) => viewOf(() => cut(slices(), start, size), size) }
}

function inMemory(base64: Bytes): Iterable<Buffer> {
  const slices = base64.slices()
  if (isInMemory(slices)) return slices
  throw new Error('Only text in memory is decoded.')
}

function paddingOf(base64: Bytes): number {
  const tail = [...inMemory(base64.slice(Math.max(0, base64.length - 2), Math.min(2, base64.length)))]
  return tail.reduce((count, piece) => count + piece.filter(byte => byte === equalsSign).length, 0)
}

const equalsSign = 0x3d
// A multiple of 4. Longer texts than V8 keeps on its ordinary pages get pages of their own, which costs several times the decoding.
const stepCharacters = 64 * 1024

function* decodedSlices(slices: Iterable<Buffer>): Generator<Buffer> {
  // Up to three characters that wait for the rest of their quadruple.
  let carry = ''
  for (const slice of slices) {
    for (let at = 0; at < slice.length; ) {
      const end = Math.min(slice.length, at + stepCharacters - carry.length)
      const text = carry + slice.toString('latin1', at, end)
      const whole = text.length - (text.length % 4)
      carry = text.slice(whole)
      if (whole > 0) yield Buffer.from(whole === text.length ? text : text.slice(0, whole), 'base64')
      at = end
    }
  }
}

/** The overlap of `start … start + length` with pieces that are made one after the other. */
function* cut(pieces: Iterable<Buffer>, start: number, length: number): Generator<Buffer> {
  let offset = 0
  for (const piece of pieces) {
    if (offset >= start + length) return
    const from = Math.max(0, start - offset)
    const to = Math.min(piece.length, start + length - offset)
    if (from < to) yield piece.subarray(from, to)
    offset += piece.length
  }
}
