/** Pictures in the parts of a call: inline, or by the address of a file. */
import type { ImageLink, Reference } from '../../images/request.ts'
import type { LongString } from '../../streams/document-reader.ts'
import { checkPicture, headOf, readAddress, readBase64, unreadable } from '../picture.ts'
import type { RequestBounds, WireDocument } from '../protocol.ts'
import { invalid } from './fields.ts'
import type { WirePart } from './request-wire.ts'

/** What a part shows; null where it shows nothing. @throws GatewayError naming `place` where that is no picture. */
export function decodePicture(
  { inlineData, fileData }: WirePart,
  place: string,
  document: WireDocument,
  bounds: RequestBounds,
): Promise<Reference> | null {
  if (inlineData) {
    return decodeInline(inlineData.data, inlineData.mimeType, `${place}.inline_data`, 'data', document, bounds)
  }
  return fileData ? decodeFile(fileData, `${place}.file_data`, document, bounds) : null
}

/** Base64 in a field of its own. Its label counts for nothing, but that it is no picture's. */
export async function decodeInline(
  data: string | LongString | undefined,
  mimeType: string | undefined,
  place: string,
  field: string,
  document: WireDocument,
  bounds: RequestBounds,
): Promise<Reference> {
  refuseOtherMedia(mimeType, place)
  const param = `${place}.${field}`
  if (!data) throw unreadable(param, 'it is empty')
  return checkPicture(await readBase64(data, param, document), param, bounds)
}

async function decodeFile(
  { fileUri, mimeType }: NonNullable<WirePart['fileData']>,
  place: string,
  document: WireDocument,
  bounds: RequestBounds,
): Promise<Reference> {
  const param = `${place}.file_uri`
  if (fileUri && /^data:/i.test(await headOf(fileUri, document))) {
    refuseOtherMedia(mimeType, place)
    return checkPicture(await readBase64(fileUri, param, document), param, bounds)
  }
  return decodeAddress(fileUri, mimeType, place, 'file_uri', document)
}

/** @throws GatewayError where it is no address of a file, or the file's label is no picture's. */
export async function decodeAddress(
  uri: string | LongString | undefined,
  mimeType: string | undefined,
  place: string,
  field: string,
  document: WireDocument,
): Promise<ImageLink> {
  refuseOtherMedia(mimeType, place)
  const param = `${place}.${field}`
  const url = await readAddress(uri ?? '', param, document)
  if (url !== null) return { url, param, ...(mimeType && !isUnknown(mimeType) && { mediaType: mimeType }) }
  throw invalid(`Invalid value at '${param}'. It is the address of a picture: https://… or gs://…`, param)
}

/** As uploaders say that do not know a file's type. */
const isUnknown = (mimeType: string) => /^application\/octet-stream$/i.test(mimeType)

function refuseOtherMedia(mimeType: string | undefined, place: string): void {
  if (!mimeType || /^image\//i.test(mimeType) || isUnknown(mimeType)) return
  const param = `${place}.mime_type`
  throw invalid(`Unsupported MIME type: ${mimeType.slice(0, 100)}. Image models take pictures and text.`, param)
}
