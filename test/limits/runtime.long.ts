/** What the scripts cost Redis: it does nothing else meanwhile, so no question may take long, whatever was counted before. */
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { createRedisStore } from '../../src/limits/redis-store.ts'
import type { Hold, LimitStore, Reservation } from '../../src/limits/store.ts'
import { connectRedis } from '../../src/redis/client.ts'
import { findRedis } from '../helpers/redis.ts'

const redis = await findRedis()
afterAll(() => redis?.stop())

const [beginsMs, endsMs, plenty] = [0, 8_640_000_000_000, 10_000]
const calendar = () => ({ name: 'ever', beginsMs, endsMs })

function twelve(limit: number): readonly Reservation[] {
  const numbers = Array.from({ length: 7 }, (_, nth) => nth)
  return [
    ...numbers.map((nth): Reservation => ({ kind: 'window', key: `window-${nth}`, limit, cost: 1 })),
    ...[1, 2].map((nth): Reservation => ({ kind: 'day', key: `day-${nth}`, limit, cost: 1, calendar })),
    ...[1, 2].map((nth): Reservation => ({ kind: 'budget', key: `budget-${nth}`, limit, cost: 1, calendar })),
    { kind: 'lease', key: 'lease', limit },
  ]
}

describe.skipIf(!redis)('what a question of twelve dimensions costs Redis', () => {
  test('is bounded, however high the limits are, however much is counted and however many calls run', async () => {
    const url = redis?.url ?? ''
    const [client, admin] = [await connectRedis(url, { commandTimeoutMs: plenty }), new Redis(url)]
    // Windows of 61 sub-buckets that all fill up while the test runs.
    const store = (tag: string): LimitStore => createRedisStore({ redis: client, tag, windowMs: 6_000 })
    const hold = (limit: number): Hold => ({ id: randomUUID(), side: 'caller', reservations: twelve(limit) })

    /** Per call; of several rounds the least, which others on the machine have disturbed least. */
    async function microseconds(act: () => Promise<unknown>): Promise<number> {
      const rounds: number[] = []
      for (let round = 0; round < 15; round++) {
        await admin.config('RESETSTAT')
        for (let nth = 0; nth < 20; nth++) await act()
        const stats = await admin.info('commandstats')
        const all = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+),usec=(\d+)/g)]
        rounds.push(all.reduce((sum, [, , usec]) => sum + Number(usec), 0) / 20)
      }
      return Math.min(...rounds)
    }
    const least = client.script('#!lua\nreturn 1')
    const nothing = await microseconds(() => least([], []))
    const [idle, busy] = [store(`plantain-test-${randomUUID()}`), store(`plantain-test-${randomUUID()}`)]
    const fresh = await microseconds(() => idle.reserve(hold(1_000_000), plenty))

    const high = 1_000_000_000
    for (const endMs = performance.now() + 6_500; performance.now() < endMs; ) {
      await Promise.all(Array.from({ length: 20 }, () => busy.reserve(hold(high), plenty)))
    }
    const crowded = await microseconds(() => busy.reserve(hold(high), plenty))
    const refused = await microseconds(() => busy.reserve(hold(1), plenty))
    admin.disconnect()
    client.close()
    expect(crowded).toBeLessThan(3 * fresh)
    expect(refused).toBeLessThan(3 * fresh)
    // A script that does nothing takes one to three microseconds: 200 are the bound.
    expect(crowded).toBeLessThan(150 * nothing)
  })
})
