/** The frame of every exchange: who asks, how long it may take, what is told when it fails, and what is written down of it. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { DryRun, DryRunEnd } from '../gateway/dry-run.ts'
import type { Exchange } from '../gateway/exchange.ts'
import { asError, GatewayError, type Outcome, outcomeOf } from '../images/error.ts'
import { Patience } from '../limits/patience.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type ExchangeRecord, type Operation, type Protocol, startRecord } from '../telemetry/record.ts'
import type { Authenticate, Caller } from './auth.ts'
import { callerSignal, timeLimitMs } from './caller-signal.ts'
import type { Cors } from './cors.ts'
import { asGatewayError, errorReply, splitUrl, withHeaders } from './envelope.ts'
import { type Reply, send } from './send.ts'

export interface ServeParts {
  readonly authenticate: Authenticate
  readonly cors: Cors
  readonly metrics: Pick<Metrics, 'exchange'>
  readonly log: Pick<Log, 'exchangeLine' | 'error'>
  /** The longest an exchange may take. */
  readonly totalMs: number
  readonly writeTimeoutMs: number
  readonly strictParameters: boolean
  /** Tells this process from others in a ring of gateways. */
  readonly instance: string
  readonly draining: () => boolean
  readonly now: () => number
}

/** What an exchange's work gets beside the exchange itself. */
export interface Conversation {
  readonly exchange: Exchange
  readonly message: IncomingMessage
  readonly response: ServerResponse
  /** The headers of the answer, as known by now. */
  headers(): Readonly<Record<string, string>>
  /** Sends a whole answer; settles when it is out. Until then its body must be held. */
  answer(reply: Reply): Promise<void>
  /** How a failure is told once the head is out, where the answer has a way to; else the connection is cut. */
  onLateFailure(tell: (failure: GatewayError) => Promise<void>): void
}

export type Serve = (
  request: FastifyRequest,
  reply: FastifyReply,
  protocol: Protocol,
  operation: Operation,
  work: (conversation: Conversation) => Promise<Outcome>,
) => Promise<void>

/** Exchanges since the start. */
export interface Activity {
  readonly underWay: number
  readonly begun: number
}

export interface Exchanges {
  readonly serve: Serve
  activity(): Activity
  /** Settles when none is under way: all are logged, and what they held is given back. */
  ended(): Promise<void>
}

export function createExchanges(parts: ServeParts): Exchanges {
  let underWay = 0
  let begun = 0
  const waiting: (() => void)[] = []
  const serveOne = createServe(parts, () => {
    underWay -= 1
    if (underWay === 0) for (const tell of waiting.splice(0)) tell()
  })

  return {
    serve(request, reply, protocol, operation, work) {
      reply.hijack()
      const begin = () => {
        underWay += 1
        begun += 1
        return serveOne(request, reply, protocol, operation, work)
      }
      // Pipelined requests are served one after the other: Node tells an answer that waits behind another nothing of a connection
      // that closes, so what is done for it could never be stopped. A caller who leaves before their turn was never served.
      return reply.raw.socket ? begin() : once(reply.raw, 'socket').then(begin)
    },
    activity: () => ({ underWay, begun }),
    ended: () => (underWay === 0 ? Promise.resolve() : new Promise(resolve => waiting.push(resolve))),
  }
}

/** Whatever is no «no»: who misspells the word for a dry run should not pay for it. */
const isOn = (header: string | readonly string[] | undefined) => !/^(?:|false|0|off|no)$/i.test(String(header ?? ''))

