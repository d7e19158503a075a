import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Utf8Checker } from '../../src/streams/utf8.ts'
import { anyText, chunksAt, cuts, cutsInTwo } from '../helpers/documents.ts'

function accepts(chunks: Iterable<Buffer>): boolean {
  const checker = new Utf8Checker()
  try {
    for (const chunk of chunks) checker.push(chunk)
    checker.end()
    return true
  } catch {
    return false
  }
}

function decodes(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

const text = anyText(60).map(value => Buffer.from(value))

const damagedText = fc.tuple(text, fc.nat(), fc.integer({ min: 0x80, max: 0xff })).map(([bytes, place, byte]) => {
  const damaged = Buffer.concat([bytes, Buffer.alloc(1)])
  damaged[place % damaged.length] = byte
  return damaged
})

// The bytes of which well-formed and ill-formed sequences are made.
const sequences = fc
  .array(fc.constantFrom(0x41, 0x80, 0x9f, 0xa0, 0xbf, 0xc1, 0xc3, 0xe0, 0xed, 0xf0, 0xf4, 0xf5, 0xff), {
    maxLength: 10,
  })
  .map(bytes => Buffer.from(bytes))

test('chunks are valid UTF-8 exactly where they are when put together, whatever the cuts', () => {
  fc.assert(
    fc.property(fc.oneof(text, damagedText, sequences), cuts, (bytes, shares) => {
      expect(accepts(chunksAt(bytes, shares))).toBe(decodes(bytes))
    }),
    { numRuns: 5000 },
  )
})

test('a character may be cut at any border, and into single bytes', () => {
  const bytes = Buffer.from('a\u00e9\u20ac\u{1f34c}\u{10ffff}\ufeffz')
  for (const halves of cutsInTwo(bytes)) expect(accepts(halves)).toBe(true)
  expect(accepts(chunksAt(bytes, [-1]))).toBe(true)
})

test('text that ends inside a character is refused at its end', () => {
  const checker = new Utf8Checker()
  checker.push(Buffer.from([0x41, 0xf0, 0x9f]))
  checker.push(Buffer.alloc(0))
  expect(() => checker.end()).toThrow('not valid UTF-8')
})
