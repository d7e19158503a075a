import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test, vi } from 'vitest'
import type { CallerConfig } from '../../src/config/config.ts'
import { createMemoryStore } from '../../src/limits/memory-store.ts'
import { createRedisStore } from '../../src/limits/redis-store.ts'
import type { LimitStore } from '../../src/limits/store.ts'
import { connectRedis } from '../../src/redis/client.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { type RawScript, type RawUpstream, rawHead, startRawUpstream } from '../helpers/raw-upstream.ts'
import { findRedis, type Line, openLine } from '../helpers/redis.ts'
import { pictureAnswer, sha256 } from './answers.ts'
import { callRaw, openCall } from './raw-caller.ts'
import { ask, eventually, lineOf, newId, readMetrics, relayed, translated, type Way, ways } from './setup.ts'

vi.setConfig({ maxConcurrency: 5 })

const picture = pictureAnswer(2_000)
const redis = await findRedis()
const running: { close(): unknown }[] = []
afterAll(async () => {
  for (const each of running) await each.close()
  await redis?.stop()
})

const times = { windowMs: 3_000, leaseMs: 1_500 }
type MakeStore = () => Promise<LimitStore>

const inMemory: MakeStore = async () => createMemoryStore({ now: () => performance.now(), ...times })

// Patient, because all these gateways share one event loop with their callers and upstreams.
async function onRedis(url: string, commandTimeoutMs = 2_000): Promise<LimitStore> {
  const client = await connectRedis(url, { commandTimeoutMs })
  running.push(client)
  return createRedisStore({ redis: client, tag: randomUUID(), ...times })
}

const callerOf = (id: string, limits: CallerConfig['limits']): CallerConfig => ({
  id,
  keySha256: sha256(`key of ${id}`),
  models: null,
  limits,
})
const callers = [
  callerOf('two-a-minute', { requestsPerMinute: 2 }),
  callerOf('one-at-a-time', { concurrent: 1 }),
  callerOf('free', {}),
]
const as = (id: string) => ({ 'x-goog-api-key': `key of ${id}` })

async function start(makeStore: MakeStore, script: RawScript = paint): Promise<[TestGateway, RawUpstream]> {
  const upstream = await startRawUpstream(script)
  const gateway = await startGateway({ upstream: upstream.url, callers, limitStore: await makeStore() })
  running.push(gateway, upstream)
  return [gateway, upstream]
}

