import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRedisStore, type RedisStoreParts } from '../../src/limits/redis-store.ts'
import type { Hold, Reservation } from '../../src/limits/store.ts'
import { connectRedis, type RedisClient } from '../../src/redis/client.ts'
import { attended, findRedis, openLine } from '../helpers/redis.ts'
import { type StoreUnderTest, storeContract } from './store.contract.ts'

const redis = await findRedis()
afterAll(() => redis?.stop())

// Generous, because the machine may be busy: what happens when time is up has tests of its own.
const commandTimeoutMs = 5_000
const plenty = 10_000
const url = redis?.url ?? ''

/** Two installations with different tags do not meet, so tests on a Redis that others use too disturb nobody. */
const freshTag = () => `plantain-test-${randomUUID()}`

const window = (limit: number): Reservation => ({ kind: 'window', key: 'caller:a:requests', limit, cost: 1 })
const calendar = (atMs: number) => {
  const number = Math.floor(atMs / 86_400_000)
  return { name: `day-${number}`, beginsMs: number * 86_400_000, endsMs: (number + 1) * 86_400_000 }
}
const day = (limit: number): Reservation => ({ kind: 'day', key: 'caller:a:images-day', limit, cost: 1, calendar })
const budget = (limit: number): Reservation => ({ kind: 'budget', key: 'caller:a:money', limit, cost: 1, calendar })
const lease = (limit: number): Reservation => ({ kind: 'lease', key: 'caller:a:concurrent', limit })
const hold = (...reservations: Reservation[]): Hold => ({ id: randomUUID(), side: 'caller', reservations })

async function keysOf(admin: Redis, tag: string): Promise<string[]> {
  const keys: string[] = []
  for await (const some of admin.scanStream({ match: `{${tag}:*`, count: 1000 })) keys.push(...some)
  return keys.sort()
}

async function openStore(): Promise<StoreUnderTest> {
  const tag = freshTag()
  const admin = new Redis(url)
  const client = await connectRedis(url, { commandTimeoutMs })
  let lastMs = 0
  const watched = attended(client, {
    after: async reply => {
      if (Array.isArray(reply)) lastMs = Number(reply[1])
    },
  })
  // The store keeps the highest time seen and how far Redis's clock was behind it: both can be moved instead of the clock.
  const clock = `{${tag}:caller}:clock`
  async function moveClock(move: (highest: number, behind: number) => [number, number]) {
    const kept = (await admin.getBuffer(clock)) ?? Buffer.alloc(16)
    const moved = move(kept.readDoubleLE(0), kept.readDoubleLE(8))
    kept.writeDoubleLE(moved[0], 0)
    kept.writeDoubleLE(moved[1], 8)
    await admin.set(clock, kept, 'PX', 600_000)
  }
  const pass = (ms: number) => moveClock((highest, behind) => [highest, behind + ms])
  await pass(2 * 3_600_000)
  return {
    store: createRedisStore({ redis: watched, tag }),
    lastMs: () => lastMs,
    pass,
    setClockBack: ms => moveClock((highest, behind) => [highest, behind - ms]),
    hasteMs: 5_000,
    modelRuns: process.env.PLANTAIN_TEST_LONG ? 400 : 20,
    async close() {
      const keys = await keysOf(admin, tag)
      if (keys.length > 0) await admin.unlink(keys)
      client.close()
      admin.disconnect()
    },
  }
}

