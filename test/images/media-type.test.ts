import fc from 'fast-check'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { type MediaType, mediaTypeOf, pixelSize, type ReadAt } from '../../src/images/media-type.ts'

const width = 331
const height = 117

/** A picture with something in it, so that encoders don't fall back to their simplest form. */
function painting(channels: 3 | 4) {
  const pixels = Buffer.alloc(width * height * channels)
  for (let index = 0; index < pixels.length; index++) pixels[index] = (index * 37) % 251
  return sharp(pixels, { raw: { width, height, channels } })
}

interface Kind {
  readonly name: string
  readonly mediaType: MediaType
  readonly make: () => Promise<Buffer>
  /** How many bytes must be there before the size can be known. */
  readonly headerBytes: number
}

const kinds: readonly Kind[] = [
  { name: 'a PNG', mediaType: 'image/png', make: () => painting(3).png().toBuffer(), headerBytes: 24 },
  { name: 'a baseline JPEG', mediaType: 'image/jpeg', make: () => painting(3).jpeg().toBuffer(), headerBytes: 150 },
  {
    name: 'a progressive JPEG',
    mediaType: 'image/jpeg',
    make: () => painting(3).jpeg({ progressive: true }).toBuffer(),
    headerBytes: 150,
  },
  { name: 'a lossy WebP', mediaType: 'image/webp', make: () => painting(3).webp().toBuffer(), headerBytes: 30 },
  {
    name: 'a lossless WebP',
    mediaType: 'image/webp',
    make: () => painting(3).webp({ lossless: true }).toBuffer(),
    headerBytes: 25,
  },
  { name: 'a WebP with alpha', mediaType: 'image/webp', make: () => painting(4).webp().toBuffer(), headerBytes: 30 },
  { name: 'a GIF', mediaType: 'image/gif', make: () => painting(3).gif().toBuffer(), headerBytes: 10 },
]

const reading =
  (file: Uint8Array): ReadAt =>
  (offset, length) =>
    file.subarray(offset, offset + length)

describe.each(kinds)('$name', ({ mediaType, make, headerBytes }) => {
  let file: Buffer
  beforeAll(async () => {
    file = await make()
  })

  test('is known by its first 32 bytes', () => {
    expect(mediaTypeOf(file.subarray(0, 32))).toBe(mediaType)
  })

  test('says its size', async () => {
    expect(await pixelSize(mediaType, reading(file))).toEqual({ width, height })
  })

  test('says its size to a reader that takes its time', async () => {
    const slowly: ReadAt = async (offset, length) => {
      await new Promise(resolve => setImmediate(resolve))
      return file.subarray(offset, offset + length)
    }
    expect(await pixelSize(mediaType, slowly)).toEqual({ width, height })
  })

  test('cut short says its true size or none', async () => {
    for (let length = 0; length < Math.min(file.length, 1024); length++) {
      const size = await pixelSize(mediaType, reading(file.subarray(0, length)))
      if (length < headerBytes) expect(size).toBeNull()
      else if (size) expect(size).toEqual({ width, height })
    }
  })

  test('is not read beyond its headers', async () => {
    let bytesRead = 0
    const counting: ReadAt = (offset, length) => {
      bytesRead += length
      return file.subarray(offset, offset + length)
    }
    await pixelSize(mediaType, counting)
    expect(bytesRead).toBeLessThan(200)
  })
})

test('a tiny lossless WebP says its size', async () => {
  const file = await sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } })
    .webp({ lossless: true })
    .toBuffer()
  const bare = file.subarray(0, 26)
  expect(await pixelSize('image/webp', reading(bare))).toEqual({ width: 1, height: 1 })
})

test('a WebP of the largest size there is says it', async () => {
  const file = await sharp({ create: { width: 16_383, height: 1, channels: 3, background: 'red' } })
    .webp()
    .toBuffer()
  expect(await pixelSize('image/webp', reading(file))).toEqual({ width: 16_383, height: 1 })
})

