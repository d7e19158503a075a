/** A shared store that goes and comes back: what the limits do meanwhile. On a real Redis that is stopped, killed, filled and set right again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { CallerLimits, OnStoreError } from '../../src/config/config.ts'
import type { LimitEvent } from '../../src/limits/asking.ts'
import { sufficientAcl } from '../../src/limits/check.ts'
import { createLimits, type Limits } from '../../src/limits/limits.ts'
import { openLimitStore, type StoreEvent } from '../../src/limits/open-store.ts'
import { findRedisServer, freePort } from '../helpers/redis.ts'

const found = findRedisServer()

/** A Redis of the test's own, which it can treat as it likes. */
async function startRedis(...flags: string[]) {
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...flags]
  let server: ChildProcess
  async function start() {
    server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] })
    const { promise, resolve } = Promise.withResolvers<void>()
    server.stdout?.on('data', text => String(text).includes('Ready to accept') && resolve())
    await promise
  }
  async function kill() {
    server.kill('SIGKILL')
    await once(server, 'exit')
  }
  await start()
  onTestFinished(() => void server.kill('SIGKILL'))
  const admin = () => {
    const redis = new Redis(port, '127.0.0.1')
    onTestFinished(() => redis.disconnect())
    return redis
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    stall: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    admin,
  }
}

interface Gateway {
  readonly limits: Limits
  readonly warnings: string[]
  readonly events: LimitEvent[]
  degraded(): boolean
}

async function openGateway(url: string, onError: OnStoreError = 'local-share'): Promise<Gateway> {
  const warnings: string[] = []
  const events: LimitEvent[] = []
  const observe = (event: StoreEvent) => void (event.what === 'warning' && warnings.push(event.sentence))
  const open = await openLimitStore({ redisUrl: url, onError, observe })
  const limits = createLimits({ store: open.store, now: () => performance.now(), observe: one => events.push(one) })
  onTestFinished(async () => {
    await limits.close()
    await open.close()
  })
  return { limits, warnings, events, degraded: () => open.degraded() }
}

const admit = (limits: Limits, callerLimits: CallerLimits, caller = 'team-a') =>
  limits.admit(
    {
      id: randomUUID(),
      caller: { id: caller, limits: callerLimits },
      model: 'a-model',
      deadlineMs: performance.now() + 60_000,
    },
    { images: 1, tokens: 1, microUsd: 1_000 },
  )

async function admittedOf(limits: Limits, callerLimits: CallerLimits, tries: number): Promise<number> {
  let count = 0
  for (let n = 0; n < tries; n++) if ((await admit(limits, callerLimits)).admitted) count += 1
  return count
}

/** The sum that the caller's window begins with. */
async function requestsIn(admin: Redis): Promise<number | undefined> {
  return (await admin.getBuffer('{plantain:caller}:w:team-a:requests'))?.readDoubleLE(0)
}

const recovered = (gateway: Gateway) => expect.poll(() => gateway.degraded()).toBe(false)

