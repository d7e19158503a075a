/** The half of OpenAI's protocol that faces upstreams: image requests out, images responses in. In every vendor's dialect of it. */
import type { OpenAiDialect, WireField } from '../../dialects/openai-form.ts'
import { bytesOfText, concat } from '../../images/bytes.ts'
import { GatewayError } from '../../images/error.ts'
import { type ImageInput, type ImageRequest, isLink, picturesField, type Reference } from '../../images/request.ts'
import { decoded } from '../../streams/decoded-base64.ts'
import { RawString, writeJson } from '../../streams/json-writer.ts'
import { maskLabel } from '../mask-label.ts'
import { liesAtGoogle } from '../picture-address.ts'
import type { EncodedRequest, Outbound, Target } from '../protocol.ts'
import { callersFields } from './callers-fields.ts'
import { decodeEvent } from './events.ts'
import { type FilePart, writeForm } from './form.ts'
import { isPassable } from './passable.ts'
import { type Flattened, flatten, longestPrompt } from './prompt.ts'
import { decodeResult } from './result.ts'
import { sizeFor } from './size.ts'
import { decodeError } from './upstream-errors.ts'

export function createOutbound(dialect: OpenAiDialect): Outbound {
  return {
    mostPerCall: () => dialect.mostPerCall,
    // Where pictures travel as texts, an address is as good as the picture, but for one that only its owner's key opens.
    reads: ({ url }) => dialect.references.as === 'list' && /^https?:/i.test(url) && !liesAtGoogle(url),
    masks: takesMasks(dialect),
    formats: model => dialect.fieldsOf(model, 'generate').includes('output_format'),
    pathOf: (model, operation) => dialect.pathOf(model, operation === 'edit' ? 'edit' : 'generate'),
    passes: (operation, body, model) =>
      dialect.ownForm &&
      isPassable(operation, body, {
        jsonEdits: dialect.jsonEdits,
        takesResponseFormat: dialect.fieldsOf(model, operation).includes('response_format'),
      }),
    encodeRequest: (request, target) => encodeRequest(dialect, request, target),
    decodeResult,
    // Each draft is billed as some tokens: whoever speaks another protocol has no word to ask for that.
    canStream: (_model, { extras }) => dialect.streams && extras.protocol === 'openai',
    decodeEvent,
    // Every picture of an answer is one that was asked for.
    superseded: () => [],
    decodeError,
  }
}

function encodeRequest(dialect: OpenAiDialect, request: ImageRequest, target: Target): EncodedRequest {
  const { references } = dialect
  const flat = flatten(request, target.references)
  const { prompt, images } = takesMasks(dialect) ? flat : withShownMask(request, flat)
  checkLength(prompt, request)
  const operation = images.length > 0 && references.as === 'form' ? 'edit' : 'generate'
  const path = dialect.pathOf(target.model, operation)
  const { fields, ignored: unheard } = encodeFields(request, target, dialect.fieldsOf(target.model, operation))
  const ignored = flat.isShortened ? [...unheard, eldestPictures] : unheard
  const stream = target.stream && { stream: true, partial_images: target.stream.previews }
  const texts = { model: target.model, prompt, ...fields, ...stream }
  for (const image of images) checkType(image, dialect, request)
  if (request.mask && takesMasks(dialect)) checkMask(request.mask)

  if (operation === 'edit' && references.as === 'form') {
    const name = images.length > 1 ? references.several : references.single
    const files = images.map((image, index) => filePart(name, `image-${index + 1}`, image))
    const mask = request.mask && references.mask ? [filePart('mask', 'mask', request.mask)] : []
    const parts = Object.entries(texts).map(([field, value]) => ({ name: field, text: String(value) }))
    return { method: 'POST', path, ...writeForm([...parts, ...files, ...mask]), ignored }
  }
  const listed =
    references.as === 'list' && images.length > 0
      ? { [references.field]: images.map(image => textOf(image, references.text)) }
      : {}
  return { method: 'POST', path, body: writeJson({ ...texts, ...listed }), ignored }
}

// Of a chat in Google's form: nobody else's has any.
const eldestPictures = 'contents[].parts[].inline_data'

type FieldValue = string | number | boolean

interface EncodedFields {
  readonly fields: Readonly<Partial<Record<WireField, FieldValue>>>
  readonly ignored: readonly string[]
}