describe('a JPEG with 300 KB of segments before the frame header', () => {
  /** APP segments as EXIF and C2PA make them: full of bytes that look like markers. */
  function segments(bytes: number): Buffer {
    const pieces: Buffer[] = []
    for (let left = bytes; left > 0; left -= 65_000) {
      const body = Buffer.alloc(Math.min(left, 65_000), Buffer.from([0xff, 0xc0, 0x00, 0x11, 0x08, 0x00, 0x01]))
      const header = Buffer.from([0xff, pieces.length % 2 === 0 ? 0xe1 : 0xeb, 0, 0])
      header.writeUInt16BE(body.length + 2, 2)
      pieces.push(header, body)
    }
    return Buffer.concat(pieces)
  }

  test('says its size', async () => {
    const plain = await painting(3).jpeg().toBuffer()
    const file = Buffer.concat([plain.subarray(0, 2), segments(300_000), plain.subarray(2)])
    expect((await sharp(file).metadata()).width).toBe(width)
    expect(mediaTypeOf(file.subarray(0, 32))).toBe('image/jpeg')
    expect(await pixelSize('image/jpeg', reading(file))).toEqual({ width, height })
  })

  test('cut within them says none', async () => {
    const plain = await painting(3).jpeg().toBuffer()
    const file = Buffer.concat([plain.subarray(0, 2), segments(300_000)])
    for (const length of [100_000, 200_000, file.length - 1, file.length]) {
      expect(await pixelSize('image/jpeg', reading(file.subarray(0, length)))).toBeNull()
    }
  })

  test('says its size past fill bytes between segments', async () => {
    const plain = await painting(3).jpeg().toBuffer()
    const fill = Buffer.alloc(10_000, 0xff)
    const file = Buffer.concat([plain.subarray(0, 2), fill, plain.subarray(2)])
    expect(await pixelSize('image/jpeg', reading(file))).toEqual({ width, height })
  })
})

describe('what cannot be sent as a reference', () => {
  test('AVIF is not taken for HEIF', async () => {
    const file = await painting(3).avif().toBuffer()
    expect(file.toString('latin1', 4, 8)).toBe('ftyp')
    expect(mediaTypeOf(file.subarray(0, 32))).toBeNull()
  })

  test('AVIF that names itself by HEIF’s general brand is not taken for HEIF', () => {
    expect(mediaTypeOf(Buffer.from('\0\0\0\x20ftypmif1\0\0\0\0avifmif1miaf\0\0\0\0', 'latin1'))).toBeNull()
  })

  test.each(['heic', 'heix', 'hevc', 'heim'])('a file of brand %s is HEIC', brand => {
    expect(mediaTypeOf(Buffer.from(`\0\0\0\x18ftyp${brand}\0\0\0\0mif1heic`, 'latin1'))).toBe('image/heic')
  })

  test('a file of HEIF’s general brand is HEIF', () => {
    expect(mediaTypeOf(Buffer.from('\0\0\0\x18ftypmif1\0\0\0\0mif1heic', 'latin1'))).toBe('image/heif')
  })

  test.each([
    '',
    'hello, world',
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    '%PDF-1.7',
    'BM......',
    'RIFF....WAVEfmt ',
  ])('%j is no picture', text => {
    expect(mediaTypeOf(Buffer.from(text))).toBeNull()
  })
})

describe('random bytes', () => {
  const mediaTypes: readonly MediaType[] = [
    'image/png',
    'image/jpeg',
    'image/webp',
    'image/gif',
    'image/heic',
    'image/heif',
  ]
  const beginnings = ['', '\x89PNG\r\n\x1a\n', '\xff\xd8\xff', 'RIFF\0\0\0\0WEBPVP8 ', 'RIFF\0\0\0\0WEBPVP8X', 'GIF89a']

  test('never throw, whatever they are said to be', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...mediaTypes),
        fc.constantFrom(...beginnings),
        fc.uint8Array({ maxLength: 400 }),
        async (mediaType, beginning, rest) => {
          const bytes = Buffer.concat([Buffer.from(beginning, 'latin1'), rest])
          mediaTypeOf(bytes)
          const size = await pixelSize(mediaType, reading(bytes))
          if (size) expect(Math.min(size.width, size.height)).toBeGreaterThan(0)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('that merely begin like a picture have no size', async () => {
    const noise = Buffer.alloc(64, 0x5a)
    for (const [mediaType, beginning] of [
      ['image/png', '\x89PNG\r\n\x1a\n'],
      ['image/webp', 'RIFF\0\0\0\0WEBPVP8 '],
      ['image/webp', 'RIFF\0\0\0\0WEBPVP8L'],
      ['image/jpeg', '\xff\xd8\xff'],
    ] as const) {
      const bytes = Buffer.concat([Buffer.from(beginning, 'latin1'), noise])
      expect(await pixelSize(mediaType, reading(bytes))).toBeNull()
    }
  })
})
