/** All pictures of one request: calls side by side, each tried at the candidates in turn, and what they came to. */
import { tierOf } from '../images/geometry.ts'
import type { ImageRequest } from '../images/request.ts'
import { type Painting, sumUsage, type Usage } from '../images/result.ts'
import { isThere } from '../images/soon.ts'
import type { Resolution } from '../models/catalogue.ts'
import type { References } from '../references/references.ts'
import { attempt, isUnsent } from './attempts.ts'
import type { Call, CallFrame } from './call.ts'
import type { ShowDraft } from './drafts.ts'
import { type Exchange, nameIgnored } from './exchange.ts'
import { fanOut, toldEarly } from './fan-out.ts'
import type { RequestLinks } from './links.ts'
import { type Commission, requestFor } from './masked-edit.ts'
import { type HeldPaintings, paintHeld, paintStreamed } from './paint-call.ts'
import { mostShown, type Plan } from './plans.ts'
import { createRetouching, type Retouch, type RetouchParts } from './retouch.ts'

/** Pictures that lie in held documents until `release` is called. */
export interface PaintedAnswer {
  readonly paintings: readonly Painting[]
  readonly usage?: Usage
  /** Of pictures that were stored: the caller was not told of them, and they are taken away. Never rejects. */
  withdraw?(): Promise<void>
  release(): void
}

/** Is told of pictures while others are still painted: of a caller who asked for a stream. */
export interface Watcher {
  readonly draft: ShowDraft
  /** Finished pictures of one call. They are the watcher's to release, and no part of what `paint` returns. */
  painted(answer: PaintedAnswer): void
}

export interface PaintingParts extends RetouchParts {
  readonly references: References
  readonly called: Call
}

/** What is to be painted, for whom and by whom. */
export interface Order {
  readonly exchange: Exchange
  readonly resolution: Resolution
  readonly request: ImageRequest
  /** At least one, best first. */
  readonly plans: readonly Plan[]
  readonly links: RequestLinks
  readonly watcher: Watcher | undefined
}

/** @throws GatewayError where no picture came. */
export type PaintAll = (order: Order) => Promise<PaintedAnswer>

export function createPainting(parts: PaintingParts): PaintAll {
  const { references, called } = parts
  const startRetouch = createRetouching(parts)

  return async order => {
    const { exchange, request, links, watcher } = order
    const retouch = await startRetouch({ ...order, signal: exchange.signal })
    const { commissions } = retouch
    const [best] = commissions

    const paintSome = (count: number) =>
      attempt(commissions, exchange.patience !== null, async (commission, waits) => {
        const { outbound } = commission.candidate
        const readable = links.readableBy(outbound, mostShown(commission))
        const shown = requestFor(commission, isThere(readable) ? readable : await readable)
        return paintShare({ ...order, request: shown }, commission, retouch, count, waits)
      })
    const told = new Set<HeldPaintings>()
    const tell = (share: readonly HeldPaintings[]) => {
      for (const answer of share) told.add(answer)
      watcher?.painted(together(share))
    }
    try {
      const counts = best ? shares(request.count, best) : []
      const answers = await fanOut(counts, watcher ? toldEarly(counts.length, paintSome, tell) : paintSome)
      const all = answers.flat()
      note(exchange, request, all)
      return together(all.filter(answer => !told.has(answer)))
    } finally {
      retouch.end()
    }
  }

  /** Several pictures from one candidate: in one call where it can, else in calls side by side. */
  function paintShare(order: Order, commission: Commission, retouch: Retouch, count: number, waits: boolean) {
    return fanOut(shares(count, commission), share => paintOnce(order, commission, retouch, share, waits))
  }

  async function paintOnce(
    { exchange, resolution, request, watcher }: Order,
    commission: Commission,
    retouch: Retouch,
    count: number,
    waits: boolean,
  ): Promise<HeldPaintings> {
    const { candidate, target } = commission
    const { ignored, ...wire } = candidate.outbound.encodeRequest(request, { ...target, count })
    const unname = nameIgnored(exchange, [...ignored, ...commission.ignored])
    const fetchPicture = (url: string) => references.fetchAnswer(url, candidate.origin, exchange.signal)
    const paint = (frame: CallFrame) => {
      const call = { ...frame, ...wire }
      if (!target.stream) return paintHeld(candidate, call, fetchPicture)
      const show = watcher?.draft ?? (async () => {})
      return paintStreamed(candidate, call, { most: target.stream.previews, show }, fetchPicture)
    }
    try {
      return retouch.finish(await called(exchange, resolution, candidate, paint, count, waits), commission)
    } catch (error) {
      // Another candidate may know them.
      if (isUnsent(error)) unname()
      throw error
    }
  }
}

/** As many pictures as one call gives, as often as it takes: 7 in shares of at most 3 are 3, 3 and 1. */
function shares(count: number, { candidate, target }: Plan): readonly number[] {
  // A stream is for one picture: no event says which of several its draft is of.
  const most = target.stream ? 1 : candidate.outbound.mostPerCall(target.model)
  return Array.from({ length: Math.ceil(count / most) }, (_, index) => Math.min(most, count - index * most))
}

/** What all calls came to, for the records. */
function note({ headers, record }: Exchange, { count }: ImageRequest, answers: readonly HeldPaintings[]): void {
  const paintings = answers.flatMap(answer => answer.paintings)
  const usage = sumUsage(answers.flatMap(answer => answer.usage ?? []))
  if (count > 1) headers.set('x-plantain-images', `${paintings.length}/${count}`)
  record.images = paintings.length
  record.resolution = resolutionOf(paintings[0])
  if (usage) record.usage = usage
}

/** The answers of several calls as one. */
function together(answers: readonly HeldPaintings[]): PaintedAnswer {
  const usage = sumUsage(answers.flatMap(answer => answer.usage ?? []))
  return {
    paintings: answers.flatMap(answer => answer.paintings),
    ...(usage && answers.every(answer => answer.usage) && { usage }),
    release: () => {
      for (const answer of answers) answer.release()
    },
  }
}

const resolutionOf = (painting: Painting | undefined) => (painting?.pixels ? tierOf(painting.pixels) : null)
