/** What a request will cost its caller, and what it came to: images, tokens, money. */
import { type ImageRequest, isLink, type Reference } from '../images/request.ts'
import type { Demand } from '../limits/rules.ts'
import type { Resolution } from '../models/catalogue.ts'
import { actualMicroUsd, type CallWanted, estimateMicroUsd, estimateTokens } from '../models/cost.ts'
import type { ExchangeRecord } from '../telemetry/record.ts'
import type { Plan } from './plans.ts'

export interface Spending {
  readonly resolution: Pick<Resolution, 'id' | 'model'>
  readonly wanted: CallWanted
}

/** Of a request that is translated; the best plan says at which size it will be painted. */
export function wantedOf(request: ImageRequest, best: Plan | undefined): CallWanted {
  const { prompt, system = '', turns, images, mask, count, search, shape, extras } = request
  const { pixels } = shape
  const quality = extras.fields.get('quality')
  const resolution = best?.target.resolution
  const pictures: readonly Reference[] = [...images, ...turns.flatMap(turn => turn.images), ...(mask ? [mask] : [])]
  return {
    promptChars: [prompt, system, ...turns.map(({ text }) => text)].reduce((sum, text) => sum + text.length, 0),
    references: new Set(pictures.map(picture => (isLink(picture) ? picture.url : picture))).size,
    count,
    search,
    ...(resolution !== undefined && { resolution }),
    ...(pixels && { size: `${pixels.width}x${pixels.height}` }),
    ...(typeof quality === 'string' && { quality }),
  }
}

export function demandOf({ resolution: { model }, wanted }: Spending): Demand {
  if (wanted.count === 0) return { images: 0, tokens: 0, microUsd: 0 }
  return {
    images: wanted.count,
    tokens: estimateTokens(model, wanted),
    microUsd: model && estimateMicroUsd(model, wanted),
  }
}

/** Of an exchange that went well. Absent: nobody knows. */
export function spentBy({ resolution: { model }, wanted }: Spending, { images, usage }: ExchangeRecord) {
  const microUsd = wanted.count === 0 ? 0 : model && actualMicroUsd(model, usage, { ...wanted, count: images })
  return { images, ...(usage && { tokens: usage.totalTokens }), ...(microUsd !== null && { microUsd }) }
}