function paint({ socket }: { readonly socket: RawUpstream['calls'][number]['socket'] }): void {
  socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${picture.bytes.length}`))
  socket.write(picture.bytes)
}

type Answer = Awaited<ReturnType<typeof ask>>['answer']

/** @returns the wait that the answer tells of, in milliseconds. */
function expectLimited(way: Way, answer: Answer): number {
  expect({ status: answer.status, whole: answer.whole }).toEqual({ status: 429, whole: true })
  const waitMs = Number(answer.headers.get('retry-after-ms'))
  expect(Number(answer.headers.get('retry-after'))).toBe(Math.max(1, Math.ceil(waitMs / 1000)))
  const { error } = JSON.parse(answer.body.toString())
  if (way === translated) {
    expect(error).toMatchObject({ type: 'requests', code: 'rate_limit_exceeded', param: null })
    expect(answer.reasonPhrase).toBe('rate_limit_exceeded')
    return waitMs
  }
  expect(error).toMatchObject({ code: 429, status: 'RESOURCE_EXHAUSTED' })
  expect(answer.reasonPhrase).toBe('RESOURCE_EXHAUSTED')
  const detail = (name: string) => error.details.find((each: { '@type': string }) => each['@type'].endsWith(name))
  expect(detail('QuotaFailure').violations).toHaveLength(1)
  expect(detail('RetryInfo').retryDelay).toBe(`${waitMs / 1000}s`)
  return waitMs
}

describe.skipIf(!redis).for([
  ['in memory', inMemory],
  ['on Redis', () => onRedis(redis?.url ?? '')],
] as const)('limits %s', { concurrent: true }, ([, makeStore]) => {
  describe.for(ways)('$name', way => {
    const asking = (gateway: TestGateway, id: string) => ask(gateway, way, 'a kite', { headers: as(id) })

    test('a caller past its requests per minute waits as long as it is told, and is admitted', async () => {
      const [gateway, upstream] = await start(makeStore)
      for (const remaining of ['1', '0']) {
        const { answer } = await asking(gateway, 'two-a-minute')
        expect(answer.status).toBe(200)
        expect(answer.headers.get('x-ratelimit-limit-requests')).toBe('2')
        expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe(remaining)
        expect(answer.headers.get('x-ratelimit-reset-requests')).toMatch(/^\d+(\.\d+)?(ms|s)$/)
        expect(answer.headers.get('ratelimit-policy')).toBe('"requests";q=2;w=60')
        expect(answer.headers.get('ratelimit')).toMatch(new RegExp(`^"requests";r=${remaining};t=\\d+$`))
      }
      const { id, answer } = await asking(gateway, 'two-a-minute')
      const waitMs = expectLimited(way, answer)
      expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe('0')
      expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'limited', status: 429, attempts: 0 })
      expect(upstream.calls).toHaveLength(2)
      expect((await asking(gateway, 'free')).answer.status).toBe(200)
      await sleep(waitMs)
      expect((await asking(gateway, 'two-a-minute')).answer.status).toBe(200)
    })

    test('a caller with a call under way is told to come back, and may when it has ended', async () => {
      const [gateway, upstream] = await start(makeStore, () => {})
      const called = upstream.nextCall()
      const first = asking(gateway, 'one-at-a-time')
      const call = await called
      const { answer } = await asking(gateway, 'one-at-a-time')
      expectLimited(way, answer)
      expect(upstream.calls).toHaveLength(1)
      paint(call)
      expect((await first).answer.status).toBe(200)
      upstream.script = paint
      expect((await asking(gateway, 'one-at-a-time')).answer.status).toBe(200)
    })

    test.for([
      ['the upstream failed', ({ socket }) => void socket.destroy()],
      [
        'the upstream refused',
        ({ socket }) => void socket.write(`${rawHead('400 Bad Request', 'content-length: 2')}{}`),
      ],
      ['the upstream was too slow', () => {}],
    ] as const satisfies readonly (readonly [string, RawScript])[])(
      'a slot is free again when %s',
      async ([, script]) => {
        const [gateway, upstream] = await start(makeStore, script)
        const headers = { ...as('one-at-a-time'), 'x-server-timeout': '0.5' }
        const { answer } = await ask(gateway, way, 'a kite', { headers })
        expect(answer.status).toBeGreaterThanOrEqual(400)
        upstream.script = paint
        expect((await asking(gateway, 'one-at-a-time')).answer.status).toBe(200)
      },
    )

    test('a slot is free again when the caller left', async () => {
      const [gateway, upstream] = await start(makeStore, () => {})
      const called = upstream.nextCall()
      const id = newId()
      const headers = { ...as('one-at-a-time'), 'x-request-id': id }
      const caller = await openCall(gateway.url, way.path, way.body('a kite'), { headers })
      await called
      caller.leave()
      await lineOf(gateway, id)
      upstream.script = paint
      expect((await asking(gateway, 'one-at-a-time')).answer.status).toBe(200)
    })

    test('a request that makes no sense takes nothing', async () => {
      const [gateway] = await start(makeStore)
      for (let nth = 0; nth < 5; nth++) {
        const answer = await callRaw(gateway.url, way.path, '{', { headers: as('two-a-minute') })
        expect(answer.status).toBe(400)
      }
      const { answer } = await asking(gateway, 'two-a-minute')
      expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe('1')
    })
  })

  test('three pictures in one request are one request, and hold one slot', async () => {
    const [gateway, upstream] = await start(makeStore)
    const body = JSON.stringify({ model: 'gemini-2.5-flash-image', prompt: 'a kite', n: 3 })
    for (const id of ['two-a-minute', 'one-at-a-time']) {
      const answer = await callRaw(gateway.url, translated.path, body, { headers: as(id) })
      expect(JSON.parse(answer.body.toString()).data).toHaveLength(3)
      if (id === 'two-a-minute') expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe('1')
    }
    expect(upstream.calls).toHaveLength(6)
  })

  test('both protocols draw on one allowance, and what was decided is counted', async () => {
    const [gateway] = await start(makeStore)
    for (const way of ways) {
      expect((await ask(gateway, way, 'a kite', { headers: as('two-a-minute') })).answer.status).toBe(200)
    }
    for (const way of ways) {
      expectLimited(way, (await ask(gateway, way, 'a kite', { headers: as('two-a-minute') })).answer)
    }
    const metrics = await readMetrics(gateway)
    const decisions = (decision: string) =>
      metrics('plantain_limit_decisions_total', { scope: 'caller', dimension: 'requests', decision })
    expect([decisions('admitted'), decisions('refused')]).toEqual([2, 2])
    expect(metrics('plantain_requests_total', { outcome: 'limited', status: '429' })).toBe(2)
  })
})

describe.skipIf(!redis)('Redis goes away', { concurrent: true }, () => {
  async function startOnLine(patienceMs: number, script?: RawScript): Promise<[TestGateway, RawUpstream, Line]> {
    const line = await openLine(redis?.url ?? '')
    const started = await start(() => onRedis(line.url, patienceMs), script)
    running.push({ close: () => line[Symbol.asyncDispose]() })
    return [...started, line]
  }

  const isReady = async ({ adminUrl }: TestGateway) => (await fetch(`${adminUrl}/readyz`)).status === 200

  /** Without a restart; how long it may take is the Redis client's affair. */
  async function untilServed(asking: () => Promise<Answer>): Promise<void> {
    for (let status: number | null = null; status !== 200; ) {
      status = (await asking()).status
      expect([200, 429, 503]).toContain(status)
    }
  }

  function expectTurnedAway(way: Way, answer: Answer): void {
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(way.errorOf(answer.body.toString()).code).toBe(way === translated ? 'overloaded' : 'UNAVAILABLE')
    expect(way.errorOf(answer.body.toString()).message).not.toMatch(/redis|127\.0\.0\.1|ECONN/i)
  }

  test.for(['cut', 'silent'] as const)(
    'callers with limits are turned away until it is back, others are served: %s',
    async how => {
      const [gateway, upstream, line] = await startOnLine(150)
      const asking = async (way: Way, id: string) => (await ask(gateway, way, 'a kite', { headers: as(id) })).answer
      await untilServed(() => asking(translated, 'one-at-a-time'))
      while (!(await isReady(gateway))) await sleep(50)
      const before = { calls: upstream.calls.length, lines: gateway.log.length }

      if (how === 'cut') await line.cut()
      else line.hold('commands')
      await Promise.all(
        ways.map(async way => {
          const limited = [asking(way, 'one-at-a-time'), asking(way, 'two-a-minute')]
          expect((await asking(way, 'free')).status).toBe(200)
          for (const answer of await Promise.all(limited)) expectTurnedAway(way, answer)
        }),
      )
      expect(upstream.calls).toHaveLength(before.calls + 2)
      expect(await isReady(gateway)).toBe(false)
      const turnedAway = gateway.log.slice(before.lines).filter(each => each.msg === 'exchange' && each.status === 503)
      expect(turnedAway).toHaveLength(4)
      for (const each of turnedAway)
        expect(each).toMatchObject({ outcome: 'limited', errorKind: 'overloaded', attempts: 0 })

      if (how === 'cut') await line.mend()
      else line.release()
      for (const way of ways) await untilServed(() => asking(way, 'one-at-a-time'))
      while (!(await isReady(gateway))) await sleep(50)
    },
  )

  test('a call that is under way is finished, and its slot is free when Redis is back', async () => {
    const [gateway, upstream, line] = await startOnLine(2_000, () => {})
    const called = upstream.nextCall()
    const answer = ask(gateway, relayed, 'a kite', { headers: as('one-at-a-time') })
    const call = await called
    await line.cut()
    paint(call)
    expect((await answer).answer.status).toBe(200)
    await line.mend()
    upstream.script = paint
    await untilServed(async () => (await ask(gateway, relayed, 'a kite', { headers: as('one-at-a-time') })).answer)
    await eventually(() => upstream.calls.length === 2)
  })
})
