/** Bytes that lie in pieces: a stretch of them is what it would be of the whole, whichever way it is found. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOf, join, stretchesOf } from '../../src/images/bytes.ts'
import { chunksAt, cuts } from '../helpers/documents.ts'

test('any stretch is that of the whole, however it was cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), cuts, fc.nat(200), fc.nat(200), (bytes, shares, from, to) => {
      const whole = Buffer.from(bytes)
      const [start, end] = [from, to].map(place => Math.min(place, whole.length)).toSorted((a, b) => a - b)
      const length = (end ?? 0) - (start ?? 0)
      const pieces = chunksAt(whole, shares)
      for (const stretch of [stretchesOf(pieces)(start ?? 0, length), bytesOf(...pieces).slice(start ?? 0, length)]) {
        expect(stretch.length).toBe(length)
        expect(join(stretch)).toEqual(whole.subarray(start, end))
      }
    }),
  )
})

test('of very many stretches none is found by a walk past what lies before it', () => {
  const looked = new Set<number>()
  const pieces = Array.from({ length: 100 }, (_, index) => Buffer.from(`${index % 10}`.repeat(10)))
  const seen = new Proxy(pieces, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) looked.add(Number(key))
      return Reflect.get(target, key)
    },
  })
  const stretch = stretchesOf(seen)
  looked.clear()
  expect(String(join(stretch(975, 10)))).toBe('7777788888')
  expect([...looked]).toEqual([97, 98])
})
