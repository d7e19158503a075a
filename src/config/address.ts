/** Hosts and base addresses: what is this machine, what is a private network, what is an upstream's root. Looks nothing up. */

import { BlockList, isIP } from 'node:net'

/** Why this cannot be a host to listen on; null: it can. */
export function hostFault(host: string): string | null {
  if (isIP(host) !== 0) return null
  if (host.includes(':')) return 'must be a host alone: an IPv6 address has no brackets, a port goes into "port"'
  return /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(host)
    ? null
    : 'must be a host name or an IP address; 0.0.0.0 is every address'
}

/** Why this cannot be a host to fetch pictures from; null: it can. */
export function allowedHostFault(entry: string): string | null {
  const host = entry.replace(/^\*\./, '')
  const isHost = /^[^\s/?#@\\*%]+$/.test(host) && URL.canParse(`http://${host}`) && !/:0*$/.test(host)
  return isHost
    ? null
    : 'must be a host with or without a port, like images.example.com, 10.0.0.5:8000, "[fd00::5]:8000" or "*.example.com"'
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Reached from this machine alone. A name counts when it is `localhost` or ends so. */
export function isLoopback(host: string): boolean {
  return /^(.+\.)?localhost\.?$/i.test(host) || inList(loopback, host)
}

const privateNetworks = new BlockList()
for (const [network, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  // Link-local: clouds serve credentials at 169.254.169.254.
  ['169.254.0.0', 16],
  // Carrier-grade NAT (RFC 6598).
  ['100.64.0.0', 10],
  // Benchmarking (RFC 2544).
  ['198.18.0.0', 15],
  // Azure's host: public by its digits, reached from inside alone.
  ['168.63.129.16', 32],
] as const) {
  privateNetworks.addSubnet(network, bits, 'ipv4')
}
for (const [network, bits] of [
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
] as const) {
  privateNetworks.addSubnet(network, bits, 'ipv6')
}

/** An IP address of a private network, written out. Names are judged when they are dialled. */
export function isPrivateAddress(host: string): boolean {
  return inList(privateNetworks, host)
}

function inList(list: BlockList, host: string): boolean {
  const family = isIP(host)
  return family !== 0 && list.check(host, family === 6 ? 'ipv6' : 'ipv4')
}

/** Every address of the machine: fine to listen on, no address to call. */
export function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

export interface HostAndPort {
  readonly host: string
  readonly port: number
}

/** Whether a call to `called` would arrive at `listener`. Port 0 is any free port, so nobody's. */
export function arrivesAt(called: HostAndPort, listener: HostAndPort): boolean {
  if (called.port !== listener.port || listener.port === 0) return false
  if (called.host.toLowerCase() === listener.host.toLowerCase()) return true
  const thisMachine = (host: string) =>
    isUnspecified(host) || ['localhost', '127.0.0.1', '::1'].includes(host.toLowerCase())
  if (thisMachine(called.host)) return thisMachine(listener.host)
  return isLoopback(called.host) && isUnspecified(listener.host)
}

/** Two listeners that cannot both have their port. */
export function collide(a: HostAndPort, b: HostAndPort): boolean {
  return a.port !== 0 && a.port === b.port && (isUnspecified(a.host) || isUnspecified(b.host) || arrivesAt(a, b))
}

export type BaseUrl = { readonly url: string } | { readonly fault: string }

/** Without a slash at its end. Whether it is a root or ends in a version is the vendor's matter. */
export function parseBaseUrl(text: string): BaseUrl {
  if (!URL.canParse(text)) return { fault: 'must be an address like https://host.example' }
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { fault: 'must begin with https:// or http://' }
  if (url.username !== '' || url.password !== '')
    return { fault: 'must not hold a user or a password: credentials go into "keys"' }
  if (text.includes('?') || text.includes('#'))
    return { fault: 'must end before "?" and "#": credentials go into "keys"' }
  const path = url.pathname.replace(/\/+$/, '')
  if (isUnspecified(hostOf(url)))
    return { fault: 'is every address of a machine, so none to call: write 127.0.0.1 for this machine' }
  return { url: url.origin + path }
}

/** A root as the genai SDKs take it, to which the dialect adds the version. Null: it is one. */
export function rootFault(baseUrl: string): string | null {
  const version = /\/v\d+((alpha|beta)\d*)?$/i.exec(new URL(baseUrl).pathname)?.[0]
  return version === undefined
    ? null
    : `must be the root: take ${version} off its end, the gateway adds the version itself`
}

/** What others put before a path of ours. The result has no slash at its end. */
export function parsePublicUrl(text: string): BaseUrl {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text))
    return { fault: 'must be an address with https:// or http://' }
  const url = new URL(text)
  if (url.username !== '' || url.password !== '' || /[?#]/.test(text))
    return { fault: 'must be an address without a user, "?" and "#"' }
  if (isUnspecified(hostOf(url))) return { fault: 'is every address of a machine: it must be one that others can call' }
  return { url: url.origin + url.pathname.replace(/\/+$/, '') }
}

/** A host as addresses have it: an IPv6 address in brackets. */
export const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** What to connect to: an IPv6 address without its brackets, the port also where the scheme implies it. */
export function hostAndPortOf(baseUrl: string): HostAndPort {
  const url = new URL(baseUrl)
  return { host: hostOf(url), port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port) }
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}
