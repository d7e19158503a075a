/** One caller of the load: a keep-alive connection over a raw socket, one request at a time, optionally reading slowly. */
import { connect, type Socket } from 'node:net'
import { MessageReader } from './message-reader.ts'

export interface CallerOptions {
  /** A caller on a bad line: the socket is left unread whenever it is ahead of this pace. */
  readonly bytesPerSecond?: number
  /** Keep the bodies, for answers that are to be checked. Otherwise only the first bytes, for messages about failures. */
  readonly keepBodies?: boolean
}

export interface CallerAnswer {
  readonly status: number
  readonly bodyBytes: number
  readonly body: Buffer
}

// All sockets read into the same memory: a read is taken in before the next socket's begins.
const window = Buffer.allocUnsafeSlow(256 << 10)
const failureBytes = 500

export class Caller {
  readonly #socket: Socket
  readonly #reader: MessageReader
  readonly #options: CallerOptions
  #pieces: Buffer[] = []
  #keptBytes = 0
  #startedAt = 0
  #settle: ((answer: CallerAnswer | Error) => void) | undefined

  constructor(port: number, options: CallerOptions = {}) {
    this.#options = options
    this.#reader = new MessageReader(piece => this.#keep(piece))
    const onread = { buffer: window, callback: (length: number, bytes: Uint8Array) => this.#read(length, bytes) }
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread })
    this.#socket.on('error', error => this.#end(error))
    this.#socket.on('close', () => this.#end(new Error('The connection was closed before the answer was whole.')))
  }

  /** Resolves when the connection stands. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => this.#socket.once('connect', resolve).once('error', reject))
  }

  /** Sends a whole request (head and body) and resolves with its answer once that is whole. */
  ask(request: Buffer): Promise<CallerAnswer> {
    this.#pieces = []
    this.#keptBytes = 0
    this.#startedAt = performance.now()
    return new Promise((resolve, reject) => {
      this.#settle = answer => (answer instanceof Error ? reject(answer) : resolve(answer))
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  /** False pauses the socket. */
  #read(length: number, bytes: Uint8Array): boolean {
    try {
      if (!this.#reader.feed(Buffer.from(bytes.buffer, bytes.byteOffset, length))) return this.#isOnPace()
    } catch (error) {
      this.#socket.destroy(error as Error)
      return false
    }
    const { status, bodyBytes } = this.#reader
    this.#end({ status, bodyBytes, body: Buffer.concat(this.#pieces) })
    return true
  }

  #isOnPace(): boolean {
    const { bytesPerSecond } = this.#options
    if (bytesPerSecond === undefined) return true
    const dueMs = (this.#reader.bodyBytes / bytesPerSecond) * 1000
    const aheadMs = dueMs - (performance.now() - this.#startedAt)
    if (aheadMs <= 0) return true
    setTimeout(() => this.#socket.resume(), aheadMs)
    return false
  }

  #keep(piece: Buffer): void {
    if (!this.#options.keepBodies && this.#keptBytes > failureBytes) return
    const kept = Buffer.from(this.#options.keepBodies ? piece : piece.subarray(0, failureBytes))
    this.#pieces.push(kept)
    this.#keptBytes += kept.length
  }

  #end(answer: CallerAnswer | Error): void {
    this.#settle?.(answer)
    this.#settle = undefined
  }
}
