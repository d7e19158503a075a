/** Which hosts pictures may be fetched from, by name and port. */
import { describe, expect, test } from 'vitest'
import { targetOf as dialTargetOf } from '../../src/net/dial-target.ts'
import type { Verdict } from '../../src/net/guarded-connector.ts'
import { alsoAt, createGuard } from '../../src/references/guard.ts'

/** As the dialler sees an address. */
const targetOf = (address: string) => dialTargetOf(new URL(address))

const publicOnes: readonly (readonly [string, Verdict])[] = [
  ['https://images.example.com/a.png', 'checked'],
  ['https://1.1.1.1/', 'checked'],
  ['https://[2606:4700::1111]/', 'checked'],
  ['http://images.example.com/', 'refused'],
  ['https://images.example.com:8443/', 'refused'],
  ['https://images.example.com:80/', 'refused'],
  ['https://images.example.com:22/', 'refused'],
  ['https://localhost/', 'refused'],
  ['https://a.localhost/', 'refused'],
  ['https://redis/', 'refused'],
  ['https://metadata.google.internal/', 'refused'],
  ['https://host.docker.internal/', 'refused'],
  ['https://printer.local/', 'refused'],
  ['https://kubernetes.default.svc.cluster.local/', 'refused'],
  ['https://router.lan/', 'refused'],
  ['https://local.example.com/', 'checked'],
]

test.each(publicOnes)('public: %s is %s', (address, verdict) => {
  expect(createGuard('public', [])(targetOf(address))).toBe(verdict)
})

describe('hosts that the operator names', () => {
  const allow = [
    'images.example.com',
    '10.0.0.5:8000',
    '*.cdn.example',
    '[fd00::5]:81',
    'BÜCHER.example',
    '*.x.example:99',
  ]

  test.each([
    'https://images.example.com/',
    'http://images.example.com/',
    'http://10.0.0.5:8000/',
    'https://10.0.0.5:8000/',
    'http://0xa.0.0.5:8000/',
    'https://a.cdn.example/',
    'http://a.b.cdn.example/',
    'http://[fd00::5]:81/',
    'http://xn--bcher-kva.example/',
    'http://a.x.example:99/',
  ])('%s is trusted, in both modes', address => {
    for (const mode of ['public', 'allow-list'] as const) {
      expect(createGuard(mode, allow)(targetOf(address))).toBe('trusted')
    }
  })

  test.each([
    'http://images.example.com:8080/',
    'http://10.0.0.5/',
    'http://10.0.0.6:8000/',
    'https://cdn.example/',
    'https://evilcdn.example/',
    'https://images.example.com.evil.example/',
    'https://other.example.com/',
    'http://a.x.example/',
  ])('%s is not', address => {
    expect(createGuard('allow-list', allow)(targetOf(address))).toBe('refused')
    expect(createGuard('public', allow)(targetOf(address))).not.toBe('trusted')
  })
})

test("an upstream's own origin is trusted, its neighbours are not", () => {
  const guard = alsoAt('http://127.0.0.1:9000', createGuard('public', []))
  expect(guard(targetOf('http://127.0.0.1:9000/a.png'))).toBe('trusted')
  expect(guard(targetOf('http://127.0.0.1:9001/a.png'))).toBe('refused')
  expect(guard(targetOf('https://cdn.example/a.png'))).toBe('checked')
})
