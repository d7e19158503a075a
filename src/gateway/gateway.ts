/** The straight line of an exchange: model → limits → upstream → answer. Knows no HTTP library and no wire format. */
import { GatewayError } from '../images/error.ts'
import { tierOf } from '../images/geometry.ts'
import type { ImageRequest } from '../images/request.ts'
import { type Painting, sumUsage, type Usage } from '../images/result.ts'
import type { Resolution } from '../models/catalogue.ts'
import type { Addresses, ProtocolName, WireRequest } from '../protocols/protocol.ts'
import type { References } from '../references/references.ts'
import type { FailedAnswer, RelaySink } from '../upstreams/upstream.ts'
import { type AdmissionParts, createAdmission } from './admission.ts'
import { attempt } from './attempts.ts'
import { type CallParts, createCall } from './call.ts'
import type { ShowDraft } from './drafts.ts'
import { type Exchange, nameIgnored } from './exchange.ts'
import { fanOut, toldEarly } from './fan-out.ts'
import { openLinks, readersOf } from './links.ts'
import { type ChooseModel, createModelChoice, type ModelChoiceParts } from './model-choice.ts'
import { type HeldPaintings, paintHeld, paintStreamed } from './paint-call.ts'
import { nameThere, type Plan, plansFor } from './plans.ts'
import type { ModelChoice } from './routing.ts'

/** Pictures that lie in held documents until `release` is called. */
export interface PaintedAnswer {
  readonly paintings: readonly Painting[]
  readonly usage?: Usage
  release(): void
}

/** Is told of pictures while others are still painted: of a caller who asked for a stream. */
export interface Watcher {
  readonly draft: ShowDraft
  /** Finished pictures of one call. They are the watcher's to release, and no part of what `paint` returns. */
  painted(answer: PaintedAnswer): void
}

/** A call in the upstream's own protocol, for the model that its caller named. */
export interface RelayRequest {
  readonly protocol: ProtocolName
  /** The call as it goes up, once the model's name there and the addresses there are known. */
  encode(upstreamModel: string, addresses: Addresses, defaults: Resolution['defaults']): WireRequest
}

export interface GatewayParts extends ModelChoiceParts, AdmissionParts, CallParts {
  readonly references: References
}

export interface Gateway {
  /** Which model is meant, and who serves it. `asked`: null is the default model. @throws GatewayError `model-unknown`. */
  choose: ChooseModel
  /**
   * With a watcher, returns only what it was not told of: the last pictures to come, if any.
   * @throws GatewayError where no picture came; nothing is held then but drafts that are still shown.
   */
  paint(exchange: Exchange, choice: ModelChoice, request: ImageRequest, watcher?: Watcher): Promise<PaintedAnswer>
  /** @throws UpstreamRefusal where the upstream sent no 200; any other GatewayError, then the sink may have begun. */
  relay(exchange: Exchange, choice: ModelChoice, request: RelayRequest, sink: RelaySink): Promise<void>
}

/** A relayed call's error answer: what it means, and the bytes themselves, which the caller may be meant to see. */
export class UpstreamRefusal extends GatewayError {
  readonly answer: FailedAnswer

  constructor({ kind, message, facts }: GatewayError, answer: FailedAnswer) {
    super(kind, message, facts)
    this.answer = answer
  }
}

export function createGateway(parts: GatewayParts): Gateway {
  const chooseModel = createModelChoice(parts)
  const admitted = createAdmission(parts)
  const called = createCall(parts)
  const { references } = parts

  return {
    choose: (exchange, asked) => {
      const choice = chooseModel(exchange, asked)
      return exchange.dryRun?.chosen(choice) ?? choice
    },

    async paint(exchange, choice, request, watcher) {
      const plans = readersOf(request, plansFor(choice, request))
      const [best] = plans
      exchange.dryRun?.planned(best)
      const links = openLinks(request, references, exchange.signal)
      const paintSome = (count: number) =>
        attempt(plans, async plan => {
          const readable = await links.readableBy(plan.candidate.outbound)
          return paintShare(exchange, choice.resolution, plan, readable, count, watcher)
        })
      try {
        return await admitted(exchange, async () => {
          const counts = best ? shares(request.count, best) : []
          const told = new Set<HeldPaintings>()
          const tell = (share: readonly HeldPaintings[]) => {
            for (const answer of share) told.add(answer)
            watcher?.painted(together(share))
          }
          const answers = await fanOut(counts, watcher ? toldEarly(counts.length, paintSome, tell) : paintSome)
          const all = answers.flat()
          note(exchange, request, all)
          return together(all.filter(answer => !told.has(answer)))
        })
      } finally {
        links.release()
      }
    },

    async relay(exchange, { resolution, candidates }, request, sink) {
      const speakers = candidates.filter(candidate => candidate.protocol === request.protocol)
      return admitted(exchange, () =>
        attempt(speakers, candidate =>
          called(exchange, resolution, candidate, async frame => {
            const name = nameThere(candidate, resolution, resolution.defaults)
            const wire = request.encode(name, candidate.outbound, resolution.defaults)
            const refused = await candidate.upstream.relay({ ...frame, ...wire }, sink)
            if (refused) throw new UpstreamRefusal(candidate.outbound.decodeError(refused), refused)
          }),
        ),
      )
    },
  }

  /** Several pictures from one candidate: in one call where it can, else in calls side by side. */
  async function paintShare(
    exchange: Exchange,
    resolution: Resolution,
    plan: Plan,
    request: ImageRequest,
    count: number,
    watcher: Watcher | undefined,
  ): Promise<readonly HeldPaintings[]> {
    return fanOut(shares(count, plan), share => paintOnce(exchange, resolution, plan, request, share, watcher))
  }

  async function paintOnce(
    exchange: Exchange,
    resolution: Resolution,
    { candidate, target }: Plan,
    request: ImageRequest,
    count: number,
    watcher: Watcher | undefined,
  ): Promise<HeldPaintings> {
    const { ignored, ...wire } = candidate.outbound.encodeRequest(request, { ...target, count })
    nameIgnored(exchange, ignored)
    const fetchPicture = (url: string) => references.fetchAnswer(url, candidate.origin, exchange.signal)
    return called(exchange, resolution, candidate, frame => {
      const call = { ...frame, ...wire }
      if (!target.stream) return paintHeld(candidate, call, fetchPicture)
      const show = watcher?.draft ?? (async () => {})
      return paintStreamed(candidate, call, { most: target.stream.previews, show }, fetchPicture)
    })
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
