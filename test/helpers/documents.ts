/** JSON documents for tests: of any shape, spelt the ways that writers of many languages spell them, and cut anywhere. */
import fc from 'fast-check'
import { type DocumentReader, LongString, type ReadDocument } from '../../src/streams/document-reader.ts'

/** How a writer escapes inside strings. All of them spell the same values. */
export type Spelling = (json: string) => string

const asUnicode = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Works on JSON text without spaces: what it replaces stands only inside strings, or is replaced by itself. */
export const spellings: Readonly<Record<'plain' | 'google' | 'php' | 'python' | 'spaced', Spelling>> = {
  plain: json => json,
  google: json => json.replace(/[=<>&']/g, asUnicode),
  php: json => json.replaceAll('/', '\\/'),
  python: json => json.replace(/[\u0080-\uffff]/g, asUnicode),
  spaced: json => JSON.stringify(JSON.parse(json), null, 2),
}

// Every number of bytes in UTF-8, and halves of surrogate pairs.
const character = fc
  .oneof(...[0x7f, 0x7ff, 0xffff, 0x10ffff].map(max => fc.integer({ min: 0, max })))
  .map(code => String.fromCodePoint(code))

/** Text of any characters at all. */
export const anyText = (maxLength: number): fc.Arbitrary<string> =>
  fc.array(character, { maxLength, size: 'max' }).map(characters => characters.join(''))

const unit = fc.oneof(
  anyText(40),
  fc.string({ unit: fc.constantFrom('A', 'z', '9', '+', '/', '=', '\\', '"', '\n', '{', '}', '[', ':', ',') }),
  fc.constantFrom('aGVsbG8', 'image/png', '\\"', '\u{1f34c}\\', '==', '\ud800'),
)

/** Text of about so many characters: a short run, again and again, so that it costs little to make. */
const textOf = (characters: fc.Arbitrary<number>): fc.Arbitrary<string> =>
  fc.tuple(unit, characters).map(([run, length]) => run.repeat(Math.ceil(length / Math.max(1, run.length))))

const shortText = fc.oneof(fc.string(), anyText(12))
/** Around the length from which a string counts as long. */
const longText = textOf(fc.integer({ min: 900, max: 3000 }))
const hugeText = textOf(fc.integer({ min: 64 * 1024 + 1, max: 72 * 1024 }))

// JSON.stringify writes -0 as 0.
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map(double => double + 0)

const { value: anyValue } = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), number),
    shortText,
    longText,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.string({ maxLength: 12 }), tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
}))

const withHugeText = fc.tuple(anyValue, hugeText, anyValue, fc.integer({ min: 0, max: 2 }))

/** Any JSON value; a fifth of them hold a string of more than 64 KB. */
export const jsonValue: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: anyValue, weight: 4 },
  {
    arbitrary: withHugeText.map(([before, huge, after, place]) =>
      place === 0 ? huge : place === 1 ? [before, huge, after] : { before, huge, after },
    ),
    weight: 1,
  },
)

export const spelling: fc.Arbitrary<Spelling> = fc.constantFrom(...Object.values(spellings))

/** A document as bytes. */
export const jsonDocument: fc.Arbitrary<Buffer> = fc
  .tuple(jsonValue, spelling)
  .map(([value, spell]) => Buffer.from(spell(JSON.stringify(value))))

/** Ways to cut something of any length, as shares of it; `chunksAt` applies them. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12, size: 'max' }),
  // All of one small size: every border of a short document, and borders in every place of long ones.
  fc.integer({ min: 1, max: 7 }).map(size => [-size]),
)

/** Cuts bytes into chunks, each a buffer of its own: nothing is read past a chunk's end by luck. */
export function chunksAt(bytes: Buffer, shares: readonly number[]): Buffer[] {
  const [first = 0] = shares
  // A hundred thousand tiny chunks say nothing more than a thousand.
  const size = first < 0 ? Math.max(-first, Math.ceil(bytes.length / 1000)) : 0
  const borders = size
    ? Array.from({ length: Math.floor(bytes.length / size) }, (_, index) => (index + 1) * size)
    : shares.map(share => Math.floor(share * bytes.length)).sort((a, b) => a - b)
  return [...borders, bytes.length].map((border, index) =>
    Buffer.from(bytes.subarray(index === 0 ? 0 : borders[index - 1], border)),
  )
}

/** Every way to cut bytes in two. */
export function* cutsInTwo(bytes: Buffer): Generator<readonly [Buffer, Buffer]> {
  for (let border = 0; border <= bytes.length; border++) {
    yield [Buffer.from(bytes.subarray(0, border)), Buffer.from(bytes.subarray(border))]
  }
}

export function readAll(reader: DocumentReader, chunks: Iterable<Buffer>): ReadDocument {
  for (const chunk of chunks) reader.push(chunk)
  return reader.finish()
}

/** The value that a document's reader left in pieces: every long string read from where it lies. */
export function materialise(value: unknown, document: Buffer): unknown {
  if (value instanceof LongString) {
    const inside = document.subarray(value.start, value.start + value.length)
    return JSON.parse(`"${new TextDecoder('utf-8', { fatal: true }).decode(inside)}"`)
  }
  if (Array.isArray(value)) return value.map(item => materialise(item, document))
  if (typeof value !== 'object' || value === null) return value
  // `fromEntries` defines: a key `__proto__` stays a key.
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, materialise(item, document)]))
}
