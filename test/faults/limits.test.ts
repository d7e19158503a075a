import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { CallerConfig } from '../../src/config/config.ts'
import { createMemoryStore } from '../../src/limits/memory-store.ts'
import { createRedisStore } from '../../src/limits/redis-store.ts'
import type { LimitStore } from '../../src/limits/store.ts'
import { connectRedis } from '../../src/redis/client.ts'
import { callerOf, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { lineOf } from '../helpers/log.ts'
import { type RawCall, type RawScript, type RawUpstream, rawHead, startRawUpstream } from '../helpers/raw-upstream.ts'
import { findRedis, type Line, openLine } from '../helpers/redis.ts'
import { pictureAnswer } from './answers.ts'
import { callRaw, openCall } from './raw-caller.ts'
import { ask, eventually, newId, readMetrics, relayed, translated, type Way, ways } from './setup.ts'

vi.setConfig({ maxConcurrency: 24 })

const picture = pictureAnswer(2_000)
const redis = await findRedis()
const running: { close(): unknown }[] = []
afterAll(async () => {
  for (const each of running) await each.close()
  await redis?.stop()
})

const times = { windowMs: 2_400, leaseMs: 1_500 }
type MakeStore = () => Promise<LimitStore>

const inMemory: MakeStore = async () => createMemoryStore({ now: () => performance.now(), ...times })

// Patient, because all these gateways share one event loop with their callers and upstreams.
async function onRedis(url: string, commandTimeoutMs = 2_000): Promise<LimitStore> {
  const client = await connectRedis(url, { commandTimeoutMs })
  running.push(client)
  return createRedisStore({ redis: client, tag: randomUUID(), ...times })
}

const limited = (id: string, limits: CallerConfig['limits']) => callerOf(id, { limits })
const as = (id: string) => ({ 'x-goog-api-key': `key-of-${id}` })

// Every test has callers of its own, so that all can share a gateway.
const kinds = {
  'two-a-minute': { requestsPerMinute: 2 },
  'one-at-a-time': { concurrent: 1 },
  free: {},
} as const
const callersOfEach = 60
const callers = Object.entries(kinds).flatMap(([kind, limits]) =>
  Array.from({ length: callersOfEach }, (_, nth) => limited(`${kind}-${nth}`, limits)),
)
let taken = 0
const newCaller = (kind: keyof typeof kinds) => `${kind}-${taken++ % callersOfEach}`

async function start(limitStore: LimitStore): Promise<[TestGateway, RawUpstream]> {
  const upstream = await startRawUpstream(call => {
    const what = /do (\w+)/.exec(call.body.toString())?.[1] ?? 'paint'
    scripts[what]?.(call)
  })
  const gateway = await startGateway({ upstream: upstream.url, callers, limitStore })
  running.push(gateway, upstream)
  return [gateway, upstream]
}

const paint: RawScript = ({ socket }) => {
  socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${picture.bytes.length}`))
  socket.write(picture.bytes)
}

const scripts: Readonly<Record<string, RawScript>> = {
  paint,
  fail: ({ socket }) => void socket.destroy(),
  refuse: ({ socket }) => void socket.write(`${rawHead('400 Bad Request', 'content-length: 2')}{}`),
  nothing: () => {},
}

/** The call that some prompt brought to the upstream; waited for. */
async function callWith(prompt: string, { calls }: RawUpstream): Promise<RawCall> {
  const find = () => calls.find(({ body }) => body.includes(`${prompt}"`))
  await eventually(() => find() !== undefined)
  return find() ?? expect.fail('It is there: it was waited for.')
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
  let gateway: TestGateway
  let upstream: RawUpstream
  beforeAll(async () => {
    ;[gateway, upstream] = await start(await makeStore())
  })

  describe.for(ways)('$name', way => {
    const asking = (id: string, prompt = 'do paint') => ask(gateway, way, prompt, { headers: as(id) })

    test('a caller past its requests per minute waits as long as it is told, and is admitted', async () => {
      const caller = newCaller('two-a-minute')
      for (const remaining of ['1', '0']) {
        const { answer } = await asking(caller)
        expect(answer.status).toBe(200)
        expect(answer.headers.get('x-ratelimit-limit-requests')).toBe('2')
        expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe(remaining)
        expect(answer.headers.get('x-ratelimit-reset-requests')).toMatch(/^\d+(\.\d+)?(ms|s)$/)
        expect(answer.headers.get('ratelimit-policy')).toBe('"requests";q=2;w=60')
        expect(answer.headers.get('ratelimit')).toMatch(new RegExp(`^"requests";r=${remaining};t=\\d+$`))
      }
      const { id, answer } = await asking(caller)
      const waitMs = expectLimited(way, answer)
      expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe('0')
      expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'limited', status: 429, attempts: 0, caller })
      expect((await asking(newCaller('two-a-minute'))).answer.status).toBe(200)
      await sleep(waitMs)
      expect((await asking(caller)).answer.status).toBe(200)
    })

    test('a caller with a call under way is told to come back, and may when it has ended', async () => {
      const caller = newCaller('one-at-a-time')
      const prompt = `do nothing for ${caller}`
      const first = asking(caller, prompt)
      const call = await callWith(prompt, upstream)
      const { id, answer } = await asking(caller)
      expectLimited(way, answer)
      expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'limited', status: 429, attempts: 0 })
      await paint(call)
      expect((await first).answer.status).toBe(200)
      expect((await asking(caller)).answer.status).toBe(200)
    })

    test.for([
      ['failed', 'do fail'],
      ['refused', 'do refuse'],
      ['was too slow', 'do nothing'],
    ] as const)('a slot is free again when the upstream %s', async ([, prompt]) => {
      const caller = newCaller('one-at-a-time')
      const headers = { ...as(caller), 'x-server-timeout': '0.5' }
      const { answer } = await ask(gateway, way, prompt, { headers })
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect((await asking(caller)).answer.status).toBe(200)
    })

    test('a slot is free again when the caller left', async () => {
      const caller = newCaller('one-at-a-time')
      const prompt = `do nothing for ${caller}`
      const id = newId()
      const headers = { ...as(caller), 'x-request-id': id }
      const { leave } = await openCall(gateway.url, way.path, way.body(prompt), { headers })
      await callWith(prompt, upstream)
      leave()
      await lineOf(gateway, id)
      expect((await asking(caller)).answer.status).toBe(200)
    })

    test('a request that makes no sense takes nothing', async () => {
      const caller = newCaller('two-a-minute')
      for (let nth = 0; nth < 5; nth++) {
        expect((await callRaw(gateway.url, way.path, '{', { headers: as(caller) })).status).toBe(400)
      }
      expect((await asking(caller)).answer.headers.get('x-ratelimit-remaining-requests')).toBe('1')
    })

    test('a caller without limits is told of none', async () => {
      const { answer } = await asking(newCaller('free'))
      expect([...answer.headers.keys()].filter(name => name.includes('ratelimit'))).toEqual([])
    })
  })

  test.for([
    ['two-a-minute', '1'],
    ['one-at-a-time', undefined],
  ] as const)('three pictures in one request are one request, and hold one slot: %s', async ([kind, remaining]) => {
    const body = JSON.stringify({ model: 'gemini-2.5-flash-image', prompt: 'do paint', n: 3 })
    const answer = await callRaw(gateway.url, translated.path, body, { headers: as(newCaller(kind)) })
    expect(JSON.parse(answer.body.toString()).data).toHaveLength(3)
    expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe(remaining)
  })

  test('both protocols draw on one allowance', async () => {
    const headers = as(newCaller('two-a-minute'))
    for (const way of ways) expect((await ask(gateway, way, 'do paint', { headers })).answer.status).toBe(200)
    for (const way of ways) expectLimited(way, (await ask(gateway, way, 'do paint', { headers })).answer)
  })

  test('what was decided is counted', { concurrent: false }, async () => {
    const metrics = await readMetrics(gateway)
    const lines = gateway.log.filter(({ msg }) => msg === 'exchange')
    const limited = lines.filter(({ outcome }) => outcome === 'limited')
    expect(metrics('plantain_requests_total', { outcome: 'limited', status: '429' })).toBe(limited.length)
    expect(metrics('plantain_limit_decisions_total', { scope: 'caller', decision: 'refused' })).toBe(limited.length)
    const admitted = lines.filter(({ caller, attempts }) => !String(caller).startsWith('free') && Number(attempts) > 0)
    expect(metrics('plantain_limit_decisions_total', { scope: 'caller', decision: 'admitted' })).toBe(admitted.length)
    expect(metrics('plantain_upstream_in_flight')).toBe(0)
  })
})

