/** Writes JSON around images without touching them: `JSON.stringify` for the skeleton, the images' own slices in between. */
import { randomBytes } from 'node:crypto'
import { type Bytes, bytesOfText, concat } from '../images/bytes.ts'

// Drawn anew in every process, so no caller's text can be taken for it.
const marker = randomBytes(12).toString('hex')

// Of the value that is being written now: `JSON.stringify` tells `toJSON` nothing of who called it.
let met: Bytes[] = []

/** A string whose inside is already JSON text (base64, or another document's escaped text) and goes out as it lies. */
export class RawString {
  readonly inside: Bytes

  constructor(inside: Bytes) {
    this.inside = inside
  }

  // Rather than a replacer, which would be called for every key there is.
  toJSON(): string {
    met.push(this.inside)
    return marker
  }
}

/** The JSON text of a value that may hold `RawString`s anywhere below. */
export const writeJson = (value: unknown): Bytes => write(value, text => text)

/** The same for one line of a stream: some readers take U+2028 and its kin for the end of it. */
export const writeJsonLine = (value: unknown): Bytes => write(value, escapeLineEnds)

const escapeLineEnds = (text: string) =>
  text.replace(/[\u0085\u2028\u2029]/g, end => `\\u${end.charCodeAt(0).toString(16).padStart(4, '0')}`)

function write(value: unknown, spell: (text: string) => string): Bytes {
  met = []
  const text = spell(JSON.stringify(value))
  const images = met
  if (images.length === 0) return bytesOfText(text)
  const parts: Bytes[] = []
  for (const [index, between] of text.split(marker).entries()) {
    const image = images[index - 1]
    if (image) parts.push(image)
    parts.push(bytesOfText(between))
  }
  return concat(parts)
}
