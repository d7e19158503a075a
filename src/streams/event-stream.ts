/**
 * Takes a streamed answer apart into its documents while it arrives: server-sent events, a JSON array that grows, or one
 * document after all. Strict, since what is read here is translated: what is broken is an error, not a gap.
 */
import { DocumentError, DocumentReader, endsInEscape, type LongString } from './document-reader.ts'
import { EventLines, isEventStream } from './event-lines.ts'

/** A document that is whole. Where things lie is counted in bytes of the stream. */
export interface StreamDocument {
  /** As `JSON.parse` would give it, with a `LongString` for every long string. */
  readonly value: unknown
  /** Of an event, empty where it has none. Null: the stream is none of events. */
  readonly name: string | null
  readonly start: number
  readonly end: number
  /** Where a long string of `value` begins in the stream. */
  placeOf(text: LongString): number
}

export interface StreamReader {
  /** Takes the next bytes. @returns the documents that are whole with them. @throws DocumentError where one is broken. */
  push(chunk: Buffer): readonly StreamDocument[]
  /** The stream has ended. @returns the document that its end makes whole. @throws DocumentError where it was cut. */
  finish(): readonly StreamDocument[]
}

/** `contentType`: of the answer. */
export const createStreamReader = (contentType: string): StreamReader =>
  isEventStream(contentType) ? new EventStreamReader() : new JsonStreamReader()

/** Events, as far as an API uses them: no ids, no lone carriage returns. */
class EventStreamReader implements StreamReader {
  #event = new EventData()
  #whole: StreamDocument[] = []
  readonly #lines = new EventLines({
    openData: at => this.#event.openLine(at),
    data: piece => this.#event.push(piece),
    closeData: () => {},
    line: (text, end) => {
      const [, name] = /^event: ?(.*)$/.exec(text) ?? []
      if (name !== undefined) this.#event.name = name
      if (text === '') this.#dispatch(end)
    },
  })

  push(chunk: Buffer): readonly StreamDocument[] {
    this.#whole = []
    this.#lines.push(chunk)
    return this.#whole
  }

  finish(): readonly StreamDocument[] {
    this.#whole = []
    if (this.#lines.isInName) throw new DocumentError('The stream ends inside of a field.')
    this.#lines.finish()
    // Nobody needs the blank line behind the last event, if its document is whole.
    this.#dispatch(this.#lines.length)
    return this.#whole
  }

  #dispatch(end: number): void {
    const event = this.#event
    this.#event = new EventData()
    this.#whole.push(...event.finish(end))
  }
}

const lineBreak = Buffer.from('\n')
const endMark = '[DONE]'

/** The data of one event, which may stand on several lines. */
class EventData {
  name = ''
  readonly #reader = new DocumentReader()
  /** Where each line of data begins, in the document and in the stream. */
  readonly #lines: { readonly inDocument: number; readonly inStream: number }[] = []
  /** Enough of it to know a mark that is no document. */
  #head = ''

  openLine(inStream: number): void {
    if (this.#lines.length > 0) this.push(lineBreak)
    this.#lines.push({ inDocument: this.#reader.length, inStream })
  }

  push(piece: Buffer): void {
    if (this.#head.length <= 2 * endMark.length) this.#head += piece.toString('latin1', 0, 2 * endMark.length)
    this.#reader.push(piece)
  }

  finish(end: number): readonly StreamDocument[] {
    const [first] = this.#lines
    if (!first || this.#head.trim() === endMark) return []
    const { value } = this.#reader.finish()
    return [{ value, name: this.name, start: first.inStream, end, placeOf: text => this.#placeOf(text) }]
  }

  // A string of JSON stands on one line: a raw line end in it is none.
  #placeOf({ start }: LongString): number {
    const line = this.#lines.findLast(({ inDocument }) => inDocument <= start)
    return line ? line.inStream + start - line.inDocument : start
  }
}

const [quote, openBrace, closeBrace, openBracket, closeBracket] = [0x22, 0x7b, 0x7d, 0x5b, 0x5d]
// Of UTF-8.
const mark = [0xef, 0xbb, 0xbf]
const between: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d, 0x2c])

/** An array's items as each comes, or a document that is no array at its end. */
class JsonStreamReader implements StreamReader {
  #offset = 0
  #frame: 'unknown' | 'array' | 'closed' | 'document' = 'unknown'
  #item: DocumentReader | null = null
  #itemStart = 0
  #depth = 0
  #inString = false
  #endsInEscape = false

  push(chunk: Buffer): readonly StreamDocument[] {
    const whole: StreamDocument[] = []
    let at = 0
    while (at < chunk.length) {
      if (!this.#item) at = this.#open(chunk, at)
      if (!this.#item) continue
      const end = this.#frame === 'document' ? null : this.#endOfItem(chunk, at)
      this.#item.push(chunk.subarray(at, end ?? chunk.length))
      if (end === null) break
      whole.push(this.#close(this.#item, this.#offset + end))
      at = end
    }
    this.#offset += chunk.length
    return whole
  }

  finish(): readonly StreamDocument[] {
    if (this.#frame === 'document' && this.#item) return [this.#close(this.#item, this.#offset)]
    if (this.#frame !== 'closed') throw new DocumentError('The stream ends inside of its array.')
    return []
  }

  /** Looks at one byte outside of items. @returns where to go on. */
  #open(chunk: Buffer, at: number): number {
    const byte = chunk[at]
    if (byte === mark[this.#offset + at]) return at + 1
    const isItem = byte === openBrace && this.#frame === 'array'
    if (isItem || (this.#frame === 'unknown' && byte !== openBracket && !between.has(byte))) {
      if (!isItem) this.#frame = 'document'
      this.#item = new DocumentReader()
      this.#itemStart = this.#offset + at
      return at
    }
    if (this.#frame === 'unknown' && byte === openBracket) this.#frame = 'array'
    else if (this.#frame === 'array' && byte === closeBracket) this.#frame = 'closed'
    else if (!between.has(byte)) throw new DocumentError('The stream is no array of objects.')
    return at + 1
  }

  /** Where the object ends that is being read; null where it goes on behind this chunk. */
  #endOfItem(chunk: Buffer, start: number): number | null {
    let at = start
    while (at < chunk.length) {
      if (this.#inString) {
        const found = chunk.indexOf(quote, at)
        const stop = found === -1 ? chunk.length : found
        const escapes = endsInEscape(chunk, at, stop, this.#endsInEscape)
        this.#inString = found === -1 || escapes
        this.#endsInEscape = found === -1 && escapes
        at = stop + 1
        continue
      }
      const byte = chunk[at]
      at += 1
      if (byte === quote) this.#inString = true
      else if (byte === openBrace || byte === openBracket) this.#depth += 1
      else if ((byte === closeBrace || byte === closeBracket) && --this.#depth === 0) return at
    }
    return null
  }

  #close(item: DocumentReader, end: number): StreamDocument {
    const start = this.#itemStart
    this.#item = null
    return { value: item.finish().value, name: null, start, end, placeOf: text => start + text.start }
  }
}
