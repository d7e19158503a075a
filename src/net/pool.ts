/** HTTP to one upstream: undici's door. A body arrives as chunks by callback, which is cheaper than a stream and pauses the socket. */
import type { IncomingHttpHeaders } from 'node:http'
import { type Dispatcher, Pool } from 'undici'
import { type Bytes, isInMemory } from '../images/bytes.ts'
import { type ConnectOptions, createConnector } from './connector.ts'

export interface PoolOptions extends ConnectOptions {
  /** Sockets to the upstream at most. */
  readonly connections: number
  /** From the request sent to the answer's head. */
  readonly firstByteMs: number
  /** Between two chunks of the answer. */
  readonly idleMs: number
  /** From the call to the end of its answer. */
  readonly totalMs: number
}

/** The call took longer than `totalMs`, however lively it was. */
export class TotalTimeoutError extends Error {
  override readonly name = 'TotalTimeoutError'
  readonly code = 'PLANTAIN_TOTAL_TIMEOUT'
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  /** With its query. */
  readonly path: string
  /** Lower-case names; `content-length` and `host` are added. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Bytes | null
  /** Aborts the call, its socket included. */
  readonly signal: AbortSignal
}

export interface ResponseHead {
  readonly status: number
  readonly headers: IncomingHttpHeaders
}

/** Takes a chunk of the answer's body. While a returned promise is pending, the upstream's socket waits. */
export type TakeChunk = (chunk: Buffer) => Promise<void> | undefined

export interface HttpPool {
  /**
   * Sends a request. `onHead` gets the answer's head and says who takes its body. Settles when the last chunk was taken.
   * @throws undici's errors (their `code` tells the phase), the signal's reason, or what `onHead` and its taker threw.
   */
  send(request: HttpRequest, onHead: (head: ResponseHead) => TakeChunk): Promise<void>
  close(): Promise<void>
}

// A body up to this size goes out in one write together with the head.
const smallBodyBytes = 64 * 1024

export function createPool(origin: string, options: PoolOptions): HttpPool {
  const pool = new Pool(origin, {
    connections: options.connections,
    pipelining: 1,
    // undici's HTTP/2 window of 256 KiB makes large bodies 20 to 45 times slower over a real round trip.
    allowH2: false,
    headersTimeout: options.firstByteMs,
    bodyTimeout: options.idleMs,
    keepAliveTimeout: 15_000,
    keepAliveMaxTimeout: 300_000,
    connect: createConnector(options),
  })
  return {
    send: (request, onHead) =>
      new Promise((resolve, reject) => {
        const exchange = new Exchange({ signal: request.signal, totalMs: options.totalMs, onHead, resolve, reject })
        if (exchange.over) return
        const { method, path, body } = request
        const headers = body ? { ...request.headers, 'content-length': String(body.length) } : request.headers
        pool.dispatch({ method, path, headers, body: body && sendable(body) }, exchange)
      }),
    close: () => pool.destroy(),
  }
}

/** undici sends any iterable of buffers, though its types name only streams. */
function sendable(body: Bytes): Buffer | Exclude<Dispatcher.DispatchOptions['body'], undefined> {
  const slices = body.slices()
  if (body.length <= smallBodyBytes && isInMemory(slices)) return Buffer.concat([...slices])
  return slices as unknown as Buffer
}

interface ExchangeParts {
  readonly signal: AbortSignal
  readonly totalMs: number
  readonly onHead: (head: ResponseHead) => TakeChunk
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** One call's way through undici's handler methods. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #parts: ExchangeParts
  readonly #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | null = null
  #takeChunk: TakeChunk | null = null
  #taken: Promise<void> | null = null
  /** Bytes of the body still to come; infinite where its length was not announced. */
  #missing = Number.POSITIVE_INFINITY
  over = false

  constructor(parts: ExchangeParts) {
    this.#parts = parts
    this.#timer = setTimeout(() => this.#fail(new TotalTimeoutError('The call took too long.')), parts.totalMs)
    if (parts.signal.aborted) this.#fail(parts.signal.reason)
    else parts.signal.addEventListener('abort', this.#onAbort)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.over) controller.abort(asError(this.#parts.signal.reason))
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.over) return
    this.#missing = Number(headers['content-length'] ?? Number.POSITIVE_INFINITY)
    this.#guard(() => {
      this.#takeChunk = this.#parts.onHead({ status, headers })
    })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // A parser that is resumed before there is more hands on an empty chunk. Waiting for that to be taken would resume it again,
    // and so on for ever.
    if (this.over || chunk.length === 0) return
    this.#missing -= chunk.length
    this.#guard(() => {
      const taken = this.#takeChunk?.(chunk)
      if (!taken) return
      this.#taken = taken.then(
        () => controller.resume(),
        error => this.#fail(error),
      )
      // Paused after the last byte, undici would take the end of the connection for the death of an unfinished answer.
      if (this.#missing > 0) controller.pause()
    })
  }

  onResponseEnd(): void {
    if (this.over) return
    void Promise.resolve(this.#taken).then(() => this.#end(this.#parts.resolve))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error)
  }

  readonly #onAbort = () => this.#fail(this.#parts.signal.reason)

  #guard(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#end(() => this.#parts.reject(error))
    this.#controller?.abort(asError(error))
  }

  #end(settle: () => void): void {
    if (this.over) return
    this.over = true
    clearTimeout(this.#timer)
    this.#parts.signal.removeEventListener('abort', this.#onAbort)
    settle()
  }
}

const asError = (reason: unknown) => (reason instanceof Error ? reason : new Error('aborted', { cause: reason }))
