/** Calls of a Google model for an upstream of the same form: bytes up and down as they are. */
import type { Gateway } from '../gateway/gateway.ts'
import type { ModelChoice } from '../gateway/routing.ts'
import type { Outcome } from '../images/error.ts'
import type { AnswerMemory } from '../memory/answer-memory.ts'
import {
  encodeError,
  encodeRelay,
  isErrorEnvelope,
  observe,
  type RelayedMethod,
  usualSpelling,
  wantedOfCall,
} from '../protocols/gemini/index.ts'
import type { Addresses } from '../protocols/protocol.ts'
import type { JsonBody } from './body.ts'
import { note, passRefusal } from './relay-outcome.ts'
import { ResponseSink } from './response-sink.ts'
import type { Conversation } from './serve.ts'

export interface CallsRelayParts {
  readonly gateway: Pick<Gateway, 'relay'>
  readonly memory: AnswerMemory
  readonly writeTimeoutMs: number
}

export interface RelayedCall {
  readonly method: RelayedMethod
  /** Server-sent events instead of one JSON array. */
  readonly sse: boolean
  readonly body: JsonBody
  /** Others are asked in another form where nothing of it could be sent. */
  readonly goesOn: boolean
}

export type CallsRelay = (conversation: Conversation, choice: ModelChoice, call: RelayedCall) => Promise<Outcome>

export function createCallsRelay({ gateway, memory, writeTimeoutMs }: CallsRelayParts): CallsRelay {
  return async (conversation, choice, { method, sse, body, goesOn }) => {
    try {
      const sink = new ResponseSink(conversation, {
        memory,
        writeTimeoutMs,
        observe,
        isStream: method === 'streamGenerateContent',
      })
      const relayed = {
        encode: (name: string, addresses: Addresses, defaults: { readonly resolution?: string | undefined }) =>
          encodeRelay({ method, sse, body: body.text, value: body.value }, name, addresses, defaults),
        wanted: wantedOfCall(method, body.value),
        spelling: usualSpelling,
        goesOn,
        ended: () => note(sink.observed(), conversation),
      }
      return await sink.finish(gateway.relay(conversation.exchange, choice, relayed, sink))
    } catch (error) {
      return await passRefusal(error, conversation, { encodeError, isErrorEnvelope })
    }
  }
}
