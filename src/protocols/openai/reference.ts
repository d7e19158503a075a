/** Reference pictures in all the ways callers send them: files, addresses, data URLs, bare base64, inside objects. */
import { type Bytes, bytesOfText, join } from '../../images/bytes.ts'
import { GatewayError } from '../../images/error.ts'
import { type InputMediaType, mediaTypeOf } from '../../images/media-type.ts'
import type { Reference } from '../../images/request.ts'
import { base64ReadAt, standardBase64 } from '../../streams/base64.ts'
import type { LongString } from '../../streams/document-reader.ts'
import { isAddress, longestAddress, pictureAddress } from '../picture-address.ts'
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
  { maxImageBytes }: RequestBounds,
): Promise<Reference> {
  const picture = pictureOf(ref, param)
  const url = picture instanceof Upload ? null : await addressOf(picture, param, document)
  if (url !== null) return { url, param }
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

async function addressOf(text: string | LongString, param: string, document: WireDocument): Promise<string | null> {
  if (typeof text === 'string') return isAddress(text) ? pictureAddress(text, param) : null
  const inside = document.bytesOf(text)
  // Twice the length, for escaped slashes.
  const raw = (await join(inside.slice(0, Math.min(longestAddress * 2, inside.length)))).toString()
  if (!isAddress(raw.slice(0, longestPrefix).replaceAll('\\/', '/'))) return null
  if (inside.length > longestAddress * 2) return pictureAddress(raw, param)
  try {
    return pictureAddress(String(JSON.parse(`"${raw}"`)), param)
  } catch (error) {
    if (error instanceof GatewayError) throw error
    throw unreadable(param, 'it is no JSON text')
  }
}

// JSON writers of some languages (PHP's among them) escape every slash.
const dataUrl = /^data:([a-z]+\\?\/[a-z0-9.+-]+)?((?:;[a-z0-9=._-]+)*),/i
const longestPrefix = 256

async function decodeText(text: string | LongString, param: string, document: WireDocument): Promise<Bytes> {
  const inside = typeof text === 'string' ? bytesOfText(text) : document.bytesOf(text)
  const head = (await join(inside.slice(0, Math.min(longestPrefix, inside.length)))).toString('latin1')
  const prefix = dataUrl.exec(head)
  if (prefix && !/;base64$/i.test(prefix[2] ?? ''))
    throw unreadable(param, 'a data URL must be base64 (data:image/png;base64,…)')
  if (!prefix && /^[a-z][a-z0-9.+-]*:/i.test(head))
    throw unreadable(param, 'only data URLs and http addresses are read')
  const start = prefix?.[0].length ?? 0
  const base64 = await standardBase64(inside.slice(start, inside.length - start), { sample: false })
  if (!base64) throw unreadable(param, 'it is no base64 text')
  return base64
}

const unreadable = (param: string, why: string) =>
  new GatewayError('invalid-request', `Invalid picture '${param}': ${why}.`, { param, code: 'invalid_image' })

const unsupported = (param: string, message: string) => new GatewayError('unsupported-parameter', message, { param })
