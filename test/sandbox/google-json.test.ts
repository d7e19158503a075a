/** Google's way of writing JSON. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Base64, writeDocument } from '../../src/sandbox/google-json.ts'

const written = (value: unknown, indent: 0 | 2 = 2, frame?: readonly [string, string]) => {
  const document = writeDocument(value, indent, frame)
  return { text: Buffer.concat([...document.chunks()]).toString(), length: document.length }
}

test('any value reads back as it was, pictures as base64, and the length said before is the length', () => {
  const bytes = fc.uint8Array({ maxLength: 400 }).map(array => Buffer.from(array))
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(bytes), fc.constantFrom(0 as const, 2 as const), (value, images, indent) => {
      const { text, length } = written({ value, images: images.map(image => new Base64(image)) }, indent)
      expect(JSON.parse(text)).toEqual(
        JSON.parse(JSON.stringify({ value, images: images.map(image => image.toString('base64')) })),
      )
      expect(Buffer.byteLength(text)).toBe(length)
      expect(text).not.toMatch(/[<>&=\u2028\u0085]/)
    }),
  )
})

test('pictures of any length around the encoder’s step come out whole', () => {
  for (const length of [196_607, 196_608, 196_609, 393_216, 500_000]) {
    const bytes = Buffer.alloc(length, 'plantain')
    const { text } = written({ data: new Base64(bytes) }, 0)
    expect(Buffer.from(JSON.parse(text).data, 'base64').equals(bytes)).toBe(true)
  }
})

test('a frame stands round it and counts', () => {
  expect(written({ a: 1 }, 0, ['data: ', '\r\n\r\n'])).toEqual({ text: 'data: {"a":1}\r\n\r\n', length: 17 })
})