describe.skipIf(!found)('while Redis is away', () => {
  test('gateways admit their shares of a limit between them, and the rest goes to one of them', async () => {
    const redis = await startRedis()
    const gateways = await Promise.all([1, 2, 3].map(() => openGateway(redis.url)))
    // Everybody knows everybody after two beats.
    await new Promise(resolve => setTimeout(resolve, 2_500))
    await redis.kill()
    const counts = await Promise.all(gateways.map(({ limits }) => admittedOf(limits, { requestsPerMinute: 10 }, 8)))
    expect(counts.toSorted()).toEqual([3, 3, 4])
    for (const gateway of gateways) expect(gateway.degraded()).toBe(true)
  })

  test('a share begins where the store was last seen to stand, and the store hears of it afterwards', async () => {
    const redis = await startRedis()
    const gateway = await openGateway(redis.url)
    const limit = { requestsPerMinute: 10 }
    expect(await admittedOf(gateway.limits, limit, 6)).toBe(6)
    redis.stall()
    expect(await admittedOf(gateway.limits, limit, 8)).toBe(4)
    redis.resume()
    await recovered(gateway)
    await expect.poll(async () => (await admit(gateway.limits, limit)).admitted).toBe(false)
    const admin = redis.admin()
    await expect.poll(() => requestsIn(admin)).toBe(10)
  })

  test('places that were taken stay taken, there and back again', async () => {
    const redis = await startRedis()
    const gateway = await openGateway(redis.url)
    const limit = { concurrent: 2 }
    const before = await admit(gateway.limits, limit)
    redis.stall()
    const during = await admit(gateway.limits, limit)
    expect([before.admitted, during.admitted]).toEqual([true, true])
    expect((await admit(gateway.limits, limit)).admitted).toBe(false)
    redis.resume()
    await recovered(gateway)
    await expect.poll(async () => (await admit(gateway.limits, limit)).admitted).toBe(false)
    await gateway.limits.settle(during, { outcome: 'ok' })
    await gateway.limits.settle(before, { outcome: 'ok' })
    const again = [await admit(gateway.limits, limit), await admit(gateway.limits, limit)]
    expect(again.map(({ admitted }) => admitted)).toEqual([true, true])
  })

  test('budgets are closed whatever the settings say, and nobody waits long to hear it', async () => {
    const redis = await startRedis()
    const budget = { budgetMicroUsdPerDay: 1_000_000 }
    const gateways = await Promise.all(
      (['local-share', 'open', 'closed'] as const).map(on => openGateway(redis.url, on)),
    )
    redis.stall()
    for (const { limits } of gateways) {
      for (let n = 0; n < 8; n++) {
        await expect(admit(limits, budget)).rejects.toMatchObject({ kind: 'overloaded', facts: { retryAfterMs: 1000 } })
      }
    }
    redis.resume()
    for (const gateway of gateways) await recovered(gateway)
    for (const { limits } of gateways) {
      await expect.poll(async () => (await admit(limits, budget).catch(() => null))?.admitted).toBe(true)
    }
  })

  test('closed admits nobody who has limits, open everybody and counts them as such', async () => {
    const redis = await startRedis()
    const [closed, open] = [await openGateway(redis.url, 'closed'), await openGateway(redis.url, 'open')]
    await redis.kill()
    await expect(admit(closed.limits, { requestsPerMinute: 9 })).rejects.toMatchObject({ kind: 'overloaded' })
    expect((await admit(closed.limits, {})).admitted).toBe(true)
    await expect.poll(() => closed.limits.ready()).toBe(false)
    expect(await admittedOf(open.limits, { requestsPerMinute: 1 }, 5)).toBe(5)
    expect(open.events.map(({ decision }) => decision)).toEqual(Array(5).fill('bypassed'))
  })

  test('a stall leaves nothing behind: what Redis carried out late is undone', async () => {
    const redis = await startRedis()
    const gateway = await openGateway(redis.url)
    const limit = { requestsPerMinute: 100, concurrent: 100 }
    await gateway.limits.settle(await admit(gateway.limits, limit), { outcome: 'ok' })
    redis.stall()
    const decisions = await Promise.all(Array.from({ length: 20 }, () => admit(gateway.limits, limit)))
    for (const decision of decisions) await gateway.limits.settle(decision, { outcome: 'ok' })
    redis.resume()
    await recovered(gateway)
    const admin = redis.admin()
    await expect.poll(() => admin.zcard('{plantain:caller}:c:team-a:concurrent'), { timeout: 20_000 }).toBe(0)
    expect(await requestsIn(admin)).toBeLessThanOrEqual(21)
  })

  test('a Redis that comes back empty, or comes only later, is used without a restart', async () => {
    const redis = await startRedis()
    await redis.kill()
    const gateway = await openGateway(redis.url)
    const limit = { requestsPerMinute: 5 }
    expect(await admittedOf(gateway.limits, limit, 7)).toBe(5)
    await redis.start()
    await recovered(gateway)
    const running = await admit(gateway.limits, { concurrent: 1 })
    await redis.kill()
    await redis.start()
    await recovered(gateway)
    await gateway.limits.settle(running, { outcome: 'ok' })
    await expect.poll(async () => (await admit(gateway.limits, { concurrent: 1 })).admitted).toBe(true)
  })
})

