/** How sockets to upstreams are opened: time limit, who may be dialled, and where their reads go. */
import { BlockList, isIPv6, type Socket } from 'node:net'
import { buildConnector } from 'undici'
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
  const plain = buildConnector(base)
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

// BlockList checks IPv4-mapped IPv6 addresses against the IPv4 rules too.
const privateNetworks = new BlockList()
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
] as const) {
  privateNetworks.addSubnet(network, prefix, 'ipv4')
}
privateNetworks.addSubnet('fc00::', 7, 'ipv6')
privateNetworks.addSubnet('fe80::', 10, 'ipv6')
