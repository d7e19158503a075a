/** Sets what was painted into the area of the original that may change. Outside it, every pixel stays what it was. */
import type { Metadata, Sharp } from 'sharp'
import type { Bytes } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import type { Pixels } from '../images/geometry.ts'
import type { Painting } from '../images/result.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { encodeAs, type FileWish } from './file-type.ts'
import { hasRgbProfile, mostPicturePixels, openPicture } from './look.ts'
import type { MaskedPicture } from './mask.ts'
import { loadSharp } from './sharp.ts'

/**
 * Base64 in, base64 out, in the original's size: the painted picture is stretched to it, since the model was asked for the
 * nearest ratio it has and saw the original in its own.
 * Colours are put together as the numbers they are, in the original's own profile, as models see them; of grey pictures and
 * of printing inks as sRGB. A PNG of 16 bits stays one.
 * @throws GatewayError `upstream-failed` where the painted picture can't be decoded.
 */
export async function composite(painted: Bytes, masked: MaskedPicture, wish: FileWish): Promise<Painting> {
  const layer = await layerOf(await decodeBase64(painted), masked)
  const original = await decodeBase64(masked.picture)
  const seen = await (await openPicture(original)).metadata()
  const file = await put({ layer, masked, original, seen, wish })
  return { base64: await encodeBase64(file), mediaType: `image/${wish.type}`, pixels: masked.size }
}

/** The painted picture in the original's size, as red, green, blue and how much of it shows: raw bytes. */
async function layerOf(painted: Buffer, { size, weights }: MaskedPicture): Promise<Buffer> {
  const open = await loadSharp()
  const { width, height } = size
  try {
    const fitted = (await openPicture(painted, mostPicturePixels))
      .flatten({ background: '#ffffff' })
      .resize(width, height, { fit: 'fill' })
    const colours = await fitted.toColourspace('srgb').raw().toBuffer()
    return await open(colours, { raw: { width, height, channels: 3 } })
      .joinChannel(weights)
      .raw()
      .toBuffer()
  } catch (cause) {
    throw new GatewayError('upstream-failed', "The upstream's picture is broken.", { cause })
  }
}

interface Work {
  readonly layer: Buffer
  readonly masked: MaskedPicture
  readonly original: Buffer
  readonly seen: Metadata
  readonly wish: FileWish
}

async function put(work: Work): Promise<Buffer> {
  const { original, seen, wish } = work
  const picture = inItsProfile(await openPicture(original), seen)
  if (seen.hasAlpha && wish.type !== 'jpeg') return putWithAlpha(work)
  return encodeAs(withLayer(picture, work), wish).toBuffer()
}

const inItsProfile = (picture: Sharp, seen: Metadata) => (hasRgbProfile(seen) ? picture.keepIccProfile() : picture)

/** 16 bits a colour where the original has them and the file to be made can hold them. */
const isDeep = ({ seen, wish }: Work) => seen.depth === 'ushort' && wish.type === 'png'
const colourspaceOf = (work: Work) => (isDeep(work) ? 'rgb16' : 'srgb')

/** Lays on in 16 bits. Said of pictures of 8, sharp would not ask profiles any more what printing inks look like. */
const inDepth = (picture: Sharp, work: Work) => (isDeep(work) ? picture.pipelineColourspace('rgb16') : picture)

const rawOf = ({ width, height }: Pixels, channels: 1 | 4) => ({ raw: { width, height, channels } })

function withLayer(picture: Sharp, work: Work): Sharp {
  const { layer, masked } = work
  return inDepth(picture, work)
    .composite([{ input: layer, ...rawOf(masked.size, 4) }])
    .removeAlpha()
    .toColourspace(colourspaceOf(work))
}

/**
 * Colours and alpha apart: laid over a transparent pixel in one go, its colour would come back rounded, or be gone. What
 * was painted is opaque.
 */
async function putWithAlpha(work: Work): Promise<Buffer> {
  const { original, seen, wish } = work
  const open = await loadSharp()
  // Unpacked PNG in between: raw pixels would lose their profile.
  const between = async (picture: Sharp) =>
    open(await inItsProfile(picture, seen).toColourspace(colourspaceOf(work)).png({ compressionLevel: 0 }).toBuffer())
  const colours = await between((await openPicture(original)).removeAlpha())
  const together = await between(withLayer(colours, work))
  const alpha = await alphaOf(work)
  const finished = together.joinChannel(alpha)
  return encodeAs(inItsProfile(finished, seen).toColourspace(colourspaceOf(work)), wish).toBuffer()
}

/** The original's, and opaque as far as the painted picture shows: as PNG in grey. */
async function alphaOf(work: Work): Promise<Buffer> {
  const open = await loadSharp()
  const grey = isDeep(work) ? 'grey16' : 'b-w'
  const packed = { compressionLevel: 0 }
  const picture = await openPicture(work.original)
  const alpha = picture.toColourspace(colourspaceOf(work)).extractChannel('alpha').png(packed)
  return inDepth(open(await alpha.toBuffer()), work)
    .composite([{ input: work.masked.weights, blend: 'screen' }])
    .removeAlpha()
    .toColourspace(grey)
    .png(packed)
    .toBuffer()
}
