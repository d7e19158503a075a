/** Which protocol's words an error is told in: the route decides, and where it says nothing, the way the client presents itself. */
import type { IncomingMessage } from 'node:http'
import { bytesOf } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import * as gemini from '../protocols/gemini/index.ts'
import * as openai from '../protocols/openai/index.ts'
import type { EncodeError, ProtocolName } from '../protocols/protocol.ts'
import type { Reply } from './send.ts'

const encoders: Record<ProtocolName, EncodeError> = { openai: openai.encodeError, gemini: gemini.encodeError }

const openaiPath = /^\/(?:openai\/|v1\/assets\/|(?:v1|v1beta\/openai|v1beta1)?\/?images\/)/

export function protocolOf({ url = '/', headers }: Pick<IncomingMessage, 'url' | 'headers'>): ProtocolName {
  const { path, query } = splitUrl(url)
  if (openaiPath.test(path)) return 'openai'
  if (gemini.isGooglePath(path)) return 'gemini'
  const isGoogleClient = 'x-goog-api-key' in headers || 'x-goog-api-client' in headers || query.has('key')
  return isGoogleClient ? 'gemini' : 'openai'
}

/** A request line may name scheme and host too, as clients write it for a proxy (RFC 9112, 3.2.2): they mean nothing here. */
const origin = /^https?:\/\/[^/?#]*/i

export function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const own = url.startsWith('/') ? url : url.replace(origin, '')
  const mark = own.indexOf('?')
  return mark === -1
    ? { path: own, query: new URLSearchParams() }
    : { path: own.slice(0, mark), query: new URLSearchParams(own.slice(mark + 1)) }
}

/** Any error as an answer in the protocol's envelope. What is no GatewayError is a fault of ours, and says nothing about it. */
export function errorReply(error: unknown, protocol: ProtocolName): Reply {
  return encoders[protocol](asGatewayError(error))
}

export function asGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  return new GatewayError('internal', 'The gateway failed at this request. The fault is on its side.', { cause: error })
}

export const withHeaders = (reply: Reply, headers: Readonly<Record<string, string>>): Reply => ({
  ...reply,
  headers: { ...reply.headers, ...headers },
})

export const emptyBody = bytesOf()
