/** Which file a caller wants a picture in, where that is not what its upstream makes. */
import type { ImageRequest } from '../images/request.ts'
import type { Painting } from '../images/result.ts'
import { refuseCompressedPng } from '../models/check.ts'
import type { Model } from '../models/model.ts'
import { type FileType, type FileWish, fileTypeOf } from '../pixels/file-type.ts'
import type { MaskedPicture } from '../pixels/mask.ts'

/** Of a picture as it came. `makesFormats`: its upstream does. Null: it is what was asked for, and not a byte of it need change. */
export function wishFor(
  { mediaType }: Painting,
  model: Model | null,
  request: ImageRequest,
  makesFormats: boolean,
): FileWish | null {
  const type = wantedType(model, request)
  if (type === null) return null
  const isOfType = mediaType === `image/${type}`
  if (isOfType && (makesFormats || type === 'png' || !isCompressed(request))) return null
  return { type, ...quality(request) }
}

/**
 * Of an edit that is put together here: as asked, else as the original was.
 * @throws GatewayError where a PNG should be compressed.
 */
export function wishForEdit(request: ImageRequest, { type: original, lossless }: MaskedPicture): FileWish {
  const type = request.format ?? original
  if (type === 'png') refuseCompressedPng(request)
  return { type, lossless: lossless && !isCompressed(request), ...quality(request) }
}

/** Will the pictures have to be made again, as far as anyone can know before they are there? */
export function isAnotherFile(model: Model | null, request: ImageRequest, makesFormats: boolean): boolean {
  const type = wantedType(model, request)
  if (type === null || makesFormats) return false
  return isCompressed(request) || model?.outputs[0] !== `image/${type}`
}

/** Null: whatever the model makes. Quality alone is of the type that it makes unasked. */
function wantedType(model: Model | null, request: ImageRequest): FileType | null {
  if (request.format) return request.format
  const [unasked] = model?.outputs ?? []
  return isCompressed(request) && unasked ? fileTypeOf(unasked) : null
}

const isCompressed = ({ compression }: ImageRequest) => compression !== undefined && compression < 100

const quality = ({ compression }: ImageRequest) => (compression === undefined ? {} : { compression })
