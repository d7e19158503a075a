/** Makes a file of another type, or of less weight, out of a painted one. */
import type { Bytes } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import type { Painting } from '../images/result.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { encodeAs, type FileWish } from './file-type.ts'
import { hasRgbProfile, mostPicturePixels, openPicture } from './look.ts'

/**
 * Base64 in, base64 out. The colour profile goes along, and so do EXIF and XMP, in which vendors say that a machine painted
 * it. (A C2PA manifest can't: it vouches for other bytes.)
 * @throws GatewayError `upstream-failed` where it can't be decoded.
 */
export async function transcode(picture: Bytes, wish: FileWish): Promise<Painting> {
  const file = await decodeBase64(picture)
  const { data, info } = await encoded(file, wish).catch((cause: unknown) => {
    throw new GatewayError('upstream-failed', "The upstream's picture is broken.", { cause })
  })
  return {
    base64: await encodeBase64(data),
    mediaType: `image/${wish.type}`,
    pixels: { width: info.width, height: info.height },
  }
}

async function encoded(file: Buffer, wish: FileWish) {
  const picture = await openPicture(file, mostPicturePixels)
  const kept = hasRgbProfile(await picture.metadata()) ? picture.keepMetadata() : picture.keepExif().keepXmp()
  return encodeAs(kept, wish).toBuffer({ resolveWithObject: true })
}
