/**
 * Sockets that read into buffers the gateway owns (memory/slabs.ts), TCP and TLS alike.
 *
 * `onread` is Node's documented way to choose the buffers of a socket's reads; that its callback pushes the filled part into
 * the socket, so that undici reads it as it reads any socket, is not documented. So it stays in this file, Node's version is
 * pinned, and `windowsWork` tries it at every start.
 */
import { createHash } from 'node:crypto'
import { createServer, connect as netConnect, type OnReadOpts, type Socket } from 'node:net'
import { buildConnector } from 'undici'

/** What one socket reads into. */
export interface Windows {
  /** Where the next read goes. */
  next(): Buffer
  /** The read brought this many bytes; `unread` of all the bytes handed on, these included, were not consumed yet. */
  filled(bytes: number, unread: number): void
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
  const connect = buildConnector({ ...options, ...(session && { session }), onread: onRead(windows) })
  const socket = connect(target, callback) as unknown as Socket
  socket.once('close', () => setImmediate(() => windows.close()))
  if (target.protocol === 'https:') socket.on('session', (ticket: Buffer) => tlsSessions.set(target.hostname, ticket))
}

// undici remembers TLS sessions per connector, and here every socket has a connector of its own.
const tlsSessions = new Map<string, Buffer>()

function onRead(windows: Windows): OnReadOpts {
  return {
    buffer: () => windows.next(),
    callback(this: Socket, bytes: number, buffer: Uint8Array) {
      const chunk = Buffer.from(buffer.buffer, buffer.byteOffset, bytes)
      const more = this.push(chunk)
      windows.filled(bytes, this.readableLength)
      return more
    },
  } as OnReadOpts
}

/** Sends 1 MB through such a socket on loopback and compares. False: use plain sockets. */
export async function windowsWork(openWindows: OpenWindows): Promise<boolean> {
  const sent = Buffer.alloc(1 << 20, 'plantain ')
  const server = createServer(socket => socket.end(sent))
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (!address || typeof address === 'string') return false
    const windows = openWindows()
    const socket = netConnect({ port: address.port, host: '127.0.0.1', onread: onRead(windows) })
    const hash = createHash('sha256')
    for await (const chunk of socket) hash.update(chunk)
    windows.close()
    return hash.digest().equals(createHash('sha256').update(sent).digest())
  } catch {
    return false
  } finally {
    server.close()
  }
}
