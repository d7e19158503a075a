/** Finds the end of HTTP/1.1 answers on a raw socket without copying or parsing their bodies, so that load costs little. */

type State = 'head' | 'body' | 'chunk-size' | 'chunk' | 'chunk-end' | 'whole'

// After the last chunk comes an empty line that ends the answer, after any other one that only ends the chunk.
const noneLeft = -1

export class MessageReader {
  status = 0
  /** Body bytes so far, without the framing of chunks. */
  bodyBytes = 0
  readonly #onBody: (piece: Buffer) => void
  #state: State = 'head'
  #line = ''
  #left = 0

  /** `onBody` sees each piece of a body; the piece is only good during the call. */
  constructor(onBody: (piece: Buffer) => void) {
    this.#onBody = onBody
  }

  /** Takes the next bytes of the socket. True: the answer is whole, and the next bytes belong to another. */
  feed(bytes: Buffer): boolean {
    if (this.#state === 'whole') this.#startOver()
    let position = 0
    while (position < bytes.length) {
      position = this.#inBody() ? this.#takeBody(bytes, position) : this.#takeLine(bytes, position)
    }
    return this.#state === 'whole'
  }

  #inBody(): boolean {
    return this.#state === 'body' || this.#state === 'chunk'
  }

  #startOver(): void {
    this.#state = 'head'
    this.#line = ''
    this.#left = 0
    this.status = 0
    this.bodyBytes = 0
  }

  #takeBody(bytes: Buffer, position: number): number {
    const piece = bytes.subarray(position, position + this.#left)
    this.#onBody(piece)
    this.bodyBytes += piece.length
    this.#left -= piece.length
    if (this.#left === 0) this.#state = this.#state === 'chunk' ? 'chunk-end' : 'whole'
    return position + piece.length
  }

  #takeLine(bytes: Buffer, position: number): number {
    const end = bytes.indexOf('\n', position)
    const next = end < 0 ? bytes.length : end + 1
    this.#line += bytes.toString('latin1', position, next)
    if (end < 0) return next
    if (this.#state === 'head' && !this.#line.endsWith('\r\n\r\n')) return next
    this.#readLine(this.#line)
    this.#line = ''
    return next
  }

  #readLine(line: string): void {
    if (this.#state === 'head') this.#readHead(line)
    else if (this.#state === 'chunk-size') this.#readChunkSize(line)
    else this.#state = this.#left === noneLeft ? 'whole' : 'chunk-size'
  }

  #readChunkSize(line: string): void {
    const size = Number.parseInt(line, 16)
    if (!Number.isSafeInteger(size)) throw new Error(`A chunk of the answer has no size: ${JSON.stringify(line)}`)
    this.#left = size === 0 ? noneLeft : size
    this.#state = size === 0 ? 'chunk-end' : 'chunk'
  }

  #readHead(head: string): void {
    this.status = Number(head.slice(9, 12))
    if (/^transfer-encoding: *chunked/im.test(head)) {
      this.#state = 'chunk-size'
      return
    }
    this.#left = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
    this.#state = this.#left > 0 ? 'body' : 'whole'
  }
}
