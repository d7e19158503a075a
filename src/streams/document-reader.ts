/**
 * Reads a JSON document as it arrives, without ever parsing its images.
 *
 * Strings longer than 1 KB are noted as `LongString`s: where they lie in the document. Everything else, the skeleton, is
 * copied together and parsed at the end, so truncation and nonsense fail in `JSON.parse`. A chunk is looked at once, by a
 * native search for quotes, and not kept: whoever wants the long strings keeps the chunks (memory/held-document.ts).
 */
import { randomBytes } from 'node:crypto'
import { closedPrefix, inspectSkeleton } from './skeleton.ts'

/**
 * A string of more than 1 KB that stayed where it lies: the bytes `start … start + length` of the document, JSON escapes
 * included.
 */
export class LongString {
  readonly start: number
  /** In bytes, quotes not counted. */
  readonly length: number

  constructor(start: number, length: number) {
    this.start = start
    this.length = length
  }
}

/** The document is no JSON, was cut, or is past a bound that protects the process. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
}

export interface ReaderBounds {
  /** Bytes of everything but long strings. */
  readonly maxSkeletonBytes?: number
  readonly maxDepth?: number
}

/** A document's skeleton: its text with a stand-in for every long string. */
export interface Skeleton {
  readonly text: Buffer
  /** The stand-in for the long string `n` is this, followed by `n`. */
  readonly placeholder: string
  readonly longStrings: readonly LongString[]
}

export interface ReadDocument {
  /** What `JSON.parse` would give, with a `LongString` in the place of every long string. */
  readonly value: unknown
  /** Keys that the outermost object has more than once; `JSON.parse` silently takes the last. */
  readonly repeatedKeys: readonly string[]
  readonly skeleton: Skeleton
}

const longBytes = 1024
const nothing = Buffer.alloc(0)
// Small enough to come out of Node's pool: a larger skeleton would begin as an allocation of its own.
const firstBytes = 2048
// Half a million keys parse for half a second, in which nobody else is served. Real documents have some hundreds.
const maxCommas = 50_000
const quoteByte = 0x22
const backslashByte = 0x5c
// Stands in the skeleton for a long string. Nobody outside can forge it: it is drawn anew in every process.
const placeholder = `${randomBytes(8).toString('hex')}:`
const placeholderBytes = Buffer.from(placeholder)

const utf8 = new TextDecoder('utf-8', { fatal: true })

export class DocumentReader {
  readonly #maxSkeletonBytes: number
  readonly #maxDepth: number
  readonly #longStrings: LongString[] = []
  // Only once there is something to keep: a reader waits for half a minute before its first byte.
  #skeleton = nothing
  #skeletonLength = 0
  #offset = 0
  #inString = false
  // The last byte of the string so far is a backslash that takes the next byte along.
  #endsInEscape = false
  #stringStart = 0
  #stringMark = 0
  #stringIsLong = false

  constructor({ maxSkeletonBytes = 1 << 20, maxDepth = 64 }: ReaderBounds = {}) {
    this.#maxSkeletonBytes = maxSkeletonBytes
    this.#maxDepth = maxDepth
  }

  /** Bytes seen so far. */
  get length(): number {
    return this.#offset
  }

  /** Long strings that are complete so far, in order. */
  get longStrings(): readonly LongString[] {
    return this.#longStrings
  }

