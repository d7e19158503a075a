/** Reads the JSON documents of an answer that is passed on: one document, or the events of a stream. Looks, keeps no image. */
import { DocumentReader } from './document-reader.ts'

/** Collects skeletons; gives up in silence on what it can't read, since the bytes go their way whatever they are. */
export interface AnswerReader {
  push(chunk: Buffer): void
  /** What came so far ends inside a document, or is none. False also where the reader gave up: then nobody knows. */
  isCut(): boolean
  /** The documents that were whole. */
  finish(): readonly unknown[]
}

export const createAnswerReader = (contentType: string): AnswerReader =>
  isEventStream(contentType) ? new EventReader() : new SingleReader()

export const isEventStream = (contentType: string): boolean => contentType.startsWith('text/event-stream')

class SingleReader implements AnswerReader {
  #reader: DocumentReader | null = new DocumentReader()
  /** What `finish` found; asked for at the last byte, at the end and for what it says. */
  #found: readonly unknown[] | null = null

  push(chunk: Buffer): void {
    this.#found = null
    try {
      this.#reader?.push(chunk)
    } catch {
      this.#reader = null
    }
  }

  isCut(): boolean {
    return this.#reader !== null && this.finish().length === 0
  }

  finish(): readonly unknown[] {
    this.#found ??= this.#read()
    return this.#found
  }

  #read(): readonly unknown[] {
    try {
      return this.#reader ? [this.#reader.finish().value] : []
    } catch {
      return []
    }
  }
}

const newline = 0x0a
const dataField = Buffer.from('data:')

/** Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html. A `data:` line holds one document. */
class EventReader implements AnswerReader {
  readonly #documents: unknown[] = []
  #lineStart = Buffer.alloc(0)
  #line: 'unknown' | 'data' | 'other' = 'unknown'
  #reader = new SingleReader()

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      const end = chunk.indexOf(newline, at)
      this.#take(chunk.subarray(at, end === -1 ? chunk.length : end))
      if (end === -1) return
      this.#endLine()
      at = end + 1
    }
  }

  isCut(): boolean {
    if (this.#line === 'data') return this.#reader.isCut()
    const { length } = this.#lineStart
    return length > 0 && dataField.subarray(0, length).equals(this.#lineStart)
  }

  finish(): readonly unknown[] {
    this.#endLine()
    return this.#documents
  }

  #take(piece: Buffer): void {
    if (this.#line === 'data') this.#reader.push(piece)
    if (this.#line !== 'unknown') return
    const start = Buffer.concat([this.#lineStart, piece])
    if (start.length < dataField.length) {
      this.#lineStart = start
      return
    }
    this.#line = start.subarray(0, dataField.length).equals(dataField) ? 'data' : 'other'
    if (this.#line === 'data') this.#reader.push(start.subarray(dataField.length))
  }

  #endLine(): void {
    if (this.#line === 'data') {
      this.#documents.push(...this.#reader.finish())
      this.#reader = new SingleReader()
    }
    this.#line = 'unknown'
    this.#lineStart = Buffer.alloc(0)
  }
}
