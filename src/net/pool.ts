/** HTTP to one upstream: undici's door. A body arrives as chunks by callback, which is cheaper than a stream and pauses the socket. */
import type { IncomingHttpHeaders } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { buildConnector, Dispatcher, Pool as UndiciPool } from 'undici'
import { type Bytes, isInMemory } from '../images/bytes.ts'
import { type ConnectOptions, createConnector } from './connector.ts'
import { goOnWith } from './turn.ts'
import { Pool } from './undici.ts'

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
  readonly method: 'GET' | 'POST' | 'HEAD' | 'PUT' | 'DELETE'
  /** With its query. */
  readonly path: string
  /** Lower-case names; `content-length` and `host` are added. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Bytes | null
  /** Aborts the call, its socket included. */
  readonly signal: AbortSignal
  /** Called when a connection stands and the request goes out on it. Before, it can't have been billed. */
  readonly onSent?: () => void
  /** The answer is a stream of events: the upstream may think as long between two of them as before the first. */
  readonly isStream?: boolean
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
  const connect = createConnector(options)
  let connections = 0
  const counted: buildConnector.connector = (target, callback) => {
    connections += 1
    connect(target, callback)
  }
  const pool = new Pool(origin, {
    connections: options.connections,
    pipelining: 1,
    // undici's HTTP/2 window of 256 KiB makes large bodies 20 to 45 times slower over a real round trip.
    allowH2: false,
    headersTimeout: options.firstByteMs,
    keepAliveTimeout: 15_000,
    keepAliveMaxTimeout: 300_000,
    connect: counted,
  })

  const line: Line = {
    pool,
    opened: () => connections,
    totalMs: options.totalMs,
    idleMs: options.idleMs,
    streamIdleMs: Math.max(options.idleMs, options.firstByteMs),
  }
  return {
    send: (request, onHead) =>
      new Promise((resolve, reject) => {
        new Exchange(line, request, onHead, { resolve, reject }).start()
      }),
    close: () => pool.destroy(),
  }
}

// Sixteen answers that come as fast as they can would hold everybody else up for fifty milliseconds. Much less costs CPU: what is
// read in one go is still in the processor's caches when it is looked at.
const mostBytesInARow = 2 * 2 ** 20

// Longer than any round trip, shorter than any painting.
const longestCrossingMs = 1_000
const endings: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/**
 * An upstream closes idle connections at some time, and a request may be on its way there just then. It is not read, so it
 * may be sent again: where a connection that had served before ended at once, without a byte of an answer.
 */
function crossedClosing(error: unknown, afterMs: number): boolean {
  return afterMs < longestCrossingMs && error instanceof Error && 'code' in error && endings.has(String(error.code))
}

/** undici sends any iterable of buffers, though its types name only streams. */
function sendable(body: Bytes): Buffer | Exclude<Dispatcher.DispatchOptions['body'], undefined> {
  const slices = body.slices()
  if (body.length <= smallBodyBytes && isInMemory(slices)) return Buffer.concat([...slices])
  return slices as unknown as Buffer
}

/** What all exchanges with one upstream share. */
interface Line {
  readonly pool: UndiciPool
  /** Connections opened so far. */
  readonly opened: () => number
  readonly totalMs: number
  readonly idleMs: number
  /** Between two events the upstream may paint. */
  readonly streamIdleMs: number
}

interface Settle {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** One call's way through undici's handler methods. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #line: Line
  readonly #request: HttpRequest
  readonly #onHead: (head: ResponseHead) => TakeChunk
  readonly #settle: Settle
  readonly #timer: NodeJS.Timeout
  readonly #startedMs = performance.now()
  readonly #openedBefore: number
  #controller: Dispatcher.DispatchController | null = null
  #takeChunk: TakeChunk | null = null
  /** Bytes of the body so far. */
  #length = 0
  /** Bytes it will have in all; infinite where nobody said. */
  #announced = Number.POSITIVE_INFINITY
  #taken: Promise<void> | null = null
  /** The first byte of an answer is there. */
  #begun = false
  #again = false
  /** Since it last waited. */
  #bytesInARow = 0
  #over = false

