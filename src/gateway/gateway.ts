/** The straight line of an exchange: model → limits → upstream → answer. Knows no HTTP library and no wire format. */
import type { CallerConfig } from '../config/config.ts'
import { GatewayError, outcomeOf } from '../images/error.ts'
import { tierOf } from '../images/geometry.ts'
import type { ImageRequest } from '../images/request.ts'
import { type Painting, sumUsage, type Usage } from '../images/result.ts'
import { type Decision, limitHeaders, refusalError } from '../limits/decision.ts'
import type { Limits } from '../limits/limits.ts'
import type { HoldingPlaces } from '../memory/held-document.ts'
import { mayUse } from '../models/access.ts'
import type { Catalogue, Resolution } from '../models/catalogue.ts'
import { checkRequest } from '../models/check.ts'
import { fitShape } from '../models/fit.ts'
import { isModelName } from '../protocols/model-name.ts'
import type { Outbound, ProtocolName, Target, WireRequest } from '../protocols/protocol.ts'
import type { ExchangeRecord } from '../telemetry/record.ts'
import type { FailedAnswer, RelaySink, UpstreamCall } from '../upstreams/upstream.ts'
import { attempt } from './attempts.ts'
import { type Collected, collect } from './collect.ts'
import { fanOut } from './fan-out.ts'
import type { Candidate, Routing } from './routing.ts'

/** One caller's request while it is served. */
export interface Exchange {
  readonly record: ExchangeRecord
  readonly caller: Pick<CallerConfig, 'id' | 'models' | 'limits'>
  /** Aborts with a GatewayError when the caller left or the deadline passed. */
  readonly signal: AbortSignal
  readonly deadlineMs: number
  /** Gateways it has passed, this one included. */
  readonly trail: string
  /** Headers its answer will carry, whatever becomes of it. */
  readonly headers: Map<string, string>
  /** Refuse what would be ignored. */
  readonly strict: boolean
}

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

export interface UpstreamCallFacts {
  readonly upstream: string
  readonly resolution: Resolution
  readonly error: unknown
  readonly status: number | null
  readonly durationMs: number
  readonly firstByteMs: number | null
}

export interface GatewayParts {
  readonly catalogue: Catalogue
  readonly routing: Routing
  readonly outbounds: Readonly<Partial<Record<ProtocolName, Outbound>>>
  /** What configured upstreams speak. */
  readonly protocols: ReadonlySet<ProtocolName>
  readonly limits: Limits
  readonly places: HoldingPlaces
  readonly settings: { readonly legacyAliases: boolean; readonly defaultModel: string }
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number
  readonly onUpstreamCall: (facts: UpstreamCallFacts) => void
  readonly onUpstreamStart: (upstream: string) => void
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
  const { catalogue, routing, limits, places, settings, now } = parts

  return {
    async paint(exchange, request) {
      const { resolution, candidates } = chooseModel(exchange, request.model)
      const { model, defaults, id } = resolution
      checkRequest(model, request)
      const shape = fitShape(model, request.shape, defaults, {
        ratio: request.spelling.get('aspect_ratio') ?? (request.spelling.has('size') ? 'size' : 'aspect_ratio'),
        resolution: request.spelling.get('image_size') ?? request.spelling.get('resolution') ?? 'size',
      })
      nameIgnored(exchange, request.ignored)
      return admitted(exchange, async () => {
        const answers = await fanOut(request.count, () =>
          attempt(candidates, candidate =>
            paintOnce(exchange, resolution, candidate, request, { ...shape, model: id }),
          ),
        )
        if (request.count > 1) exchange.headers.set('x-plantain-images', `${answers.length}/${request.count}`)
        const usage = sumUsage(answers.flatMap(answer => answer.usage ?? []))
        exchange.record.images = answers.length
        exchange.record.resolution = resolutionOf(answers[0]?.painting)
        if (usage) exchange.record.usage = usage
        return {
          paintings: answers.map(answer => answer.painting),
          ...(usage && answers.every(answer => answer.usage) && { usage }),
          release: () => {
            for (const answer of answers) answer.release()
          },
        }
      })
    },

    async relay(exchange, request, sink) {
      const { resolution, candidates } = chooseModel(exchange, request.model)
      return admitted(exchange, () =>
        attempt(
          candidates.filter(candidate => candidate.protocol === request.protocol),
          candidate =>
            called(exchange, resolution, candidate, async call => {
              const wire = request.encode(upstreamName(candidate, resolution), resolution.defaults)
              const refused = await candidate.upstream.relay({ ...call, ...wire }, sink)
              if (refused) throw new UpstreamRefusal(outboundOf(candidate).decodeError(refused), refused)
            }),
        ),
      )
    },
  }

  function chooseModel({ record, caller, headers }: Exchange, asked: string | null) {
    const resolution = catalogue.resolve(asked ?? settings.defaultModel, {
      legacyAliases: settings.legacyAliases,
      protocols: parts.protocols,
    })
    const { id, model } = resolution
    record.modelAsked = asked
    record.model = id
    record.modelKnown = model !== null
    const isPossible = (model !== null || isModelName(id)) && mayUse(caller.models, resolution, catalogue)
    const candidates = isPossible ? routing({ id, protocol: model?.protocol ?? null }) : []
    if (candidates.length === 0) throw unknownModel(caller, resolution)
    headers.set('x-plantain-model', id)
    return { resolution, candidates }
  }

