/** Reads a mask and the picture it belongs to, before anything is paid: where may the picture change, and what must it stay? */
import type { Metadata } from 'sharp'
import type { Bytes } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import type { Pixels } from '../images/geometry.ts'
import type { ImageInput } from '../images/request.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { encodeAs, type FileType, fileTypeOf, isLosslessWebp } from './file-type.ts'
import { hasRgbProfile, mostPicturePixels, openPicture, readWhole } from './look.ts'
import { loadSharp } from './sharp.ts'
import { softEdge } from './soft-edge.ts'

/** A picture with the area of it that may change. */
export interface MaskedPicture {
  /** As it is seen, with its turn set right. */
  readonly size: Pixels
  readonly type: FileType
  /** The file as it came: base64. */
  readonly picture: Bytes
  /** The same for models, who may not know about turns: with its pixels turned, where the file only says that it is. */
  readonly upright: ImageInput
  /** White where it may change, black elsewhere: a picture for models. */
  readonly shown: ImageInput
  /** How much of the new picture shows at each pixel: a PNG in grey. */
  readonly weights: Buffer
  /** The file lost no pixel's value, so what is made of it should not either. */
  readonly lossless: boolean
}

/**
 * A mask is a PNG of the picture's size: its fully transparent pixels may change, and no other.
 * @throws GatewayError `invalid-request` naming `mask`, or `field` where the picture itself can't be read.
 */
export async function readMask(mask: ImageInput, picture: ImageInput, field = 'image'): Promise<MaskedPicture> {
  if (mask.mediaType !== 'image/png') throw invalidMask(`it is ${mask.mediaType}. ${whatIsNeeded}`)
  const type = fileTypeOf(picture.mediaType)
  if (type === null) {
    throw invalidMask(
      `the first picture is ${picture.mediaType}, which can't be put together again. Send it as png, jpeg or webp`,
    )
  }
  const file = await decodeBase64(picture.base64)
  const seen = await readable(file, field)
  const size = sizeOf(seen)
  const inside = await insideOf(await decodeBase64(mask.base64), size)
  return {
    size,
    type,
    picture: picture.base64,
    upright: (seen.orientation ?? 1) > 1 ? await turned(file, seen, type) : picture,
    shown: { mediaType: 'image/png', base64: await encodeBase64(await greyPng(inside, size)) },
    weights: await greyPng(await softEdge(inside, size), size),
    lossless: type === 'png' || isLosslessWebp(file),
  }
}

const whatIsNeeded = 'It must be a PNG with an alpha channel, transparent where the picture is to change'

const invalidMask = (why: string) =>
  new GatewayError('invalid-request', `Invalid mask: ${why}.`, { param: 'mask', code: 'invalid_mask' })

async function readable(file: Buffer, param: string): Promise<Metadata> {
  try {
    return await readWhole(file, mostPicturePixels)
  } catch (cause) {
    const message = `The picture in '${param}' can't be read: it is broken, or has more than ${mostPicturePixels} pixels.`
    throw new GatewayError('invalid-request', message, { param, code: 'invalid_image', cause })
  }
}

const sizeOf = ({ autoOrient: { width, height } }: Metadata): Pixels => ({ width, height })

/** One byte a pixel: 255 where the mask is fully transparent, else 0. */
async function insideOf(mask: Buffer, size: Pixels): Promise<Buffer> {
  const seen = await readable(mask, 'mask')
  if (!seen.hasAlpha) throw invalidMask(`it has no alpha channel. ${whatIsNeeded}`)
  const { width, height } = sizeOf(seen)
  if (width !== size.width || height !== size.height) {
    throw invalidMask(
      `it is ${width}x${height}, and the first picture is ${size.width}x${size.height}. Send it in that size`,
    )
  }
  const open = await loadSharp()
  const alpha = await (await openPicture(mask)).toColourspace('srgb').extractChannel('alpha').raw().toBuffer()
  const raw = { raw: { ...size, channels: 1 as const } }
  const inside = await open(alpha, raw).threshold(1).negate().toColourspace('b-w').raw().toBuffer()
  if (!inside.includes(255)) throw invalidMask('no pixel of it is fully transparent, so nothing could change')
  return inside
}

async function greyPng(pixels: Buffer, size: Pixels): Promise<Buffer> {
  const open = await loadSharp()
  const grey = open(pixels, { raw: { ...size, channels: 1 } }).toColourspace('b-w')
  return grey.png({ compressionLevel: 2 }).toBuffer()
}

async function turned(file: Buffer, seen: Metadata, type: FileType): Promise<ImageInput> {
  const picture = await openPicture(file)
  const kept = hasRgbProfile(seen) ? picture.keepIccProfile() : picture
  const made = type === 'jpeg' ? 'jpeg' : 'png'
  const base64 = await encodeBase64(await encodeAs(kept, { type: made }).toBuffer())
  return { mediaType: `image/${made}`, base64 }
}
