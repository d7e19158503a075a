/** `responseFormat.image`: shape and file type as Google's newest SDKs say them. */
import { parseTier } from '../../images/geometry.ts'
import type { GenerationConfig } from './config-wire.ts'
import { invalid } from './fields.ts'
import { configIn, member } from './member.ts'

/** A tier or ratio that nobody knows stays what it is. */
export interface FormatShape {
  readonly ratio?: string | undefined
  readonly tier?: string | undefined
}

/** The shape as Google's newest SDKs have it. Its service takes that and passes it over. Nonsense is no shape. */
export function shapeInFormat(value: unknown): FormatShape {
  const image = formatIn(value)
  return {
    ratio: ratioWord(textIn(image, 'aspectRatio', 'aspect_ratio')),
    tier: tierOf(sizeWord(textIn(image, 'imageSize', 'image_size'))),
  }
}

/** A file type is asked for in the same place: no model makes it for that. */
export const asksForType = (value: unknown): boolean => textIn(formatIn(value), 'mimeType', 'mime_type') !== undefined

function formatIn(value: unknown): unknown {
  const formats = [member(configIn(value), 'responseFormat', 'response_format')].flat()
  return formats.map(format => member(format, 'image')).find(image => image !== undefined)
}

function textIn(value: unknown, ...names: readonly string[]): string | undefined {
  const text = member(value, ...names)
  return typeof text === 'string' && text !== '' ? text : undefined
}

/** The one format of a picture, and its place in a call. @throws GatewayError where there are several. */
export function onlyFormat(formats: GenerationConfig['responseFormat'] = []) {
  const [first = 0, second] = formats.flatMap(({ image }, index) => (image ? [index] : []))
  const place = (index: number) => `generation_config.response_format[${index}].image`
  if (second !== undefined) {
    throw invalid(`${place(first)} says how pictures come. Send one of them.`, place(second))
  }
  return { image: formats[first]?.image, place: place(first) }
}

/** A size as the catalogue spells it; one that nobody knows as it is. */
export const tierOf = (size: string | undefined) => size && (parseTier(size) ?? size)

/** Google's newest names spell numbers out: `ASPECT_RATIO_SIXTEEN_BY_NINE`. */
export const ratioWord = (text: string | undefined): string | undefined => wordsOf(text, 'ASPECT_RATIO_')
/** And `IMAGE_SIZE_TWO_K`. */
export const sizeWord = (text: string | undefined): string | undefined => wordsOf(text, 'IMAGE_SIZE_')

function wordsOf(text: string | undefined, prefix: string): string | undefined {
  const name = text?.toUpperCase()
  if (!name?.startsWith(prefix)) return text
  const rest = name.slice(prefix.length)
  if (rest === 'UNSPECIFIED') return undefined
  const digits = rest.replaceAll(/TWENTY_ONE|FIVE_TWELVE|[A-Z]+/g, word => numerals.get(word) ?? word)
  return digits.replace('_BY_', ':').replaceAll('_', '')
}

const numerals = new Map([
  ['ONE', '1'],
  ['TWO', '2'],
  ['THREE', '3'],
  ['FOUR', '4'],
  ['FIVE', '5'],
  ['EIGHT', '8'],
  ['NINE', '9'],
  ['SIXTEEN', '16'],
  ['TWENTY_ONE', '21'],
  ['FIVE_TWELVE', '512'],
])