describe.skipIf(!found)('a Redis that answers with errors', () => {
  test('that is full, or only a copy, is as good as away, and is used again when it is set right', async () => {
    const redis = await startRedis()
    const gateway = await openGateway(redis.url)
    const admin = redis.admin()
    const limit = { requestsPerMinute: 50 }
    await admit(gateway.limits, limit)
    await admin.config('SET', 'maxmemory', '1')
    expect(await admittedOf(gateway.limits, limit, 60)).toBe(49)
    await admin.config('SET', 'maxmemory', '0')
    await recovered(gateway)
    await admin.config('SET', 'replica-read-only', 'yes')
    await admin.replicaof('127.0.0.1', '1')
    expect((await admit(gateway.limits, { concurrent: 3 })).admitted).toBe(true)
    await admin.replicaof('NO', 'ONE')
    await recovered(gateway)
    await expect.poll(async () => (await admit(gateway.limits, limit)).admitted).toBe(false)
  })

  test('that forgot the scripts is told them again', async () => {
    const redis = await startRedis()
    const gateway = await openGateway(redis.url)
    const limit = { requestsPerMinute: 3 }
    await admit(gateway.limits, limit)
    await redis.admin().script('FLUSH')
    expect(await admittedOf(gateway.limits, limit, 5)).toBe(2)
    expect(gateway.degraded()).toBe(false)
  })

  test('with a wrong password is as good as away', async () => {
    const redis = await startRedis('--requirepass', 'right')
    const url = new URL(redis.url)
    url.password = 'wrong'
    const gateway = await openGateway(url.href)
    expect(gateway.degraded()).toBe(true)
    expect(await admittedOf(gateway.limits, { requestsPerMinute: 2 }, 4)).toBe(2)
  })
})

describe.skipIf(!found)('a Redis that is looked at', () => {
  test('and has nothing wrong with it is not talked about', async () => {
    const redis = await startRedis()
    expect((await openGateway(redis.url)).warnings).toEqual([])
  })

  test('and would forget limits when it is full is told of', async () => {
    const redis = await startRedis('--maxmemory-policy', 'allkeys-lru')
    expect((await openGateway(redis.url)).warnings).toEqual([expect.stringContaining('allkeys-lru')])
  })

  test('with a user who may do what the README says serves whole', async () => {
    const redis = await startRedis()
    await redis.admin().call('ACL', 'SETUSER', 'plantain', 'on', '>pw', ...sufficientAcl.split(' '))
    const url = new URL(redis.url)
    url.username = 'plantain'
    url.password = 'pw'
    const gateway = await openGateway(url.href)
    expect(gateway.warnings).toEqual([])
    const all = { requestsPerMinute: 9, imagesPerDay: 9, concurrent: 9, budgetMicroUsdPerDay: 9_000_000 }
    const decision = await admit(gateway.limits, all)
    expect(decision.admitted).toBe(true)
    await gateway.limits.settle(decision, { outcome: 'ok', microUsd: 5 })
    expect(gateway.degraded()).toBe(false)
  })

  test('with a user who may not do enough is told of, with what would do', async () => {
    const redis = await startRedis()
    await redis.admin().call('ACL', 'SETUSER', 'plantain', 'on', '>pw', ...sufficientAcl.split(' '), '-zadd')
    const url = new URL(redis.url)
    url.username = 'plantain'
    url.password = 'pw'
    const { warnings } = await openGateway(url.href)
    expect(warnings.join()).toMatch(/ZADD/)
    expect(warnings.join()).toContain(sufficientAcl)
  })
})
