/** Who asks: the caller behind the key, wherever a client puts it. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { CallerConfig } from '../config/config.ts'
import { hashKey, maxKeyBytes } from '../config/keys.ts'
import { GatewayError } from '../images/error.ts'
import type { ProtocolName } from '../protocols/protocol.ts'

export type Caller = Pick<CallerConfig, 'id' | 'models' | 'limits' | 'modelLimits' | 'queue' | 'chargeOnDisconnect'>

/** @throws GatewayError where the request carries no key, no known key, or the keys of two callers. */
export type Authenticate = (message: Headed, query: URLSearchParams, protocol: ProtocolName) => Caller

type Headed = Pick<IncomingMessage, 'headers' | 'rawHeaders'>

/** Everybody without a key, where none is asked for. */
export const anonymous: Caller = { id: 'anonymous', models: null, limits: {} }
/** Keys are looked up by their SHA-256: the time it takes tells nothing about a key that is nearly right. */
export function createAuthenticate(auth: 'keys' | 'open', callers: readonly CallerConfig[]): Authenticate {
  const byHash = new Map(callers.map(caller => [caller.keySha256, caller]))
  return ({ headers, rawHeaders }, query, protocol) => {
    refuseSecond(rawHeaders)
    const keys = presentedKeys(headers, query)
    // Clients send placeholders in one place and the key in another: what nobody owns does not count against them. A key that
    // is too long to be anybody's is not worth the hashing.
    const known = new Set(keys.flatMap(key => (key.length > maxKeyBytes ? [] : (byHash.get(hashKey(key)) ?? []))))
    const [caller, another] = known
    if (another)
      throw new GatewayError('invalid-request', 'The request carries the keys of two different callers. Send one.')
    if (caller) return caller
    if (auth === 'open') return anonymous
    throw keys.length > 0 ? wrongKey(protocol) : noKey(protocol)
  }
}

/** Node keeps the first of two `Authorization` headers and says nothing of the other: nobody should guess which one was meant. */
function refuseSecond(rawHeaders: readonly string[]): void {
  let seen = false
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() !== 'authorization') continue
    if (seen) throw new GatewayError('invalid-request', 'The request has two Authorization headers. Send one.')
    seen = true
  }
}

function presentedKeys(headers: IncomingHttpHeaders, query: URLSearchParams): readonly string[] {
  const { authorization } = headers
  // A bearer's key, or whatever else stands there.
  const first = authorization && (/^bearer +(\S+)$/i.exec(authorization)?.[1] ?? authorization)
  const keys = [first, headers['x-goog-api-key'], headers['api-key'], ...query.getAll('key')]
  return keys.flat().filter((key): key is string => key !== undefined && key !== '')
}

const wrongKey = (protocol: ProtocolName) =>
  new GatewayError(
    'unauthenticated',
    protocol === 'gemini'
      ? 'API key not valid. Please pass a valid API key.'
      : 'Incorrect API key provided. Use a key that the operator of this gateway gave you.',
  )

// Google tells the two apart: a wrong key is a bad argument, no key an unregistered caller.
const noKey = (protocol: ProtocolName) =>
  protocol === 'gemini'
    ? new GatewayError(
        'forbidden',
        "Method doesn't allow unregistered callers. Send your key in the x-goog-api-key header.",
      )
    : new GatewayError(
        'unauthenticated',
        "You didn't provide an API key. Send it as a header: Authorization: Bearer YOUR_KEY.",
        {
          code: 'missing_api_key',
        },
      )
