/** What each candidate would be asked for: its own name of the model, and a shape that it can paint. */
import { GatewayError } from '../images/error.ts'
import { parseRatio } from '../images/geometry.ts'
import type { ImageRequest, Shape } from '../images/request.ts'
import type { Resolution } from '../models/catalogue.ts'
import { checkRequest, checkShownMask } from '../models/check.ts'
import { fitShape } from '../models/fit.ts'
import type { Model } from '../models/model.ts'
import { narrowed } from '../models/narrow.ts'
import type { Target } from '../protocols/protocol.ts'
import type { Candidate, ModelChoice } from './routing.ts'

export interface Plan {
  readonly candidate: Candidate
  /** For all pictures that the caller wants. */
  readonly target: Target
}

/**
 * One for each candidate that can do what is asked: those who would be shown only some of a chat's pictures are passed over, unless
 * all would. @throws GatewayError of the first candidate where none can.
 */
export function plansFor({ resolution, candidates }: ModelChoice, request: ImageRequest): readonly Plan[] {
  const plans: Plan[] = []
  let refusal: unknown
  for (const candidate of candidates) {
    try {
      plans.push({ candidate, target: targetOf(candidate, resolution, request) })
    } catch (error) {
      refusal ??= error
    }
  }
  if (plans.length === 0) throw refusal
  const whole = plans.filter(plan => isShownAll(plan, request))
  return whole.length > 0 ? whole : plans
}

/**
 * How many of a chat's pictures go up; undefined: all. OpenAI's form has no turns: there they are references, and the eldest stay
 * behind where they are too many.
 */
export const mostShown = ({ candidate, target }: Plan): number | undefined =>
  candidate.protocol === 'openai' ? target.references : undefined

function isShownAll(plan: Plan, { turns, images }: ImageRequest): boolean {
  const most = mostShown(plan) ?? Number.POSITIVE_INFINITY
  return images.length + turns.flatMap(turn => turn.images).length <= most
}

/** @throws GatewayError for what the candidate can't be asked for. */
export function targetOf(candidate: Candidate, resolution: Resolution, request: ImageRequest): Target {
  const { id, model, defaults } = resolution
  const offered = model && narrowed(model, candidate.dialect.boundsOf(id))
  checkRequest(offered, request)
  if (!candidate.outbound.masks) checkShownMask(offered, request)
  const shape = fitShape(offered, wantedShape(offered, request), defaults, shapeFields(request))
  const pixels = offered?.pixels
  const name = nameThere(candidate, resolution, shape)
  const stream = streamFor(candidate, name, request)
  const references = offered?.references ?? undefined
  return {
    ...shape,
    ...(pixels && { pixels }),
    ...(references !== undefined && { references }),
    ...(stream && { stream }),
    model: name,
    count: request.count,
  }
}

/** Drafts are worth a stream, and nothing else: a whole answer has its length said before, and costs less. */
function streamFor({ outbound }: Candidate, model: string, request: ImageRequest): Target['stream'] {
  const { stream } = request
  return stream && stream.previews > 0 && outbound.canStream(model, request) ? stream : undefined
}

/** Gemini's callers name a ratio and a tier as Gemini's models have them: one that has a few fixed sizes gives the nearest ratio. */
function wantedShape(model: Model | null, { extras, shape }: ImageRequest): Shape {
  if (extras.protocol !== 'gemini' || model?.pixels?.kind !== 'fixed' || shape.pixels) return shape
  const { ratio: named, ...tier } = shape
  const ratio = named && parseRatio(named)
  return ratio ? { ...tier, pixels: { width: 1024 * Math.sqrt(ratio), height: 1024 / Math.sqrt(ratio) } } : tier
}

/** What errors about the shape should name: the fields the caller used. */
const shapeFields = ({ spelling }: ImageRequest) => ({
  ratio: spelling.get('aspect_ratio') ?? (spelling.has('size') ? 'size' : 'aspect_ratio'),
  resolution: spelling.get('image_size') ?? spelling.get('resolution') ?? 'size',
})

/**
 * The upstream's own name of a model. An operator's word goes before the dialect's.
 * @throws GatewayError where the upstream does not sell the model at this tier.
 */
export function nameThere(
  { modelNames, dialect, upstream }: Candidate,
  { id, asked, model }: Resolution,
  { resolution }: { readonly resolution?: string | undefined },
): string {
  const name = modelNames.nameOf({ asked, id, model }) ?? (model ? dialect.nameOf(model, resolution) : id)
  if (name !== undefined) return name
  const sentence = `Invalid value for 'image_size': '${resolution ?? 'auto'}'. The upstream ${upstream.name} has ${id} at other sizes only.`
  throw new GatewayError('invalid-request', sentence, { param: 'image_size', code: 'invalid_value' })
}