describe.skipIf(!redis)('Redis goes away', { concurrent: true }, () => {
  async function startOnLine(patienceMs: number): Promise<[TestGateway, RawUpstream, Line]> {
    const line = await openLine(redis?.url ?? '')
    const started = await start(await onRedis(line.url, patienceMs))
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
      const [gateway, upstream, line] = await startOnLine(100)
      const asking = async (way: Way, id: string) => (await ask(gateway, way, 'do paint', { headers: as(id) })).answer
      await untilServed(() => asking(translated, 'one-at-a-time-0'))
      while (!(await isReady(gateway))) await sleep(50)
      const before = { calls: upstream.calls.length, lines: gateway.log.length }

      if (how === 'cut') await line.cut()
      else line.hold('commands')
      await Promise.all(
        ways.map(async way => {
          const limited = [asking(way, 'one-at-a-time-0'), asking(way, 'two-a-minute-0')]
          expect((await asking(way, 'free-0')).status).toBe(200)
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
      for (const way of ways) await untilServed(() => asking(way, 'one-at-a-time-0'))
      while (!(await isReady(gateway))) await sleep(50)
    },
  )

  test('a call that is under way is finished, and its slot is free when Redis is back', async () => {
    const [gateway, upstream, line] = await startOnLine(2_000)
    const headers = as('one-at-a-time-0')
    const answer = ask(gateway, relayed, 'do nothing', { headers })
    const call = await callWith('do nothing', upstream)
    await line.cut()
    await paint(call)
    expect((await answer).answer.status).toBe(200)
    await line.mend()
    await untilServed(async () => (await ask(gateway, relayed, 'do paint', { headers })).answer)
  })
})
