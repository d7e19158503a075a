/** A TCP server that answers HTTP requests byte by byte, as wrongly as a test wants: what no HTTP library would send. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

/** One request as it came, and the socket to answer on. */
export interface RawCall {
  readonly socket: Socket
  /** The request line and the headers. */
  readonly head: string
  readonly body: Buffer
  /** Settles when the connection is closed, by whomever. */
  readonly closed: Promise<void>
}

/** Called when a whole request is there. */
export type RawScript = (call: RawCall) => void | Promise<void>

export interface RawUpstream {
  readonly url: string
  readonly calls: readonly RawCall[]
  /** Connections ever accepted. */
  readonly accepted: number
  /** Connections that stand now. */
  readonly open: ReadonlySet<Socket>
  script: RawScript
  /** Called when a connection is there, before anything was read from it. */
  onConnection: (socket: Socket) => void
  /** Settles with the next call that arrives. */
  nextCall(): Promise<RawCall>
  /** Closes all connections, as an upstream does that restarts. */
  hangUp(): Promise<void>
  close(): Promise<void>
}

export async function startRawUpstream(script: RawScript, tls?: TlsOptions): Promise<RawUpstream> {
  const open = new Set<Socket>()
  const calls: RawCall[] = []
  const waiting: ((call: RawCall) => void)[] = []

  function accept(socket: Socket): void {
    state.accepted += 1
    open.add(socket)
    const closed = closing(socket).then(() => void open.delete(socket))
    socket.on('error', () => {})
    state.onConnection(socket)
    readRequests(socket, (head, body) => {
      const call = { socket, head, body, closed }
      calls.push(call)
      for (const tell of waiting.splice(0)) tell(call)
      void state.script(call)
    })
  }

  const server = tls ? createTlsServer(tls, accept) : createServer(accept)
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const state = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    accepted: 0,
    open,
    script,
    onConnection: (_socket: Socket): void => {},
    nextCall: () => new Promise<RawCall>(resolve => waiting.push(resolve)),
    async hangUp() {
      const closed = [...open].map(closing)
      for (const socket of open) socket.destroy()
      await Promise.all(closed)
    },
    async close() {
      server.close()
      await state.hangUp()
    },
  }
  return state
}

// `once` of node:events would reject at the resets that tests are made of.
const closing = (socket: Socket) => new Promise<void>(resolve => socket.once('close', () => resolve()))

/** Requests with a content-length, or without a body: the gateway sends no others. */
function readRequests(socket: Socket, take: (head: string, body: Buffer) => void): void {
  let chunks: Buffer[] = []
  let missing = 0
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    missing -= chunk.length
    if (missing > 0) return
    const bytes = Buffer.concat(chunks)
    const end = bytes.indexOf('\r\n\r\n')
    const head = end === -1 ? '' : bytes.toString('latin1', 0, end)
    const length = end === -1 ? 1 : end + 4 + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
    missing = length - bytes.length
    chunks = [bytes]
    if (end === -1 || missing > 0) return
    chunks = [bytes.subarray(length)]
    take(head, bytes.subarray(end + 4, length))
  })
}

/** A head as bytes. Without `framing`, the body ends where the connection ends. */
export function rawHead(status: string, ...headers: readonly string[]): string {
  return [`HTTP/1.1 ${status}`, ...headers, '', ''].join('\r\n')
}

/** One chunk of a chunked body. */
export const rawChunk = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])

/** Writes byte by byte until all is out or the other side hangs up. */
export async function dribble(socket: Socket, bytes: Buffer, everyMs: number): Promise<void> {
  for (const byte of bytes) {
    if (socket.destroyed) return
    socket.write(Buffer.of(byte))
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
}
