/** Which addresses are of the public internet. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPrivateAddress } from '../../src/config/address.ts'
import { isPublicAddress, privateNetworks } from '../../src/net/address-guard.ts'

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '93.184.216.34',
  '172.15.255.255',
  '172.32.0.1',
  '100.63.255.255',
  '100.128.0.0',
  '169.253.255.255',
  '192.0.1.1',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:81b::200e',
  '2001:4860:4860::8888',
])('%s is public', address => {
  expect(isPublicAddress(address)).toBe(true)
})

test.each([
  ['this machine', '127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '::1', '::'],
  ['private networks', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', 'fc00::1', 'fd00:ec2::254'],
  ['link-local, where clouds keep credentials', '169.254.169.254', '169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'fec0::1'],
  ['carrier-grade NAT', '100.64.0.1', '100.100.100.200', '100.127.255.255'],
  ["a cloud's host", '168.63.129.16'],
  ['documentation and benchmarks', '192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '2001:db8::1', '3fff::1'],
  ['multicast, broadcast, reserved', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255', 'ff02::1', '5f00::1'],
  [
    'protocols',
    '192.0.0.170',
    '192.88.99.1',
    '192.31.196.1',
    '192.52.193.1',
    '192.175.48.1',
    '100::1',
    '2620:4f:8000::1',
  ],
  ['IPv4 in IPv6', '::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '::7f00:1', '::ffff:8.8.8.8', '::ffff:0:7f00:1'],
  ['IPv4 by way of a translator', '64:ff9b::a9fe:a9fe', '64:ff9b:1::a00:1', '2002:7f00:1::', '2001:0:4136:e378::1'],
  ['no address', '', 'localhost', '127.1', '0x7f.0.0.1', '1.1.1.1:80', '[::1]', '8.8.8.8%eth0'],
])('%s: none of them is public', (_what, ...addresses) => {
  expect(addresses.filter(isPublicAddress)).toEqual([])
})

test('no spelling of a private IPv4 address within IPv6 is public', () => {
  const hex = (high: number, low: number) => ((high << 8) | low).toString(16)
  fc.assert(
    fc.property(
      fc.constantFrom([10], [127], [169, 254], [192, 168]),
      fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }),
      (network, rest) => {
        const [a = 0, b = 0, c = 0, d = 0] = [...network, ...rest]
        const tail = `${hex(a, b)}:${hex(c, d)}`
        for (const address of [`::${tail}`, `::ffff:${tail}`, `64:ff9b::${tail}`, `2002:${tail}::1`]) {
          expect(isPublicAddress(address)).toBe(false)
        }
      },
    ),
  )
})

test('an upstream’s name may lead to no network that its address, written out, may not lie in', () => {
  const privateOnes = ['10.0.0.1', '172.16.0.1', '192.168.0.1', '169.254.169.254', '100.64.0.1', '168.63.129.16']
  for (const address of privateOnes)
    expect([privateNetworks.check(address), isPrivateAddress(address)]).toEqual([true, true])
  for (const address of ['fc00::1', 'fd00::1', 'fe80::1', 'fec0::1']) {
    expect([privateNetworks.check(address, 'ipv6'), isPrivateAddress(address)]).toEqual([true, true])
  }
})

test('no address is of a private network to the one and not to the other, but for benchmark networks', () => {
  const byte = fc.nat(255)
  fc.assert(
    fc.property(byte, byte, byte, byte, (...bytes) => {
      const address = bytes.join('.')
      fc.pre(!/^198\.1[89]\./.test(address))
      expect(privateNetworks.check(address)).toBe(isPrivateAddress(address))
    }),
  )
})
