/** The half of OpenAI's protocol that faces callers: image requests in, images responses out. */
import type { Bytes } from '../../images/bytes.ts'
import { GatewayError } from '../../images/error.ts'
import { type ImageRequest, pictureFields, type Reference } from '../../images/request.ts'
import type { ImageResult, Painting, Usage } from '../../images/result.ts'
import type { LongString } from '../../streams/document-reader.ts'
import { RawString, writeJson } from '../../streams/json-writer.ts'
import type { Operation, RequestBounds, WireDocument } from '../protocol.ts'
import { readText } from '../text.ts'
import { type CheckedFields, checkFields, type FieldName, invalid, tooManyPictures } from './fields.ts'
import { longestPrompt } from './prompt.ts'
import { decodeReference, strayFields } from './reference.ts'
import type { ImageRef } from './request-wire.ts'
import { decodeMediaResolution, decodeShape } from './shape.ts'

/** @throws GatewayError for what the caller should change, naming the field as it was spelt. */
export async function decodeRequest(
  document: WireDocument,
  operation: Operation,
  bounds: RequestBounds,
): Promise<ImageRequest> {
  const checked = checkFields(document.value, bounds.maxImages)
  const { fields, spelling, spelt } = checked
  refuseWhatIsNotServed(checked)
  const prompt = await decodePrompt(fields.prompt, document)
  const images = await decodeImages(checked, document, bounds)
  const [empty] = pictureFields.filter(name => fields[name] != null)
  if (operation === 'edit' && images.length === 0 && empty) {
    throw invalid(`'${spelt(empty)}' must hold at least one picture.`, spelt(empty))
  }
  const mask = await decodeMask(checked, images, document, bounds)
  const { output_format: format, response_format: delivery, output_compression: compression, background, seed } = fields
  const mediaResolution = decodeMediaResolution(checked)
  return {
    model: fields.model ?? null,
    prompt,
    images,
    ...(mask && { mask }),
    count: fields.n ?? 1,
    shape: decodeShape(checked),
    spelling,
    ...(format && { format }),
    ...(compression != null && { compression }),
    ...(delivery && { delivery: delivery === 'url' ? 'url' : 'base64' }),
    ...(background && background !== 'auto' && { background }),
    ...(fields.stream && { stream: { previews: fields.partial_images ?? 0 } }),
    search: fields.enable_web_search ?? false,
    ...(seed != null && { seed }),
    ...(mediaResolution && { mediaResolution }),
    turns: [],
    extras: { protocol: 'openai', fields: new Map([...withIdle(checked), ...strays(checked)]) },
  }
}

/** Drafts come in streams only, and a stream's events have no addresses: there these fields have no effect. */
function withIdle({ fields, spelt, unknown }: CheckedFields): CheckedFields['unknown'] {
  const { stream, partial_images: previews, response_format: delivery } = fields
  if (previews && !stream) return new Map([...unknown, [spelt('partial_images'), previews]])
  if (stream && delivery === 'url') return new Map([...unknown, [spelt('response_format'), delivery]])
  return unknown
}

const strays = (checked: CheckedFields) =>
  [...pictureFields, 'mask' as const].flatMap(field =>
    referencesIn(checked, field).flatMap(([ref, param]) => strayFields(ref, param)),
  )

function refuseWhatIsNotServed({ fields, spelt }: CheckedFields): void {
  const refuse = (name: FieldName, message: string): never => {
    throw new GatewayError('unsupported-parameter', message, { param: spelt(name) })
  }
  if (fields.markup !== undefined)
    refuse('markup', 'Markup pictures are not served by this gateway. Send the picture among the references.')
  for (const name of ['frame_count', 'frame_duration_ms', 'svg'] as const) {
    const param = spelt(name)
    if (fields[name] != null)
      throw invalid(`'${param}' belongs to output formats that no model here makes. Leave it out.`, param)
  }
}

