/** The straight line of an exchange: model → limits → upstream → answer. Knows no HTTP library and no wire format. */
import { GatewayError } from '../images/error.ts'
import { tierOf } from '../images/geometry.ts'
import type { ImageRequest } from '../images/request.ts'
import { type Painting, sumUsage, type Usage } from '../images/result.ts'
import type { Resolution } from '../models/catalogue.ts'
import { checkRequest } from '../models/check.ts'
import { fitShape } from '../models/fit.ts'
import type { Outbound, ProtocolName, Target, WireRequest } from '../protocols/protocol.ts'
import type { FailedAnswer, RelaySink } from '../upstreams/upstream.ts'
import { type AdmissionParts, createAdmission } from './admission.ts'
import { attempt } from './attempts.ts'
import { type CallParts, createCall } from './call.ts'
import { type Collected, collect } from './collect.ts'
import { type Exchange, nameIgnored } from './exchange.ts'
import { fanOut } from './fan-out.ts'
import { createModelChoice, type ModelChoiceParts } from './model-choice.ts'
import type { Candidate } from './routing.ts'

/** Pictures that lie in held documents until `release` is called. */
export interface PaintedAnswer {
  readonly paintings: readonly Painting[]
  readonly usage?: Usage
  release(): void
}

/** A call in the upstream's own protocol, for the model that its caller named. */
export interface RelayRequest {
  readonly protocol: ProtocolName
  readonly model: string
  /** The call as it goes up, once the model's name there is known. */
  encode(upstreamModel: string, defaults: Resolution['defaults']): WireRequest
}

export interface GatewayParts extends ModelChoiceParts, AdmissionParts, CallParts {
  readonly outbounds: Readonly<Partial<Record<ProtocolName, Outbound>>>
}

export interface Gateway {
  /** @throws GatewayError; nothing is held then. */
  paint(exchange: Exchange, request: ImageRequest): Promise<PaintedAnswer>
  /** @throws UpstreamRefusal where the upstream sent no 200; any other GatewayError, then the sink may have begun. */
  relay(exchange: Exchange, request: RelayRequest, sink: RelaySink): Promise<void>
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

  return {
    async paint(exchange, request) {
      const { resolution, candidates } = chooseModel(exchange, request.model)
      const { model, defaults, id } = resolution
      checkRequest(model, request)
      const shape = fitShape(model, request.shape, defaults, shapeFields(request))
      nameIgnored(exchange, request.ignored)
      return admitted(exchange, async () => {
        const target = { ...shape, model: id }
        const answers = await fanOut(request.count, () =>
          attempt(candidates, candidate => paintOnce(exchange, resolution, candidate, request, target)),
        )
        return together(exchange, request, answers)
      })
    },

    async relay(exchange, request, sink) {
      const { resolution, candidates } = chooseModel(exchange, request.model)
      const speakers = candidates.filter(candidate => candidate.protocol === request.protocol)
      return admitted(exchange, () =>
        attempt(speakers, candidate =>
          called(exchange, resolution, candidate, async frame => {
            const wire = request.encode(upstreamName(candidate, resolution), resolution.defaults)
            const refused = await candidate.upstream.relay({ ...frame, ...wire }, sink)
            if (refused) throw new UpstreamRefusal(outboundOf(candidate).decodeError(refused), refused)
          }),
        ),
      )
    },
  }

  async function paintOnce(
    exchange: Exchange,
    resolution: Resolution,
    candidate: Candidate,
    request: ImageRequest,
    target: Target,
  ): Promise<HeldPainting> {
    const outbound = outboundOf(candidate)
    return called(exchange, resolution, candidate, async frame => {
      const wire = outbound.encodeRequest(request, { ...target, model: upstreamName(candidate, resolution) })
      const answer = await candidate.upstream.hold({ ...frame, ...wire }, outbound.superseded)
      if (!answer.ok) throw outbound.decodeError(answer)
      try {
        const collected = await collect(await outbound.decodeResult(answer))
        return { ...collected, release: answer.release }
      } catch (error) {
        answer.release()
        throw error
      }
    })
  }

  function outboundOf({ protocol }: Candidate): Outbound {
    const outbound = parts.outbounds[protocol]
    if (!outbound) throw new GatewayError('internal', `No outbound half speaks ${protocol}.`)
    return outbound
  }
}

type HeldPainting = Collected & { release(): void }

/** The answers of all calls as one, and a note of what they came to. */
function together(
  { headers, record }: Exchange,
  { count }: ImageRequest,
  answers: readonly HeldPainting[],
): PaintedAnswer {
  if (count > 1) headers.set('x-plantain-images', `${answers.length}/${count}`)
  const usage = sumUsage(answers.flatMap(answer => answer.usage ?? []))
  record.images = answers.length
  record.resolution = resolutionOf(answers[0]?.painting)
  if (usage) record.usage = usage
  return {
    paintings: answers.map(answer => answer.painting),
    ...(usage && answers.every(answer => answer.usage) && { usage }),
    release: () => {
      for (const answer of answers) answer.release()
    },
  }
}

const resolutionOf = (painting: Painting | undefined) => (painting?.pixels ? tierOf(painting.pixels) : null)

/** What errors about the shape should name: the fields the caller used. */
const shapeFields = ({ spelling }: ImageRequest) => ({
  ratio: spelling.get('aspect_ratio') ?? (spelling.has('size') ? 'size' : 'aspect_ratio'),
  resolution: spelling.get('image_size') ?? spelling.get('resolution') ?? 'size',
})

const upstreamName = ({ modelNames }: Candidate, { id, asked }: Resolution) =>
  modelNames.get(asked) ?? modelNames.get(id) ?? id
