import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOf, bytesOfText, isInMemory, join } from '../../src/images/bytes.ts'
import { RawString, writeJson } from '../../src/streams/json-writer.ts'
import { chunksAt, cuts, jsonValue } from '../helpers/documents.ts'

test('a value with raw strings anywhere is written as JSON.stringify writes it with their texts', async () => {
  await fc.assert(
    fc.asyncProperty(jsonValue, cuts, fc.boolean(), async (value, shares, alone) => {
      const inside = JSON.stringify(typeof value === 'string' ? value : 'aGVsbG8=').slice(1, -1)
      const raw = new RawString(bytesOf(...chunksAt(Buffer.from(inside), shares)))
      const text = JSON.parse(`"${inside}"`) as string
      const around = (image: unknown) => (alone ? image : { before: value, images: [image, { image }], after: value })
      const written = await join(writeJson(around(raw)))
      expect(isDeepStrictEqual(JSON.parse(written.toString()), around(text))).toBe(true)
      expect(writeJson(around(raw)).length).toBe(written.length)
    }),
    { numRuns: 300 },
  )
})

test('pictures go out as the slices they lie in', () => {
  const [first, second] = [Buffer.from('Zmlyc3Q='), Buffer.from('c2Vjb25k')]
  const slices = writeJson({ a: new RawString(bytesOf(first)), b: [new RawString(bytesOf(second))] }).slices()
  if (!isInMemory(slices)) throw new Error('All of it lies in memory.')
  const pieces = [...slices]
  expect(pieces.map(String)).toEqual(['{"a":"', 'Zmlyc3Q=', '","b":["', 'c2Vjb25k', '"]}'])
  expect(pieces[1]).toBe(first)
  expect(pieces[3]).toBe(second)
})

test('what is undefined is left out, and an empty picture is an empty string', async () => {
  const written = writeJson({ a: undefined, b: new RawString(bytesOfText('')), c: 'c' })
  expect((await join(written)).toString()).toBe('{"b":"","c":"c"}')
})
