/** Drawings become files. */
import { expect, test } from 'vitest'
import { compose } from '../../src/pixels/compose.ts'
import { meanColour, picture, see, shareOfDifference } from '../helpers/pictures.ts'

const size = { width: 200, height: 120 }
const drawing = '<rect width="200" height="120" fill="#2060a0"/>'
const plain = { size, drawing, inlays: [], rough: false }

test.for(['image/png', 'image/jpeg'] as const)('a drawing becomes %s of its size and colour', async mediaType => {
  const file = await compose({ ...plain, mediaType })
  expect(await see(file)).toEqual({ format: mediaType.slice('image/'.length), ...size })
  const [red = 0, green = 0, blue = 0] = await meanColour(file, { left: 0, top: 0, ...size })
  expect(Math.hypot(red - 0x20, green - 0x60, blue - 0xa0)).toBeLessThan(10)
})

test('grain makes a flat drawing weigh what a photograph weighs', async () => {
  const file = await compose({ ...plain, mediaType: 'image/png' })
  expect(file.length).toBeGreaterThan(size.width * size.height)
})

test('a picture is set in where it is told to, cropped and not stretched', async () => {
  const at = { left: 20, top: 10, width: 100, height: 50 }
  const inlay = { picture: await picture('png', { width: 30, height: 300, colour: '#f0c000' }), at }
  const file = await compose({ ...plain, inlays: [inlay], mediaType: 'image/png' })
  expect(await meanColour(file, at)).toEqual([0xf0, 0xc0, 0])
  const [red = 0] = await meanColour(file, { left: 0, top: 0, width: 20, height: 120 })
  expect(red).toBeLessThan(0x40)
})

test('a broken inlay is an error', async () => {
  const broken = (await picture('jpeg')).subarray(0, 200)
  const inlays = [{ picture: broken, at: { left: 0, top: 0, width: 10, height: 10 } }]
  await expect(compose({ ...plain, inlays, mediaType: 'image/png' })).rejects.toThrow()
})

test('a study is paler than the picture', async () => {
  const [study, finished] = await Promise.all(
    [true, false].map(rough => compose({ ...plain, rough, mediaType: 'image/png' })),
  )
  expect(await shareOfDifference(study ?? Buffer.alloc(0), finished ?? Buffer.alloc(0))).toBeGreaterThan(0.9)
})
