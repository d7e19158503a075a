/** Pictures of one type made to files of another. */
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { bytesOf, bytesOfText } from '../../src/images/bytes.ts'
import { decodeBase64, encodeBase64 } from '../../src/pixels/base64.ts'
import type { FileWish } from '../../src/pixels/file-type.ts'
import { transcode } from '../../src/pixels/transcode.ts'
import { chunksAt } from '../helpers/documents.ts'
import { differing, fileOf, gradient, noise, see } from './masked-pictures.ts'

const size = { width: 80, height: 50 }
const base64 = (file: Buffer) => bytesOfText(file.toString('base64'))

async function made(file: Buffer, wish: FileWish): Promise<Buffer> {
  const painting = await transcode(base64(file), wish)
  const bytes = await fileOf(painting)
  const { format, autoOrient } = await sharp(bytes).metadata()
  expect(painting.mediaType).toBe(`image/${format}`)
  expect(painting.pixels).toEqual(autoOrient)
  expect(format).toBe(wish.type)
  return bytes
}

const sources: Readonly<Record<string, () => Promise<Buffer>>> = {
  'a PNG': () => gradient(size).png().toBuffer(),
  'a PNG with a palette': () => gradient(size).png({ palette: true }).toBuffer(),
  'a PNG of 16 bits': () => gradient(size).toColourspace('rgb16').png().toBuffer(),
  'a grey PNG': () => gradient(size).toColourspace('b-w').png().toBuffer(),
  'a JPEG': () => gradient(size).jpeg({ quality: 95 }).toBuffer(),
  'a progressive JPEG': () => gradient(size).jpeg({ quality: 95, progressive: true }).toBuffer(),
  'a JPEG that says it is turned': () => gradient(size).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
  'a JPEG in printing inks': () => gradient(size).toColourspace('cmyk').jpeg().toBuffer(),
  'a WebP': () => gradient(size).webp({ quality: 95 }).toBuffer(),
  'a lossless WebP': () => gradient(size).webp({ lossless: true }).toBuffer(),
  'a GIF': () => gradient(size).gif().toBuffer(),
}

describe.each(['png', 'jpeg', 'webp'] as const)('to %s', type => {
  test.each(Object.entries(sources))('%s looks the same', async (_what, make) => {
    const source = await make()
    const file = await made(source, { type })
    expect(differing(await see(source), await see(file), () => true, type === 'png' ? 0 : 40)).toBe(0)
  })

  test('a colour profile comes along, and what EXIF and XMP say', async () => {
    const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><note>trainedAlgorithmicMedia</note></x:xmpmeta>'
    const source = await gradient(size)
      .withIccProfile('p3')
      .withExif({ IFD0: { Software: 'a model' } })
      .withXmp(xmp)
      .jpeg()
      .toBuffer()
    const [before, after] = await Promise.all(
      [source, await made(source, { type })].map(file => sharp(file).metadata()),
    )
    expect(after?.icc).toEqual(before?.icc)
    expect(after?.exif?.toString('latin1')).toContain('a model')
    expect(after?.xmp?.toString()).toContain('trainedAlgorithmicMedia')
  })
})

test('what is transparent becomes white in a JPEG, and stays so in the others', async () => {
  const clear = sharp({ create: { ...size, channels: 4, background: { r: 200, g: 0, b: 0, alpha: 0 } } })
  const source = await clear.png().toBuffer()
  expect((await see(await made(source, { type: 'jpeg' }))).at(9, 9)).toEqual([255, 255, 255, 255])
  expect((await see(await made(source, { type: 'webp' }))).at(9, 9)[3]).toBe(0)
})

test.each(['jpeg', 'webp'] as const)('the less quality a %s is to have, the smaller it is', async type => {
  const source = await noise({ width: 200, height: 200 }).png().toBuffer()
  const sizes: number[] = []
  for (const compression of [0, 30, 60, 90, 100]) sizes.push((await made(source, { type, compression })).length)
  expect(sizes.toSorted((a, b) => a - b)).toEqual(sizes)
  expect(new Set(sizes).size).toBe(5)
})

test('a picture that is cut is the upstream’s failure', async () => {
  const whole = await noise(size).png().toBuffer()
  const half = base64(whole.subarray(0, whole.length / 2))
  await expect(transcode(half, { type: 'jpeg' })).rejects.toMatchObject({ kind: 'upstream-failed' })
})

test('timers fire while a 4K picture is made to another file', async () => {
  const source = await gradient({ width: 4096, height: 4096 }).jpeg().toBuffer()
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  await transcode(base64(source), { type: 'png' })
  clearInterval(timer)
  expect(ticks).toBeGreaterThan(20)
})

describe('base64', () => {
  const file = Buffer.from(Array.from({ length: 70_001 }, (_, at) => (at * 31) % 256))

  test.each([[[]], [[-1]], [[-3]], [[-5]], [[0.3, 0.300001, 0.9]]])('is read in any pieces: %j', async cuts => {
    for (const length of [0, 1, 2, 3, 4, 70_001]) {
      const text = Buffer.from(file.subarray(0, length).toString('base64'))
      expect((await decodeBase64(bytesOf(...chunksAt(text, cuts)))).equals(file.subarray(0, length))).toBe(true)
    }
  })

  test('of many pieces says the same file', async () => {
    const large = Buffer.alloc(5_000_003, file)
    expect((await decodeBase64(await encodeBase64(large))).equals(large)).toBe(true)
    expect((await encodeBase64(large)).length).toBe(Math.ceil(large.length / 3) * 4)
  })
})
