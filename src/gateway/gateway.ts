/** The straight line of an exchange: model → limits → upstream → answer. Knows no HTTP library and no wire format. */
import { GatewayError, type Outcome } from '../images/error.ts'
import type { ImageRequest } from '../images/request.ts'
import type { Resolution } from '../models/catalogue.ts'
import type { CallWanted } from '../models/cost.ts'
import type { Addresses, WireRequest } from '../protocols/protocol.ts'
import type { FailedAnswer, RelaySink } from '../upstreams/upstream.ts'
import { type AdmissionParts, createAdmission } from './admission.ts'
import { attempt } from './attempts.ts'
import { type CallParts, createCall } from './call.ts'
import { createDelivery, type DeliveryParts } from './delivery.ts'
import type { Exchange } from './exchange.ts'
import { openLinks, readersOf } from './links.ts'
import { type ChooseModel, createModelChoice, type ModelChoiceParts } from './model-choice.ts'
import { createPainting, type PaintedAnswer, type PaintingParts, type Watcher } from './painting.ts'
import { nameThere, plansFor } from './plans.ts'
import type { Candidate, ModelChoice } from './routing.ts'
import { wantedOf } from './spending.ts'

/** A call in the upstreams' own protocol, for the model that its caller named. */
export interface RelayRequest {
  /** The call as it goes up, once the model's name there and the addresses there are known. */
  encode(upstreamModel: string, addresses: Addresses, defaults: Resolution['defaults']): WireRequest
  readonly wanted: CallWanted
  /** How its protocol spells fields; absent: as they are called here. */
  readonly spelling?: ImageRequest['spelling']
  /** Where nothing of it could be sent, its caller asks others in another form: it waits for nobody, and counts as not asked. */
  readonly goesOn: boolean
  /** The answer has passed: writes down what came of it, so that the limits can settle. */
  ended(): Outcome
}

export interface GatewayParts
  extends ModelChoiceParts,
    AdmissionParts,
    CallParts,
    DeliveryParts,
    Omit<PaintingParts, 'called'> {
  readonly settings: ModelChoiceParts['settings'] & DeliveryParts['settings']
}

export interface Gateway {
  /** Which model is meant, and who serves it. `asked`: null is the default model. @throws GatewayError `model-unknown`. */
  choose: ChooseModel
  /**
   * With a watcher, returns only what it was not told of: the last pictures to come, if any.
   * @throws GatewayError where no picture came; nothing is held then but drafts that are still shown.
   */
  paint(exchange: Exchange, choice: ModelChoice, request: ImageRequest, watcher?: Watcher): Promise<PaintedAnswer>
  /**
   * The choice's candidates are those that take the call as it came.
   * @throws UpstreamRefusal where the upstream sent no answer but an error; any other GatewayError, then the sink may have begun.
   */
  relay(exchange: Exchange, choice: ModelChoice, request: RelayRequest, sink: RelaySink): Promise<Outcome>
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
  const paintAll = createPainting({ ...parts, called })
  const delivered = createDelivery(parts)

  return {
    choose: (exchange, asked) => {
      const choice = chooseModel(exchange, asked)
      return exchange.dryRun?.chosen(choice) ?? choice
    },

    async paint(exchange, choice, request, watcher) {
      const plans = readersOf(request, plansFor(choice, request))
      const links = openLinks(request, exchange.dryRun?.referencesFor(request) ?? parts.references, exchange.signal)
      const { resolution } = choice
      try {
        const paint = () => paintAll({ exchange, resolution, plans, request, links, watcher })
        const spending = { resolution, wanted: wantedOf(request, plans[0]), spelling: request.spelling }
        return await admitted(exchange, spending, () => delivered(exchange, request, resolution, paint))
      } finally {
        links.release()
      }
    },

    async relay(exchange, { resolution, candidates }, request, sink) {
      const nameAt = (candidate: Candidate) => nameThere(candidate, resolution, resolution.defaults)
      const call = (candidate: Candidate, waits: boolean) =>
        called(
          exchange,
          resolution,
          candidate,
          async frame => {
            const wire = request.encode(nameAt(candidate), candidate.outbound, resolution.defaults)
            const refused = await candidate.upstream.relay({ ...frame, ...wire }, sink)
            if (refused) throw new UpstreamRefusal(candidate.outbound.decodeError(refused), refused)
            return request.ended()
          },
          request.wanted.count,
          waits,
        )
      const { spelling } = request
      const spending = {
        resolution,
        wanted: { ...resolution.defaults, ...request.wanted },
        ...(spelling && { spelling }),
      }
      return admitted(
        exchange,
        spending,
        () => attempt(candidates, exchange.patience !== null && !request.goesOn, call),
        { outcomeOf: outcome => outcome, goesOn: request.goesOn },
      )
    },
  }
}
