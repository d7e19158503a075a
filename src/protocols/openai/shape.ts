/** The picture's shape in all the ways callers say it: ratio, tier, pixels, each half in a field of its own. */
import { parsePixels, parseRatio, parseTier } from '../../images/geometry.ts'
import type { MediaResolution, Shape } from '../../images/request.ts'
import { type CheckedFields, invalid } from './fields.ts'

/**
 * `aspect_ratio` and `image_size` each replace their half of `size`.
 * @throws GatewayError where a field is none of its kind, or two that mean the same differ.
 */
export function decodeShape(checked: CheckedFields): Shape {
  const size = decodeSize(checked)
  const ratio = decodeRatio(checked) ?? size.ratio
  const resolution = decodeResolution(checked) ?? size.resolution
  const pixels = size.pixels
  return { ...(ratio && { ratio }), ...(resolution && { resolution }), ...(pixels && { pixels }) }
}

const given = (text: string | null | undefined) => (text == null || text === 'auto' ? undefined : text)

function decodeRatio({ fields, spelt }: CheckedFields): string | undefined {
  const ratio = given(fields.aspect_ratio)
  if (ratio === undefined || parseRatio(ratio)) return ratio
  const sentence = `Invalid value: '${ratio}'. An aspect ratio is written width:height, such as '16:9'.`
  throw invalid(sentence, spelt('aspect_ratio'))
}

function decodeResolution({ fields, spelt }: CheckedFields): string | undefined {
  const [imageSize, resolution] = [given(fields.image_size), given(fields.resolution)].map(
    text => text && (parseTier(text) ?? text),
  )
  if (!imageSize || !resolution || imageSize === resolution) return imageSize ?? resolution
  const [one, other] = [spelt('image_size'), spelt('resolution')]
  throw invalid(
    `'${one}' (${imageSize}) and '${other}' (${resolution}) mean the same and differ. Send one of them.`,
    one,
  )
}

// As much as 'width' and 'height' may say.
const longestSide = 65_535

/** What `size` says, or `width` and `height` in its place: pixels, and by some also a ratio or a tier. */
function decodeSize(checked: CheckedFields): Shape {
  const { fields, spelt } = checked
  const size = given(fields.size)
  const sides = decodeSides(checked)
  if (size === undefined) return sides ? { pixels: sides } : {}
  const pixels = parsePixels(size)
  if (sides && !(pixels && pixels.width === sides.width && pixels.height === sides.height)) {
    const both = `'${spelt('width')}' and '${spelt('height')}' (${sides.width}x${sides.height})`
    throw invalid(`'size' (${size}) and ${both} mean the same and differ. Send one of them.`, 'size')
  }
  if (pixels && Math.max(pixels.width, pixels.height) <= longestSide) return { pixels }
  const tier = parseTier(size)
  if (tier) return { resolution: tier }
  if (parseRatio(size)) return { ratio: size }
  throw invalid(
    `Invalid value: '${size}'. A size is written WIDTHxHEIGHT, such as '1024x1536'; '16:9', '2K' and 'auto' are taken too.`,
    'size',
  )
}

function decodeSides({ fields: { width, height }, spelt }: CheckedFields): Shape['pixels'] {
  if (width == null && height == null) return undefined
  if (width != null && height != null) return { width, height }
  const sentence = `'${spelt('width')}' and '${spelt('height')}' only work together.`
  throw invalid(sentence, spelt(width == null ? 'width' : 'height'))
}

/** @throws GatewayError for a word that is none of its own. */
export function decodeMediaResolution({ fields, spelt }: CheckedFields): MediaResolution | undefined {
  const text = fields.media_resolution
  if (text == null) return undefined
  const name = text.toUpperCase().replace(/^MEDIA_RESOLUTION_/, '')
  if (name === 'LOW') return 'low'
  if (name === 'MEDIUM') return 'medium'
  if (name === 'HIGH') return 'high'
  if (name === 'UNSPECIFIED') return undefined
  const values = 'MEDIA_RESOLUTION_LOW, MEDIA_RESOLUTION_MEDIUM, MEDIA_RESOLUTION_HIGH'
  throw invalid(`Invalid value: '${text}'. Supported values are: ${values}.`, spelt('media_resolution'))
}
