/** Finds the lines of server-sent events in bytes that come in any pieces: https://html.spec.whatwg.org/multipage/server-sent-events.html */

export const isEventStream = (contentType: string): boolean => contentType.startsWith('text/event-stream')

/** Who reads the lines. Offsets are of the stream. */
export interface LineReader {
  /** A line of data begins; `at`: where what stands behind its colon begins. */
  openData(at: number): void
  /** The next piece of that line: no copy, and a carriage return may be its last byte. */
  data(piece: Buffer): void
  closeData(): void
  /** Any other line, as far as 256 bytes of it; empty between two events. `end`: where its end lies. */
  line(text: string, end: number): void
}

const newline = 0x0a
const dataField = Buffer.from('data:')
// A stream may begin with a mark of its encoding, which says nothing.
const markedField = Buffer.from('\ufeffdata:')
const longestLine = 256

export class EventLines {
  readonly #reader: LineReader
  #offset = 0
  #line: 'unknown' | 'data' | 'other' = 'unknown'
  #head = Buffer.alloc(0)
  #isFirst = true

  constructor(reader: LineReader) {
    this.#reader = reader
  }

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      const end = chunk.indexOf(newline, at)
      const stop = end === -1 ? chunk.length : end
      this.#take(chunk.subarray(at, stop), this.#offset + at)
      if (end !== -1) this.#endLine(this.#offset + end)
      at = stop + 1
    }
    this.#offset += chunk.length
  }

  /** Bytes seen so far. */
  get length(): number {
    return this.#offset
  }

  get isInData(): boolean {
    return this.#line === 'data'
  }

  /** What came so far ends before the end of its line. */
  get isInLine(): boolean {
    return this.#line !== 'unknown' || this.#head.length > 0
  }

  /** What came so far ends in what may become a line of data. */
  get isInName(): boolean {
    const { length } = this.#head
    return this.#line === 'unknown' && length > 0 && this.#field.subarray(0, length).equals(this.#head)
  }

  /** The stream ended, and the line that it ends in. */
  finish(): void {
    if (this.#line === 'data' || this.#head.length > 0) this.#endLine(this.#offset)
  }

  /** What a line of data begins with. */
  get #field(): Buffer {
    return this.#isFirst && this.#head[0] === markedField[0] ? markedField : dataField
  }

  #take(piece: Buffer, at: number): void {
    if (this.#line === 'data') {
      this.#reader.data(piece)
      return
    }
    const before = this.#head.length
    if (before < longestLine) this.#head = Buffer.concat([this.#head, piece.subarray(0, longestLine - before)])
    const field = this.#field
    if (this.#line === 'other' || this.#head.length < field.length) return
    const isData = this.#head.subarray(0, field.length).equals(field)
    this.#line = isData ? 'data' : 'other'
    if (!isData) return
    const begun = field.length - before
    this.#reader.openData(at + begun)
    this.#reader.data(piece.subarray(begun))
  }

  #endLine(end: number): void {
    const text = this.#head.toString()
    const [isData, isFirst] = [this.#line === 'data', this.#isFirst]
    this.#isFirst = false
    this.#line = 'unknown'
    this.#head = Buffer.alloc(0)
    if (isData) this.#reader.closeData()
    else this.#reader.line((isFirst ? text.replace(/^\ufeff/, '') : text).replace(/\r$/, ''), end)
  }
}
