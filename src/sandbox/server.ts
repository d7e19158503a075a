/**
 * The sandbox: an HTTP server that behaves like Google's Generative Language API for image models, and paints.
 * As strict in what it takes and as odd in what it answers; free, offline, and for the same prompt always the same.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { urlHost } from '../config/address.ts'
import { promptUsage } from './answer.ts'
import { parseJson, readBody } from './body.ts'
import {
  errorDocument,
  GoogleError,
  keyInvalid,
  keyMissing,
  modelMissing,
  routeMissing,
  tokenInvalid,
} from './errors.ts'
import { countTokensRequest, generateContentRequest } from './fields.ts'
import { generate } from './generate.ts'
import { writeDocument } from './google-json.ts'
import type { SandboxModel } from './model.ts'
import { listDocument, modelDocument } from './model-list.ts'
import { readCount, readOrder } from './order.ts'
import type { Painter } from './painter.ts'
import { readMessage } from './proto-json.ts'
import { type Line, sendWhole } from './reply.ts'
import { type Route, readRoute, readTarget } from './routes.ts'

export interface SandboxParams {
  readonly models: readonly SandboxModel[]
  readonly painter: Painter
  /** The keys that are good; absent: every key but `wrong-key`. */
  readonly apiKeys?: readonly string[]
  readonly now?: () => Date
  /** Told of what should never happen; the caller gets Google's 500. */
  readonly onFault?: (error: unknown) => void
}

export interface Sandbox {
  /** `port` 0: any free one. Only this machine is served unless another `host` is named. */
  listen(port: number, host?: string): Promise<ListeningSandbox>
}

export interface ListeningSandbox {
  /** A root without version, as the genai SDKs take it. */
  readonly url: string
  /** Cuts off who is being served. */
  close(): Promise<void>
}

export function createSandbox(params: SandboxParams): Sandbox {
  return {
    listen: async (port, host = '127.0.0.1') => {
      const server = createServer((request, response) => {
        void serve(params, request, response)
      })
      // Longer than any client's pool keeps a connection, so that none is closed under a request that is on its way.
      server.keepAliveTimeout = 120_000
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, resolve)
      })
      return {
        url: urlOf(server.address()),
        close: () =>
          new Promise(resolve => {
            server.close(() => resolve())
            server.closeAllConnections()
          }),
      }
    },
  }
}

function urlOf(address: ReturnType<ReturnType<typeof createServer>['address']>): string {
  if (address === null || typeof address === 'string') throw new Error('The sandbox listens on no port.')
  return `http://${urlHost(address.address)}:${address.port}`
}

async function serve(params: SandboxParams, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  // `close` comes after every answer; only an unfinished one means that the caller has left.
  response.once('close', () => response.writableFinished || gone.abort())
  const line: Line = { response, signal: gone.signal, bytesPerSecond: null }
  const target = readTarget(request.url ?? '')
  let inArray = false
  try {
    const route = target && readRoute(request.method, target)
    if (!route) throw routeMissing()
    inArray = route.call === 'generate' && route.stream === 'array'
    checkKey(params, request, target.searchParams.get('key'))
    const document = await take(params, route, request, line)
    if (document) await sendWhole(line, 200, writeDocument(document, 2))
  } catch (error) {
    if (gone.signal.aborted) return
    if (response.headersSent) {
      params.onFault?.(error)
      if (!response.writableEnded) response.destroy()
      return
    }
    const answer = asGoogleError(params, error)
    const document = errorDocument(answer)
    await sendWhole(line, answer.code, writeDocument(inArray ? [document] : document, 2)).catch(ignoreLeaving)
  } finally {
    // What is left of a body that was too large would stand before the connection's next request.
    request.resume()
  }
}

const ignoreLeaving = () => undefined

function asGoogleError({ onFault }: SandboxParams, error: unknown): GoogleError {
  if (error instanceof GoogleError) return error
  onFault?.(error)
  return new GoogleError(500, 'INTERNAL', 'Internal error encountered.')
}

/** `x-goog-api-key` or `?key=`; a bearer token is OAuth, which the sandbox has none of. */
function checkKey({ apiKeys }: SandboxParams, { headers }: IncomingMessage, queryKey: string | null): void {
  const header = headers['x-goog-api-key']
  const key = typeof header === 'string' ? header : queryKey
  if (key === null) throw headers.authorization ? tokenInvalid() : keyMissing()
  const known = apiKeys ? apiKeys.includes(key) : key !== '' && key !== 'wrong-key'
  if (!known) throw keyInvalid()
}

/** Answers a call: with the document to send, or, where it has sent already, with none. */
async function take(params: SandboxParams, route: Route, request: IncomingMessage, line: Line): Promise<object | null> {
  const { models } = params
  switch (route.call) {
    case 'list':
      return listDocument(models, route.pageSize, route.pageToken)
    case 'get':
      return modelDocument(findModel(models, route.model, route.version, 'getModel'))
    case 'unsupported':
      throw modelMissing(route.model, route.version, route.method)
    case 'count': {
      const model = findModel(models, route.model, route.version, 'countTokens')
      const { allText, pictures } = readCount(
        model,
        readMessage(countTokensRequest, parseJson(await readBody(request))),
      )
      const { total, details } = promptUsage(model, allText, pictures.length, 'MEDIA_RESOLUTION_UNSPECIFIED')
      return { totalTokens: total, promptTokensDetails: details }
    }
    case 'generate': {
      const method = route.stream === 'none' ? 'generateContent' : 'streamGenerateContent'
      const model = findModel(models, route.model, route.version, method)
      const order = readOrder(model, readMessage(generateContentRequest, parseJson(await readBody(request))))
      const { painter, now = () => new Date() } = params
      await generate(order, route.stream, { painter, now, signal: line.signal }, line)
      return null
    }
  }
}

function findModel(models: readonly SandboxModel[], id: string, version: string, method: string): SandboxModel {
  const model = models.find(known => known.id === id)
  if (!model) throw modelMissing(id, version, method)
  return model
}