  /** Takes the next bytes, wherever the document was cut. @throws DocumentError past a bound. */
  push(chunk: Buffer): void {
    // What is kept lies in stretches: each is copied once it is known how far it goes.
    let keptFrom = 0
    let at = 0
    for (let quote = nextQuote(chunk, 0); quote !== -1; quote = nextQuote(chunk, at)) {
      if (!this.#inString) this.#openString(keptFrom, quote)
      else if (endsInEscape(chunk, at, quote, this.#endsInEscape)) this.#endsInEscape = false
      else if (this.#closeString(chunk, keptFrom, quote)) keptFrom = quote
      at = quote + 1
    }
    if (this.#inString) {
      this.#endsInEscape = endsInEscape(chunk, at, chunk.length, this.#endsInEscape)
      this.#leaveOpen(chunk, keptFrom)
    } else this.#keep(chunk, keptFrom, chunk.length)
    this.#offset += chunk.length
  }

  /** The whole document, once its last byte was pushed. @throws DocumentError where it is none. */
  finish(): ReadDocument {
    if (this.#inString) throw new DocumentError('The document ends inside a string.')
    const bytes = this.#skeleton.subarray(0, this.#skeletonLength)
    const { repeatedKeys, depth, commas, longKey } = inspectSkeleton(bytes, placeholderBytes, maxCommas)
    if (commas > maxCommas) throw new DocumentError(`The document has more than ${maxCommas} members.`)
    if (depth > this.#maxDepth)
      throw new DocumentError(`The document is nested more than ${this.#maxDepth} levels deep.`)
    if (longKey) throw new DocumentError('The document has a key of more than 1 KB.')
    try {
      const value: unknown = JSON.parse(utf8.decode(bytes))
      return {
        value: this.#longStrings.length > 0 ? this.#restore(value) : value,
        repeatedKeys,
        skeleton: { text: bytes, placeholder, longStrings: this.#longStrings },
      }
    } catch (cause) {
      const why = cause instanceof SyntaxError ? 'is not JSON, or ends too early' : 'is not valid UTF-8'
      throw new DocumentError(`The document ${why}.`, { cause })
    }
  }

  /** What is whole so far of a document that still arrives; undefined where nothing is, or it is no JSON. */
  peek(): unknown {
    const prefix = closedPrefix(this.#skeleton.subarray(0, this.#skeletonLength))
    try {
      return prefix ? this.#restore(JSON.parse(utf8.decode(prefix))) : undefined
    } catch {
      return undefined // What is wrong with it, `finish` will say.
    }
  }

  #openString(keptFrom: number, quote: number): void {
    this.#inString = true
    this.#endsInEscape = false
    this.#stringIsLong = false
    this.#stringStart = this.#offset + quote + 1
    this.#stringMark = this.#skeletonLength + quote + 1 - keptFrom
  }

  /** @returns a long string ends here: of what comes after it, the quote is the first byte to be kept. */
  #closeString(chunk: Buffer, keptFrom: number, quote: number): boolean {
    this.#inString = false
    const length = this.#offset + quote - this.#stringStart
    if (length <= longBytes) return false
    this.#dropString(chunk, keptFrom)
    const name = Buffer.from(`${placeholder}${this.#longStrings.length}`, 'latin1')
    this.#keep(name, 0, name.length)
    this.#longStrings.push(new LongString(this.#stringStart, length))
    return true
  }

  /** The chunk ends inside a string: what there is of it is kept only while it may turn out to be short. */
  #leaveOpen(chunk: Buffer, keptFrom: number): void {
    const length = this.#offset + chunk.length - this.#stringStart
    if (length > longBytes) this.#dropString(chunk, keptFrom)
    else {
      const start = Math.max(keptFrom, this.#stringStart - this.#offset)
      this.#keep(chunk, keptFrom, start)
      // Not against the bound yet: it may turn out to be long, and then all of it goes away again.
      this.#store(chunk, start, chunk.length)
    }
  }

  /** Of a string that is long, nothing is kept; of what stands before it in this chunk, all. */
  #dropString(chunk: Buffer, keptFrom: number): void {
    if (this.#stringIsLong) return
    this.#stringIsLong = true
    const start = this.#stringStart - this.#offset
    if (start >= 0) this.#keep(chunk, keptFrom, start)
    else this.#skeletonLength = this.#stringMark
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    if (this.#skeletonLength + end - start > this.#maxSkeletonBytes) {
      throw new DocumentError(`The document holds more than ${this.#maxSkeletonBytes} bytes beside its images.`)
    }
    this.#store(chunk, start, end)
  }

  #store(chunk: Buffer, start: number, end: number): void {
    const length = this.#skeletonLength + end - start
    if (length > this.#skeleton.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.#skeleton.length * 2, Math.min(chunk.length, firstBytes)))
      this.#skeleton.copy(larger, 0, 0, this.#skeletonLength)
      this.#skeleton = larger
    }
    chunk.copy(this.#skeleton, this.#skeletonLength, start, end)
    this.#skeletonLength = length
  }

  // In place, since next to nothing changes. Depth is bounded before, so this may recurse.
  #restore(value: unknown): unknown {
    if (typeof value === 'string') {
      return value.startsWith(placeholder) ? this.#longStrings[Number(value.slice(placeholder.length))] : value
    }
    if (typeof value !== 'object' || value === null) return value
    const holder = value as Record<string, unknown>
    for (const key of Object.keys(holder)) {
      const restored = this.#restore(holder[key])
      if (restored !== holder[key]) holder[key] = restored
    }
    return value
  }
}

// Keys and small values are shorter than what the call of a native search costs.
const nearBytes = 48

function nextQuote(chunk: Buffer, start: number): number {
  const near = Math.min(chunk.length, start + nearBytes)
  for (let at = start; at < near; at++) if (chunk[at] === quoteByte) return at
  return near === chunk.length ? -1 : chunk.indexOf(quoteByte, near)
}

/** Does a stretch of a string end in a backslash that is not itself escaped? An odd run of them does. `before`: did what came before. */
export function endsInEscape(chunk: Buffer, start: number, end: number, before: boolean): boolean {
  let run = 0
  while (run < end - start && chunk[end - 1 - run] === backslashByte) run += 1
  const odd = run % 2 === 1
  return run === end - start && before ? !odd : odd
}
