/** `responseFormat.image`: shape and file type as Google's newest SDKs say them. */
import { parseTier } from '../../images/geometry.ts'
import { configIn, member } from './member.ts'
import { ratioWord, sizeWord } from './shape.ts'

/** A tier or ratio that nobody knows stays what it is. */
export interface FormatShape {
  readonly ratio?: string | undefined
  readonly tier?: string | undefined
}

/** The shape as Google's newest SDKs have it. Its service takes that and passes it over. Nonsense is no shape. */
export function shapeInFormat(value: unknown): FormatShape {
  const image = formatIn(value)
  const size = sizeWord(textIn(image, 'imageSize', 'image_size'))
  return { ratio: ratioWord(textIn(image, 'aspectRatio', 'aspect_ratio')), tier: size && (parseTier(size) ?? size) }
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
