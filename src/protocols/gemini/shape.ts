/** The picture's shape in the ways Google's callers say it, and what else there is to choose. */
import { parseRatio } from '../../images/geometry.ts'
import { type MediaResolution, mostPictures, type Shape } from '../../images/request.ts'
import type { GenerationConfig } from './config-wire.ts'
import { invalid } from './fields.ts'
import { onlyFormat, ratioWord, sizeWord, tierOf } from './format.ts'
import { agreed, type Said, shortened } from './said.ts'

const imagePlace = 'generation_config.image_config'

/** @throws GatewayError naming a field that is none of its kind, or that differs from its twin in the other place. */
export function decodeShape(config: GenerationConfig): Shape {
  const { image, place } = onlyFormat(config.responseFormat)
  const delivery = image?.delivery
  if (delivery && !/(?:INLINE|UNSPECIFIED)$/i.test(delivery)) {
    const sentence = /URI$/i.test(delivery)
      ? 'URI delivery is not supported for this model: pictures come inline.'
      : `Invalid value at '${place}.delivery', "${shortened(delivery)}". It is INLINE.`
    throw invalid(sentence, `${place}.delivery`)
  }
  return shapeOf(ratioIn(config), tierIn(config))
}

export function ratioIn({ imageConfig, responseFormat }: GenerationConfig): Said {
  const { image, place } = onlyFormat(responseFormat)
  return agreed(
    { said: imageConfig?.aspectRatio, place: `${imagePlace}.aspect_ratio` },
    { said: ratioWord(image?.aspectRatio), place: `${place}.aspect_ratio` },
  )
}

export function tierIn({ imageConfig, responseFormat }: GenerationConfig): Said {
  const { image, place } = onlyFormat(responseFormat)
  return agreed(
    { said: tierOf(imageConfig?.imageSize), place: `${imagePlace}.image_size` },
    { said: tierOf(sizeWord(image?.imageSize)), place: `${place}.image_size` },
  )
}

/** @throws GatewayError naming a ratio that is none. */
export function shapeOf(ratio: Said, tier: Said): Shape {
  if (ratio.said && !parseRatio(ratio.said)) {
    throw invalid(
      `Invalid value at '${ratio.place}', "${shortened(ratio.said)}". It is written as in "16:9".`,
      ratio.place,
    )
  }
  return { ...(ratio.said && { ratio: ratio.said }), ...(tier.said && { resolution: tier.said }) }
}

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
