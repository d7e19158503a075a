/** The operator's listener: is it alive, is it ready, what does it count, what have callers used and what have they left. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Elsewhere } from './elsewhere.ts'
import { createLimitsAnswer, type LimitsParts } from './limits.ts'
import { Refusal, refuse } from './replies.ts'
import { createUsageAnswer, type UsageParts } from './usage.ts'

export interface Readiness {
  readonly ready: boolean
  /** What readiness depends on: `{ store: true, draining: false }`. Booleans only, for anybody may ask. */
  readonly checks: Readonly<Record<string, boolean>>
}

export interface AdminParams {
  /** Guards `/metrics` and what is below `/admin`; null: open, which the configuration allows on loopback only. */
  readonly token: string | null
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>
  /** Asked at each `/readyz`. */
  readonly ready: () => Readiness | Promise<Readiness>
  /** What is told below `/admin`; a function: whoever answers that, and asks for the token as well. */
  readonly reports: (UsageParts & LimitsParts) | Elsewhere
}

// Probes and scrapers are small and quick: whatever is not gets cut early.
const maxHeaderBytes = 8192
const maxBodyBytes = 1024
const requestTimeoutMs = 10_000

const noCompiler = () => () => {
  throw new Error('Routes here have no schemas.')
}

/** Builds the listener without a port: `listen` and `close` are the caller's. */
export function createAdmin({ token, metrics, ready, reports }: AdminParams): FastifyInstance {
  const app = fastify({
    // Nothing is checked or written by schema here: otherwise the compilers for that are loaded, some megabytes of memory.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    logger: false,
    http: { maxHeaderSize: maxHeaderBytes, headersTimeout: requestTimeoutMs },
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    // A scraper keeps its connection open between scrapes; closing must not wait for it.
    forceCloseConnections: true,
    frameworkErrors: (_error, _request, reply) => notFound(reply),
  })

  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
  })
  app.setNotFoundHandler((_request, reply) => notFound(reply))
  app.setErrorHandler<FastifyError | Refusal>((error, _request, reply) => {
    if (error instanceof Refusal) return refuse(reply, error.status, error.code, error.message)
    // Below 500 it is Fastify's word on a body, and no route here takes one.
    if ((error.statusCode ?? 500) < 500) return notFound(reply)
    return refuse(reply, 500, 'internal', 'The gateway could not answer this.')
  })

  app.get('/livez', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const readiness = await ready()
    return reply.code(readiness.ready ? 200 : 503).send({ ready: readiness.ready, checks: readiness.checks })
  })
  const guarded = { onRequest: operatorOnly(token) }
  app.get('/metrics', guarded, async (_request, reply) =>
    reply.header('content-type', metrics.contentType).send(await metrics.text()),
  )
  if (typeof reports === 'function') {
    app.get('/admin/*', guarded, async ({ method, url, headers }, reply) => {
      const authorization = headers.authorization ?? null
      const answer = await reports({ method: method === 'HEAD' ? 'HEAD' : 'GET', url, authorization })
      return reply.code(answer.status).headers(answer.headers).send(answer.body)
    })
    return app
  }
  app.get('/admin/usage', guarded, createUsageAnswer(reports))
  app.get('/admin/limits/:caller', guarded, createLimitsAnswer(reports))
  return app
}

/** Lets a request pass that carries the operator's token, every request where there is none. */
function operatorOnly(token: string | null) {
  const expected = token === null ? null : digest(`Bearer ${token}`)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const given = request.headers.authorization?.replace(/^bearer +/i, 'Bearer ') ?? ''
    // Digests are of one length, so the comparison tells nothing about the token, not even how long it is.
    if (expected === null || timingSafeEqual(digest(given), expected)) return undefined
    reply.header('www-authenticate', 'Bearer realm="plantain"')
    return refuse(reply, 401, 'unauthenticated', 'Send the admin token: Authorization: Bearer <token>.')
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

function notFound(reply: FastifyReply): FastifyReply {
  return refuse(
    reply,
    404,
    'not_found',
    'There is nothing here. This listener answers GET /livez, /readyz, /metrics, /admin/usage and /admin/limits/{caller}.',
  )
}