/** What the vendor documents is sent; of the rest, what nobody else sees to is named. */
function encodeFields(request: ImageRequest, target: Target, documented: readonly WireField[]): EncodedFields {
  const { ratio, resolution, count, pixels } = target
  const { background, format, compression, mediaResolution, search, seed, spelling } = request
  const callers = callersFields(request.extras, documented)
  const tierField = spelling.get('image_size') ?? spelling.get('resolution')
  const shape = { asked: request.shape, ratio, resolution, tierField }
  const wanted: Readonly<Partial<Record<WireField, FieldValue | undefined>>> = {
    n: count > 1 ? count : undefined,
    size: documented.includes('size') ? sizeFor(shape, pixels) : undefined,
    aspect_ratio: ratio,
    image_size: resolution,
    resolution,
    background,
    output_format: format,
    output_compression: compression,
    response_format: 'b64_json',
    media_resolution: mediaResolution && `MEDIA_RESOLUTION_${mediaResolution.toUpperCase()}`,
    enable_web_search: search || undefined,
    ...Object.fromEntries(callers.sent),
  }
  const unheard = [
    ...(seed === undefined ? [] : ['seed']),
    ...(mediaResolution && !documented.includes('media_resolution') ? ['media_resolution'] : []),
    ...(search && !documented.includes('enable_web_search') ? ['enable_web_search'] : []),
    ...(background === 'transparent' && !documented.includes('background') ? ['background'] : []),
  ]
  return {
    fields: Object.fromEntries(
      Object.entries(wanted).filter(([name, value]) => value !== undefined && has(documented, name)),
    ),
    ignored: [...callers.ignored, ...unheard.map(name => spelling.get(name) ?? name)],
  }
}

const has = (documented: readonly string[], name: string) => documented.includes(name)

const takesMasks = ({ references }: OpenAiDialect) => references.as === 'form' && references.mask

/** The mask as the last picture, with a sentence about it. */
function withShownMask(
  { mask, images: own }: ImageRequest,
  { prompt, images }: Flattened,
): Pick<Flattened, 'prompt' | 'images'> {
  if (!mask) return { prompt, images }
  const picture = `picture ${images.length - own.length + 1}`
  return { prompt: `${prompt}\n\n${maskLabel({ mask: 'The last picture', picture })}`, images: [...images, mask] }
}

/** A chat in Google's form becomes one prompt here, and may be too long for that. */
function checkLength({ length }: string, { extras }: ImageRequest): void {
  if (length <= longestPrompt || extras.protocol === 'openai') return
  const sentence = `The texts come to ${length} characters as one prompt. The model's upstream takes ${longestPrompt}.`
  throw new GatewayError('invalid-request', sentence, { param: 'contents', code: 'invalid_value', notSent: true })
}

function checkType(image: Reference, { pictureTypes }: OpenAiDialect, request: ImageRequest): void {
  if (isLink(image) || pictureTypes.includes(image.mediaType)) return
  const taken = pictureTypes.map(type => type.slice('image/'.length)).join(', ')
  const sentence = `A reference picture is ${image.mediaType}; the model's upstream takes ${taken}.`
  throw new GatewayError('invalid-request', sentence, {
    param: image.param ?? picturesField(request),
    code: 'unsupported_file_mimetype',
    notSent: true,
  })
}

// https://platform.openai.com/docs/api-reference/images/createEdit
function checkMask(mask: Reference): void {
  const { mediaType, param = 'mask' } = fetched(mask)
  if (mediaType === 'image/png') return
  const sentence = `Invalid mask '${param}': it is ${mediaType}. A mask is a PNG, clear where the picture is to change.`
  throw new GatewayError('invalid-request', sentence, { param, code: 'unsupported_file_mimetype', notSent: true })
}

function filePart(name: string, title: string, image: Reference): FilePart {
  const { mediaType, base64 } = fetched(image)
  return { name, title, mediaType, bytes: decoded(base64) }
}

function textOf(image: Reference, form: 'base64' | 'data-url'): string | RawString {
  if (isLink(image)) return image.url
  const { mediaType, base64 } = image
  return new RawString(form === 'base64' ? base64 : concat([bytesOfText(`data:${mediaType};base64,`), base64]))
}

function fetched(image: Reference): ImageInput {
  if (!isLink(image)) return image
  // What `reads` declines is fetched before: an address that is still one can't be fetched.
  const sentence = `The picture at '${image.param}' cannot be read by the model's upstream. Send its bytes.`
  throw new GatewayError('invalid-request', sentence, { param: image.param, code: 'invalid_image', notSent: true })
}
