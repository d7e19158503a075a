/** Masked edits, pixel by pixel: what is outside the mask's hole is the original's, in every kind of file. */
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { bytesOfText } from '../../src/images/bytes.ts'
import { composite } from '../../src/pixels/composite.ts'
import type { FileWish } from '../../src/pixels/file-type.ts'
import { readMask } from '../../src/pixels/mask.ts'
import { differing, fileOf, gradient, type Hole, input, isIn, maskWith, noise, see } from './masked-pictures.ts'

const size = { width: 97, height: 61 }
const hole: Hole = { left: 30, top: 20, width: 40, height: 25 }
const outside = (x: number, y: number) => !isIn(hole, x, y)
const painted = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#10e040' } })
  .jpeg({ quality: 100 })
  .toBuffer()

async function edit(original: Buffer, wish?: FileWish, mask?: Buffer): Promise<Buffer> {
  const masked = await readMask(input(mask ?? (await maskWith(size, [hole]))), input(original))
  const wanted = wish ?? { type: masked.type, lossless: masked.lossless }
  const painting = await composite(bytesOfText(painted.toString('base64')), masked, wanted)
  expect(painting.mediaType).toBe(`image/${wanted.type}`)
  expect(painting.pixels).toEqual(masked.size)
  return fileOf(painting)
}

const originals: Readonly<Record<string, () => Promise<Buffer>>> = {
  'a PNG': () => noise(size).png().toBuffer(),
  'a PNG with an alpha channel': () => noise(size, 4).png().toBuffer(),
  'a grey PNG': () => noise(size, 1).toColourspace('b-w').png().toBuffer(),
  'a grey PNG with an alpha channel': () => noise(size, 2).toColourspace('b-w').png().toBuffer(),
  'a PNG with a palette': () => noise(size).png({ palette: true, colours: 64 }).toBuffer(),
  'a PNG with a palette and transparent places': () => noise(size, 4).png({ palette: true, colours: 64 }).toBuffer(),
  'a PNG of 16 bits, seen in 8': () => noise(size).toColourspace('rgb16').png().toBuffer(),
  'a PNG with a colour profile': () => noise(size).withIccProfile('p3').png().toBuffer(),
  'a PNG with a colour profile and an alpha channel': () => noise(size, 4).withIccProfile('p3').png().toBuffer(),
  'a lossless WebP': () => noise(size).webp({ lossless: true }).toBuffer(),
  'a lossless WebP with an alpha channel': () => noise(size, 4).webp({ lossless: true, exact: true }).toBuffer(),
}