function createServe(parts: ServeParts, onEnd: () => void): Serve {
  const { authenticate, cors, now } = parts

  return async (request, reply, protocol, operation, work) => {
    const { raw: message } = request
    const { raw: response } = reply
    const startedMs = now()
    const record = startRecord(request.id, protocol, operation)
    const limitMs = timeLimitMs(message.headers, parts.totalMs)
    const { signal, end } = callerSignal(response, limitMs)
    const headers = new Map<string, string>()
    const dryRun = isOn(message.headers['x-plantain-dry-run']) ? new DryRun() : null
    record.dryRun = dryRun !== null
    const allHeaders = () => {
      const all: Record<string, string> = { 'x-request-id': request.id, ...cors.headers(message) }
      for (const [name, value] of headers) all[name] = value
      const time = timing(record, now() - startedMs)
      if (time !== null) all['server-timing'] = time
      if (parts.draining()) all.connection = 'close'
      return all
    }
    const answer = async (plain: Reply) => {
      record.status = plain.status
      await send(response, withHeaders(plain, allHeaders()), parts.writeTimeoutMs)
      record.bytesOut = plain.body.length
    }
    let tellLate: ((failure: GatewayError) => Promise<void>) | null = null
    const onLateFailure: Conversation['onLateFailure'] = tell => {
      tellLate = tell
    }
    try {
      const { query } = splitUrl(message.url ?? '/')
      const caller = authenticate(message, query, protocol)
      record.caller = caller.id
      const exchange: Exchange = {
        record,
        caller,
        signal,
        deadlineMs: startedMs + limitMs,
        patience: patienceOf(caller, startedMs + limitMs),
        trail: nextTrail(message, parts.instance),
        headers,
        dryRun,
        ignored: new Set(),
        strict: parts.strictParameters || isOn(message.headers['x-plantain-strict']),
      }
      record.outcome = await work({ exchange, message, response, headers: allHeaders, answer, onLateFailure })
    } catch (error) {
      if (dryRun && error instanceof DryRunEnd) await explain(dryRun)
      else await tellFailure(signal.aborted ? signal.reason : error)
    } finally {
      end()
      record.durationMs = now() - startedMs
      parts.metrics.exchange(record)
      parts.log.exchangeLine(record)
      onEnd()
    }

    function patienceOf({ id, queue }: Caller, deadlineMs: number): Patience | null {
      if (!queue || queue.max === 0) return null
      const onWaited = (waitedMs: number) => {
        record.queuedMs = waitedMs
      }
      return new Patience({ caller: id, queue, signal, deadlineMs, now, onWaited })
    }

    async function explain(worked: DryRun): Promise<void> {
      record.outcome = 'ok'
      await answer({ status: 200, headers: { 'content-type': 'application/json' }, body: worked.explain() }).catch(
        () => {},
      )
    }

    async function tellFailure(error: unknown): Promise<void> {
      const failure = asGatewayError(error)
      record.outcome = outcomeOf(failure)
      // Painted perhaps, and paid for, but not delivered.
      record.images = 0
      if (failure.facts.reason) record.refusalReason = failure.facts.reason
      // A refusal's message repeats what the model said about the prompt: that is the caller's alone.
      record.error = {
        kind: failure.kind,
        message: record.outcome === 'refused' ? '' : failure.message,
        ...wordsOfVendor(failure),
      }
      if (failure.kind === 'internal')
        parts.log.error('an exchange failed', { requestId: request.id, error: asError(error) })
      if (failure.kind === 'caller-left' || (response.headersSent && !tellLate) || response.destroyed) {
        if (!response.headersSent) record.status = 499
        response.destroy()
        return
      }
      if (response.headersSent) {
        await tellLate?.(failure).catch(() => response.destroy())
        return
      }
      discardRest(message)
      await answer(errorReply(failure, protocol)).catch(() => {})
    }
  }
}

/** Why a key is refused is in the vendor's words alone. What went wrong with credentials here may quote them. */
const wordsOfVendor = ({ kind, cause }: GatewayError) =>
  kind === 'upstream-credential' && typeof cause === 'string' ? { cause } : {}

/** A relayed answer's headers go out with its first byte: then the upstream's time is the time until that. */
function timing({ upstreamMs, firstByteMs, queuedMs }: ExchangeRecord, totalMs: number): string | null {
  const ms = upstreamMs ?? firstByteMs
  const queue = queuedMs > 0 ? `queue;dur=${queuedMs.toFixed(1)}` : null
  if (ms === null) return queue
  const times = `upstream;dur=${ms.toFixed(1)}, gateway;dur=${Math.max(0, totalMs - ms - queuedMs).toFixed(1)}`
  return queue === null ? times : `${times}, ${queue}`
}

const longestTrail = 20

/** @throws GatewayError `loop` where the request has been here before. */
function nextTrail({ headers }: IncomingMessage, instance: string): string {
  const passed = String(headers['x-plantain-trail'] ?? '')
    .split(',')
    .filter(Boolean)
  if (passed.includes(instance) || passed.length > longestTrail) {
    throw new GatewayError('loop', 'This request has been at this gateway before: an upstream leads back to it.')
  }
  return [...passed, instance].join(',')
}

const mostDiscardedBytes = 256 << 20
const longestDiscardMs = 10_000

/**
 * An answer that comes before the request's body is read would be lost if the connection were reset under a caller who still
 * sends: so the rest is read and thrown away, within bounds.
 */
export function discardRest(message: IncomingMessage): void {
  if (message.complete || message.destroyed) return
  let left = mostDiscardedBytes
  const timer = setTimeout(() => message.destroy(), longestDiscardMs).unref()
  message.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) message.destroy()
  })
  message.once('close', () => clearTimeout(timer))
  message.on('error', () => {})
  // A parser that is no longer listened to would hold it back.
  message.unpipe()
  message.resume()
}
