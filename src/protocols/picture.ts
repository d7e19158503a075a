/** Pictures that callers of any protocol send along: addresses, or base64 text, bare or in a data URL, checked by what its bytes are. */
import { type Bytes, bytesOfText, join } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import { type InputMediaType, mediaTypeOf } from '../images/media-type.ts'
import type { ImageInput } from '../images/request.ts'
import { base64ReadAt, standardBase64 } from '../streams/base64.ts'
import type { LongString } from '../streams/document-reader.ts'
import { isAddress, longestAddress, pictureAddress } from './picture-address.ts'
import type { RequestBounds, WireDocument } from './protocol.ts'

/** A picture as base64 text, standard and padded. @throws GatewayError naming `param` where it is none that an upstream takes. */
export async function checkPicture(
  base64: Bytes,
  param: string,
  { maxImageBytes }: Pick<RequestBounds, 'maxImageBytes'>,
): Promise<ImageInput> {
  if (base64.length === 0) throw unreadable(param, 'it is empty')
  if (base64.length * 0.75 - 2 > maxImageBytes) {
    throw new GatewayError('too-large', `'${param}' is larger than the ${maxImageBytes} bytes a picture may have.`, {
      param,
    })
  }
  const mediaType = mediaTypeOf(await base64ReadAt(base64)(0, 32))
  if (mediaType === null) throw unreadable(param, 'its bytes are no png, jpeg, webp, heic or heif')
  if (mediaType === 'image/gif') throw unreadable(param, 'gif is not supported; send png, jpeg, webp, heic or heif')
  return { base64, mediaType: mediaType satisfies InputMediaType, param }
}

/** The address of a picture, as it was written; null where the text is none. @throws GatewayError naming `param` where it can't be one. */
export async function readAddress(
  text: string | LongString,
  param: string,
  document: WireDocument,
): Promise<string | null> {
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

/** Base64 in either alphabet, padded or not, bare or in a data URL, in its one standard form. @throws GatewayError naming `param`. */
export async function readBase64(text: string | LongString, param: string, document: WireDocument): Promise<Bytes> {
  const inside = typeof text === 'string' ? bytesOfText(text) : document.bytesOf(text)
  const head = await headOf(text, document)
  const prefix = dataUrl.exec(head)
  if (prefix && !/; ?base64$/i.test(prefix[2] ?? ''))
    throw unreadable(param, 'a data URL must be base64 (data:image/png;base64,…)')
  if (!prefix && /^[a-z][a-z0-9.+-]*:/i.test(head))
    throw unreadable(param, 'only data URLs and http addresses are read')
  const start = prefix?.[0].length ?? 0
  const base64 = await standardBase64(inside.slice(start, inside.length - start), { sample: false })
  if (!base64) throw unreadable(param, 'it is no base64 text')
  return base64
}

// JSON writers of some languages (PHP's among them) escape every slash; form builders put the file's name among the parameters.
const dataUrl = /^data:([a-z]+\\?\/[a-z0-9.+-]+)?((?:;[^;,]*)*),/i
const longestPrefix = 1024

/** The first bytes of a text, as they lie in the document, each as a character: enough to tell an address from base64. */
export async function headOf(text: string | LongString, document: WireDocument): Promise<string> {
  if (typeof text === 'string') return Buffer.from(text.slice(0, longestPrefix)).toString('latin1')
  return (await join(document.bytesOf(text).slice(0, Math.min(longestPrefix, text.length)))).toString('latin1')
}

export const unreadable = (param: string, why: string): GatewayError =>
  new GatewayError('invalid-request', `Invalid picture '${param}': ${why}.`, { param, code: 'invalid_image' })
