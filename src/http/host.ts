/** The host a request names. Nothing here is decided by it, but proxies and caches on the way do so, and must all read the same. */
import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../images/error.ts'

// A name or an address, and a port. Wider than DNS: names inside of networks have underscores.
const plainHost = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/

/** RFC 9112, 3.2. @throws GatewayError where there is none, more than one, or one that is no host. */
export function checkHost({ rawHeaders, httpVersion }: IncomingMessage): void {
  // Node keeps the first of several and forgets the others.
  let host: string | undefined
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() !== 'host') continue
    host = rawHeaders[at + 1]
    hosts += 1
  }
  if (host === undefined && httpVersion === '1.0') return
  if (hosts === 1 && host !== undefined && plainHost.test(host)) return
  throw new GatewayError('invalid-request', 'The request must have one host header, with a host and perhaps a port.')
}
