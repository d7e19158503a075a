/** Image calls in OpenAI's own form for an upstream that speaks it: bytes up and down as they are. */
import type { Gateway } from '../gateway/gateway.ts'
import { nameThere } from '../gateway/plans.ts'
import type { Candidate, ModelChoice } from '../gateway/routing.ts'
import type { Outcome } from '../images/error.ts'
import type { AnswerMemory } from '../memory/answer-memory.ts'
import type { Resolution } from '../models/catalogue.ts'
import {
  asksForStream,
  encodeError,
  encodeRelay,
  isErrorEnvelope,
  observe,
  picturesAt,
  type RelayedCall,
  wantedOfCall,
} from '../protocols/openai/index.ts'
import type { Addresses, SeenBody } from '../protocols/protocol.ts'
import { note, passRefusal } from './relay-outcome.ts'
import { ResponseSink } from './response-sink.ts'
import type { Conversation } from './serve.ts'

export interface PassableCall extends RelayedCall {
  readonly seen: SeenBody
}

export interface ImagesRelay {
  /** The best upstream decides: one of another form further down the list is no reason to read and write the call anew. */
  canRelay(choice: ModelChoice, call: PassableCall): boolean
  /** Those who can be given the call as it came. */
  takersOf(choice: ModelChoice, call: PassableCall): readonly Candidate[]
  /** `goesOn`: others are asked in another form where nothing of it could be sent. @returns what became of it. */
  pass(conversation: Conversation, choice: ModelChoice, call: PassableCall, goesOn: boolean): Promise<Outcome>
}

export interface ImagesRelayParts {
  readonly gateway: Pick<Gateway, 'relay'>
  readonly memory: AnswerMemory
  readonly writeTimeoutMs: number
  /** Does a caller who does not say get addresses? Those are the gateway's own. */
  readonly isAnsweredByUrl: (model: string) => boolean
  /** Has the operator named this address's host? Outside this network, nobody may be able to reach it. */
  readonly isAllowed: (url: string) => boolean
}

/** Null: none of the upstreams speaks OpenAI's own form. */
export function createImagesRelay(
  candidates: readonly Pick<Candidate, 'protocol' | 'outbound'>[],
  { gateway, memory, writeTimeoutMs, isAnsweredByUrl, isAllowed }: ImagesRelayParts,
): ImagesRelay | null {
  if (!candidates.some(speaksOwnForm)) return null
  return {
    canRelay: ({ resolution, candidates: [best] }, call) => {
      // A name that asks for something by itself, or that another model stands in for, is no model of this upstream's.
      if (!best || resolution.defaults.resolution || resolution.successorOf !== undefined) return false
      if (isAnsweredByUrl(resolution.asked) || picturesAt(call.seen).some(isAllowed)) return false
      return takes(resolution, call)(best)
    },

    takersOf: ({ resolution, candidates }, call) => candidates.filter(takes(resolution, call)),

    async pass(conversation, choice, call, goesOn) {
      try {
        const isStream = asksForStream(call.seen)
        const sink = new ResponseSink(conversation, { memory, writeTimeoutMs, observe })
        const relayed = {
          encode: (model: string, addresses: Addresses) => ({ ...encodeRelay(call, model, addresses), isStream }),
          wanted: wantedOfCall(call.seen),
          goesOn,
          ended: () => note(sink.observed(), conversation),
        }
        return await sink.finish(gateway.relay(conversation.exchange, choice, relayed, sink))
      } catch (error) {
        return await passRefusal(error, conversation, { encodeError, isErrorEnvelope })
      }
    },
  }
}

const takes = (resolution: Resolution, call: PassableCall) => (candidate: Candidate) =>
  candidate.protocol === 'openai' && understands(candidate.outbound, nameThere(candidate, resolution, {}), call)

const understands = (
  addresses: Addresses,
  model: string,
  { operation, seen }: Pick<PassableCall, 'operation' | 'seen'>,
) => addresses.passes?.(operation, seen, model) ?? false

const bareCall = { operation: 'generate', seen: { kind: 'json', value: {} } } as const

const speaksOwnForm = ({ protocol, outbound }: Pick<Candidate, 'protocol' | 'outbound'>) =>
  protocol === 'openai' && understands(outbound, '', bareCall)