  constructor(line: Line, request: HttpRequest, onHead: (head: ResponseHead) => TakeChunk, settle: Settle) {
    this.#line = line
    this.#request = request
    this.#onHead = onHead
    this.#settle = settle
    this.#openedBefore = line.opened()
    this.#timer = setTimeout(() => this.#fail(new TotalTimeoutError('The call took too long.')), line.totalMs)
  }

  start(): void {
    const { signal } = this.#request
    if (signal.aborted) this.#fail(signal.reason)
    else {
      signal.addEventListener('abort', this.#onAbort)
      this.#dispatch()
    }
  }

  #dispatch(): void {
    const { method, path, headers, body, isStream } = this.#request
    const { pool, idleMs, streamIdleMs } = this.#line
    const bodyTimeout = isStream ? streamIdleMs : idleMs
    const allHeaders = body ? { ...headers, 'content-length': String(body.length) } : headers
    this.#controller = null
    try {
      pool.dispatch({ method, path, headers: allHeaders, body: body && sendable(body), bodyTimeout }, this)
    } catch (error) {
      this.#fail(error)
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(asError(this.#request.signal.reason))
    else this.#request.onSent?.()
  }

  onResponseStarted(): void {
    this.#begun = true
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.#over) return
    this.#announced = Number(headers['content-length'] ?? Number.POSITIVE_INFINITY)
    try {
      this.#takeChunk = this.#onHead({ status, headers })
    } catch (error) {
      this.#fail(error)
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // A parser that is resumed before there is more hands on an empty chunk. Waiting for that to be taken would resume it again,
    // and so on for ever.
    if (this.#over || chunk.length === 0) return
    this.#length += chunk.length
    this.#bytesInARow += chunk.length
    try {
      const taken = this.#takeChunk?.(chunk)
      if (taken) this.#waitFor(taken, controller)
      else if (this.#bytesInARow >= mostBytesInARow) this.#waitFor(nextTurn(), controller)
    } catch (error) {
      this.#fail(error)
    }
  }

  #waitFor(taken: Promise<void>, controller: Dispatcher.DispatchController): void {
    this.#bytesInARow = 0
    this.#taken = taken.then(
      () => controller.resume(),
      error => this.#fail(error),
    )
    // Paused after the last byte, undici would take the end of the connection for the death of an unfinished answer.
    if (this.#length < this.#announced) controller.pause()
  }

  onResponseEnd(): void {
    if (this.#over) return
    if (this.#taken) void this.#taken.then(() => this.#end(this.#settle.resolve))
    else this.#end(() => goOnWith(this.#length, this.#settle.resolve))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (!this.#over && this.#metAClosingConnection(error)) {
      this.#again = true
      // A moment later the pool knows that the connection is gone, and opens it anew. At once it would take the next that is idle,
      // which may be closing as well.
      setImmediate(() => {
        if (!this.#over) this.#dispatch()
      })
    } else this.#fail(error)
  }

  /** Once. Where no connection was opened meanwhile, it went out on one that had served before. */
  #metAClosingConnection(error: Error): boolean {
    const wasInUse = this.#line.opened() === this.#openedBefore
    return !this.#again && !this.#begun && wasInUse && crossedClosing(error, performance.now() - this.#startedMs)
  }

  readonly #onAbort = () => this.#fail(this.#request.signal.reason)

  #fail(error: unknown): void {
    this.#end(() => this.#settle.reject(error))
    this.#controller?.abort(asError(error))
  }

  #end(settle: () => void): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    this.#request.signal.removeEventListener('abort', this.#onAbort)
    settle()
  }
}

const asError = (reason: unknown) => (reason instanceof Error ? reason : new Error('aborted', { cause: reason }))
