/** The operator's listener over real HTTP. */
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { answerWith } from '../../src/admin/elsewhere.ts'
import { type AdminParams, createAdmin } from '../../src/admin/server.ts'
import { GatewayError } from '../../src/images/error.ts'
import { RedisError } from '../../src/redis/client.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { createMemoryKeeper } from '../../src/usage/memory-keeper.ts'
import { noCounts } from '../../src/usage/usage.ts'

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map(it => it.close()))
})

async function listening(params: Partial<AdminParams> = {}): Promise<{ url: string; port: number }> {
  const app = createAdmin({
    token: null,
    metrics: createMetrics({ upstreamInFlight: () => [], answerBytesInMemory: () => 0, answerBytesSpilled: () => 0 }),
    ready: () => ({ ready: true, checks: { store: true } }),
    reports: {
      usage: createMemoryKeeper(),
      limits: { standings: async () => [] },
      onStoreError: 'local-share',
      zone: 'UTC',
      today: () => '2026-11-21',
      callers: [],
      modelIds: [],
      modelIdOf: () => null,
    },
    ...params,
  })
  open.push(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port }
}

test('a living process says so, ready or not', async () => {
  const { url } = await listening({ token: 't', ready: () => ({ ready: false, checks: {} }) })
  const answer = await fetch(`${url}/livez`)
  expect(answer.status).toBe(200)
  expect(await answer.json()).toEqual({ status: 'ok' })
})

test('readiness is asked anew each time and tells what is missing in booleans', async () => {
  let store = true
  const { url } = await listening({ token: 't', ready: () => ({ ready: store, checks: { store } }) })
  const before = await fetch(`${url}/readyz`)
  expect([before.status, await before.json()]).toEqual([200, { ready: true, checks: { store: true } }])
  store = false
  const after = await fetch(`${url}/readyz`)
  expect([after.status, await after.json()]).toEqual([503, { ready: false, checks: { store: false } }])
})

describe('metrics', () => {
  test('are Prometheus text, open where there is no token', async () => {
    const { url } = await listening()
    const answer = await fetch(`${url}/metrics`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4')
    expect(await answer.text()).toContain('# TYPE plantain_requests_total counter')
  })

  test('are given to who has the token', async () => {
    const { url } = await listening({ token: 'operator-token' })
    for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
      const answer = await fetch(`${url}/metrics`, { headers: { authorization: `${scheme} operator-token` } })
      expect(answer.status).toBe(200)
    }
  })

  test.each([
    ['nothing', undefined],
    ['another token', 'Bearer operator-tokeN'],
    ['a longer one', 'Bearer operator-token2'],
    ['an empty one', 'Bearer '],
    ['the bare token', 'operator-token'],
    ['basic credentials', 'Basic b3BlcmF0b3I6b3BlcmF0b3ItdG9rZW4='],
  ])('are refused to who sends %s', async (_what, authorization) => {
    const { url } = await listening({ token: 'operator-token' })
    const answer = await fetch(`${url}/metrics`, authorization === undefined ? {} : { headers: { authorization } })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
    expect(await answer.json()).toMatchObject({ error: { code: 'unauthenticated' } })
  })

  test('that cannot be read are a 500 which tells nothing', async () => {
    const { url } = await listening({
      metrics: { contentType: 'text/plain', text: () => Promise.reject(new Error('secret')) },
    })
    const answer = await fetch(`${url}/metrics`)
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('secret')
  })
})

describe('everything else', () => {
  const paths = [
    '/',
    '/admin',
    '/admin/x',
    '/admin/limits',
    '/admin/limits/a/b',
    '/admin/usage/',
    '/docs',
    '/.env',
    '/metrics/',
    '/livez/x',
    '/v1/models',
    '/%zz',
    '/%00',
  ]
  test.each(paths)('%s is a JSON 404', async path => {
    const { url } = await listening()
    const answer = await fetch(url + path)
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ error: { code: 'not_found' } })
  })

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    '%s is a JSON 404 on every path',
    async method => {
      const { url } = await listening()
      for (const path of ['/livez', '/readyz', '/metrics', '/admin/usage', '/admin/limits/team-a']) {
        const answer = await fetch(url + path, { method })
        expect([path, answer.status]).toEqual([path, 404])
        expect(await answer.json()).toMatchObject({ error: { code: 'not_found' } })
      }
    },
  )

  test.each(['text/xml', 'application/json', 'multipart/form-data'])('so is a body of %s', async type => {
    const { url } = await listening()
    const answer = await fetch(`${url}/metrics`, { method: 'POST', headers: { 'content-type': type }, body: '{' })
    expect(answer.status).toBe(404)
  })
})

