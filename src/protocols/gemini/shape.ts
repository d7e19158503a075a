/** The picture's shape and file type in the ways Google's callers say them. */
import { parseRatio, parseTier } from '../../images/geometry.ts'
import { type ImageRequest, type MediaResolution, mostPictures, type Shape } from '../../images/request.ts'
import { invalid } from './fields.ts'
import type { GenerationConfig } from './request-wire.ts'

const config = 'generation_config'
/** The fields by the names that the gateway's own errors would use, and their places in a call. */
export const spelling: ReadonlyMap<string, string> = new Map([
  ['aspect_ratio', `${config}.image_config.aspect_ratio`],
  ['image_size', `${config}.image_config.image_size`],
  ['output_format', `${config}.image_config.image_output_options.mime_type`],
  ['output_compression', `${config}.image_config.image_output_options.compression_quality`],
  ['n', `${config}.candidate_count`],
  ['seed', `${config}.seed`],
  ['media_resolution', `${config}.media_resolution`],
  ['enable_web_search', 'tools'],
  ['image', 'contents'],
  ['prompt', 'contents'],
])

type Output = Pick<ImageRequest, 'format' | 'compression'>

/** `imageConfig` goes before its newer twin `responseFormat.image`. @throws GatewayError naming a field that is none of its kind. */
export function decodeShape({ imageConfig, responseFormat }: GenerationConfig): Shape {
  const { image } = responseFormat?.find(format => format.image) ?? {}
  const place = `${config}.response_format[0].image`
  if (image?.delivery?.toUpperCase().endsWith('URI')) {
    throw invalid('URI delivery is not supported for this model: pictures come inline.', `${place}.delivery`)
  }
  return shapeOf(
    ratioWord(image?.aspectRatio),
    sizeWord(image?.imageSize),
    `${place}.aspect_ratio`,
    shapeOf(imageConfig?.aspectRatio, imageConfig?.imageSize, `${config}.image_config.aspect_ratio`),
  )
}

/** A shape told by a ratio and a tier; `first` goes before it. */
export function shapeOf(
  ratio: string | undefined,
  tier: string | undefined,
  ratioParam: string,
  first: Shape = {},
): Shape {
  if (ratio && !parseRatio(ratio)) {
    throw invalid(`Invalid value at '${ratioParam}', "${cut(ratio)}". It is written as in "16:9".`, ratioParam)
  }
  return { ...(ratio && { ratio }), ...(tier && { resolution: parseTier(tier) ?? tier }), ...first }
}

const cut = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}…` : text)

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

/** @throws GatewayError for a type or a quality that no picture is brought to. */
export function decodeOutput({ imageConfig, responseFormat }: GenerationConfig): Output {
  const { mimeType, compressionQuality } = imageConfig?.imageOutputOptions ?? {}
  const place = `${config}.image_config.image_output_options`
  if (mimeType || compressionQuality !== undefined) return outputOf(mimeType, compressionQuality, place)
  const { image } = responseFormat?.find(format => format.image) ?? {}
  return outputOf(image?.mimeType, undefined, `${config}.response_format[0].image`)
}

/** @throws GatewayError where it is no type that pictures are brought to. */
export function outputOf(mimeType: string | undefined, quality: number | undefined, place: string): Output {
  const format = formats.get(mimeType?.toLowerCase() ?? '')
  if (mimeType && !format) {
    const param = `${place}.mime_type`
    throw invalid(`Invalid value at '${param}', "${cut(mimeType)}". It is image/png, image/jpeg or image/webp.`, param)
  }
  if (quality !== undefined && (quality < 0 || quality > 100)) {
    const param = `${place}.compression_quality`
    throw invalid(`Invalid value at '${param}', ${quality}. It must be in the range [0, 100].`, param)
  }
  return { ...(format && { format }), ...(quality !== undefined && { compression: quality }) }
}

const formats = new Map<string, 'png' | 'jpeg' | 'webp'>([
  ['image/png', 'png'],
  ['image/jpeg', 'jpeg'],
  ['image/jpg', 'jpeg'],
  ['image/webp', 'webp'],
])

export function decodeMediaResolution({ mediaResolution }: GenerationConfig): MediaResolution | undefined {
  switch (mediaResolution) {
    case 'MEDIA_RESOLUTION_LOW':
      return 'low'
    case 'MEDIA_RESOLUTION_MEDIUM':
      return 'medium'
    case 'MEDIA_RESOLUTION_HIGH':
      return 'high'
    default:
      return undefined
  }
}

/** 0 is how proto3 says nothing. @throws GatewayError naming the field. */
export function decodeCount(count: number | undefined, param: string): number {
  if (!count) return 1
  if (count > 0 && count <= mostPictures) return count
  throw invalid(`Invalid value at '${param}', ${count}. It must be in the range [1, ${mostPictures}].`, param)
}
