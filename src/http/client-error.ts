/** What is told on a socket whose bytes are no HTTP request: JSON too, for its status is all that some clients show. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type ErrorKind, GatewayError } from '../images/error.ts'
import { errorReply, protocolOf } from './envelope.ts'
import { requestIdOf } from './request-id.ts'

interface ParseError extends Error {
  readonly code?: string
  /** A Buffer with what came last: of a request that came at once, all of it. Fastify's types call it something else. */
  readonly rawPacket?: unknown
}

const kinds = new Map<string, readonly [ErrorKind, string]>([
  ['HPE_HEADER_OVERFLOW', ['headers-too-large', 'The headers of the request are too large.']],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', ['too-large', 'The chunk extensions of the request are too large.']],
  ['ERR_HTTP_REQUEST_TIMEOUT', ['request-timeout', 'The request took too long to arrive.']],
])

// Long enough for the answer to be read: the rest of what was sent is not read here, so closing may reset the connection.
const lingerMs = 500

/** Node's `clientErrorHandler`: answers, and ends the connection. */
export function answerClientError(error: ParseError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy()
    return
  }
  const [kind, message] = kinds.get(error.code ?? '') ?? ['invalid-request', 'The request is not valid HTTP.']
  const url = pathIn(error.rawPacket) ?? '/'
  const { status, reasonPhrase, headers, body } = errorReply(
    new GatewayError(kind, message),
    protocolOf({ url, headers: {} }),
  )
  const ours = { 'x-request-id': requestIdOf(undefined), 'content-length': String(body.length), connection: 'close' }
  const head = Object.entries({ ...headers, ...ours })
  socket.write(
    `HTTP/1.1 ${status} ${reasonPhrase ?? ''}\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  )
  for (const slice of body.slices() as Iterable<Buffer>) socket.write(slice)
  socket.end()
  setTimeout(() => socket.destroy(), lingerMs).unref()
}

// Google's methods stand at the end of a path; one that is longer is nobody's.
const lookedAtBytes = 4096

/** The path of a request whose head was not read to its end. */
function pathIn(packet: unknown): string | undefined {
  const start = Buffer.isBuffer(packet) ? packet.toString('latin1', 0, lookedAtBytes) : ''
  return /^[A-Z]+ (\/\S*) HTTP\/1/.exec(start)?.[1]
}

/** An answer is on its way, and whatever is written now would stand inside of it. Node's own handler asks the same. */
function isAnswering(socket: Socket & { readonly _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent ?? false
}
