/** Brings the shape a caller asked for to what the model can paint, or says what the model has instead. */
import { GatewayError } from '../images/error.ts'
import { nearestRatio, nearestTier, parseRatio, parseTier, type Tier, tierOf } from '../images/geometry.ts'
import type { Shape } from '../images/request.ts'
import type { Defaults } from './catalogue.ts'
import type { Model } from './model.ts'

/** What is sent up; an absent half is the model's own choice. Of a model that is known, always names it has. */
export interface Fitted {
  readonly ratio?: string
  readonly resolution?: string
}

/** What the caller called each half, for the error: `aspect_ratio`, `imageSize`, `size`. */
export interface ShapeFields {
  readonly ratio: string
  readonly resolution: string
}

const usualFields: ShapeFields = { ratio: 'aspect_ratio', resolution: 'image_size' }
/** What every image model of the Gemini family paints; stands in where a model's own list is not known. */
const commonRatios = ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9']
/** Tiers that a model nobody knows may be asked for on the strength of a size in pixels: hardly any has 512. */
const commonTiers: readonly Tier[] = ['1K', '2K', '4K']

/**
 * A name must be one of the model's (else GatewayError `invalid-request` that lists them); pixels go to the nearest it has
 * and never fail. A half that is named counts, pixels stand in for one that is not, then come the defaults of the name the
 * model was asked by. With no model (unknown id) names pass on in upper case.
 */
export function fitShape(model: Model | null, shape: Shape, defaults: Defaults, fields = usualFields): Fitted {
  const ratio = fitRatio(model, shape, fields.ratio)
  const resolution = fitResolution(model, shape, defaults, fields.resolution)
  return { ...(ratio !== undefined && { ratio }), ...(resolution !== undefined && { resolution }) }
}

function fitRatio(model: Model | null, { ratio, pixels }: Shape, field: string): string | undefined {
  const has = model?.ratios ?? null
  if (ratio === undefined) return pixels && nearestRatio(pixels, has ?? commonRatios)
  if (!model) return ratio.toUpperCase()
  if (has === null ? isWithinBounds(model, ratio) : has.includes(ratio)) return ratio
  throw notHad(model, field, ratio, has ? has.join(', ') : boundsOf(model))
}

/** A model without a list takes any ratio its pixel rules allow. */
function isWithinBounds({ pixels }: Model, ratio: string): boolean {
  const value = parseRatio(ratio)
  if (value === null) return false
  return pixels?.kind !== 'free' || Math.max(value, 1 / value) <= pixels.maxRatio
}

function boundsOf({ pixels }: Model): string {
  return pixels?.kind === 'free' ? `any ratio from 1:${pixels.maxRatio} to ${pixels.maxRatio}:1` : 'ratios such as 16:9'
}

function fitResolution(model: Model | null, shape: Shape, defaults: Defaults, field: string): string | undefined {
  const has = model?.tiers ?? null
  if (shape.resolution !== undefined) return namedTier(model, shape.resolution, has, field)
  if (shape.pixels) return nearestTier(tierOf(shape.pixels), has ?? commonTiers)
  return defaults.resolution ?? soleTier(has)
}

/** Unasked, a model makes about 1K: but for one that is sold in another tier alone, and costs what that does. */
const soleTier = (has: readonly Tier[] | null) => (has?.length === 1 && has[0] !== '1K' ? has[0] : undefined)

function namedTier(model: Model | null, name: string, has: readonly Tier[] | null, field: string): string | undefined {
  const tier = parseTier(name)
  if (!model || has === null) return tier ?? name.toUpperCase()
  // Asked by its usual name for the only size there is; upstreams have no word for it.
  if (has.length === 0 && tier === '1K') return undefined
  if (tier && has.includes(tier)) return tier
  throw notHad(model, field, name, has.length > 0 ? has.join(', ') : 'one size, about 1K')
}

function notHad(model: Model, field: string, value: string, has: string): GatewayError {
  const shown = value.length > 40 ? `${value.slice(0, 40)}…` : value
  const sentence = `Invalid value for '${field}': '${shown}'. The model ${model.id} has: ${has}.`
  return new GatewayError('invalid-request', sentence, { param: field, code: 'invalid_value' })
}
