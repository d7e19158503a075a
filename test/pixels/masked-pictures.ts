/** Pictures with noise in every pixel, masks with holes, and a look at every pixel of a file. */
import sharp, { type Sharp } from 'sharp'
import { bytesOfText, join } from '../../src/images/bytes.ts'
import type { Pixels } from '../../src/images/geometry.ts'
import { mediaTypeOf } from '../../src/images/media-type.ts'
import type { ImageInput } from '../../src/images/request.ts'
import type { Painting } from '../../src/images/result.ts'

export interface Hole extends Pixels {
  readonly left: number
  readonly top: number
}

export type Channels = 1 | 2 | 3 | 4

/** Every pixel another, so that one that moved or changed shows. Grey has one or two channels. */
export function noise({ width, height }: Pixels, channels: Channels = 3, seed = 1): Sharp {
  const pixels = Buffer.alloc(width * height * channels)
  let state = (seed * 0x9e3779b9) >>> 0 || 1
  for (let at = 0; at < pixels.length; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    pixels[at] = state & 0xff
  }
  return sharp(pixels, { raw: { width, height, channels } })
}

/** Soft colours, as photographs have them: JPEG keeps them nearly as they are. */
export function gradient({ width, height }: Pixels): Sharp {
  const pixels = Buffer.alloc(width * height * 3)
  for (let at = 0; at < width * height; at++) {
    pixels[at * 3] = ((at % width) / width) * 255
    pixels[at * 3 + 1] = (Math.floor(at / width) / height) * 255
    pixels[at * 3 + 2] = 90
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
}

/** A PNG that is opaque but for its holes. */
export function maskWith({ width, height }: Pixels, holes: readonly Hole[]): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 4, 255)
  for (const hole of holes) {
    for (let y = hole.top; y < hole.top + hole.height; y++) {
      for (let x = hole.left; x < hole.left + hole.width; x++) pixels[(y * width + x) * 4 + 3] = 0
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer()
}

export const isIn = ({ left, top, width, height }: Hole, x: number, y: number): boolean =>
  x >= left && x < left + width && y >= top && y < top + height

export function input(file: Buffer): ImageInput {
  const mediaType = mediaTypeOf(file)
  if (mediaType === null || mediaType === 'image/gif') throw new Error('No picture that upstreams take.')
  return { mediaType, base64: bytesOfText(file.toString('base64')) }
}

export const fileOf = async ({ base64 }: Pick<Painting, 'base64'>): Promise<Buffer> =>
  Buffer.from((await join(base64)).toString('latin1'), 'base64')

export interface Seen {
  readonly width: number
  readonly height: number
  /** Red, green, blue and alpha, turned as it is seen; in the numbers of the file, whatever its profile. */
  at(x: number, y: number): readonly number[]
}

/** `deep`: 16 bits a colour. */
export async function see(file: Buffer, { deep = false } = {}): Promise<Seen> {
  const picture = sharp(file).autoOrient().ensureAlpha()
  const { space } = await sharp(file).metadata()
  if (space === 'srgb' || space === 'rgb16') picture.keepIccProfile()
  const { data, info } = await picture
    .toColourspace(deep ? 'rgb16' : 'srgb')
    .raw(deep ? { depth: 'ushort' } : {})
    .toBuffer({ resolveWithObject: true })
  const numbers = deep ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data
  const { width, height, channels } = info
  return {
    width,
    height,
    at: (x, y) => [...numbers.subarray((y * width + x) * channels, (y * width + x + 1) * channels)],
  }
}

/** The pixels that are not the other's, of those that count. */
export function differing(one: Seen, other: Seen, counts: (x: number, y: number) => boolean, most = 0): number {
  if (one.width !== other.width || one.height !== other.height) throw new Error('Pictures of two sizes.')
  let different = 0
  for (let y = 0; y < one.height; y++) {
    for (let x = 0; x < one.width; x++) {
      const [a, b] = [one.at(x, y), other.at(x, y)]
      if (counts(x, y) && a.some((value, channel) => Math.abs(value - (b[channel] ?? 0)) > most)) different++
    }
  }
  return different
}
