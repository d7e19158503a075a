/** Google's `:method` routes: a caller's bytes up, the upstream's bytes down as they come, and a reader beside them. */
import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Gateway } from '../gateway/gateway.ts'
import { bytesOf } from '../images/bytes.ts'
import { GatewayError, type Outcome } from '../images/error.ts'
import type { AnswerMemory } from '../memory/answer-memory.ts'
import type { Room } from '../memory/room.ts'
import type { ResponseHead } from '../net/pool.ts'
import { retryHeaders } from '../protocols/error-headers.ts'
import { checkCall, decodeError, encodeRelay, observe } from '../protocols/gemini/index.ts'
import type { Method } from '../protocols/gemini/path.ts'
import { type AnswerReader, createAnswerReader } from '../streams/event-reader.ts'
import type { FailedAnswer, RelaySink } from '../upstreams/upstream.ts'
import { readJson } from './body.ts'
import { splitUrl } from './envelope.ts'
import { mediaTypeOf } from './images.ts'
import { cutWhenStalled, drained, ended } from './send.ts'
import type { Conversation, Serve } from './serve.ts'

export interface RelayParts {
  readonly serve: Serve
  readonly gateway: Gateway
  readonly memory: AnswerMemory
  readonly room: Room
  readonly maxBodyBytes: number
  readonly writeTimeoutMs: number
}

export type RelayHandler = (
  request: FastifyRequest,
  reply: FastifyReply,
  method: Method,
  model: string,
) => Promise<void>

export function createRelayHandler({
  serve,
  gateway,
  memory,
  room,
  maxBodyBytes,
  writeTimeoutMs,
}: RelayParts): RelayHandler {
  return (request, reply, method, model) =>
    serve(request, reply, 'gemini', method, async conversation => {
      const { exchange, message } = conversation
      const type = mediaTypeOf(request)
      if (type !== 'application/json') {
        throw new GatewayError(
          'unsupported-media',
          `The content type '${type}' is not read here. Send application/json.`,
        )
      }
      const body = await readJson(message, { maxBytes: maxBodyBytes, room, signal: exchange.signal })
      exchange.record.bytesIn = body.length
      try {
        checkCall(body.value)
        const sse = splitUrl(message.url ?? '/').query.get('alt') === 'sse'
        const sink = new ResponseSink(conversation, memory, writeTimeoutMs)
        const relayed = {
          protocol: 'gemini',
          model,
          encode: (name: string, defaults: { readonly resolution?: string | undefined }) =>
            encodeRelay({ method, sse, body: body.text }, name, defaults),
        } as const
        const refusal = await sink.finish(gateway.relay(exchange, relayed, sink))
        return refusal ? await passRefusal(refusal, conversation) : note(sink.observed(), conversation)
      } finally {
        body.release()
      }
    })
}

/** Writes a relayed answer to the caller. Its chunks lie in the upstream socket's memory, so each is retained until it is out. */
class ResponseSink implements RelaySink {
  readonly #conversation: Conversation
  readonly #response: ServerResponse
  readonly #memory: AnswerMemory
  readonly #writeTimeoutMs: number
  #over: Promise<void> | null = null
  #reader: AnswerReader | null = null

  constructor(conversation: Conversation, memory: AnswerMemory, writeTimeoutMs: number) {
    this.#conversation = conversation
    this.#response = conversation.response
    this.#memory = memory
    this.#writeTimeoutMs = writeTimeoutMs
  }

  start({ headers }: ResponseHead) {
    const type = headers['content-type'] ?? 'application/json; charset=UTF-8'
    const length = headers['content-length']
    this.#reader = createAnswerReader(type)
    this.#over = ended(this.#response)
    cutWhenStalled(this.#response, this.#writeTimeoutMs)
    const { exchange } = this.#conversation
    exchange.record.status = 200
    this.#response.writeHead(200, {
      ...this.#conversation.headers(),
      'content-type': type,
      ...(length && { 'content-length': length }),
    })
    return (chunk: Buffer) => {
      this.#reader?.push(chunk)
      exchange.record.bytesOut += chunk.length
      this.#memory.retain(chunk)
      const roomLeft = this.#response.write(chunk, () => this.#memory.release(chunk))
      return roomLeft || !this.#over ? undefined : drained(this.#response, this.#over)
    }
  }

  /** Ends the caller's answer when the upstream's has ended; cuts it where the upstream's was cut. */
  async finish(relay: Promise<FailedAnswer | null>): Promise<FailedAnswer | null> {
    const refusal = await relay
    if (refusal) return refusal
    this.#response.end()
    await this.#over
    return null
  }

  observed(): ReturnType<typeof observe> {
    return observe(this.#reader?.finish() ?? [])
  }
}

function note({ images, usage, refusal }: ReturnType<typeof observe>, { exchange: { record } }: Conversation): Outcome {
  record.images = images
  if (usage) record.usage = usage
  if (!refusal || images > 0) return 'ok'
  record.refusalReason = refusal
  return 'refused'
}

/** What the caller can act on passes as it came, a 429 with the wait that its body only tells in words; the rest is told neutrally. */
async function passRefusal(answer: FailedAnswer, { exchange, answer: reply }: Conversation): Promise<Outcome> {
  const error = decodeError(answer)
  const passes = ['invalid-request', 'model-unknown', 'too-large', 'rate-limited', 'quota-exhausted'].includes(
    error.kind,
  )
  if (!passes) throw error
  exchange.record.error = { kind: error.kind, message: error.message }
  const type = answer.headers['content-type'] ?? 'application/json; charset=UTF-8'
  await reply({
    status: answer.status,
    headers: { 'content-type': type, ...retryHeaders(error) },
    body: bytesOf(answer.body),
  })
  return 'failed'
}
