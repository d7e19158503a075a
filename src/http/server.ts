/** The public listener: which path leads where, and what is told where none leads. */
import multipart from '@fastify/multipart'
import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  type onRequestHookHandler,
} from 'fastify'
import { bytesOfText } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import type { Catalogue } from '../models/catalogue.ts'
import { isMethod, parseMethodPath } from '../protocols/gemini/index.ts'
import type { Download } from '../telemetry/metrics.ts'
import { explainAbsence } from './absent-routes.ts'
import type { AnswerAsset } from './assets.ts'
import type { Authenticate, Caller } from './auth.ts'
import type { CallsHandler } from './calls.ts'
import { answerClientError } from './client-error.ts'
import { mediaTypeOf } from './content-type.ts'
import type { Cors } from './cors.ts'
import { emptyBody, errorReply, protocolOf, splitUrl, withHeaders } from './envelope.ts'
import { checkHost } from './host.ts'
import type { ImagesHandler } from './images.ts'
import type { Shelf } from './model-list.ts'
import { requestIdOf } from './request-id.ts'
import { assetPaths, deploymentPath, imagePaths, isCallPath, methodsAt, modelRoutes, operations } from './routes.ts'
import { type Reply, send } from './send.ts'
import { discardRest } from './serve.ts'

export interface ServerParts {
  readonly images: ImagesHandler
  readonly calls: CallsHandler
  readonly answerAsset: AnswerAsset
  /** A picture that was answered by URL was asked for. */
  readonly onDownload: (download: Download) => void
  readonly authenticate: Authenticate
  readonly cors: Cors
  readonly catalogue: Catalogue
  /** What lists show, to those it is served to. */
  readonly names: Shelf['names']
  /** May this caller use it, and does an upstream serve it? */
  readonly isServedTo: (caller: Caller) => Shelf['isServed']
  readonly writeTimeoutMs: number
  readonly draining: () => boolean
  readonly onInternalError: (error: unknown, requestId: string) => void
  /** Seconds since the epoch, for lists that want to know when a model came. */
  readonly startedSeconds: number
}

const longestHeadersBytes = 16 * 1024

const noCompiler = () => () => {
  throw new Error('Routes here have no schemas.')
}

