/** A caller's call that goes on to a Gemini upstream as it came, with only its model renamed. */
import type { GeminiDialect } from '../../dialects/gemini.ts'
import { GatewayError } from '../../images/error.ts'
import { parseTier } from '../../images/geometry.ts'
import { LongString } from '../../streams/document-reader.ts'
import type { JsonPath, JsonText } from '../../streams/json-text.ts'
import { isAddress } from '../picture-address.ts'
import type { Addresses, WireRequest } from '../protocol.ts'
import type { RelayedMethod } from './path.ts'
import { ratioWord, sizeWord } from './shape.ts'

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

interface FormatShape {
  readonly ratio?: string | undefined
  readonly tier?: string | undefined
}

/** The shape as Google's newest SDKs have it. Its service takes that and passes it over. Nonsense is no shape. */
export function shapeInFormat(value: unknown): FormatShape {
  const image = formatIn(value)
  const size = sizeWord(textIn(image, ...sizeNames))
  return { ratio: ratioWord(textIn(image, ...ratioNames)), tier: size && (parseTier(size) ?? size) }
}

/** Does the vendor understand all of a call? Else its pictures are fetched here, or the answer's converted. */
export function understands({ readsFrom, makesTypes }: GeminiDialect, value: unknown): boolean {
  if (readsFrom.length === 0 && filesIn(value).length > 0) return false
  return !asksForType(value) && (makesTypes || !hasOutputOptions(value))
}

/** A file type is asked for in the same place: no model makes it for that. */
const asksForType = (value: unknown): boolean => textIn(formatIn(value), 'mimeType', 'mime_type') !== undefined

/** And so in Vertex' own form. */
function hasOutputOptions(value: unknown): boolean {
  const image = member(member(value, ...configNames), ...imageNames)
  return member(image, 'imageOutputOptions', 'image_output_options') !== undefined
}

function formatIn(value: unknown): unknown {
  const config = member(value, ...configNames)
  const formats = [member(config, 'responseFormat', 'response_format')].flat()
  return formats.map(format => member(format, 'image')).find(image => image !== undefined)
}

function textIn(value: unknown, ...names: readonly string[]): string | undefined {
  const text = member(value, ...names)
  return typeof text === 'string' && text !== '' ? text : undefined
}

// Tens of thousands of tiny contents are read for a second, in which nobody else is served. A turn of a chat has five to eight.
const mostValues = 30_000

/** @throws GatewayError where the body is no object, so that nothing of what follows would make sense, or has too much in it. */
export function checkCall(value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unreadable('The body must be an object with contents.')
  if (roomLeft(value, mostValues) < 0) throw unreadable(`The body has more than ${mostValues} fields and items.`)
}

const unreadable = (why: string) => new GatewayError('invalid-request', `Invalid JSON payload received. ${why}`)

/** What is left of a number of values when all in this one are counted; below 0 it was not counted to its end. */
function roomLeft(value: unknown, room: number): number {
  if (typeof value !== 'object' || value === null || value instanceof LongString) return room
  const inside = Object.values(value)
  let left = room - inside.length
  for (const item of inside) if (left >= 0) left = roomLeft(item, left)
  return left
}

/** More than one candidate, which Google's image models refuse and several calls can give. Any spelling; nonsense is no number. */
export function asksForMany(value: unknown): boolean {
  const config = member(value, 'generationConfig', 'generation_config')
  return Number(member(config, 'candidateCount', 'candidate_count')) > 1
}

/** The addresses of pictures that its upstream would have to read, but for very long ones. Any spelling. */
export const picturesAt = (value: unknown): readonly string[] =>
  filesIn(value)
    .map(file => member(file, 'fileUri', 'file_uri'))
    .filter(uri => typeof uri === 'string')
    .filter(isAddress)

/** What stands in place of pictures that lie elsewhere. */
function filesIn(value: unknown): readonly unknown[] {
  const contents = [member(value, 'contents')].flat()
  return contents
    .flatMap(content => member(content, 'parts'))
    .map(part => member(part, 'fileData', 'file_data'))
    .filter(file => file !== undefined)
}

function member(value: unknown, ...names: readonly string[]): unknown {
  const fields = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  return names.map(name => fields[name]).find(item => item !== undefined && item !== null)
}
