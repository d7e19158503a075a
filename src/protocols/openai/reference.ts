/** Reference pictures in all the ways callers send them: files, data URLs, bare base64, inside objects. */
import { type Bytes, bytesOfText, join } from '../../images/bytes.ts'
import { GatewayError } from '../../images/error.ts'
import { type InputMediaType, mediaTypeOf } from '../../images/media-type.ts'
import type { ImageInput } from '../../images/request.ts'
import { base64ReadAt, standardBase64 } from '../../streams/base64.ts'
import type { LongString } from '../../streams/document-reader.ts'
import type { RequestBounds, WireDocument } from '../protocol.ts'
import { Upload } from '../upload.ts'
import type { ImageRef, PictureValue } from './wire.ts'

/** @throws GatewayError naming `param` where it is no picture that an upstream takes. */
export async function decodeReference(
  ref: ImageRef,
  param: string,
  document: WireDocument,
  { maxImageBytes }: RequestBounds,
): Promise<ImageInput> {
  const picture = pictureOf(ref, param)
  const base64 = picture instanceof Upload ? picture.base64 : await decodeText(picture, param, document)
  if (base64.length === 0) throw unreadable(param, 'it is empty')
  if (base64.length * 0.75 - 2 > maxImageBytes) {
    throw new GatewayError('too-large', `'${param}' is larger than the ${maxImageBytes} bytes a picture may have.`, {
      param,
    })
  }
  const mediaType = mediaTypeOf(await base64ReadAt(base64)(0, 32))
  if (mediaType === null) throw unreadable(param, 'its bytes are no png, jpeg, webp, heic or heif')
  if (mediaType === 'image/gif') throw unreadable(param, 'gif is not supported; send png, jpeg, webp, heic or heif')
  return { base64, mediaType: mediaType satisfies InputMediaType }
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

// JSON writers of some languages (PHP's among them) escape every slash.
const dataUrl = /^data:([a-z]+\\?\/[a-z0-9.+-]+)?((?:;[a-z0-9=._-]+)*),/i
const longestPrefix = 256

async function decodeText(text: string | LongString, param: string, document: WireDocument): Promise<Bytes> {
  const inside = typeof text === 'string' ? bytesOfText(text) : document.bytesOf(text)
  const head = (await join(inside.slice(0, Math.min(longestPrefix, inside.length)))).toString('latin1')
  if (/^https?:/i.test(head)) {
    throw unsupported(
      param,
      'Pictures are not fetched by URL by this version of the gateway. Send a file, a data URL or base64 text.',
    )
  }
  const prefix = dataUrl.exec(head)
  if (prefix && !/;base64$/i.test(prefix[2] ?? ''))
    throw unreadable(param, 'a data URL must be base64 (data:image/png;base64,…)')
  if (!prefix && /^[a-z][a-z0-9.+-]*:/i.test(head)) throw unreadable(param, 'only data URLs are read')
  const start = prefix?.[0].length ?? 0
  const base64 = await standardBase64(inside.slice(start, inside.length - start), { sample: false })
  if (!base64) throw unreadable(param, 'it is no base64 text')
  return base64
}

const unreadable = (param: string, why: string) =>
  new GatewayError('invalid-request', `Invalid picture '${param}': ${why}.`, { param, code: 'invalid_image' })

const unsupported = (param: string, message: string) => new GatewayError('unsupported-parameter', message, { param })
