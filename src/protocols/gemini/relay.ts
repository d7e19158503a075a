/** A caller's call that goes on to a Gemini upstream as it came, with only its model renamed. */
import type { JsonPath, JsonText } from '../../streams/json-text.ts'
import type { Addresses, WireRequest } from '../protocol.ts'
import { type FormatShape, shapeInFormat } from './format.ts'
import type { RelayedMethod } from './path.ts'

/** A caller's call in Google's own form. */
export interface GeminiCall {
  readonly method: RelayedMethod
  /** Server-sent events instead of one JSON array. */
  readonly sse: boolean
  readonly body: JsonText
  /** The body's skeleton. */
  readonly value: unknown
}

/**
 * The call as it goes up. The caller's bytes stay as they are, but for a model that is named inside, for a shape that is told where
 * Google does not look (`responseFormat`), and for what the name it was called by asks for (`nano-banana-hd` means 4K).
 */
export function encodeRelay(
  { method, sse, body, value }: GeminiCall,
  model: string,
  addresses: Addresses,
  defaults: { readonly resolution?: string | undefined },
): WireRequest {
  const isStream = method === 'streamGenerateContent'
  const query = sse && isStream ? '?alt=sse' : ''
  const renamed = withModel(addresses.mended?.(body) ?? body, model)
  // Nothing is painted where tokens are counted, and Google knows no shapes there.
  const shaped = method === 'countTokens' ? renamed : withShape(renamed, defaults.resolution, shapeInFormat(value))
  return { method: 'POST', path: addresses.pathOf(model, method) + query, body: shaped.bytes, isStream }
}

const withModel = (body: JsonText, model: string): JsonText =>
  modelPlaces.reduce((text, path) => (text.has(path) ? text.replace(path, `models/${model}`) : text), body)

const modelPlaces = [['model'], ['generateContentRequest', 'model'], ['generate_content_request', 'model']] as const

/** What the caller says himself in `imageConfig` goes before either. */
function withShape(
  body: JsonText,
  resolution: string | undefined,
  { ratio, tier = resolution }: FormatShape,
): JsonText {
  return withImageField(withImageField(body, ratioNames, ratio), sizeNames, tier)
}

function withImageField(body: JsonText, names: readonly [string, string], value: string | undefined): JsonText {
  if (!value || imagePlaces.some(place => names.some(name => body.has([...place, name])))) return body
  return body.insert([...imagePlaceIn(body), names[0]], value)
}

/** In the spelling that the body has already: both twins of one field side by side are an error at Google. */
function imagePlaceIn(body: JsonText): JsonPath {
  const config = configNames.find(name => body.has([name])) ?? 'generationConfig'
  return [config, imageNames.find(name => body.has([config, name])) ?? 'imageConfig']
}

const configNames = ['generationConfig', 'generation_config']
const imageNames = ['imageConfig', 'image_config']
const imagePlaces = configNames.flatMap(config => imageNames.map(image => [config, image]))
const ratioNames = ['aspectRatio', 'aspect_ratio'] as const
const sizeNames = ['imageSize', 'image_size'] as const
