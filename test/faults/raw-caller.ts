/** A caller on a bare socket: sees every byte of an answer, whether it is whole, and how the connection ended. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  /** Null: the connection ended before a head. */
  readonly status: number | null
  readonly reasonPhrase: string
  readonly headers: ReadonlyMap<string, string>
  /** Without its chunked framing. */
  readonly body: Buffer
  /** The body is as long as its framing says; without any, the connection ended in good order. */
  readonly whole: boolean
}

export interface RawCallOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly version?: '1.0' | '1.1'
  /** Send the head and this many bytes of the body only. */
  readonly onlyBytes?: number
  /** Send these bytes instead of a request. */
  readonly raw?: Buffer
}

export interface RawCaller {
  readonly socket: Socket
  /** Settles when the connection has ended. */
  readonly answer: Promise<RawAnswer>
  /** Settles with the first byte of the answer. */
  readonly begun: Promise<void>
  /** Drops the connection at once. */
  leave(): void
}

/** Sends a POST and reads until the connection ends. `socket.pause()` makes it a caller who takes nothing. */
export async function openCall(
  url: string,
  path: string,
  body: string,
  options: RawCallOptions = {},
): Promise<RawCaller> {
  const { hostname, port } = new URL(url)
  const socket = connect({ port: Number(port), host: hostname })
  const chunks: Buffer[] = []
  let reset = false
  socket.on('data', chunk => chunks.push(chunk))
  socket.on('error', () => {
    reset = true
  })
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  const begun = new Promise<void>(resolve => socket.once('data', () => resolve()))
  await once(socket, 'connect')
  socket.write(options.raw ?? rawRequest(path, body, options))
  return {
    socket,
    begun,
    answer: closed.then(() => parse(Buffer.concat(chunks), reset)),
    leave: () => socket.destroy(),
  }
}

export async function callRaw(url: string, path: string, body: string, options?: RawCallOptions): Promise<RawAnswer> {
  return (await openCall(url, path, body, options)).answer
}

/** The bytes of a request whose connection ends with its answer. */
export function rawRequest(path: string, body: string, { headers = {}, version = '1.1', onlyBytes }: RawCallOptions) {
  const bytes = Buffer.from(body)
  const all = {
    host: 'plantain.test',
    connection: 'close',
    'content-type': 'application/json',
    'content-length': String(bytes.length),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([
    Buffer.from(`POST ${path} HTTP/${version}\r\n${lines.join('')}\r\n`),
    onlyBytes === undefined ? bytes : bytes.subarray(0, onlyBytes),
  ])
}

function parse(bytes: Buffer, reset: boolean): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return { status: null, reasonPhrase: '', headers: new Map(), body: bytes, whole: false }
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const [, status, reasonPhrase = ''] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(statusLine) ?? []
  const headers = new Map(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const rest = bytes.subarray(end + 4)
  const length = headers.get('content-length')
  const framed =
    headers.get('transfer-encoding') === 'chunked'
      ? unchunked(rest)
      : { body: rest, whole: length === undefined ? !reset : rest.length === Number(length) }
  return { status: Number(status), reasonPhrase, headers, ...framed }
}

function unchunked(bytes: Buffer): { body: Buffer; whole: boolean } {
  const pieces: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = lineEnd === -1 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    if (size === 0) return { body: Buffer.concat(pieces), whole: bytes.subarray(lineEnd).toString() === '\r\n\r\n' }
    if (Number.isNaN(size)) return { body: Buffer.concat(pieces), whole: false }
    pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
}
