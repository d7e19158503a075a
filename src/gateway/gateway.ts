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
import { collect } from './collect.ts'
import { type Exchange, nameIgnored } from './exchange.ts'
import { fanOut } from './fan-out.ts'
import { openLinks, type RequestLinks, readersOf } from './links.ts'
import { type Commission, requestFor } from './masked-edit.ts'
import { type ChooseModel, createModelChoice, type ModelChoiceParts } from './model-choice.ts'
import { nameThere, type Plan, plansFor } from './plans.ts'
import { createRetouching, type HeldPaintings, type Retouch, type RetouchParts } from './retouch.ts'
import type { Candidate, ModelChoice } from './routing.ts'

/** Pictures that lie in held documents until `release` is called. */
export interface PaintedAnswer {
  readonly paintings: readonly Painting[]
  readonly usage?: Usage
  release(): void
}

/** A call in the upstream's own protocol, for the model that its caller named. */
export interface RelayRequest {
  readonly protocol: ProtocolName
  /** Can this upstream of the protocol be given the call as it came? `model`: its own name. Absent: each can. */
  suits?(addresses: Addresses, model: string): boolean
  /** The call as it goes up, once the model's name there and the addresses there are known. */
  encode(upstreamModel: string, addresses: Addresses, defaults: Resolution['defaults']): WireRequest
}

export interface GatewayParts extends ModelChoiceParts, AdmissionParts, CallParts, RetouchParts {
  readonly references: References
}

export interface Gateway {
  /** Which model is meant, and who serves it. `asked`: null is the default model. @throws GatewayError `model-unknown`. */
  choose: ChooseModel
  /** @throws GatewayError; nothing is held then. */
  paint(exchange: Exchange, choice: ModelChoice, request: ImageRequest): Promise<PaintedAnswer>
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
  const startRetouch = createRetouching(parts)
  const { references } = parts

  return {
    choose: (exchange, asked) => {
      const choice = chooseModel(exchange, asked)
      return exchange.dryRun?.chosen(choice) ?? choice
    },

    async paint(exchange, choice, request) {
      const plans = readersOf(request, plansFor(choice, request))
      const links = openLinks(request, references, exchange.signal)
      try {
        return await admitted(exchange, () => paintAll(exchange, choice.resolution, plans, request, links))
      } finally {
        links.release()
      }
    },

    async relay(exchange, { resolution, candidates }, request, sink) {
      const nameAt = (candidate: Candidate) => nameThere(candidate, resolution, resolution.defaults)
      const speakers = candidates.filter(
        candidate =>
          candidate.protocol === request.protocol && (request.suits?.(candidate.outbound, nameAt(candidate)) ?? true),
      )
      return admitted(exchange, () =>
        attempt(speakers, candidate =>
          called(exchange, resolution, candidate, async frame => {
            const wire = request.encode(nameAt(candidate), candidate.outbound, resolution.defaults)
            const refused = await candidate.upstream.relay({ ...frame, ...wire }, sink)
            if (refused) throw new UpstreamRefusal(candidate.outbound.decodeError(refused), refused)
          }),
        ),
      )
    },
  }

  async function paintAll(
    exchange: Exchange,
    resolution: Resolution,
    plans: readonly Plan[],
    request: ImageRequest,
    links: RequestLinks,
  ): Promise<PaintedAnswer> {
    const retouch = await startRetouch({ resolution, plans, request, links, signal: exchange.signal })
    try {
      const [best] = retouch.commissions
      exchange.dryRun?.planned(best)
      const answers = await fanOut(best ? shares(request.count, best) : [], count =>
        attempt(retouch.commissions, async commission => {
          const readable = requestFor(commission, await links.readableBy(commission.candidate.outbound))
          return paintShare(exchange, resolution, commission, readable, retouch, count)
        }),
      )
      return together(exchange, request, answers.flat())
    } finally {
      retouch.end()
    }
  }

  /** Several pictures from one candidate: in one call where it can, else in calls side by side. */
  async function paintShare(
    exchange: Exchange,
    resolution: Resolution,
    commission: Commission,
    request: ImageRequest,
    retouch: Retouch,
    count: number,
  ): Promise<readonly HeldPaintings[]> {
    return fanOut(shares(count, commission), share =>
      paintOnce(exchange, resolution, commission, request, retouch, share),
    )
  }

  async function paintOnce(
    exchange: Exchange,
    resolution: Resolution,
    commission: Commission,
    request: ImageRequest,
    retouch: Retouch,
    count: number,
  ): Promise<HeldPaintings> {
    const { candidate, target, ignored } = commission
    const { outbound } = candidate
    const { ignored: notUnderstood, ...wire } = outbound.encodeRequest(request, { ...target, count })
    nameIgnored(exchange, [...notUnderstood, ...ignored])
    const painted = await called(exchange, resolution, candidate, async frame => {
      const answer = await candidate.upstream.hold({ ...frame, ...wire }, outbound.superseded)
      if (!answer.ok) throw outbound.decodeError(answer)
      try {
        const fetchPicture = (url: string) => references.fetchAnswer(url, candidate.origin, frame.signal)
        const collected = await collect(await outbound.decodeResult(answer), fetchPicture)
        return {
          ...collected,
          release: () => {
            collected.release()
            answer.release()
          },
        }
      } catch (error) {
        answer.release()
        throw error
      }
    })
    return retouch.finish(painted, commission)
  }
}

/** As many pictures as one call gives, as often as it takes: 7 in shares of at most 3 are 3, 3 and 1. */
function shares(count: number, { candidate, target }: Plan): readonly number[] {
  const most = candidate.outbound.mostPerCall(target.model)
  return Array.from({ length: Math.ceil(count / most) }, (_, index) => Math.min(most, count - index * most))
}

/** The answers of all calls as one, and a note of what they came to. */
function together(
  { headers, record }: Exchange,
  { count }: ImageRequest,
  answers: readonly HeldPaintings[],
): PaintedAnswer {
  const paintings = answers.flatMap(answer => answer.paintings)
  if (count > 1) headers.set('x-plantain-images', `${paintings.length}/${count}`)
  const usage = sumUsage(answers.flatMap(answer => answer.usage ?? []))
  record.images = paintings.length
  record.resolution = resolutionOf(paintings[0])
  if (usage) record.usage = usage
  return {
    paintings,
    ...(usage && answers.every(answer => answer.usage) && { usage }),
    release: () => {
      for (const answer of answers) answer.release()
    },
  }
}

const resolutionOf = (painting: Painting | undefined) => (painting?.pixels ? tierOf(painting.pixels) : null)
