/** Telling whole pictures from broken ones. */
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { lookAt } from '../../src/pixels/look.ts'
import { picture } from '../helpers/pictures.ts'

test.for(['png', 'jpeg', 'webp', 'gif'] as const)('a whole %s has its size', async format => {
  expect(await lookAt(await picture(format, { width: 71, height: 33 }))).toEqual({ width: 71, height: 33 })
})

test.for(['png', 'jpeg', 'webp'] as const)('a %s that is cut anywhere is none', async format => {
  const file = await picture(format, { width: 300, height: 200 })
  for (const share of [0.1, 0.5, 0.9])
    expect(await lookAt(file.subarray(0, Math.floor(file.length * share)))).toBeNull()
})

test('what is no picture is none', async () => {
  expect(await lookAt(Buffer.from('hello'))).toBeNull()
  expect(await lookAt(Buffer.alloc(0))).toBeNull()
})

test('a small file that would unfold to more than 100 million pixels is none', async () => {
  const file = await picture('png')
  file.writeUInt32BE(20_000, 16)
  file.writeUInt32BE(20_000, 20)
  file.writeUInt32BE(crc32(file.subarray(12, 29)), 29)
  expect(await lookAt(file)).toBeNull()
})
