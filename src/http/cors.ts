/** Cross-origin requests from browsers: off unless the operator names origins. Never with credentials: keys are headers here. */
import type { IncomingMessage } from 'node:http'

export interface Cors {
  /** Headers for any answer to this request, errors included. */
  headers(message: IncomingMessage): Readonly<Record<string, string>>
  /** Is it a browser's question whether it may ask? It comes without a key. */
  isPreflight(message: IncomingMessage): boolean
  preflightHeaders(message: IncomingMessage): Readonly<Record<string, string>>
}

const exposed = [
  'x-request-id',
  'etag',
  'content-range',
  'accept-ranges',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'server-timing',
  'ratelimit',
  'ratelimit-policy',
  ...['upstream', 'model', 'attempts', 'ignored-params', 'images', 'cost-usd'].map(name => `x-plantain-${name}`),
  ...['requests', 'images', 'tokens'].flatMap(limited =>
    ['limit', 'remaining', 'reset'].map(name => `x-ratelimit-${name}-${limited}`),
  ),
].join(', ')

export function createCors(origins: readonly string[]): Cors {
  const any = origins.includes('*')
  const allows = ({ headers: { origin } }: IncomingMessage) => origin !== undefined && (any || origins.includes(origin))
  const headers: Cors['headers'] = message => {
    if (origins.length === 0) return {}
    if (!allows(message)) return { vary: 'origin' }
    return {
      vary: 'origin',
      'access-control-allow-origin': any ? '*' : (message.headers.origin ?? ''),
      'access-control-expose-headers': exposed,
    }
  }
  return {
    headers,
    isPreflight: message =>
      message.method === 'OPTIONS' && message.headers['access-control-request-method'] !== undefined && allows(message),
    preflightHeaders: message => ({
      ...headers(message),
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': message.headers['access-control-request-headers'] ?? '*',
      'access-control-max-age': '86400',
    }),
  }
}
