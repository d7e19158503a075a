/** A call in one of Google's forms for an upstream that speaks another, or that has to be called more than once for it. */
import { nameIgnored } from '../gateway/exchange.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { ModelChoice } from '../gateway/routing.ts'
import type { Bytes } from '../images/bytes.ts'
import { GatewayError, type Outcome, outcomeOf } from '../images/error.ts'
import type { ImageRequest } from '../images/request.ts'
import type { ImageResult } from '../images/result.ts'
import {
  type AnswerFacts,
  countTokens,
  createEvents,
  decodePredict,
  decodeRequest,
  encodeFiltered,
  encodePredictions,
  encodeRefusal,
  encodeResult,
  type Method,
} from '../protocols/gemini/index.ts'
import type { RequestBounds, WireDocument } from '../protocols/protocol.ts'
import type { JsonBody } from './body.ts'
import { type StreamSettings, streamPaintings } from './events.ts'
import type { Conversation } from './serve.ts'

export interface TranslateParts {
  readonly gateway: Pick<Gateway, 'paint'>
  readonly bounds: RequestBounds
  readonly stream: StreamSettings
}

export interface TranslatedCall {
  readonly method: Method
  /** Server-sent events instead of one JSON array. */
  readonly sse: boolean
  readonly body: JsonBody
}

export type Translate = (conversation: Conversation, choice: ModelChoice, call: TranslatedCall) => Promise<Outcome>

/** How one of the forms is read and written. A refusal that is null is told as an error. */
interface Form {
  decode(document: WireDocument, bounds: RequestBounds): Promise<ImageRequest>
  encode(result: ImageResult, facts: AnswerFacts): Bytes
  encodeRefusal(error: GatewayError, facts: AnswerFacts): Bytes | null
}

const generateForm: Form = { decode: decodeRequest, encode: encodeResult, encodeRefusal }
const predictForm: Form = { decode: decodePredict, encode: encodePredictions, encodeRefusal: encodeFiltered }

// Google has no word for how many: whoever takes a stream gets what the model makes, within reason.
const mostDrafts = 16

export function createTranslate({ gateway, bounds, stream }: TranslateParts): Translate {
  return async (conversation, choice, call) => {
    const { exchange, answer } = conversation
    const reply = (body: Bytes) => answer({ status: 200, headers: jsonType, body })
    if (call.method === 'countTokens') {
      const { body, ignored } = await countTokens(call.body, bounds)
      nameIgnored(exchange, ignored)
      await reply(body)
      return 'ok'
    }
    const form = call.method === 'predict' ? predictForm : generateForm
    const facts = { model: choice.resolution.id, responseId: exchange.record.requestId }
    const request = await form.decode(call.body, bounds)
    checkPrompt(request, choice)
    if (call.method === 'streamGenerateContent') {
      const streamed = { ...request, stream: { previews: mostDrafts } }
      return await streamPaintings(conversation, createEvents(call.sse ? 'sse' : 'array', facts), stream, watcher =>
        gateway.paint(exchange, choice, streamed, watcher),
      )
    }
    try {
      const painted = await gateway.paint(exchange, choice, request)
      try {
        await reply(form.encode(painted, facts))
        return 'ok'
      } finally {
        painted.release()
      }
    } catch (error) {
      const refusal = error instanceof GatewayError && form.encodeRefusal(error, facts)
      if (!refusal) throw error
      exchange.record.refusalReason = error.facts.reason ?? error.kind
      await reply(refusal)
      return outcomeOf(error)
    }
  }
}

/** Gemini's models make something of a picture alone; nobody else's do. What was said before counts too. @throws GatewayError. */
function checkPrompt({ prompt, turns, spelling }: ImageRequest, { candidates }: ModelChoice): void {
  const isSilent = [prompt, ...turns.map(({ text }) => text)].every(text => text.trim() === '')
  if (!isSilent || candidates[0]?.protocol === 'gemini') return
  const param = spelling.get('prompt') ?? 'prompt'
  throw new GatewayError('invalid-request', `${param}: there is no text that says what to paint.`, {
    param,
    code: 'missing_required_parameter',
  })
}

const jsonType = { 'content-type': 'application/json; charset=UTF-8' }