async function decodePrompt(prompt: string | LongString | null | undefined, document: WireDocument): Promise<string> {
  const text = await readText(prompt ?? '', 'prompt', longestPrompt, document)
  if (text.trim() !== '') return text
  throw new GatewayError('invalid-request', "Missing required parameter: 'prompt'.", {
    param: 'prompt',
    code: 'missing_required_parameter',
  })
}

async function decodeImages(
  checked: CheckedFields,
  document: WireDocument,
  bounds: RequestBounds,
): Promise<Reference[]> {
  const images: Reference[] = []
  for (const field of pictureFields) {
    const refs = referencesIn(checked, field)
    if (images.length + refs.length > bounds.maxImages) throw tooManyPictures(bounds.maxImages, checked.spelt(field))
    for (const [ref, param] of refs) images.push(await decodeReference(ref, param, document, bounds))
  }
  return images
}

/** What stands in one field, and how errors should name each. */
function referencesIn(
  { fields, spelt }: CheckedFields,
  field: (typeof pictureFields)[number] | 'mask',
): readonly (readonly [ImageRef, string])[] {
  const value = fields[field]
  const name = spelt(field)
  if (value == null) return []
  return Array.isArray(value) ? value.map((ref, index) => [ref, `${name}[${index}]`]) : [[value, name]]
}

async function decodeMask(
  { fields, spelt }: CheckedFields,
  images: readonly Reference[],
  document: WireDocument,
  bounds: RequestBounds,
): Promise<Reference | null> {
  if (fields.mask == null) return null
  const param = spelt('mask')
  if (images.length > 0) return decodeReference(fields.mask, param, document, bounds)
  throw invalid(`'${param}' says where a picture is to change, and no picture was sent. Send it as 'image'.`, param)
}

/** A whole answer. `created`: when it was made. */
export function encodeResult({ paintings, usage }: ImageResult, created: Date): Bytes {
  const format = same(paintings.map(({ mediaType }) => mediaType.slice('image/'.length)))
  const size = same(paintings.map(({ pixels }) => pixels && `${pixels.width}x${pixels.height}`))
  const quality = same(paintings.map(({ remarks }) => remarks?.quality))
  const background = same(paintings.map(painting => painting.remarks && backgroundOf(painting)))
  return writeJson({
    created: Math.floor(created.getTime() / 1000),
    data: paintings.map(encodePainting),
    // Of a whole answer these two are never `auto`.
    ...(background && background !== 'auto' && { background }),
    ...(format && { output_format: format }),
    ...(quality && quality !== 'auto' && { quality }),
    ...(size && { size }),
    ...(usage?.inputDetails && { usage: encodeUsage(usage, usage.inputDetails) }),
  })
}

const encodePainting = ({ base64, url, remarks }: Painting) => ({
  ...(url === undefined ? { b64_json: new RawString(base64) } : { url }),
  ...(remarks?.revisedPrompt && { revised_prompt: remarks.revisedPrompt }),
})

/** A JPEG has nothing transparent, whatever was said of the picture that it was made from. */
export const backgroundOf = ({ mediaType, remarks }: Painting): string | undefined =>
  mediaType === 'image/jpeg' ? 'opaque' : remarks?.background

/** The one value they all have; none where they differ, since the response has a single place for it. */
function same<Value>(values: readonly Value[]): Value | undefined {
  const [first, ...rest] = values
  return rest.every(value => value === first) ? first : undefined
}

/** Clients read the input's details wherever there is a usage: so there is one only where the upstream split its tokens. */
export function encodeUsage(usage: Usage, input: NonNullable<Usage['inputDetails']>): object {
  const details = ({ textTokens, imageTokens }: typeof input) => ({
    text_tokens: textTokens,
    image_tokens: imageTokens,
  })
  return {
    total_tokens: usage.totalTokens,
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    input_tokens_details: details(input),
    ...(usage.outputDetails && { output_tokens_details: details(usage.outputDetails) }),
  }
}
