/** Reads the JSON documents of an answer that is passed on: one document, or the events of a stream. Looks, keeps no image. */
import { DocumentReader } from './document-reader.ts'
import { EventLines, isEventStream } from './event-lines.ts'

/** Collects skeletons; gives up in silence on what it can't read, since the bytes go their way whatever they are. */
export interface AnswerReader {
  push(chunk: Buffer): void
  /** What came so far ends inside a document, or is none. False also where the reader gave up: then nobody knows. */
  isCut(): boolean
  /** What the last event lacks to be one: readers of a stream wait for the blank line behind it, and leave it out. */
  missingEnd(): string
  /** The documents that were whole. */
  finish(): readonly unknown[]
}

/** `contentType`: of the answer. */
export const createAnswerReader = (contentType: string): AnswerReader =>
  isEventStream(contentType) ? new EventReader() : new SingleReader()

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

  missingEnd(): string {
    return ''
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

/** A `data:` line holds one document. */
class EventReader implements AnswerReader {
  readonly #documents: unknown[] = []
  #reader = new SingleReader()
  /** Data was read, and no blank line behind it. */
  #isOpen = false
  readonly #lines = new EventLines({
    openData: () => {
      this.#reader = new SingleReader()
    },
    data: piece => this.#reader.push(piece),
    closeData: () => {
      this.#documents.push(...this.#reader.finish())
      this.#isOpen = true
    },
    line: text => {
      if (text === '') this.#isOpen = false
    },
  })

  push(chunk: Buffer): void {
    this.#lines.push(chunk)
  }

  isCut(): boolean {
    return this.#lines.isInData ? this.#reader.isCut() : this.#lines.isInName
  }

  missingEnd(): string {
    if (!this.#isOpen && !this.#lines.isInData) return ''
    return this.#lines.isInLine ? '\n\n' : '\n'
  }

  finish(): readonly unknown[] {
    this.#lines.finish()
    return this.#documents
  }
}
