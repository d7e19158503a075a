import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOf, isInMemory, join } from '../../src/images/bytes.ts'
import { decoded } from '../../src/streams/decoded-base64.ts'
import { chunksAt, cuts } from '../helpers/documents.ts'

test('text in pieces of any sizes becomes the bytes it stands for, as many as were announced', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400, size: 'max' }), cuts, async (bytes, shares) => {
      const text = Buffer.from(Buffer.from(bytes).toString('base64'))
      const result = decoded(bytesOf(...chunksAt(text, shares)))
      expect(result.length).toBe(bytes.length)
      expect(await join(result)).toEqual(Buffer.from(bytes))
      // A second attempt sends the same body again.
      expect(await join(result)).toEqual(Buffer.from(bytes))
    }),
    { numRuns: 1000 },
  )
})

test('any part of them can be had alone', async () => {
  const bytes = randomBytes(1000)
  const result = decoded(bytesOf(...chunksAt(Buffer.from(bytes.toString('base64')), [0.1, 0.55])))
  await fc.assert(
    fc.asyncProperty(fc.nat(1000), fc.nat(1000), async (one, other) => {
      const [start, end] = [Math.min(one, other), Math.max(one, other)]
      const part = result.slice(start, end - start)
      expect(part.length).toBe(end - start)
      expect(await join(part)).toEqual(bytes.subarray(start, end))
    }),
  )
})

test('a large picture is decoded as it is asked for, never all at once', () => {
  const text = Buffer.from(randomBytes(3_000_000).toString('base64'))
  const slices = decoded(bytesOf(text)).slices()
  if (!isInMemory(slices)) throw new Error('The slices lie in memory.')
  const sizes = [...slices].map(slice => slice.length)
  expect(sizes.length).toBeGreaterThan(20)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(128 * 1024)
})
