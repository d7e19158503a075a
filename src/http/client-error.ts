/** What is told on a socket whose bytes are no HTTP request: JSON too, for its status is all that some clients show. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type ErrorKind, GatewayError } from '../images/error.ts'
import { encodeError } from '../protocols/openai/index.ts'

interface ParseError extends Error {
  readonly code?: string
}

const kinds = new Map<string, readonly [ErrorKind, string]>([
  ['HPE_HEADER_OVERFLOW', ['headers-too-large', 'The headers of the request are too large.']],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', ['too-large', 'The chunk extensions of the request are too large.']],
  ['ERR_HTTP_REQUEST_TIMEOUT', ['request-timeout', 'The request took too long to arrive.']],
])

// Long enough for the answer to be read: the rest of what was sent is not read here, so closing may reset the connection.
const lingerMs = 500

export function answerClientError(error: ParseError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy()
    return
  }
  const [kind, message] = kinds.get(error.code ?? '') ?? ['invalid-request', 'The request is not valid HTTP.']
  const { status, reasonPhrase, headers, body } = encodeError(new GatewayError(kind, message))
  const head = Object.entries({ ...headers, 'content-length': String(body.length), connection: 'close' })
  socket.write(
    `HTTP/1.1 ${status} ${reasonPhrase ?? ''}\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  )
  for (const slice of body.slices() as Iterable<Buffer>) socket.write(slice)
  socket.end()
  setTimeout(() => socket.destroy(), lingerMs).unref()
}

/** An answer is on its way, and whatever is written now would stand inside of it. Node's own handler asks the same. */
function isAnswering(socket: Socket & { readonly _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent ?? false
}
