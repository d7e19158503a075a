/** JSON as Google writes it: pretty, and with the letters that mean something in HTML escaped, `=` among them, also inside base64. */

/** Bytes that stand in a document as base64: turned to text piece by piece while they are sent. */
export class Base64 {
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }
}

export interface Document {
  /** In bytes, exact. */
  readonly length: number
  chunks(): Iterable<Buffer>
}

/**
 * Writes a value in which `Base64` may stand wherever a string may. `indent` 0: on one line, as in event streams.
 * `frame`: ASCII before and after it.
 */
export function writeDocument(value: unknown, indent: 0 | 2, frame: readonly [string, string] = ['', '']): Document {
  const [before, after] = frame
  const images: Base64[] = []
  // Answers with pictures hold no text of callers, and ours has no NUL: a mark is a mark wherever it stands.
  const text = JSON.stringify(
    value,
    (_, field) => (field instanceof Base64 ? `\0${images.push(field) - 1}\0` : field),
    indent,
  )
  const pieces = images.length > 0 ? text.split(/\\u0000\d+\\u0000/) : [text]
  const texts = pieces.map(piece => Buffer.from(escapeHtml(piece)))
  const encoded = images.reduce((sum, image) => sum + encodedLength(image.bytes.length), 0)
  return {
    length: texts.reduce((sum, piece) => sum + piece.length, before.length + after.length) + encoded,
    *chunks() {
      if (before) yield Buffer.from(before, 'latin1')
      for (const [index, piece] of texts.entries()) {
        yield piece
        const image = images[index]
        if (image) yield* encode(image.bytes)
      }
      if (after) yield Buffer.from(after, 'latin1')
    },
  }
}

// U+2028 and U+0085 end lines for some clients' stream readers.
const escapeHtml = (json: string): string =>
  json.replace(/[<>&=\u0085\u2028\u2029]/g, letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)

function* encode(bytes: Buffer): Iterable<Buffer> {
  for (let from = 0; from < bytes.length; from += encodeStep) {
    const text = bytes.toString('base64', from, from + encodeStep)
    const last = from + encodeStep >= bytes.length
    yield Buffer.from(last ? escapeHtml(text) : text, 'latin1')
  }
}

// A multiple of three, so that no padding comes in between.
const encodeStep = 192 * 1024

function encodedLength(length: number): number {
  const padding = (3 - (length % 3)) % 3
  return Math.ceil(length / 3) * 4 + padding * ('\\u003d'.length - 1)
}
