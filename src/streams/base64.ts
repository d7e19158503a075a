/** Base64 text in pieces: making it, checking it, reading single bytes of what it says. */
import { type Bytes, bytesOf, bytesOfText, concat, isInMemory, join } from '../images/bytes.ts'
import { type Soon, whenThere } from '../images/soon.ts'
import { byteStep, Kernel, mostBytes } from './base64-kernel.ts'

/** Where an encoder writes to. */
export interface TextBlocks {
  /** A buffer of whole quadruples. */
  take(): Buffer
  /** What is left of the last one. */
  giveRest?(rest: Buffer): void
}

const kernel = new Kernel(mostBytes)

/** Turns binary chunks into base64 text as they come, whatever their sizes. */
export class Base64Encoder {
  readonly #into: TextBlocks
  readonly #blocks: Buffer[] = []
  #used = 0
  // Up to two bytes that wait for the rest of their triple.
  #carry: Buffer = Buffer.alloc(0)

  constructor(into: TextBlocks) {
    this.#into = into
  }

  push(chunk: Buffer): void {
    let start = 0
    if (this.#carry.length > 0) {
      start = Math.min(3 - this.#carry.length, chunk.length)
      this.#carry = Buffer.concat([this.#carry, chunk.subarray(0, start)])
      if (this.#carry.length < 3) return
      this.#encode(this.#carry, 0, 3)
    }
    const end = chunk.length - ((chunk.length - start) % 3)
    this.#encode(chunk, start, end)
    this.#carry = Buffer.from(chunk.subarray(end))
  }

  /** The whole text, padded. */
  end(): Bytes {
    this.#encode(this.#carry, 0, this.#carry.length)
    const last = this.#blocks.pop()
    if (!last) return bytesOf()
    this.#into.giveRest?.(last.subarray(this.#used))
    return bytesOf(...this.#blocks, last.subarray(0, this.#used))
  }

  #encode(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end; ) {
      let block = this.#blocks.at(-1)
      if (!block || this.#used === block.length) {
        block = this.#into.take()
        this.#blocks.push(block)
        this.#used = 0
      }
      const next = Math.min(end, at + ((block.length - this.#used) / 4) * 3)
      // The kernel encodes whole steps; for the few bytes behind them a string will do.
      const whole = next - at - ((next - at) % byteStep)
      kernel.encode(bytes, at, whole, block, this.#used)
      at += whole
      this.#used += (whole / 3) * 4
      this.#used += block.write(bytes.toString('base64', at, next), this.#used, 'latin1')
      at = next
    }
  }
}

// What a picture's headers take, mostly. A multiple of 3, as base64 has it.
const blockBytes = 3 * 256

/** Reads binary bytes `offset … offset + length` out of base64 text, fewer at its end: for a picture's headers. */
export function base64ReadAt(base64: Bytes): (offset: number, length: number) => Soon<Buffer> {
  let [blockStart, block]: [number, Buffer] = [0, Buffer.alloc(0)]
  return (offset, length) => {
    const inBlock = offset - blockStart
    if (inBlock >= 0 && inBlock + length <= block.length) return block.subarray(inBlock, inBlock + length)
    const start = offset - (offset % 3)
    const size = Math.max(blockBytes, Math.ceil((offset - start + length) / 3) * 3)
    const from = Math.min(base64.length, (start / 3) * 4)
    return whenThere(join(base64.slice(from, Math.min(base64.length - from, (size / 3) * 4))), text => {
      blockStart = start
      block = Buffer.from(text.toString('latin1'), 'base64')
      return block.subarray(offset - start, offset - start + length)
    })
  }
}

export interface HowSure {
  /**
   * Check only the ends of a large text. Whoever encodes a picture uses one alphabet for all of it, and to base64 a picture
   * is noise: 2 KB of it show which, URL-safe noise having neither `-` nor `_` once in 10^28 times. A check of the whole costs a seventh of the CPU of a 2 MB answer.
   */
  readonly sample: boolean
}

/**
 * The same base64 in the form every client can read: standard alphabet, padded, nothing else inside. `base64` may be the inside
 * of a JSON string, escapes included. The usual case, text that is in that form already, costs a check and no copy; null
 * where the text is no base64 at all.
 */
export function standardBase64(base64: Bytes, { sample }: HowSure): Soon<Bytes | null> {
  return whenThere(withPlainTail(base64), plain =>
    whenThere(sample ? looksStandard(plain) : isStandard(plain), is => (is ? plain : rewritten(base64))),
  )
}

async function rewritten(base64: Bytes): Promise<Bytes | null> {
  const text = (await join(base64)).toString('latin1')
  const clean = withoutPadding(
    withoutEscapes(text)
      ?.replace(/[\r\n\t ]/g, '')
      .replaceAll('-', '+')
      .replaceAll('_', '/') ?? '',
  )
  if (clean === '' || clean.length % 4 === 1) return null
  const padded = bytesOfText(clean + '='.repeat((4 - (clean.length % 4)) % 4))
  return (await isStandard(padded)) ? padded : null
}

const longestEscapedPadding = '\\u003d\\u003d'.length

// Google writes every padding character as \u003d: two thirds of its images end so, and none of them should be copied for it.
function withPlainTail(base64: Bytes): Soon<Bytes> {
  const tailLength = Math.min(base64.length, longestEscapedPadding)
  return whenThere(join(base64.slice(base64.length - tailLength, tailLength)), bytes => {
    const tail = bytes.toString('latin1')
    const backslash = tail.indexOf('\\')
    const plain = backslash === -1 ? undefined : withoutEscapes(tail.slice(backslash))
    if (plain === undefined) return base64
    return concat([base64.slice(0, base64.length - tailLength + backslash), bytesOfText(plain)])
  })
}

const sampleBytes = 1024

function looksStandard(base64: Bytes): Soon<boolean> {
  if (base64.length <= 2 * sampleBytes) return isStandard(base64)
  if (base64.length % 4 !== 0) return false
  const ends = [base64.slice(0, sampleBytes), base64.slice(base64.length - sampleBytes, sampleBytes)]
  return isStandard(concat(ends))
}

// By hand: /=+$/ takes quadratic time on text that holds a run of them and goes on.
function withoutPadding(text: string): string {
  let end = text.length
  while (text[end - 1] === '=') end -= 1
  return text.slice(0, end)
}

function withoutEscapes(text: string): string | undefined {
  if (!text.includes('\\')) return text
  try {
    return String(JSON.parse(`"${text}"`))
  } catch {
    return undefined
  }
}

// Node's decoder skips what is no base64 and reads both alphabets: so the length of what it makes tells garbage, and a
// search tells the alphabet. Both are native and run at several GB/s.
const scratch = Buffer.allocUnsafeSlow(48 * 1024)
const stepCharacters = 64 * 1024

function isStandard(base64: Bytes): Soon<boolean> {
  if (base64.length === 0 || base64.length % 4 !== 0) return false
  const slices = base64.slices()
  const checker = new AlphabetChecker(base64.length)
  if (!isInMemory(slices)) return acceptsLater(checker, slices)
  for (const slice of slices) if (!checker.accepts(slice)) return false
  return true
}

async function acceptsLater(checker: AlphabetChecker, slices: AsyncIterable<Buffer>): Promise<boolean> {
  for await (const slice of slices) if (!checker.accepts(slice)) return false
  return true
}

/** Checks base64 text slice by slice; quadruples that a slice border cuts are put together again. */
class AlphabetChecker {
  #left: number
  #carry = ''

  constructor(length: number) {
    this.#left = length
  }

  accepts(slice: Buffer): boolean {
    if (slice.includes(0x2d) || slice.includes(0x5f)) return false // '-' and '_'
    let at = this.#carry === '' ? 0 : Math.min(4 - this.#carry.length, slice.length)
    this.#carry += slice.toString('latin1', 0, at)
    if (this.#carry.length === 4) {
      if (!this.#decodes(this.#carry)) return false
      this.#carry = ''
    }
    while (slice.length - at >= 4) {
      const size = Math.min(stepCharacters, slice.length - at)
      const whole = size - (size % 4)
      if (!this.#decodes(slice.toString('latin1', at, at + whole))) return false
      at += whole
    }
    this.#carry += slice.toString('latin1', at)
    return true
  }

  #decodes(text: string): boolean {
    this.#left -= text.length
    const padding = this.#left > 0 ? 0 : text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
    return scratch.write(text, 'base64') === (text.length / 4) * 3 - padding
  }
}
