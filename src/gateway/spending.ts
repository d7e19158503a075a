/** What a request will cost its caller, and what it came to: images, tokens, money. */
import { type ImageRequest, isLink, type Reference } from '../images/request.ts'
import type { Demand } from '../limits/rules.ts'
import type { Resolution } from '../models/catalogue.ts'
import { actualMicroUsd, type CallWanted, estimateMicroUsd, estimateTokens, wordsMicroUsd } from '../models/cost.ts'
import type { ExchangeRecord } from '../telemetry/record.ts'
import type { Plan } from './plans.ts'

export interface Spending {
  readonly resolution: Pick<Resolution, 'id' | 'model'>
  readonly wanted: CallWanted
  /** How the caller spelt fields; absent: as they are called here. */
  readonly spelling?: ImageRequest['spelling']
}

/** Of a request that is translated; the best plan says at which size it will be painted. */
export function wantedOf(request: ImageRequest, best: Plan | undefined): CallWanted {
  const { prompt, system = '', turns, images, mask, count, search, shape, extras } = request
  // A tier by name stands in for that half of a size in pixels.
  const pixels = shape.resolution === undefined ? shape.pixels : undefined
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

/** What is reserved of its caller's limits before it is painted. */
export function demandOf({ resolution: { model }, wanted }: Spending): Demand {
  if (wanted.count === 0) return { images: 0, tokens: 0, microUsd: 0 }
  return {
    images: wanted.count,
    tokens: estimateTokens(model, wanted),
    microUsd: model && estimateMicroUsd(model, wanted),
  }
}

/** What an exchange's pictures came to. Absent: nobody knows. */
export interface Spent {
  readonly images: number
  readonly tokens?: number
  readonly microUsd?: number
}

/** Of an exchange whose pictures were painted. */
export function spentBy({ resolution: { model }, wanted }: Spending, { images, usage }: ExchangeRecord): Spent {
  const microUsd = wanted.count === 0 ? 0 : model && actualMicroUsd(model, usage, { ...wanted, count: images })
  return { images, ...(usage && { tokens: usage.totalTokens }), ...(microUsd !== null && { microUsd }) }
}

/** Of an exchange whose caller left while its pictures came: as guessed, for those that had begun to. Null: none had. */
export function begunOf({ resolution, wanted }: Spending, { begun }: ExchangeRecord): Spent | null {
  if (begun === 0) return null
  const { images, tokens, microUsd } = demandOf({ resolution, wanted: { ...wanted, count: begun } })
  return { images, tokens, ...(microUsd !== null && { microUsd }) }
}

/**
 * What upstreams bill for an exchange, whatever came of it, in micro-USD: for its pictures, also where they could not be
 * delivered; and for the tokens of calls that gave none. Undefined: nothing, or nobody knows. `spent`: null where no pictures
 * were painted.
 */
export function billedFor(spending: Spending, record: ExchangeRecord, spent: Spent | null): number | undefined {
  const { model } = spending.resolution
  const ofWords = [...record.usageOfFailures, ...(!spent && record.usage ? [record.usage] : [])]
  const costs = [spent?.microUsd, ...ofWords.map(usage => (model ? wordsMicroUsd(model, usage) : null))].filter(
    cost => typeof cost === 'number',
  )
  return costs.length === 0 ? undefined : costs.reduce((sum, cost) => sum + cost, 0)
}
