/** Which IP addresses a stranger's word may lead to: those of the public internet, and no others. */
import { BlockList, isIP } from 'node:net'

type Networks = readonly (readonly [network: string, prefix: number])[]

function blockList(ipv4: Networks, ipv6: Networks): BlockList {
  const list = new BlockList()
  for (const [network, prefix] of ipv4) list.addSubnet(network, prefix, 'ipv4')
  for (const [network, prefix] of ipv6) list.addSubnet(network, prefix, 'ipv6')
  return list
}

const privateIpv4: Networks = [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10], // carrier-grade NAT, RFC 6598; Alibaba's metadata service too
  ['169.254.0.0', 16], // link-local: clouds serve credentials there
  ['168.63.129.16', 32], // Azure's host: public by its digits, reached from inside alone
]

/**
 * Networks of one's own, as an upstream's name may lead there unnoticed. IPv4-mapped IPv6 addresses are checked as IPv4.
 * config/address.ts has the same list for addresses that are written out, and benchmark networks (198.18.0.0/15) besides: a
 * developer's proxy may answer any name with one of those.
 */
export const privateNetworks = blockList(privateIpv4, [
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10], // site-local, as it was once
])

// https://www.iana.org/assignments/iana-ipv4-special-registry
const specialIpv4: Networks = [
  ...privateIpv4,
  ['0.0.0.0', 8], // this machine
  ['127.0.0.0', 8],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24], // documentation
  ['192.31.196.0', 24], // AS112
  ['192.52.193.0', 24], // AMT
  ['192.88.99.0', 24], // 6to4 relays
  ['192.175.48.0', 24], // AS112
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
]

// https://www.iana.org/assignments/iana-ipv6-special-registry, as far as it lies within 2000::/3.
const specialIpv6: Networks = [
  ['2001::', 23], // protocols' own, Teredo among them: it carries an IPv4 address
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4 carries an IPv4 address
  ['2620:4f:8000::', 48], // AS112
  ['3fff::', 20], // documentation
]

const special = blockList(specialIpv4, specialIpv6)
// Everything else is loopback, local, multicast, reserved, or an IPv4 address in disguise (mapped, compatible, NAT64).
const globalUnicast = blockList([], [['2000::', 3]])

/** An address of the public internet, written out. What is no address, or has a zone, is none. */
export function isPublicAddress(address: string): boolean {
  if (address.includes('%')) return false
  switch (isIP(address)) {
    case 4:
      return !special.check(address, 'ipv4')
    case 6:
      return globalUnicast.check(address, 'ipv6') && !special.check(address, 'ipv6')
    default:
      return false
  }
}
