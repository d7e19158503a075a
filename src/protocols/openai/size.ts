/** The picture's shape as OpenAI takes it, `1536x1024`: from whatever half of it the caller named to a size the model has. */
import { GatewayError } from '../../images/error.ts'
import { type Pixels, parseRatio, parseTier, type Tier } from '../../images/geometry.ts'
import type { Shape } from '../../images/request.ts'
import type { PixelRules } from '../../models/model.ts'

type FreeRules = Extract<PixelRules, { kind: 'free' }>

export interface WantedShape {
  /** As the caller said it. */
  readonly asked: Shape
  /** As fitted to the model: names it has. */
  readonly ratio?: string | undefined
  readonly resolution?: string | undefined
  /** Where the caller named the tier, for errors. Absent: in `size`. */
  readonly tierField?: string | undefined
}

/**
 * Undefined: the caller left it to the model. Without rules (a model nobody knows) nothing is moved: its upstream decides.
 * @throws GatewayError for a tier that can't be told in pixels.
 */
export function sizeFor(wanted: WantedShape, rules: PixelRules | undefined): string | undefined {
  const pixels = rules?.kind === 'fixed' ? fixedSize(wanted, rules.sizes) : freeSize(wanted, rules)
  return pixels && `${pixels.width}x${pixels.height}`
}

/** The size whose ratio is nearest. A tier alone says nothing to a model that has one size of each ratio. */
function fixedSize(wanted: WantedShape, sizes: readonly Pixels[]): Pixels | undefined {
  const ratio = ratioOf(wanted)
  if (ratio === undefined) return undefined
  const distance = ({ width, height }: Pixels) => Math.abs(Math.log(width / height / ratio))
  return sizes.toSorted((a, b) => distance(a) - distance(b))[0]
}

function freeSize(wanted: WantedShape, rules: FreeRules | undefined): Pixels | undefined {
  const { asked, resolution } = wanted
  const ratio = ratioOf(wanted)
  if (ratio === undefined && resolution === undefined) return undefined
  checkTier(wanted)
  const exact = exactSize(wanted)
  if (!rules || (exact && isLegal(exact, rules))) return exact ?? roundedSize(ratio ?? 1, tierArea(resolution))
  const area = asked.pixels && !asked.resolution ? areaOf(asked.pixels) : tierArea(resolution)
  return nearestLegal(ratio ?? 1, area, rules)
}

/** The ratio in numbers: as named, else as it follows from the pixels. */
function ratioOf({ asked, ratio }: WantedShape): number | undefined {
  if (asked.pixels && !asked.ratio) return asked.pixels.width / asked.pixels.height
  return (ratio && parseRatio(ratio)) || undefined
}

/** What was asked in pixels; or for a ratio and a tier, what the models paint that have both by name. */
function exactSize({ asked, ratio, resolution }: WantedShape): Pixels | undefined {
  if (asked.pixels && !asked.ratio && !asked.resolution) return asked.pixels
  if (asked.pixels && !asked.ratio) return undefined
  const listed = pixelsAt1K[ratio ?? '1:1']
  const scale = scaleOf(resolution)
  return listed && { width: listed[0] * scale, height: listed[1] * scale }
}

/** Of the Gemini family at 1K; its other tiers are a half, twice and four times as long. Source: Google's guide to image generation. */
const pixelsAt1K: Readonly<Record<string, readonly [number, number]>> = {
  '1:1': [1024, 1024],
  '1:4': [512, 2048],
  '1:8': [384, 3072],
  '2:3': [848, 1264],
  '3:2': [1264, 848],
  '3:4': [896, 1200],
  '4:1': [2048, 512],
  '4:3': [1200, 896],
  '4:5': [928, 1152],
  '5:4': [1152, 928],
  '8:1': [3072, 384],
  '9:16': [768, 1376],
  '16:9': [1376, 768],
  '21:9': [1584, 672],
}

const lengths: Readonly<Record<Tier, number>> = { '512': 0.5, '1K': 1, '2K': 2, '4K': 4 }

const scaleOf = (resolution = '1K') => lengths[parseTier(resolution) ?? '1K']

function checkTier({ resolution, tierField = 'size' }: WantedShape): void {
  if (resolution === undefined || parseTier(resolution)) return
  const values = Object.keys(lengths).join(', ')
  const sentence = `Invalid value for '${tierField}': '${resolution}'. Supported values are: ${values}.`
  throw new GatewayError('invalid-request', sentence, { param: tierField, code: 'invalid_value' })
}

const tierArea = (resolution: string | undefined) => (1024 * scaleOf(resolution)) ** 2
const areaOf = ({ width, height }: Pixels) => width * height
const usualStep = 16

function roundedSize(ratio: number, area: number): Pixels {
  const round = (side: number) => Math.max(1, Math.round(side / usualStep)) * usualStep
  return { width: round(Math.sqrt(area * ratio)), height: round(Math.sqrt(area / ratio)) }
}

export function isLegal({ width, height }: Pixels, rules: FreeRules): boolean {
  const { multipleOf, maxRatio, maxSide, minPixels, maxPixels } = rules
  const [long, short] = [Math.max(width, height), Math.min(width, height)]
  const area = width * height
  if (width % multipleOf !== 0 || height % multipleOf !== 0) return false
  return long <= short * maxRatio && long <= maxSide && area >= minPixels && area <= maxPixels
}

// Steps around the ideal width that are looked at: where the bounds meet, the nearest legal size lies some steps off.
const reach = 4
// How much the area counts beside the ratio: a picture may rather be a little smaller than be of another shape.
const areaWeight = 0.05

/** The size within the bounds that comes nearest in ratio and, as far as that allows, in area. */
function nearestLegal(wantedRatio: number, wantedArea: number, rules: FreeRules): Pixels {
  const { multipleOf, maxRatio, maxSide, minPixels, maxPixels } = rules
  const ratio = Math.min(maxRatio, Math.max(1 / maxRatio, wantedRatio))
  const mostBySide = maxSide ** 2 / Math.max(ratio, 1 / ratio)
  const area = Math.min(maxPixels, mostBySide, Math.max(minPixels, wantedArea))
  const cost = ({ width, height }: Pixels) =>
    Math.abs(Math.log(width / height / ratio)) + areaWeight * Math.abs(Math.log((width * height) / area))
  const candidates = stepsAround(Math.sqrt(area * ratio), multipleOf).flatMap(width =>
    stepsAround(width / ratio, multipleOf).map(height => ({ width, height })),
  )
  const legal = candidates.filter(size => isLegal(size, rules)).toSorted((a, b) => cost(a) - cost(b))
  return legal[0] ?? roundedSize(ratio, area)
}

function stepsAround(side: number, step: number): readonly number[] {
  const middle = Math.round(side / step)
  return Array.from({ length: 2 * reach + 1 }, (_, index) => (middle - reach + index) * step).filter(value => value > 0)
}