export function createServer(parts: ServerParts): FastifyInstance {
  const { images, calls, catalogue, names, cors } = parts
  const app = fastify({
    // Nothing is checked or written by schema here: otherwise the compilers for that are loaded, some megabytes of memory.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    logger: false,
    genReqId: message => requestIdOf(message.headers['x-request-id']),
    // Node's own answer to a missing host has no body.
    http: { maxHeaderSize: longestHeadersBytes, headersTimeout: 20_000, requireHostHeader: false },
    // A caller with a slow line may take minutes to upload its pictures.
    requestTimeout: 600_000,
    // Bodies are read and bounded by the routes themselves; Fastify only looks at content types.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    routerOptions: { maxParamLength: longestHeadersBytes },
    clientErrorHandler: answerClientError,
    // Who is still connected while the process drains is served, and told to connect anew.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => refuse(request, reply, error),
  })
  app.removeAllContentTypeParsers()
  app.register(multipart)
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.setErrorHandler((error, request, reply) => refuse(request, reply, error))
  app.setNotFoundHandler((request, reply) => refuse(request, reply, absence(request)))

  // RFC 9110, 10.1.1: an expectation nobody knows may be left unmet. Node would answer it without a body.
  app.server.on('checkExpectation', (message, response) => app.server.emit('request', message, response))

  app.addHook('onRequest', ({ raw, id }, reply, done) => {
    checkHost(raw)
    if (!cors.isPreflight(raw)) {
      done()
      return
    }
    reply.hijack()
    const headers = { ...cors.preflightHeaders(raw), 'x-request-id': id }
    void tell(reply, { status: 204, headers, body: emptyBody })
  })

  app.get('/healthz', (request, reply) => json(request, reply, { status: 'ok' }))
  app.get(assetPaths, (request, reply) => asset(request, reply))

  for (const [name, operation] of operations) {
    for (const path of imagePaths) post(`${path}/${name}`, (request, reply) => images(request, reply, operation))
    post(`${deploymentPath}/${name}`, (request, reply) => {
      const { model } = request.params as { readonly model: string }
      return images(request, reply, operation, model)
    })
  }

  for (const { paths, list, one } of modelRoutes) {
    for (const path of paths) {
      app.get(path, (request, reply) => told(request, reply, (shelf, query) => list(shelf, query)))
      app.get<{ Params: { '*': string } }>(`${path}/*`, (request, reply) => {
        if (isCallPath(splitUrl(request.url).path)) return refuse(request, reply, absence(request))
        return told(request, reply, shelf => one(shelf, request.params['*']))
      })
    }
  }

  // Google's paths have a colon in their last segment, often percent-encoded: read whole, not by the router.
  post('/*', (request, reply) => {
    const found = parseMethodPath(splitUrl(request.url).path)
    if (found && isMethod(found.method)) return calls(request, reply, found.method, found.model)
    return refuse(request, reply, absence(request))
  })
  return app

  /** Only forms need what Fastify does about bodies between its first hook and the handler: all others are served at once. */
  function post(path: string, handle: (request: FastifyRequest, reply: FastifyReply) => Promise<void>): void {
    const onRequest: onRequestHookHandler = (request, reply, done) => {
      if (mediaTypeOf(request) === 'multipart/form-data') done()
      else handle(request, reply).catch(error => refuse(request, reply, error))
    }
    app.post(path, { onRequest }, handle)
  }

  function told(
    request: FastifyRequest,
    reply: FastifyReply,
    tellOf: (shelf: Shelf, query: URLSearchParams) => object,
  ): Promise<void> {
    const { query } = splitUrl(request.url)
    const caller = parts.authenticate(request.raw, query, protocolOf(request.raw))
    const shelf = { catalogue, names, isServed: parts.isServedTo(caller), createdSeconds: parts.startedSeconds }
    return json(request, reply, tellOf(shelf, query))
  }

  async function json({ raw, id }: FastifyRequest, reply: FastifyReply, value: object): Promise<void> {
    reply.hijack()
    const headers = { 'content-type': 'application/json; charset=utf-8', 'x-request-id': id, ...cors.headers(raw) }
    await tell(reply, { status: 200, headers, body: bytesOfText(JSON.stringify(value)) })
  }

  async function asset({ raw, id }: FastifyRequest, reply: FastifyReply): Promise<void> {
    const answering = parts.answerAsset(raw)
    answering.catch(() => parts.onDownload({ outcome: 'failed', status: null, bytes: 0 }))
    const { reply: answer, pictureBytes, release } = await answering
    const { status } = answer
    reply.hijack()
    try {
      const isOut = await tell(reply, withHeaders(answer, { 'x-request-id': id, ...cors.headers(raw) }))
      const answered = status < 400 ? 'ok' : 'failed'
      parts.onDownload({ outcome: isOut ? answered : 'left', status, bytes: pictureBytes })
    } finally {
      await release()
    }
  }

  async function refuse(request: FastifyRequest, reply: FastifyReply, error: unknown): Promise<void> {
    const failure = fromFramework(error)
    if (!(failure instanceof GatewayError)) parts.onInternalError(error, request.id)
    const answer = errorReply(failure, protocolOf(request.raw))
    const isWrongMethod = failure instanceof GatewayError && failure.kind === 'method-not-allowed'
    const allow: Record<string, string> = isWrongMethod
      ? { allow: methodsAt(splitUrl(request.url).path).join(', ') }
      : {}
    reply.hijack()
    discardRest(request.raw)
    await tell(reply, withHeaders(answer, { 'x-request-id': request.id, ...cors.headers(request.raw), ...allow }))
  }

  /** False: the caller left before, and misses an answer that cost nothing, or can be asked for again. */
  function tell(reply: FastifyReply, answer: Reply): Promise<boolean> {
    const closing: Record<string, string> = parts.draining() ? { connection: 'close' } : {}
    return send(reply.raw, withHeaders(answer, closing), parts.writeTimeoutMs).then(
      () => true,
      () => false,
    )
  }
}

function absence({ method, url }: FastifyRequest): GatewayError {
  const { path } = splitUrl(url)
  const methods = methodsAt(path)
  if (methods.length === 0 || methods.includes(method)) return explainAbsence(method, path)
  return new GatewayError('method-not-allowed', `${method} is not allowed on ${path}. Use ${methods[0]}.`)
}

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
