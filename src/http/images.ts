/** OpenAI's image routes: a request in any of its forms → pictures. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Gateway } from '../gateway/gateway.ts'
import type { PaintedAnswer, Watcher } from '../gateway/painting.ts'
import type { ModelChoice } from '../gateway/routing.ts'
import type { Outcome } from '../images/error.ts'
import type { BufferPool } from '../memory/buffer-pool.ts'
import type { Room } from '../memory/room.ts'
import { createEvents, decodeRequest, encodeResult, typedFormValue } from '../protocols/openai/index.ts'
import type { Operation, RequestBounds, WireDocument } from '../protocols/protocol.ts'
import { readJson } from './body.ts'
import { mediaTypeOf, unreadType } from './content-type.ts'
import { type StreamSettings, streamPaintings } from './events.ts'
import { readForm } from './form.ts'
import type { ImagesRelay, PassableCall } from './images-relay.ts'
import { relayOrTranslate } from './other-form.ts'
import { readRawForm } from './raw-form.ts'
import type { Conversation, Serve } from './serve.ts'

export interface ImagesParts {
  readonly serve: Serve
  readonly gateway: Gateway
  readonly room: Room
  readonly buffers: BufferPool
  readonly maxBodyBytes: number
  readonly bounds: RequestBounds
  readonly stream: StreamSettings
  /** Null: no upstream speaks OpenAI's own form. */
  readonly relay: ImagesRelay | null
}

/** A handler for one of the two operations. `pathModel`: the model that an Azure deployment's path names. */
export type ImagesHandler = (
  request: FastifyRequest,
  reply: FastifyReply,
  operation: Operation,
  pathModel?: string,
) => Promise<void>

/** A body that stays in memory until `release`. */
interface ImagesBody {
  readonly length: number
  /** The call in it, where it could go up as it came. */
  readonly call: PassableCall | null
  document(): WireDocument | Promise<WireDocument>
  release(): void
}

export function createImagesHandler(parts: ImagesParts): ImagesHandler {
  const { serve, gateway, room, buffers, maxBodyBytes, bounds, relay, stream } = parts
  return (request, reply, operation, pathModel) =>
    serve(request, reply, 'openai', operation, async conversation => {
      const { exchange } = conversation
      const body = await readBody(request, operation, conversation)
      try {
        const call = relay && body.call
        const early = call && gateway.choose(exchange, pathModel ?? call.named)
        const paint = (choice: ModelChoice | null) => translate(conversation, body, operation, choice, pathModel)
        if (!early || !relay.canRelay(early, call)) return await paint(early)
        return await relayOrTranslate(conversation, {
          candidates: early.candidates,
          takers: relay.takersOf(early, call),
          isKept: call.seen.kind === 'json',
          relay: (candidates, isLast) => relay.pass(conversation, { ...early, candidates }, call, !isLast),
          translate: candidates => paint({ ...early, candidates }),
        })
      } finally {
        body.release()
      }
    })

  /** `early`: what the model was found to be before the body was read to its end. */
  async function translate(
    conversation: Conversation,
    body: ImagesBody,
    operation: Operation,
    early: ModelChoice | null,
    pathModel: string | undefined,
  ): Promise<Outcome> {
    const { exchange } = conversation
    const decoded = await decodeRequest(await body.document(), operation, bounds)
    const choice = early ?? gateway.choose(exchange, pathModel ?? decoded.model)
    const paint = (watcher?: Watcher) => gateway.paint(exchange, choice, decoded, watcher)
    return decoded.stream
      ? await streamPaintings(
          conversation,
          createEvents(operation, () => new Date()),
          stream,
          paint,
        )
      : await answerWhole(conversation, await paint())
  }

  async function readBody(
    request: FastifyRequest,
    operation: Operation,
    { exchange, message }: Conversation,
  ): Promise<ImagesBody> {
    const limits = { maxBytes: maxBodyBytes, room, signal: exchange.signal }
    const form = { ...limits, ...bounds, buffers, typed: typedFormValue }
    const type = mediaTypeOf(request)
    exchange.record.bytesIn = Number(request.headers['content-length'] ?? 0)
    const body = await read()
    exchange.record.bytesIn = body.length
    return body

    async function read(): Promise<ImagesBody> {
      if (type === 'application/json') {
        const json = await readJson(message, limits)
        return { ...json, call: jsonCall(operation, json), document: () => json }
      }
      if (type === 'multipart/form-data') {
        if (relay) return rawBody(operation, await readRawForm(request, form))
        const read = await readForm(request, form)
        return { ...read, call: null, document: () => read }
      }
      const wanted = operation === 'edit' ? 'multipart/form-data or application/json' : 'application/json'
      throw unreadType(type, wanted)
    }
  }
}

async function answerWhole({ answer }: Conversation, painted: PaintedAnswer): Promise<Outcome> {
  try {
    const body = encodeResult(painted, new Date())
    await answer({ status: 200, headers: { 'content-type': 'application/json' }, body })
    return 'ok'
  } catch (error) {
    await painted.withdraw?.()
    throw error
  } finally {
    painted.release()
  }
}

function jsonCall(operation: Operation, { value, text }: Awaited<ReturnType<typeof readJson>>): PassableCall | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const named: unknown = 'model' in value ? value.model : null
  if (typeof named !== 'string' && named !== null) return null
  return { operation, named: named || null, body: { kind: 'json', text }, seen: { kind: 'json', value } }
}

function rawBody(operation: Operation, raw: Awaited<ReturnType<typeof readRawForm>>): ImagesBody {
  const { passable } = raw
  const call = passable && {
    operation,
    named: passable.named || null,
    body: passable.form,
    seen: { kind: 'form' as const, parts: passable.parts },
  }
  return { ...raw, call }
}
