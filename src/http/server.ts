/** The public listener: which path leads where, and what is told where none leads. */
import multipart from '@fastify/multipart'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { bytesOfText } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import type { Catalogue } from '../models/catalogue.ts'
import { isMethod, parseMethodPath } from '../protocols/gemini/index.ts'
import type { Operation } from '../protocols/protocol.ts'
import { explainAbsence } from './absent-routes.ts'
import type { Authenticate, Caller } from './auth.ts'
import { answerClientError } from './client-error.ts'
import type { Cors } from './cors.ts'
import { emptyBody, errorReply, protocolOf, splitUrl, withHeaders } from './envelope.ts'
import type { ImagesHandler } from './images.ts'
import { geminiList, oneGeminiModel, publisherList, unionList, unionModel } from './model-list.ts'
import type { RelayHandler } from './relay.ts'
import { requestIdOf } from './request-id.ts'
import { type Reply, send } from './send.ts'
import { discardRest } from './serve.ts'

export interface ServerParts {
  readonly images: ImagesHandler
  readonly relay: RelayHandler
  readonly authenticate: Authenticate
  readonly cors: Cors
  readonly catalogue: Catalogue
  /** May this caller use it, and does an upstream serve it? */
  readonly isServedTo: (caller: Caller) => Parameters<typeof unionList>[1]
  readonly writeTimeoutMs: number
  readonly draining: () => boolean
  readonly onInternalError: (error: unknown, requestId: string) => void
  /** Seconds since the epoch, for lists that want to know when a model came. */
  readonly startedSeconds: number
}

const imagePaths = ['/v1/images', '/images', '/openai/v1/images', '/v1beta/openai/images', '/v1beta1/images']
const operations: readonly (readonly [string, Operation])[] = [
  ['generations', 'generate'],
  ['edits', 'edit'],
]
const longestHeadersBytes = 16 * 1024

