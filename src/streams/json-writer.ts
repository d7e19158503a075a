/** Writes JSON around images without touching them: `JSON.stringify` for the skeleton, the images' own slices in between. */
import { randomBytes } from 'node:crypto'
import { type Bytes, bytesOfText, concat } from '../images/bytes.ts'

/** A string whose inside is already JSON text (base64, or another document's escaped text) and goes out as it lies. */
export class RawString {
  readonly inside: Bytes

  constructor(inside: Bytes) {
    this.inside = inside
  }
}

// Drawn anew in every process, so no caller's text can be taken for it.
const marker = randomBytes(12).toString('hex')

/** The JSON text of a value that may hold `RawString`s anywhere below. */
export function writeJson(value: unknown): Bytes {
  const images: Bytes[] = []
  const text = JSON.stringify(value, (_key, item: unknown) => {
    if (!(item instanceof RawString)) return item
    images.push(item.inside)
    return marker
  })
  const [head = '', ...rest] = text.split(marker)
  return concat([
    bytesOfText(head),
    ...rest.flatMap((after, index) => [images[index] ?? bytesOfText(''), bytesOfText(after)]),
  ])
}
