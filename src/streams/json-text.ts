/**
 * A JSON document's text that can be changed in single places, found by position: everything else goes out byte for byte as
 * it came, and long strings are not touched.
 */
import { type Bytes, bytesOf, bytesOfText, concat } from '../images/bytes.ts'
import type { Skeleton } from './document-reader.ts'

/** Names of members, one within the other. */
export type JsonPath = readonly string[]

export class JsonText {
  readonly #source: Bytes
  readonly #skeleton: Skeleton
  readonly #changed: boolean

  constructor(source: Bytes, skeleton: Skeleton, changed = false) {
    this.#source = source
    this.#skeleton = skeleton
    this.#changed = changed
  }

  /** The document as it is now. */
  get bytes(): Bytes {
    return this.#changed ? this.#assembled() : this.#source
  }

  /** A value stands at `path`, and it is not null: to Google, as to most, null is the same as nothing. */
  has(path: JsonPath): boolean {
    const place = this.#find(path)
    return place !== null && !this.#isNull(place)
  }

  /** Puts a string in the place of the value at `path`, which must be there. */
  replace(path: JsonPath, value: string): JsonText {
    const place = this.#find(path)
    return place ? this.#edited([{ ...place, text: JSON.stringify(value) }]) : this
  }

  /**
   * Puts a string where nothing or null is, with the objects around it that are missing. Where something stands in the way
   * that is no object, the document stays as it is: its reader will have more to say about it.
   */
  insert(path: JsonPath, value: string): JsonText {
    const { text } = this.#skeleton
    let parent = this.#root()
    for (const [depth, key] of path.entries()) {
      const below = path.slice(depth + 1).reduceRight<unknown>((inner, name) => ({ [name]: inner }), value)
      const place = memberOf(text, parent, key)
      if (!place && text[parent.start] !== openBrace) return this
      if (!place) return this.#edited([this.#newMember(parent, key, below)])
      if (this.#isNull(place)) return this.#edited([{ ...place, text: JSON.stringify(below) }])
      parent = place
    }
    return this
  }

  /**
   * Puts a string where nothing or null is into every object of the list at `path`, or into the one object that stands there in
   * place of a list. In one pass: a caller's list may have thousands of items.
   */
  insertInEach(path: JsonPath, key: string, value: string): JsonText {
    const { text } = this.#skeleton
    const place = this.#find(path)
    if (!place) return this
    const items = text[place.start] === openBracket ? itemsOf(text, place) : [place]
    const edits: Edit[] = []
    for (const item of items) {
      if (text[item.start] !== openBrace) continue
      const member = memberOf(text, item, key)
      if (!member) edits.push(this.#newMember(item, key, value))
      else if (this.#isNull(member)) edits.push({ ...member, text: JSON.stringify(value) })
    }
    return edits.length > 0 ? this.#edited(edits) : this
  }

  #newMember(object: Place, key: string, value: unknown): Edit {
    const at = object.start + 1
    const isEmpty = this.#skeleton.text[skipSpace(this.#skeleton.text, at)] === closeBrace
    const member = `${JSON.stringify(key)}:${JSON.stringify(value)}`
    return { start: at, end: at, text: isEmpty ? member : `${member},` }
  }

  #isNull({ start }: Place): boolean {
    return this.#skeleton.text[start] === letterN
  }

  /** `edits`: in the order of their places. */
  #edited(edits: readonly Edit[]): JsonText {
    const old = this.#skeleton.text
    const pieces: Buffer[] = []
    let at = 0
    for (const { start, end, text } of edits) {
      pieces.push(old.subarray(at, start), Buffer.from(text))
      at = end
    }
    const text = Buffer.concat([...pieces, old.subarray(at)])
    return new JsonText(this.#source, { ...this.#skeleton, text }, true)
  }

  #assembled(): Bytes {
    const { text, placeholder, longStrings } = this.#skeleton
    const parts: Bytes[] = []
    let at = 0
    for (let found = text.indexOf(placeholder); found !== -1; found = text.indexOf(placeholder, at)) {
      parts.push(bytesOf(text.subarray(at, found)))
      at = text.indexOf(quote, found)
      const long = longStrings[Number(text.toString('latin1', found + placeholder.length, at))]
      parts.push(long ? this.#source.slice(long.start, long.length) : bytesOfText(''))
    }
    return concat([...parts, bytesOf(text.subarray(at))])
  }

  /** Where the value at `path` stands. The skeleton was parsed before, so it is valid JSON. */
  #find(path: JsonPath): Place | null {
    let place: Place | null = this.#root()
    for (const key of path) place = place && memberOf(this.#skeleton.text, place, key)
    return place
  }

  #root(): Place {
    const { text } = this.#skeleton
    return valueAt(text, skipSpace(text, startOfText(text)))
  }
}

interface Place {
  readonly start: number
  readonly end: number
}

/** What is to stand there instead. */
interface Edit extends Place {
  readonly text: string
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d]
const letterN = 0x6e

const startOfText = (text: Buffer) => (text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : 0)

function* itemsOf(text: Buffer, list: Place): Generator<Place> {
  for (let at = skipSpace(text, list.start + 1); at < list.end - 1; ) {
    const item = valueAt(text, at)
    yield item
    at = skipSpace(text, skipSpace(text, item.end) + 1)
  }
}

/** Of a key that stands there more than once, the last counts, as for `JSON.parse`. */
function memberOf(text: Buffer, object: Place, key: string): Place | null {
  if (text[object.start] !== openBrace) return null
  let found: Place | null = null
  let at = skipSpace(text, object.start + 1)
  while (at < object.end && text[at] === quote) {
    const name = valueAt(text, at)
    const value = valueAt(text, skipSpace(text, skipSpace(text, name.end) + 1))
    if (JSON.parse(text.toString('utf8', name.start, name.end)) === key) found = value
    at = skipSpace(text, skipSpace(text, value.end) + 1)
  }
  return found
}

/** The extent of the value that begins at `start`. */
function valueAt(text: Buffer, start: number): Place {
  let [depth, at] = [0, start]
  while (at < text.length) {
    const byte = text[at]
    if (byte === quote) at = endOfString(text, at)
    else if (byte === openBrace || byte === openBracket) depth += 1
    else if (byte === closeBrace || byte === closeBracket) depth -= 1
    at += 1
    if (depth <= 0 && isEndOfValue(text[at])) break
  }
  return { start, end: at }
}

const isEndOfValue = (next: number | undefined) =>
  next === undefined || ', :]}\n\r\t'.includes(String.fromCharCode(next))

function endOfString(text: Buffer, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== quote) at += text[at] === backslash ? 2 : 1
  return at
}

function skipSpace(text: Buffer, start: number): number {
  let at = start
  while (text[at] === 0x20 || text[at] === 0x0a || text[at] === 0x0d || text[at] === 0x09) at += 1
  return at
}
