/** The dialler for addresses that strangers name, on real sockets, with name servers of the test's own. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createGuardedConnector, type GuardedConnectOptions, type Resolve } from '../../src/net/guarded-connector.ts'
import { guardedGet } from '../../src/net/guarded-get.ts'
import { makeCertificate } from '../faults/certificates.ts'
import { json, type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'

const certificate = makeCertificate({ host: 'pictures.example' })

let server: ScriptedUpstream
let port: number
let connections = 0
const listener = createServer(socket => {
  connections += 1
  socket.destroy()
})

beforeAll(async () => {
  server = await startUpstream(json({ ok: true }), certificate)
  port = Number(new URL(server.url).port)
  await once(listener.listen(0, '127.0.0.1'), 'listening')
})
afterAll(async () => {
  listener.close()
  await server.close()
})
beforeEach(() => {
  server.seen.length = 0
  connections = 0
})

const controllers: AbortController[] = []
afterEach(() => {
  for (const controller of controllers.splice(0)) controller.abort()
})

function options(more: Partial<GuardedConnectOptions> = {}): GuardedConnectOptions {
  const controller = new AbortController()
  controllers.push(controller)
  return { guard: () => 'checked', signal: controller.signal, connectMs: 2000, ca: certificate.cert, ...more }
}

const get = (url: string, more: Partial<GuardedConnectOptions> = {}) =>
  guardedGet(new URL(url), { accept: 'image/*' }, options(more), async ({ status, body }) => {
    const chunks: Buffer[] = []
    for await (const chunk of body) chunks.push(chunk)
    return { status, text: Buffer.concat(chunks).toString() }
  })

const listening = () => (listener.address() as AddressInfo).port
const resolveTo =
  (...addresses: readonly string[]): Resolve =>
  async () =>
    addresses

test('a name is looked up once, what was checked is dialled, and TLS and the host header keep the name', async () => {
  const lookups: string[] = []
  const resolve: Resolve = async hostname => {
    lookups.push(hostname)
    return ['127.0.0.1']
  }
  const url = `https://pictures.example:${port}/a/cat.png?size=1`
  expect(await get(url, { resolve, isPublic: address => address === '127.0.0.1' })).toMatchObject({ status: 200 })
  expect(lookups).toEqual(['pictures.example'])
  expect(server.seen[0]).toMatchObject({ method: 'GET', url: '/a/cat.png?size=1' })
  expect(server.seen[0]?.headers).toEqual({
    host: `pictures.example:${port}`,
    connection: 'keep-alive',
    accept: 'image/*',
  })
})

test('a certificate for another name is none', async () => {
  const call = get(`https://other.example:${port}/`, { resolve: resolveTo('127.0.0.1'), isPublic: () => true })
  await expect(call).rejects.toThrow(/altnames/)
  expect(server.seen).toHaveLength(0)
})

test.each([
  ['a private address', ['127.0.0.1']],
  ['public addresses with a private one among them', ['93.184.216.34', '127.0.0.1', '1.1.1.1']],
  ['private ones in disguise', ['::ffff:127.0.0.1']],
  ['this machine by IPv6', ['::1']],
  ['nonsense', ['localhost']],
])('a name that leads to %s is not dialled', async (_what, addresses) => {
  const call = get(`https://rebinding.example:${listening()}/`, { resolve: resolveTo(...addresses) })
  await expect(call).rejects.toMatchObject({ name: 'RefusedAddressError' })
  expect(connections).toBe(0)
})

test('a name server that changes its mind changes nothing', async () => {
  // Nobody listens at the first.
  const answers = [['127.0.0.2'], ['127.0.0.1']]
  let asked = 0
  const resolve: Resolve = async () => answers[asked++] ?? []
  const isPublic = (address: string) => address !== '127.0.0.1'
  await expect(get(`http://rebinding.example:${listening()}/`, { resolve, isPublic })).rejects.toThrow()
  expect([asked, connections]).toEqual([1, 0])
})

test('where the socket has arrived is looked at once more, before a word is sent', async () => {
  let looks = 0
  // Public when it is looked up, not when it is reached.
  const isPublic = () => looks++ === 0
  const call = get(`https://pictures.example:${port}/`, { resolve: resolveTo('127.0.0.1'), isPublic })
  await expect(call).rejects.toMatchObject({ name: 'RefusedAddressError' })
  expect([looks, server.seen.length]).toEqual([2, 0])
})

test.each(['127.0.0.1', '0x7f.1', '2130706433', '[::ffff:7f00:1]'])(
  'an address that is written out is checked too: %s',
  async host => {
    const resolve: Resolve = () => Promise.reject(new Error('Nobody asks for these.'))
    await expect(get(`http://${host}:${listening()}/`, { resolve })).rejects.toMatchObject({
      name: 'RefusedAddressError',
    })
    expect(connections).toBe(0)
  },
)

test('what the operator trusts is dialled wherever it is', async () => {
  const trusting = { guard: () => 'trusted' as const, ca: makeCertificate({ host: '127.0.0.1' }).cert }
  await expect(get(`http://127.0.0.1:${listening()}/`, trusting)).rejects.toThrow()
  expect(connections).toBe(1)
})

test('the guard is asked about the very host and port that would be dialled', async () => {
  const seen: object[] = []
  const guard = (target: object) => {
    seen.push(target)
    return 'refused' as const
  }
  for (const url of ['https://A.example/x', 'http://[::1]:81/', 'http://b.example./']) {
    await expect(get(url, { guard })).rejects.toMatchObject({ name: 'RefusedAddressError' })
  }
  expect(seen).toEqual([
    { protocol: 'https:', hostname: 'a.example', port: 443 },
    { protocol: 'http:', hostname: '::1', port: 81 },
    { protocol: 'http:', hostname: 'b.example', port: 80 },
  ])
})

test('a name that has no address, or a name server that fails, is an error like any other', async () => {
  await expect(get('https://nobody.example/', { resolve: resolveTo() })).rejects.toThrow()
  const resolve: Resolve = () => Promise.reject(new Error('SERVFAIL'))
  await expect(get('https://nobody.example/', { resolve })).rejects.toThrow('SERVFAIL')
})

test('the signal ends a lookup and a dialling at once', async () => {
  const controller = new AbortController()
  const resolve: Resolve = (_hostname, signal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  const call = get('https://slow.example/', { resolve, signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(call).rejects.toThrow('enough')
  const connect = createGuardedConnector(options({ signal: controller.signal }))
  const failed = new Promise(resolve =>
    connect({ hostname: '1.1.1.1', protocol: 'https:', port: '443' }, (...[error]) => resolve(error)),
  )
  await expect(failed).resolves.toMatchObject({ message: 'enough' })
})
