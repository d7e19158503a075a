/** OpenAI's image routes: a request in any of its forms → pictures. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Gateway } from '../gateway/gateway.ts'
import type { BufferPool } from '../memory/buffer-pool.ts'
import type { Room } from '../memory/room.ts'
import { createEvents, decodeRequest, encodeResult, typedFormValue } from '../protocols/openai/index.ts'
import type { Operation, RequestBounds } from '../protocols/protocol.ts'
import { readJson } from './body.ts'
import { mediaTypeOf, unreadType } from './content-type.ts'
import { type StreamSettings, streamPaintings } from './events.ts'
import { type FormBody, readForm } from './form.ts'
import type { Conversation, Serve } from './serve.ts'

export interface ImagesParts {
  readonly serve: Serve
  readonly gateway: Gateway
  readonly room: Room
  readonly buffers: BufferPool
  readonly maxBodyBytes: number
  readonly bounds: RequestBounds
  readonly stream: StreamSettings
}

/** A handler for one of the two operations. `pathModel`: the model that an Azure deployment's path names. */
export type ImagesHandler = (
  request: FastifyRequest,
  reply: FastifyReply,
  operation: Operation,
  pathModel?: string,
) => Promise<void>

export function createImagesHandler({
  serve,
  gateway,
  room,
  buffers,
  maxBodyBytes,
  bounds,
  stream,
}: ImagesParts): ImagesHandler {
  return (request, reply, operation, pathModel) =>
    serve(request, reply, 'openai', operation, async conversation => {
      const { exchange, answer } = conversation
      const body = await readBody(request, operation, conversation)
      try {
        const decoded = await decodeRequest(body, operation, bounds)
        const choice = gateway.choose(exchange, pathModel ?? decoded.model)
        if (decoded.stream) {
          const events = createEvents(operation, () => new Date())
          return await streamPaintings(conversation, events, stream, watcher =>
            gateway.paint(exchange, choice, decoded, watcher),
          )
        }
        const painted = await gateway.paint(exchange, choice, decoded)
        try {
          await answer({
            status: 200,
            headers: { 'content-type': 'application/json' },
            body: encodeResult(painted, new Date()),
          })
          return 'ok'
        } finally {
          painted.release()
        }
      } finally {
        body.release()
      }
    })

  async function readBody(
    request: FastifyRequest,
    operation: Operation,
    { exchange, message }: Conversation,
  ): Promise<FormBody> {
    const limits = { maxBytes: maxBodyBytes, room, signal: exchange.signal }
    const type = mediaTypeOf(request)
    exchange.record.bytesIn = Number(request.headers['content-length'] ?? 0)
    if (type === 'application/json' || type === 'multipart/form-data') {
      const form = { ...limits, ...bounds, buffers, typed: typedFormValue }
      const body = await (type === 'application/json' ? readJson(message, limits) : readForm(request, form))
      exchange.record.bytesIn = body.length
      return body
    }
    const wanted = operation === 'edit' ? 'multipart/form-data or application/json' : 'application/json'
    throw unreadType(type, wanted)
  }
}
