/** Reference pictures in all the ways callers send them: files, addresses, data URLs, bare base64, inside objects. */
import { GatewayError } from '../../images/error.ts'
import type { Reference } from '../../images/request.ts'
import { LongString } from '../../streams/document-reader.ts'
import { checkPicture, readAddress, readBase64 } from '../picture.ts'
import type { RequestBounds, WireDocument } from '../protocol.ts'
import { Upload } from '../upload.ts'
import { invalid } from './fields.ts'
import type { ImageRef, PictureValue } from './request-wire.ts'

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

/** What stands beside the picture in a caller's object and is understood by nobody, by its place: `images[0].detail`. */
export function strayFields(ref: ImageRef, param: string): readonly (readonly [string, unknown])[] {
  if (isPicture(ref)) return []
  const { image_url } = ref
  const inner = image_url == null || isPicture(image_url) ? [] : straysOf(image_url, `${param}.image_url`)
  return [...straysOf(ref, param), ...inner]
}

// `type` says which of the others is there.
const understood: ReadonlySet<string> = new Set(['image_url', 'file_id', 'url', 'type'])

const straysOf = (object: object, place: string) =>
  Object.entries(object).flatMap(([name, value]): [string, unknown][] =>
    understood.has(name) || value === null ? [] : [[`${place}.${name}`, value]],
  )

const isPicture = (ref: ImageRef): ref is PictureValue =>
  typeof ref === 'string' || ref instanceof LongString || ref instanceof Upload

function pictureOf(ref: ImageRef, param: string): PictureValue {
  if (isPicture(ref)) return ref
  const { image_url, file_id, url } = ref
  const named = [image_url, file_id, url].filter(Boolean)
  if (named.length !== 1) {
    const what = named.length === 0 ? 'no picture' : 'more than one picture'
    throw invalid(`'${param}' names ${what}. It must hold one of image_url and file_id.`, param)
  }
  if (file_id) {
    throw unsupported(`${param}.file_id`, 'Files of an upstream cannot be read here. Send the picture as a data URL.')
  }
  const address = image_url || url || ''
  return isPicture(address) ? address : address.url
}

const unsupported = (param: string, message: string) => new GatewayError('unsupported-parameter', message, { param })