  function unknownModel(caller: Exchange['caller'], { asked }: Resolution): GatewayError {
    const served = catalogue
      .list()
      .filter(({ isAlias, model }) => !isAlias && routing({ id: model.id, protocol: model.protocol }).length > 0)
      .filter(({ id }) => mayUse(caller.models, catalogue.resolve(id), catalogue))
      .map(({ id }) => id)
    const list = served.length > 0 ? ` Models served here: ${served.join(', ')}.` : ''
    const message = `The model '${asked}' does not exist or you do not have access to it.${list}`
    return new GatewayError('model-unknown', message, { param: 'model' })
  }

  /** Runs the work inside the caller's limits and gives back what they held, whatever became of it. */
  async function admitted<Result>(exchange: Exchange, work: () => Promise<Result>): Promise<Result> {
    await roomForAnAnswer(exchange.signal)
    const { record, caller, deadlineMs } = exchange
    const decision = await limits.admit({ id: record.requestId, caller, deadlineMs })
    for (const [name, value] of Object.entries(limitHeaders(decision))) exchange.headers.set(name, value)
    if (!decision.admitted) throw refusalError(decision)
    return settled(decision, work)
  }

  async function settled<Result>(decision: Decision, work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await work()
      await limits.settle(decision, 'ok')
      return result
    } catch (error) {
      await limits.settle(decision, outcomeOf(error))
      throw error
    }
  }

  /** Before a call that costs money: an answer nobody can hold would be paid for and lost. */
  async function roomForAnAnswer(signal: AbortSignal): Promise<void> {
    while (places.memory.full && places.spill.full) {
      await places.spill.changed(signal)
      if (!signal.aborted) continue
      if (signal.reason instanceof GatewayError && signal.reason.kind === 'caller-left') throw signal.reason
      throw new GatewayError('overloaded', 'There is no room for another answer now. Try again soon.', {
        retryAfterMs: 1000,
      })
    }
  }

  async function paintOnce(
    exchange: Exchange,
    resolution: Resolution,
    candidate: Candidate,
    request: ImageRequest,
    target: Target,
  ): Promise<Collected & { release(): void }> {
    const outbound = outboundOf(candidate)
    return called(exchange, resolution, candidate, async call => {
      const wire = outbound.encodeRequest(request, { ...target, model: upstreamName(candidate, resolution) })
      const answer = await candidate.upstream.hold({ ...call, ...wire }, outbound.superseded)
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

  /** One call to one upstream, with everything that is written down about it. */
  async function called<Result>(
    { record, signal, trail, headers }: Exchange,
    resolution: Resolution,
    { upstream }: Candidate,
    work: (call: Pick<UpstreamCall, 'signal' | 'trail' | 'onFirstByte'>) => Promise<Result>,
  ): Promise<Result> {
    const startedMs = now()
    let firstByteMs: number | null = null
    let failure: unknown = null
    let status: number | null = null
    record.attempts += 1
    record.upstream = upstream.name
    headers.set('x-plantain-upstream', upstream.name)
    headers.set('x-plantain-attempts', String(record.attempts))
    parts.onUpstreamStart(upstream.name)
    try {
      const onFirstByte = (answered: number) => {
        status = answered
        firstByteMs = now() - startedMs
        record.firstByteMs ??= firstByteMs
      }
      return await work({ signal, trail, onFirstByte })
    } catch (error) {
      failure = error
      if (error instanceof GatewayError) status = error.facts.upstreamStatus ?? status
      throw error
    } finally {
      const durationMs = now() - startedMs
      record.upstreamMs = Math.max(record.upstreamMs ?? 0, durationMs)
      parts.onUpstreamCall({ upstream: upstream.name, resolution, error: failure, status, durationMs, firstByteMs })
    }
  }
}

const upstreamName = ({ modelNames }: Candidate, { id, asked }: Resolution) =>
  modelNames.get(asked) ?? modelNames.get(id) ?? id

const resolutionOf = (painting: Painting | undefined) => (painting?.pixels ? tierOf(painting.pixels) : null)

function nameIgnored({ headers, strict }: Exchange, ignored: readonly string[]): void {
  const [first] = ignored
  if (first === undefined) return
  const names = headerList(ignored)
  if (!strict) {
    headers.set('x-plantain-ignored-params', names)
    return
  }
  const message = `Parameters that no upstream here understands: ${names}. Leave them out, or do not ask for strictness.`
  throw new GatewayError('unsupported-parameter', message, { param: first })
}

// Clients give up on headers of some 16 KB in all, and the names are the caller's to choose.
const longestList = 2000

function headerList(names: readonly string[]): string {
  let text = ''
  for (const [index, name] of names.entries()) {
    const next = (index === 0 ? '' : ', ') + name.replace(/[^\x21-\x2b\x2d-\x7e]/g, '?')
    if (text.length + next.length > longestList) return `${text}, and ${names.length - index} more`.replace(/^, /, '')
    text += next
  }
  return text
}
