/** The fakes' pictures are real: decoders read them, sizes and colours are true, no two are one. */
import { expect, test } from 'vitest'
import { meanColour, see } from '../helpers/pictures.ts'
import { createStudio, type PictureType } from './studio.ts'

const types: readonly PictureType[] = ['image/png', 'image/jpeg', 'image/webp']

test.each(types)('%s', async type => {
  const studio = createStudio()
  const pictures = await Promise.all([1, 2, 3].map(() => studio.paint({ type, width: 97, height: 31 })))
  for (const { bytes, colour } of pictures) {
    expect(await see(bytes)).toEqual({ format: type.slice('image/'.length), width: 97, height: 31 })
    const mean = await meanColour(bytes, { left: 0, top: 0, width: 97, height: 31 })
    for (const [index, value] of mean.entries()) expect(Math.abs(value - (colour[index] ?? 0))).toBeLessThan(6)
  }
  expect(new Set(pictures.map(({ sha256 }) => sha256)).size).toBe(3)
  expect(new Set(studio.painted)).toEqual(new Set(pictures))
})

test('a file is as heavy as ordered, and still a picture', async () => {
  for (const type of ['image/png', 'image/jpeg'] as const) {
    const { bytes } = await createStudio().paint({ type, width: 64, height: 64, weight: 300_000 })
    expect(bytes.length).toBeGreaterThan(300_000)
    expect(await see(bytes)).toMatchObject({ width: 64, height: 64 })
  }
})
