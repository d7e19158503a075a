/** The file type in the ways Google's callers say it. */
import type { ImageRequest } from '../../images/request.ts'
import type { GenerationConfig } from './config-wire.ts'
import { invalid } from './fields.ts'
import { onlyFormat } from './format.ts'
import { agreed, type Said, shortened } from './said.ts'

const outputPlace = 'generation_config.image_config.image_output_options'
export const qualityPlace = `${outputPlace}.compression_quality`

type Output = Pick<ImageRequest, 'format' | 'compression'>

/** @throws GatewayError for a type or a quality that no picture is brought to, or for two types. */
export function decodeOutput(config: GenerationConfig): Output {
  const quality = config.imageConfig?.imageOutputOptions?.compressionQuality
  return outputOf(typeIn(config), { said: quality, place: qualityPlace })
}

export function typeIn({ imageConfig, responseFormat }: GenerationConfig): Said {
  const { image, place } = onlyFormat(responseFormat)
  return agreed(
    { said: usualName(imageConfig?.imageOutputOptions?.mimeType), place: `${outputPlace}.mime_type` },
    { said: usualName(image?.mimeType), place: `${place}.mime_type` },
  )
}

/** @throws GatewayError where it is no type that pictures are brought to, or no quality. */
export function outputOf(type: Said, quality: Said<number>): Output {
  const format = formats.get(usualName(type.said) ?? '')
  if (type.said && !format) {
    const sentence = `Invalid value at '${type.place}', "${shortened(type.said)}". It is image/png, image/jpeg or image/webp.`
    throw invalid(sentence, type.place)
  }
  if (quality.said !== undefined && (quality.said < 0 || quality.said > 100)) {
    const sentence = `Invalid value at '${quality.place}', ${quality.said}. It must be in the range [0, 100].`
    throw invalid(sentence, quality.place)
  }
  return { ...(format && { format }), ...(quality.said !== undefined && { compression: quality.said }) }
}

const usualName = (mimeType: string | undefined) => mimeType?.toLowerCase().replace(/^image\/jpg$/, 'image/jpeg')

const formats = new Map<string, 'png' | 'jpeg' | 'webp'>([
  ['image/png', 'png'],
  ['image/jpeg', 'jpeg'],
  ['image/webp', 'webp'],
])
