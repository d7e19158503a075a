/** Reference pictures in all the ways callers send them: files, addresses, data URLs, bare base64, inside objects. */
import { GatewayError } from '../../images/error.ts'
import type { Reference } from '../../images/request.ts'
import { checkPicture, readAddress, readBase64 } from '../picture.ts'
import type { RequestBounds, WireDocument } from '../protocol.ts'
import { Upload } from '../upload.ts'
import type { ImageRef, PictureValue } from './wire.ts'

/**
 * An address stays one: it is fetched when it is known who is to read it.
 * @throws GatewayError naming `param` where it is no picture that an upstream takes.
 */
export async function decodeReference(
  ref: ImageRef,
  param: string,
  document: WireDocument,
  bounds: RequestBounds,
): Promise<Reference> {
  const picture = pictureOf(ref, param)
  if (picture instanceof Upload) return checkPicture(picture.base64, param, bounds)
  const url = await readAddress(picture, param, document)
  if (url !== null) return { url, param }
  return checkPicture(await readBase64(picture, param, document), param, bounds)
}

function pictureOf(ref: ImageRef, param: string): PictureValue {
  if (typeof ref === 'string' || !(typeof ref === 'object' && ('image_url' in ref || 'file_id' in ref || 'url' in ref)))
    return ref
  if ('file_id' in ref) {
    throw unsupported(`${param}.file_id`, 'Files of an upstream can not be read here. Send the picture as a data URL.')
  }
  if ('url' in ref) return ref.url
  return typeof ref.image_url === 'object' && 'url' in ref.image_url ? ref.image_url.url : ref.image_url
}

const unsupported = (param: string, message: string) => new GatewayError('unsupported-parameter', message, { param })
