/**
 * Sockets that read into buffers the gateway owns (memory/slabs.ts), TCP and TLS alike.
 *
 * `onread` is Node's documented way to choose the buffers of a socket's reads; that its callback pushes the filled part into
 * the socket, so that undici reads it as it reads any socket, is not documented. So it stays in this file, Node's version is
 * pinned, and `windowsWork` tries it at every start.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createServer, connect as netConnect, type OnReadOpts, type Socket } from 'node:net'
import type { buildConnector } from 'undici'
import { undiciConnector } from './undici.ts'

/** What one socket reads into. */
export interface Windows {
  /** Where the next read goes. */
  next(): Buffer
  /**
   * The read brought this many bytes; `unread` of all the bytes handed on, these included, were not consumed yet.
   * @returns true: `consumed` should be told, should no further read come soon.
   */
  filled(bytes: number, unread: number): boolean
  /** All that was handed on was consumed. */
  consumed(): void
  /** The socket is closed and all it handed on was consumed. */
  close(): void
}

export type OpenWindows = () => Windows

/** Connects as undici does, with reads going into windows of the socket's own. */
export function readingInto(
  openWindows: OpenWindows,
  options: buildConnector.BuildOptions,
  target: buildConnector.Options,
  callback: buildConnector.Callback,
): void {
  const windows = openWindows()
  const session = tlsSessions.get(target.hostname)
  const connect = undiciConnector({ ...options, ...(session && { session }), onread: onRead(windows) })
  const socket = connect(target, callback) as unknown as Socket
  socket.once('close', () => setImmediate(() => windows.close()))
  if (target.protocol === 'https:') socket.on('session', (ticket: Buffer) => tlsSessions.set(target.hostname, ticket))
}

// undici remembers TLS sessions per connector, and here every socket has a connector of its own.
const tlsSessions = new Map<string, Buffer>()

// A connection that falls idle has no further read at which it could give back what it filled.
const lookAgainMs = 500

function onRead(windows: Windows): OnReadOpts {
  let window: Buffer | null = null
  let looking = false
  const lookAgain = (socket: Socket) => {
    if (looking) return
    looking = true
    setTimeout(() => {
      looking = false
      if (socket.readableLength === 0) windows.consumed()
      else if (!socket.destroyed) lookAgain(socket)
    }, lookAgainMs).unref()
  }
  return {
    buffer() {
      window = windows.next()
      return window
    },
    callback(this: Socket, bytes: number, buffer: Uint8Array) {
      try {
        if (buffer !== window) throw new Error('Node read into another buffer than the one it asked for.')
        window = null
        const chunk = Buffer.from(buffer.buffer, buffer.byteOffset, bytes)
        const more = this.push(chunk)
        if (windows.filled(bytes, this.readableLength)) lookAgain(this)
        return more
      } catch (error) {
        // Nobody is there to catch it: Node would end the process.
        this.destroy(error as Error)
        return false
      }
    },
  } as OnReadOpts
}

const selfCheckMs = 5000

/** Sends 1 MB through such a socket on loopback and compares. False: use plain sockets. */
export async function windowsWork(openWindows: OpenWindows): Promise<boolean> {
  const sent = randomBytes(1 << 20)
  const server = createServer(socket => socket.on('error', () => {}).end(sent))
  let socket: Socket | undefined
  try {
    // Its own also where several processes share their listeners: else another one would be called.
    const own = { port: 0, host: '127.0.0.1', exclusive: true }
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(own, resolve))
    const address = server.address()
    if (!address || typeof address === 'string') return false
    const windows = openWindows()
    socket = netConnect({ port: address.port, host: '127.0.0.1', onread: onRead(windows) })
    socket.setTimeout(selfCheckMs, () => socket?.destroy(new Error('Nothing was read.')))
    const hash = createHash('sha256')
    for await (const chunk of socket) hash.update(chunk)
    windows.close()
    return hash.digest().equals(createHash('sha256').update(sent).digest())
  } catch {
    return false
  } finally {
    socket?.destroy()
    server.close()
  }
}
