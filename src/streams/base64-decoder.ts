/** From base64 text in pieces to the bytes it says, block by block, while the text is read. */
import { type Bytes, isInMemory, join } from '../images/bytes.ts'
import { characterStep, Kernel, mostBytes } from './base64-kernel.ts'

/** The text is no standard padded base64 after all. */
export class NotBase64Error extends Error {
  override readonly name = 'NotBase64Error'
}

/**
 * A block for `decodeBase64` that is decoded into at its place: into all others, what is decoded is copied. It begins where a page of
 * memory does, as nothing else in Node promises to. Such blocks are dear to make, and made to be used again.
 */
export function decodingBlock(bytes: number): Buffer {
  const kernel = new Kernel(bytes)
  kernels.set(kernel.bytes.buffer, kernel)
  return kernel.bytes
}

const kernels = new WeakMap<ArrayBufferLike, Kernel>()
const shared = new Kernel(mostBytes)

/**
 * Decodes standard padded base64 without whitespace. `nextBlock` gives buffers to be filled, of 3 bytes or more; each comes back
 * when it is full, the last when the text ends. It is asked for the next only when that one was taken: so it may always be the same.
 * @throws NotBase64Error where the text is none; what came before is worthless then.
 */
export async function* decodeBase64(base64: Bytes, nextBlock: () => Buffer): AsyncGenerator<Buffer> {
  const slices = base64.slices()
  // Waiting for each slice of what lies in memory anyway would cost a quarter of the decoding.
  if (isInMemory(slices)) {
    for (const block of decodeSlices(base64.length, slices, nextBlock)) yield block
    return
  }
  const decoder = new Decoder(base64.length, nextBlock)
  for await (const slice of slices) for (decoder.read(slice); decoder.isFull(); ) yield decoder.giveBlock()
  const last = decoder.end()
  if (last.length > 0) yield last
}

/** The same of text in memory, of so many characters in all. */
export function* decodeSlices(
  characters: number,
  slices: Iterable<Buffer>,
  nextBlock: () => Buffer,
): Generator<Buffer> {
  const decoder = new Decoder(characters, nextBlock)
  for (const slice of slices) for (decoder.read(slice); decoder.isFull(); ) yield decoder.giveBlock()
  const last = decoder.end()
  if (last.length > 0) yield last
}

class Decoder {
  readonly #nextBlock: () => Buffer
  #block: Buffer
  #used = 0
  #slice: Buffer = Buffer.alloc(0)
  #at = 0
  /** What a slice's border cut off a quadruple. */
  #carry = ''
  /** Not decoded yet. */
  #charactersLeft: number

  constructor(characters: number, nextBlock: () => Buffer) {
    if (characters % 4 !== 0) throw new NotBase64Error('The base64 text has no whole number of quadruples.')
    this.#charactersLeft = characters
    this.#nextBlock = nextBlock
    this.#block = nextBlock()
  }

  /** Takes a slice, once all of the one before is decoded. */
  read(slice: Buffer): void {
    this.#slice = slice
    this.#at = 0
  }

  /** Decodes on; false: the slice is at its end, and there is room for more in the block. */
  isFull(): boolean {
    for (;;) {
      const room = Math.floor((this.#block.length - this.#used) / 3) * 4
      if (room === 0) return true
      if (this.#decodeMany(room)) continue
      const text = this.#nextText(Math.min(room, characterStep))
      if (text.length < 4) {
        this.#carry = text
        return false
      }
      this.#decode(text)
    }
  }

  giveBlock(): Buffer {
    const full = this.#block.subarray(0, this.#used)
    // The block may be the same again: it is asked for when this one was taken, which is when more is decoded.
    this.#used = 0
    this.#block = this.#nextBlock()
    return full
  }

  end(): Buffer {
    if (this.#charactersLeft !== 0) throw new NotBase64Error('The base64 text ended early.')
    return this.#block.subarray(0, this.#used)
  }

  /** Leaves what is less than the kernel takes, and the end of the text, which may be padded. @returns there was something for it. */
  #decodeMany(room: number): boolean {
    if (this.#carry !== '') return false
    const most = Math.min(room, this.#slice.length - this.#at, this.#charactersLeft - 4)
    if (most < characterStep) return false
    const own = kernels.get(this.#block.buffer)
    const characters = Math.min(most, own ? most : (mostBytes / 3) * 4)
    const whole = characters - (characters % characterStep)
    const bytes = (whole / 4) * 3
    const isText = own
      ? own.decode(this.#slice, this.#at, whole, this.#block.byteOffset - own.bytes.byteOffset + this.#used)
      : this.#decodeShared(whole, bytes)
    if (!isText) throw noBase64()
    this.#at += whole
    this.#charactersLeft -= whole
    this.#used += bytes
    return true
  }

  #decodeShared(characters: number, bytes: number): boolean {
    const isText = shared.decode(this.#slice, this.#at, characters, 0)
    shared.bytes.copy(this.#block, this.#used, 0, bytes)
    return isText
  }

  /** Whole quadruples, or what there is of one at the end of the slice. */
  #nextText(most: number): string {
    const left = this.#slice.length - this.#at
    const size = this.#carry === '' ? Math.min(most, left - (left % 4) || left) : Math.min(4 - this.#carry.length, left)
    const text = this.#carry + this.#slice.toString('latin1', this.#at, this.#at + size)
    this.#carry = ''
    this.#at += size
    return text
  }

  // Node's decoder skips what is no base64 and stops at padding: the length of what it made tells.
  #decode(text: string): void {
    this.#charactersLeft -= text.length
    const padding = this.#charactersLeft > 0 ? 0 : paddingOf(text)
    const bytes = (text.length / 4) * 3 - padding
    const written = this.#block.write(text, this.#used, bytes, 'base64')
    if (written !== bytes) throw noBase64()
    this.#used += written
  }
}

const noBase64 = () => new NotBase64Error('The text holds characters that are no base64.')

/** How many bytes standard padded base64 says. */
export async function decodedLength(base64: Bytes): Promise<number> {
  return lengthSaid(base64.length, await join(base64.slice(Math.max(0, base64.length - 2), Math.min(2, base64.length))))
}

/** The same of so many characters that end in `tail`, two of them or all. */
export const lengthSaid = (characters: number, tail: Buffer): number =>
  (characters / 4) * 3 - paddingOf(tail.toString('latin1'))

const paddingOf = (text: string) => (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0)