describe.skipIf(!redis)('on a real Redis', () => {
  storeContract('the Redis store', openStore)

  describe('beyond the contract', () => {
    let admin: Redis
    let client: RedisClient
    let tag: string
    beforeAll(async () => {
      admin = new Redis(url)
      client = await connectRedis(url, { commandTimeoutMs })
    })
    afterAll(() => {
      client.close()
      admin.disconnect()
    })
    const gateway = (parts: Partial<RedisStoreParts> = {}) => createRedisStore({ redis: client, tag, ...parts })
    const key = (rest: string) => `{${tag}:caller}:${rest}`

    test.beforeEach(() => {
      tag = freshTag()
    })
    test.afterEach(async () => {
      const keys = await keysOf(admin, tag)
      if (keys.length > 0) await admin.unlink(keys)
    })

    test('every key lies under the one hash tag and expires by itself', async () => {
      const store = gateway()
      const all = [window(9), lease(9), day(9), budget(9)]
      const [running, over] = [hold(...all), hold(...all)]
      await store.reserve(running, plenty)
      await store.reserve(over, plenty)
      await store.settle(over, { actuals: [0, null, 0, 5], failed: true })
      await store.cancel(hold(lease(9)))
      await store.renew([running])
      const keys = await keysOf(admin, tag)
      // The clock, three records, the window and its refunds, the leases, the day, and the budget.
      expect(keys).toHaveLength(9)
      for (const one of keys) expect(await admin.pttl(one), one).toBeGreaterThan(0)
    })

    test('the keys of calls that are over and windows that are empty do vanish', async () => {
      const store = gateway({ windowMs: 120, leaseMs: 120 })
      await store.reserve(hold(window(9)), plenty)
      const lives = await Promise.all((await keysOf(admin, tag)).map(one => admin.pttl(one)))
      // The grace that is added to each is the same however short the limits' own times are.
      expect(Math.max(...lives)).toBeLessThan(25_000)
    })

    test('a refusal writes nothing at all', async () => {
      const store = gateway()
      await store.reserve(hold(window(1), lease(1), day(1), budget(1)), plenty)
      const dump = async () => {
        const keys = await keysOf(admin, tag)
        return Promise.all(keys.map(async one => [one, (await admin.dumpBuffer(one))?.toString('hex')]))
      }
      const before = await dump()
      expect(before.length).toBe(6)
      for (const wish of [window(1), lease(1), day(1), budget(1)]) {
        expect((await store.reserve(hold(wish), plenty)).outcome).toBe('refused')
      }
      expect(await dump()).toEqual(before)
    })

    test('a window takes a bounded number of bytes, however high its limit and however long it lives', async () => {
      const store = gateway({ windowMs: 60 })
      let most = 0
      for (let n = 0; n < 400; n++) {
        // Long enough for the whole window to be over.
        if (n % 100 === 99) await new Promise(resolve => setTimeout(resolve, 150))
        expect((await store.reserve(hold(window(100_000)), plenty)).outcome).toBe('admitted')
        most = Math.max(most, await admin.strlen(key('w:caller:a:requests')))
      }
      // Its sum, and a number and a count for each of 61 sub-buckets.
      expect(most).toBeLessThanOrEqual(8 + 61 * 16)
    })

    test('leases that nobody gave back are swept when others come', async () => {
      const store = gateway({ leaseMs: 60 })
      for (let n = 0; n < 3; n++) await store.reserve(hold(lease(9)), plenty)
      await expect.poll(async () => (await store.reserve(hold(lease(1)), plenty)).outcome).toBe('admitted')
      expect(await admin.zcard(key('c:caller:a:concurrent'))).toBe(1)
    })

    test('a Redis that has forgotten the scripts is told them again, and counts once', async () => {
      const store = gateway()
      await store.reserve(hold(window(5)), plenty)
      await admin.script('FLUSH')
      expect(await store.reserve(hold(window(5)), plenty)).toMatchObject({ standings: [{ used: 2 }] })
    })

    test('gateways whose clocks are hours apart share one limit', async () => {
      const early = gateway({ now: () => performance.now() - 7_200_000 })
      const late = gateway({ now: () => performance.now() + 7_200_000 })
      for (const store of [early, late]) {
        expect((await store.reserve(hold(window(2)), plenty)).outcome).toBe('admitted')
      }
      for (const store of [early, late]) expect((await store.reserve(hold(window(2)), plenty)).outcome).toBe('refused')
    })

    test('the first questions are answered in the order in which they were asked, though Redis’s time is unknown', async () => {
      let answers = 0
      const slow = attended(client, {
        after: async () => {
          if (++answers === 2) await sleep(100)
        },
      })
      const store = gateway({ redis: slow })
      const ask = async () => (await store.reserve(hold(lease(2)), plenty)).outcome
      const [first, second] = [ask(), ask()]
      await sleep(50)
      expect(await Promise.all([first, second, ask()])).toEqual(['admitted', 'admitted', 'refused'])
    })

    test('a gateway whose clock is set while it runs goes on', async () => {
      let shiftMs = 0
      const store = gateway({ now: () => performance.now() + shiftMs })
      for (const move of [0, 3_600_000, -3_600_000, -3_600_000]) {
        shiftMs += move
        expect((await store.reserve(hold(window(9)), plenty)).outcome).toBe('admitted')
      }
    })

    test('what a stalled line delivers after the gateway gave up is not admitted', async () => {
      await using line = await openLine(url)
      const hasty = await connectRedis(line.url, { commandTimeoutMs: 150 })
      const store = gateway({ redis: hasty })
      const wishes = [window(1), lease(1)]
      // Redis's clock is known after one answer, whatever it was.
      await store.reserve(hold({ kind: 'lease', key: 'other', limit: 1 }), plenty)
      line.hold('commands')
      await expect(store.reserve(hold(...wishes), plenty)).rejects.toThrow('Command timed out')
      line.release()
      await hasty
        .script('return 1')([], [])
        .catch(() => {})
      const other = await gateway().reserve(hold(...wishes), plenty)
      expect(other).toMatchObject({ outcome: 'admitted', standings: [{ used: 1 }, { used: 1 }] })
      hasty.close()
    })

    test('a settle by another connection overtakes a reserve that is still on its way', async () => {
      await using line = await openLine(url)
      const slow = await connectRedis(line.url, { commandTimeoutMs })
      const store = gateway({ redis: slow })
      await store.reserve(hold(lease(5)), plenty)
      const one = hold(window(1), lease(5))
      line.hold('commands')
      const verdict = store.reserve(one, plenty)
      await gateway().cancel(one)
      line.release()
      expect(await verdict).toEqual({ outcome: 'void' })
      expect(await admin.exists(key('w:caller:a:requests'))).toBe(0)
      slow.close()
    })

    test('a Redis that was emptied counts running calls again with their next renewal', async () => {
      const store = gateway()
      const running = hold(lease(1))
      await store.reserve(running, plenty)
      await admin.unlink(await keysOf(admin, tag))
      await store.renew([running])
      expect((await store.reserve(hold(lease(1)), plenty)).outcome).toBe('refused')
    })

    test('without an answer from Redis a reserve rejects and the store says that it is not ready', async () => {
      await using line = await openLine(url)
      const cut = await connectRedis(line.url)
      const store = gateway({ redis: cut })
      expect(store.ready()).toBe(true)
      await line.cut()
      await expect.poll(() => store.ready()).toBe(false)
      await expect(store.reserve(hold(window(1)), plenty)).rejects.toThrow()
      await line.mend()
      await expect.poll(() => store.ready()).toBe(true)
      await expect.poll(async () => (await store.reserve(hold(window(1)), plenty)).outcome).toBe('admitted')
      cut.close()
    })
  })
})