test('headers beyond 8 KiB are refused and the listener serves on', async () => {
  const { url } = await listening()
  const answer = await fetch(`${url}/livez`, { headers: { 'x-long': 'x'.repeat(9000) } })
  expect(answer.status).toBe(431)
  expect((await fetch(`${url}/livez`)).status).toBe(200)
})

test('closing does not wait for a scraper that keeps its connection', async () => {
  const { port } = await listening()
  const scraper = connect(port, '127.0.0.1')
  scraper.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(scraper, 'data')
  const closed = once(scraper, 'close')
  await open.splice(0)[0]?.close()
  await closed
})

describe('what lies in a store that is away', () => {
  const reports = {
    callers: [{ id: 'team-a', limits: {} }],
    modelIds: [],
    modelIdOf: () => null,
    zone: 'UTC',
    onStoreError: 'local-share',
  } as const
  const today = () => '2026-11-21'
  const usage = createMemoryKeeper()

  test.each([
    [
      'how limits stand',
      '/admin/limits/team-a',
      /Redis does not answer.* each gateway admits its share of every limit/,
    ],
    ['usage', '/admin/usage', /Redis does not answer/],
  ])('%s is a 503 that says so, and a fault of ours a 500 that tells nothing', async (_what, path, says) => {
    const away = await listening({
      reports: {
        ...reports,
        today,
        usage: { read: () => Promise.reject(new RedisError('secret')) },
        limits: { standings: () => Promise.reject(new GatewayError('overloaded', 'secret')) },
      },
    })
    const answer = await fetch(away.url + path)
    expect(answer.status).toBe(503)
    expect(await answer.json()).toEqual({
      error: { code: 'store_away', message: expect.stringMatching(says) },
    })
    const broken = await listening({
      reports: {
        ...reports,
        today,
        usage: { ...usage, read: () => Promise.reject(new TypeError('secret')) },
        limits: { standings: () => Promise.reject(new TypeError('secret')) },
      },
    })
    const fault = await fetch(broken.url + path)
    expect(fault.status).toBe(500)
    expect(await fault.text()).not.toContain('secret')
  })

  test('more usage than one answer holds is refused, with what to ask instead', async () => {
    const much = createMemoryKeeper()
    for (let n = 0; n <= 20_000; n++)
      much.add({ day: '2026-11-21', caller: `c${n}`, model: 'other', counts: { ...noCounts, requests: 1 } })
    const { url } = await listening({
      reports: { ...reports, today, usage: much, limits: { standings: async () => [] } },
    })
    const answer = await fetch(`${url}/admin/usage`)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { message: expect.stringContaining('more than 20000 rows') } })
    const less = await fetch(`${url}/admin/usage?caller=c7`)
    expect(await less.json()).toMatchObject({ total: { requests: 1 } })
  })
})

test('what another process can answer is passed on to it, with the token, and to nobody without', async () => {
  const usage = createMemoryKeeper()
  usage.add({ day: '2026-11-21', caller: 'team-a', model: 'm', counts: { ...noCounts, requests: 3 } })
  const callers = [{ id: 'team-a', limits: {} }]
  const other = createAdmin({
    token: 'operator-token',
    metrics: { contentType: 'text/plain', text: async () => '' },
    ready: () => ({ ready: true, checks: {} }),
    reports: {
      usage,
      limits: { standings: async () => [] },
      onStoreError: 'local-share',
      callers,
      modelIds: [],
      modelIdOf: () => null,
      zone: 'UTC',
      today: () => '2026-11-21',
    },
  })
  open.push(other)
  const { url } = await listening({ token: 'operator-token', reports: answerWith(other) })
  const headers = { authorization: 'Bearer operator-token' }
  const answer = await fetch(`${url}/admin/usage?caller=team-a`, { headers })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
  expect(await answer.json()).toMatchObject({ total: { requests: 3 } })
  expect((await fetch(`${url}/admin/limits/nobody`, { headers })).status).toBe(404)
  expect((await fetch(`${url}/admin/usage`)).status).toBe(401)
  expect((await fetch(`${url}/admin/usage`, { method: 'POST', headers })).status).toBe(404)
})