export function createServer(parts: ServerParts): FastifyInstance {
  const { images, relay, catalogue, cors } = parts
  const app = fastify({
    logger: false,
    genReqId: message => requestIdOf(message.headers['x-request-id']),
    http: { maxHeaderSize: longestHeadersBytes, headersTimeout: 20_000 },
    // A caller with a slow line may take minutes to upload its pictures.
    requestTimeout: 600_000,
    exposeHeadRoutes: false,
    // Bodies are read and bounded by the routes themselves; Fastify only looks at content types.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    routerOptions: { maxParamLength: 1024 },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => refuse(request, reply, error),
  })
  app.removeAllContentTypeParsers()
  app.register(multipart)
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.setErrorHandler((error, request, reply) => refuse(request, reply, error))
  app.setNotFoundHandler((request, reply) => refuse(request, reply, absence(request)))

  app.addHook('onRequest', async ({ raw }, reply) => {
    if (!cors.isPreflight(raw)) return
    reply.hijack()
    await tell(reply, { status: 204, headers: cors.preflightHeaders(raw), body: emptyBody })
  })

  app.get('/healthz', (request, reply) => json(request, reply, { status: 'ok' }))

  for (const path of imagePaths) {
    for (const [name, operation] of operations)
      app.post(`${path}/${name}`, (request, reply) => images(request, reply, operation))
  }
  for (const [name, operation] of operations) {
    app.post<{ Params: { model: string } }>(`/openai/deployments/:model/images/${name}`, (request, reply) =>
      images(request, reply, operation, request.params.model),
    )
  }

  for (const [path, list] of [
    [
      '/v1/models',
      (caller: Caller, query: URLSearchParams) =>
        unionList(catalogue, parts.isServedTo(caller), query, parts.startedSeconds),
    ],
    [
      '/models',
      (caller: Caller, query: URLSearchParams) =>
        unionList(catalogue, parts.isServedTo(caller), query, parts.startedSeconds),
    ],
    [
      '/openai/v1/models',
      (caller: Caller, query: URLSearchParams) =>
        unionList(catalogue, parts.isServedTo(caller), query, parts.startedSeconds),
    ],
    [
      '/v1beta/models',
      (caller: Caller, query: URLSearchParams) => geminiList(catalogue, parts.isServedTo(caller), query),
    ],
    [
      '/v1alpha/models',
      (caller: Caller, query: URLSearchParams) => geminiList(catalogue, parts.isServedTo(caller), query),
    ],
    [
      '/v1/v1beta/models',
      (caller: Caller, query: URLSearchParams) => geminiList(catalogue, parts.isServedTo(caller), query),
    ],
    [
      '/v1beta1/publishers/google/models',
      (caller: Caller, query: URLSearchParams) => publisherList(catalogue, parts.isServedTo(caller), query),
    ],
  ] as const) {
    app.get(path, (request, reply) => listed(request, reply, list))
  }
  for (const [path, one] of [
    [
      '/v1/models/*',
      (caller: Caller, id: string) => unionModel(catalogue, parts.isServedTo(caller), id, parts.startedSeconds),
    ],
    [
      '/openai/v1/models/*',
      (caller: Caller, id: string) => unionModel(catalogue, parts.isServedTo(caller), id, parts.startedSeconds),
    ],
    ['/v1beta/models/*', (caller: Caller, id: string) => oneGeminiModel(catalogue, parts.isServedTo(caller), id)],
    ['/v1alpha/models/*', (caller: Caller, id: string) => oneGeminiModel(catalogue, parts.isServedTo(caller), id)],
    ['/v1/v1beta/models/*', (caller: Caller, id: string) => oneGeminiModel(catalogue, parts.isServedTo(caller), id)],
  ] as const) {
    app.get<{ Params: { '*': string } }>(path, (request, reply) =>
      listed(request, reply, caller => one(caller, request.params['*'])),
    )
  }

  // Google's paths have a colon in their last segment, often percent-encoded: read whole, not by the router.
  app.post('/*', (request, reply) => {
    const found = parseMethodPath(splitUrl(request.url).path)
    if (found && isMethod(found.method)) return relay(request, reply, found.method, found.model)
    return refuse(request, reply, absence(request))
  })
  return app

  function listed(
    request: FastifyRequest,
    reply: FastifyReply,
    list: (caller: Caller, query: URLSearchParams) => object,
  ) {
    const { query } = splitUrl(request.url)
    return json(request, reply, list(parts.authenticate(request.headers, query, protocolOf(request.raw)), query))
  }

  function json({ raw, id }: FastifyRequest, reply: FastifyReply, value: object): Promise<void> {
    reply.hijack()
    const headers = { 'content-type': 'application/json; charset=utf-8', 'x-request-id': id, ...cors.headers(raw) }
    return tell(reply, { status: 200, headers, body: bytesOfText(JSON.stringify(value)) })
  }

  function refuse(request: FastifyRequest, reply: FastifyReply, error: unknown): Promise<void> {
    const failure = fromFramework(error)
    if (!(failure instanceof GatewayError)) parts.onInternalError(error, request.id)
    const answer = errorReply(failure, protocolOf(request.raw))
    const allow: Record<string, string> =
      failure instanceof GatewayError && failure.kind === 'method-not-allowed' ? { allow: otherMethod(request) } : {}
    reply.hijack()
    discardRest(request.raw)
    return tell(reply, withHeaders(answer, { 'x-request-id': request.id, ...cors.headers(request.raw), ...allow }))
  }

  async function tell(reply: FastifyReply, answer: Reply): Promise<void> {
    const closing: Record<string, string> = parts.draining() ? { connection: 'close' } : {}
    // A caller who leaves now misses an answer that cost nothing.
    await send(reply.raw, withHeaders(answer, closing), parts.writeTimeoutMs).catch(() => {})
  }

  function absence(request: FastifyRequest): GatewayError {
    const { path } = splitUrl(request.url)
    const method = otherMethod(request)
    const google = parseMethodPath(path)
    const existsOtherwise =
      app.hasRoute({ method, url: path }) || (method === 'POST' && google !== null && isMethod(google.method))
    if (!existsOtherwise) return explainAbsence(request.method, path)
    return new GatewayError('method-not-allowed', `${request.method} is not allowed on ${path}. Use ${method}.`)
  }
}

const otherMethod = ({ method }: FastifyRequest) => (method === 'POST' ? 'GET' : 'POST')

/** Fastify's own refusals (a bad URL, a content type that is none) in our words. */
function fromFramework(error: unknown): unknown {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
  if (error instanceof GatewayError || status >= 500) return error
  if (status === 415)
    return new GatewayError(
      'unsupported-media',
      'The content type is missing or makes no sense. Send application/json.',
    )
  if (status === 413) return new GatewayError('too-large', 'The request body is too large.')
  return new GatewayError('invalid-request', 'The request makes no sense: its address or its headers are malformed.', {
    cause: error,
  })
}
