/** How sockets to upstreams are opened: time limit, who may be dialled, and where their reads go. */
import { isIPv6, type Socket } from 'node:net'
import type { buildConnector } from 'undici'
import { privateNetworks } from './address-guard.ts'
import { undiciConnector } from './undici.ts'
import { type OpenWindows, readingInto } from './window-socket.ts'

export interface ConnectOptions {
  readonly connectMs: number
  /** Addresses of private networks may be dialled. Loopback always may. */
  readonly allowPrivateNetwork: boolean
  /** Reads go into these windows; absent: Node allocates a buffer for every read. */
  readonly openWindows?: OpenWindows | undefined
  /** Certificates to trust beside the system's, PEM. */
  readonly ca?: string
}

/** The upstream's name led to an address of a private network, and the operator has not allowed it. */
export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError'
  readonly code = 'PLANTAIN_PRIVATE_ADDRESS'
}

export function createConnector(options: ConnectOptions): buildConnector.connector {
  const base = { allowH2: false, timeout: options.connectMs, ...(options.ca && { ca: options.ca }) }
  const plain = undiciConnector(base)
  const { openWindows } = options
  // The windows belong to one socket, and so do the options that carry them.
  const connect: buildConnector.connector = openWindows
    ? (target, callback) => readingInto(openWindows, base, target, callback)
    : plain
  if (options.allowPrivateNetwork) return connect
  return (target, callback) =>
    connect(target, (...result) => {
      const [, socket] = result
      if (!socket || !isPrivate(socket)) return callback(...result)
      socket.destroy()
      return callback(new PrivateAddressError('The upstream is at a private address.'), null)
    })
}

function isPrivate({ remoteAddress = '' }: Socket): boolean {
  return privateNetworks.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4')
}