describe('outside the hole every pixel is the original’s, and inside it is the painted one', () => {
  test.each(Object.entries(originals))('%s', async (_what, make) => {
    const original = await make()
    const edited = await edit(original)
    expect((await sharp(edited).metadata()).format).toBe((await sharp(original).metadata()).format)
    const [before, after] = [await see(original), await see(edited)]
    expect(differing(before, after, outside)).toBe(0)
    const middle = after.at(hole.left + 20, hole.top + 12)
    expect(middle.map((value, channel) => Math.abs(value - ([0x10, 0xe0, 0x40, 255][channel] ?? 0)) < 4)).not.toContain(
      false,
    )
  })

  test('in 16 bits too', async () => {
    const pixels = Uint16Array.from({ length: size.width * size.height * 4 }, (_, at) => (at * 40_503) % 65_536)
    const original = await sharp(pixels, { raw: { ...size, channels: 4 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer()
    const edited = await edit(original)
    expect(await sharp(edited).metadata()).toMatchObject({ depth: 'ushort', channels: 4 })
    expect(differing(await see(original, { deep: true }), await see(edited, { deep: true }), outside)).toBe(0)
  })

  test.each(['png', 'webp'] as const)('a JPEG that comes back as %s without loss', async type => {
    const original = await noise(size).jpeg().toBuffer()
    const edited = await edit(original, { type, lossless: true })
    expect(differing(await see(original), await see(edited), outside)).toBe(0)
  })

  test.each(['jpeg', 'webp'] as const)('a JPEG that comes back as %s: but for what the file type loses', async type => {
    const original = await gradient(size).jpeg({ quality: 95 }).toBuffer()
    const edited = await edit(original, { type })
    // Blocks of 8 or 16 that the hole's border cuts hold something of both.
    const far = (x: number, y: number) =>
      !isIn({ left: hole.left - 16, top: hole.top - 16, width: hole.width + 32, height: hole.height + 32 }, x, y)
    expect(differing(await see(original), await see(edited), far, 8)).toBe(0)
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('a JPEG that says it is turned (%d): as it is seen', async orientation => {
    const turned = orientation > 4
    const stored = turned ? { width: size.height, height: size.width } : size
    const original = await noise(stored).withMetadata({ orientation }).jpeg().toBuffer()
    const edited = await edit(original, { type: 'png' })
    expect((await sharp(edited).metadata()).orientation ?? 1).toBe(1)
    expect(differing(await see(original), await see(edited), outside)).toBe(0)
  })

  test('a JPEG in printing inks: as it is seen', async () => {
    const original = await gradient(size).toColourspace('cmyk').jpeg().toBuffer()
    expect((await sharp(original).metadata()).space).toBe('cmyk')
    const edited = await edit(original, { type: 'png' })
    expect(differing(await see(original), await see(edited), outside)).toBe(0)
  })
})

test('the law holds for holes of any place, size and number', { timeout: 60_000 }, async () => {
  const side = fc.integer({ min: 1, max: 70 })
  const holeIn = fc.tuple(...Array.from({ length: 4 }, () => fc.double({ min: 0, max: 1, noNaN: true })))
  const law = fc.asyncProperty(
    fc.record({ width: side, height: side }),
    fc.array(holeIn, { minLength: 1, maxLength: 4 }),
    fc.constantFrom(1, 2, 3, 4),
    fc.boolean(),
    async (area, shares, channels, asWebp) => {
      const holes = shares.map(([a = 0, b = 0, c = 0, d = 0]) => {
        const [left, top] = [Math.floor(a * (area.width - 1)), Math.floor(b * (area.height - 1))]
        const width = 1 + Math.floor(c * (area.width - left - 1))
        return { left, top, width, height: 1 + Math.floor(d * (area.height - top - 1)) }
      })
      const picture = noise(area, channels as 1 | 2 | 3 | 4)
      const original = await (asWebp ? picture.webp({ lossless: true, exact: true }) : picture.png()).toBuffer()
      const edited = await edit(original, undefined, await maskWith(area, holes))
      const kept = (x: number, y: number) => !holes.some(each => isIn(each, x, y))
      expect(differing(await see(original), await see(edited), kept)).toBe(0)
      expect(await sharp(edited).metadata()).toMatchObject(area)
    },
  )
  await fc.assert(law, { numRuns: 60 })
})

describe('the seam', () => {
  const wide = { width: 1200, height: 900 }
  const white = (bytes: number) => sharp(Buffer.alloc(bytes, 255), { raw: { ...wide, channels: 3 } })

  async function edited(holes: readonly Hole[]) {
    const original = await white(wide.width * wide.height * 3)
      .png()
      .toBuffer()
    return see(await edit(original, undefined, await maskWith(wide, holes)))
  }

  test('is soft, and lies inside the hole', async () => {
    const picture = await edited([{ left: 300, top: 200, width: 600, height: 500 }])
    const reds = Array.from({ length: 40 }, (_, step) => picture.at(290 + step, 450)[0] ?? 0)
    expect(reds.slice(0, 10)).toEqual(Array(10).fill(255))
    expect(reds.toSorted((a, b) => b - a)).toEqual(reds)
    expect(new Set(reds).size).toBeGreaterThan(4)
    expect(reds.at(-1)).toBeLessThan(0x18)
  })

  test('has no softness at the picture’s own border', async () => {
    const picture = await edited([{ left: 0, top: 0, ...wide }])
    for (const [x, y] of [
      [0, 0],
      [1199, 899],
      [0, 450],
    ] as const)
      expect(picture.at(x, y)[0]).toBeLessThan(0x18)
  })

  test('does not swallow what is thinner than it', async () => {
    const picture = await edited([
      { left: 300, top: 200, width: 600, height: 500 },
      { left: 100, top: 100, width: 3, height: 700 },
      { left: 50, top: 50, width: 1, height: 1 },
    ])
    expect(picture.at(101, 400)[0]).toBeLessThan(0x18)
    expect(picture.at(50, 50)[0]).toBeLessThan(0x18)
  })
})

test('a painted picture of another ratio is stretched to the original’s size: corners stay corners', async () => {
  const corners = await sharp(Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]), {
    raw: { width: 2, height: 2, channels: 3 },
  })
    .resize(400, 400, { kernel: 'nearest' })
    .png()
    .toBuffer()
  const original = await noise(size).png().toBuffer()
  const all = await maskWith(size, [{ left: 0, top: 0, ...size }])
  const masked = await readMask(input(all), input(original))
  const file = await fileOf(await composite(bytesOfText(corners.toString('base64')), masked, { type: 'png' }))
  const seen = await see(file)
  const [right, bottom] = [size.width - 1, size.height - 1]
  expect([seen.at(0, 0), seen.at(right, 0), seen.at(0, bottom), seen.at(right, bottom)]).toEqual([
    [255, 0, 0, 255],
    [0, 255, 0, 255],
    [0, 0, 255, 255],
    [255, 255, 255, 255],
  ])
})

test('a colour profile stays with the original’s colours', async () => {
  const original = await noise(size).withIccProfile('p3').png().toBuffer()
  const [before, after] = await Promise.all([original, await edit(original)].map(file => sharp(file).metadata()))
  expect(after?.icc).toEqual(before?.icc)
})

test('a painted picture that is broken is the upstream’s failure', async () => {
  const masked = await readMask(input(await maskWith(size, [hole])), input(await noise(size).png().toBuffer()))
  const half = bytesOfText(painted.subarray(0, painted.length / 2).toString('base64'))
  await expect(composite(half, masked, { type: 'png' })).rejects.toMatchObject({ kind: 'upstream-failed' })
})
