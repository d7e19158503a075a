import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { UpstreamConfig } from '../../src/config/config.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { lineOf } from '../helpers/log.ts'
import { type RawUpstream, rawHead, startRawUpstream } from '../helpers/raw-upstream.ts'
import { pictureAnswer } from './answers.ts'
import { makeCertificate } from './certificates.ts'
import { ask, expectFailure, expectTimeout, readMetrics, relayedAs, translatedAs } from './setup.ts'

vi.setConfig({ maxConcurrency: 24 })

const picture = pictureAnswer(20_000)
const dayMs = 86_400_000
const certificates = {
  right: makeCertificate({ host: '127.0.0.1' }),
  strange: makeCertificate({ host: '127.0.0.1' }),
  expired: makeCertificate({
    host: '127.0.0.1',
    notBefore: new Date(Date.now() - 2 * dayMs),
    notAfter: new Date(Date.now() - dayMs),
  }),
  misnamed: makeCertificate({ host: 'elsewhere.test' }),
}
// The operator trusts all but one: that is not what is wrong with the others.
const trusted = [certificates.right, certificates.expired, certificates.misnamed].map(({ cert }) => cert).join('')

const upstreams = new Map<string, RawUpstream>()
let silent: BlackHole
let gateway: TestGateway

beforeAll(async () => {
  silent = await startBlackHole()
  for (const [name, tls] of [
    ['plain', undefined],
    ['right', certificates.right],
    ['strange', certificates.strange],
    ['expired', certificates.expired],
    ['misnamed', certificates.misnamed],
    ['ancient', { ...certificates.right, minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['mute', undefined],
    ['resetting', undefined],
  ] as const) {
    upstreams.set(
      name,
      await startRawUpstream(({ socket }) => {
        if (name === 'resetting') return void socket.resetAndDestroy()
        socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${picture.bytes.length}`))
        socket.write(picture.bytes)
        return undefined
      }, tls),
    )
  }
  const url = (name: string) => upstreams.get(name)?.url ?? ''
  const addresses = {
    ...Object.fromEntries([...upstreams].map(([name, { url }]) => [name, url])),
    'not-tls': url('plain').replace('http:', 'https:'),
    mute: url('mute').replace('http:', 'https:'),
    refused: `http://127.0.0.1:${await closedPort()}`,
    silent: silent.url,
  }
  const plain = upstreams.get('plain')
  // As HTTP servers answer to a handshake.
  if (plain) plain.onConnection = socket => void socket.once('data', () => socket.end(rawHead('400 Bad Request')))
  gateway = await startGateway({
    upstream: '',
    upstreamCa: trusted,
    config: {
      upstreams: Object.entries(addresses).map(([name, baseUrl]) => upstreamAt(name, baseUrl)),
      routing: [
        ...Object.keys(addresses).map(name => ({ model: `on-${name}`, upstreams: [name] })),
        { model: 'on-refused-then-right', upstreams: ['refused', 'silent', 'right'] },
        { model: 'on-resetting-then-right', upstreams: ['resetting', 'right'] },
      ],
    },
  })
})

afterAll(async () => {
  await gateway.close()
  for (const upstream of upstreams.values()) await upstream.close()
  silent.close()
})

const upstreamAt = (name: string, baseUrl: string): UpstreamConfig => ({
  name,
  protocol: 'gemini',
  dialect: 'google',
  baseUrl,
  keys: ['upstream-key'],
  models: new Map(),
  connections: 8,
  // So long that only the limit on connecting can be what ends the wait.
  timeouts: { connectSeconds: 0.7, firstByteSeconds: 300, idleSeconds: 300, totalSeconds: 600 },
  allowPrivateNetwork: false,
})

describe.for([
  ['translated', translatedAs],
  ['relayed', relayedAs],
] as const)('%s', { concurrent: true }, ([, wayTo]) => {
  test('an upstream with a certificate that the operator trusts is served', async () => {
    const way = wayTo('on-right')
    const { answer } = await ask(gateway, way, 'a kite')
    expect(way.pictureOf(answer.body.toString()) === picture.base64).toBe(true)
  })

  test.for([
    ['nobody listens', 'refused'],
    ['signed by nobody who is trusted', 'strange'],
    ['with an expired certificate', 'expired'],
    ['with the certificate of another host', 'misnamed'],
    ['that knows only TLS 1.0', 'ancient'],
    ['that speaks no TLS where TLS was configured', 'not-tls'],
  ] as const)('an upstream %s fails the exchange, and no key goes there', async ([, name]) => {
    const way = wayTo(`on-${name}`)
    const { id, answer } = await ask(gateway, way, 'a kite')
    expectFailure(way, answer)
    expect(await lineOf(gateway, id)).toMatchObject({
      outcome: 'failed',
      upstream: name,
      attempts: 1,
      firstByteMs: null,
    })
    expect(upstreams.get(name)?.calls ?? []).toHaveLength(0)
  })

  test.for([
    ['whose network swallows everything', 'silent'],
    ['that accepts and never shakes hands', 'mute'],
  ] as const)('an upstream %s is given up at connect_s', async ([, name]) => {
    const way = wayTo(`on-${name}`)
    const { id, answer } = await ask(gateway, way, 'a kite')
    expectTimeout(way, answer)
    expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'timeout', attempts: 1, firstByteMs: null })
  })

  test('an upstream that was not reached is followed by the next', async () => {
    const way = wayTo('on-refused-then-right')
    const { answer } = await ask(gateway, way, 'a kite')
    expect(way.pictureOf(answer.body.toString()) === picture.base64).toBe(true)
    expect(answer.headers.get('x-plantain-upstream')).toBe('right')
    expect(answer.headers.get('x-plantain-attempts')).toBe('3')
  })

  test('an upstream that was reached is not: the call may have been billed', async () => {
    const way = wayTo('on-resetting-then-right')
    const { answer } = await ask(gateway, way, 'a kite')
    expectFailure(way, answer)
    expect(answer.headers.get('x-plantain-upstream')).toBe('resetting')
    expect(answer.headers.get('x-plantain-attempts')).toBe('1')
  })
})

test('after failed connections nothing is held and no call is under way', async () => {
  for (const upstream of upstreams.values()) await upstream.hangUp()
  const metrics = await readMetrics(gateway)
  expect(metrics('plantain_answer_bytes_in_memory')).toBe(0)
  expect(metrics('plantain_upstream_in_flight')).toBe(0)
  expect(metrics('plantain_upstream_requests_total', { upstream: 'refused', outcome: 'failed' })).toBe(4)
})

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

interface BlackHole {
  readonly url: string
  close(): void
}

/**
 * An address where connecting goes unanswered, as behind a firewall: a process listens and is stopped, and its queue of
 * connections is full, so that Linux drops whatever else comes.
 */
async function startBlackHole(): Promise<BlackHole> {
  const program = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    process.stdout.write(String(this.address().port)) })`
  const child: ChildProcess = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [text] = await once(child.stdout ?? child, 'data')
  const port = Number(text)
  child.kill('SIGSTOP')
  const fillers: Socket[] = []
  for (let full = false; !full; ) {
    const filler = connect(port, '127.0.0.1')
    filler.on('error', () => {})
    fillers.push(filler)
    full = await Promise.race([
      once(filler, 'connect').then(() => false),
      new Promise<true>(resolve => setTimeout(resolve, 200, true)),
    ])
  }
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      for (const filler of fillers) filler.destroy()
      child.kill('SIGKILL')
    },
  }
}
