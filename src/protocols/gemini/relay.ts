/** A caller's call that goes on to a Gemini upstream as it came, with only its model renamed. */
import type { Bytes } from '../../images/bytes.ts'
import { GatewayError } from '../../images/error.ts'
import { LongString } from '../../streams/document-reader.ts'
import type { JsonPath, JsonText } from '../../streams/json-text.ts'
import { isAddress } from '../picture-address.ts'
import type { Addresses, WireRequest } from '../protocol.ts'
import type { RelayedMethod } from './path.ts'

/** A caller's call in Google's own form. */
export interface GeminiCall {
  readonly method: RelayedMethod
  /** Server-sent events instead of one JSON array. */
  readonly sse: boolean
  readonly body: JsonText
}

/**
 * The call as it goes up. The caller's bytes stay as they are, but for a model that is named inside and for what the
 * name it was called by asks for (`nano-banana-hd` means 4K).
 */
export function encodeRelay(
  { method, sse, body }: GeminiCall,
  model: string,
  addresses: Addresses,
  defaults: { readonly resolution?: string | undefined },
): WireRequest {
  const query = sse && method === 'streamGenerateContent' ? '?alt=sse' : ''
  // Nothing is painted where tokens are counted, and Google knows no sizes there.
  const resolution = method === 'countTokens' ? undefined : defaults.resolution
  return {
    method: 'POST',
    path: addresses.pathOf(model, method) + query,
    body: bodyFor(addresses.mended?.(body) ?? body, model, resolution),
  }
}

function bodyFor(body: JsonText, model: string, resolution: string | undefined): Bytes {
  const renamed = modelPlaces.reduce(
    (text, path) => (text.has(path) ? text.replace(path, `models/${model}`) : text),
    body,
  )
  if (!resolution || sizePlaces.some(path => renamed.has(path))) return renamed.bytes
  return renamed.insert(sizePlaceIn(renamed), resolution).bytes
}

/** In the spelling that the body has already: both twins of one field side by side are an error at Google. */
function sizePlaceIn(body: JsonText): JsonPath {
  const config = configNames.find(name => body.has([name])) ?? 'generationConfig'
  const image = imageNames.find(name => body.has([config, name])) ?? 'imageConfig'
  return [config, image, 'imageSize']
}

const modelPlaces = [['model'], ['generateContentRequest', 'model'], ['generate_content_request', 'model']] as const

const configNames = ['generationConfig', 'generation_config']
const imageNames = ['imageConfig', 'image_config']
const sizeNames = ['imageSize', 'image_size']
const sizePlaces = configNames.flatMap(config =>
  imageNames.flatMap(image => sizeNames.map(size => [config, image, size])),
)

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
export function picturesAt(value: unknown): readonly string[] {
  const contents = [member(value, 'contents')].flat()
  return contents
    .flatMap(content => member(content, 'parts'))
    .map(part => member(member(part, 'fileData', 'file_data'), 'fileUri', 'file_uri'))
    .filter(uri => typeof uri === 'string')
    .filter(isAddress)
}

function member(value: unknown, ...names: readonly string[]): unknown {
  const fields = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  return names.map(name => fields[name]).find(item => item !== undefined && item !== null)
}
