/** A Redis that stands still for five seconds: how long anybody waits for it, and what it holds afterwards. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createLimits } from '../../src/limits/limits.ts'
import { openLimitStore } from '../../src/limits/open-store.ts'
import type { Findings } from '../figure.ts'
import { startRedis } from './redis.ts'

const limits = { requestsPerMinute: 1_000_000, concurrent: 50 }
const everyMs = 10
const stallMs = 5_000

export async function measureStall(): Promise<Findings> {
  await using redis = await startRedis()
  const open = await openLimitStore({ redisUrl: redis.url, onError: 'local-share', observe: () => {} })
  const limiter = createLimits({ store: open.store, now: () => performance.now() })
  try {
    const caller = { id: 'stall', limits }
    const admit = () =>
      limiter.admit(
        { id: 'request', caller, model: 'a-model', deadlineMs: performance.now() + 60_000 },
        { images: 1, tokens: 1, microUsd: null },
      )
    const waits: number[] = []
    async function exchange(): Promise<void> {
      const startMs = performance.now()
      const decision = await admit()
      waits.push(performance.now() - startMs)
      await limiter.settle(decision, { outcome: 'ok' })
    }
    for (let nth = 0; nth < 50; nth++) await exchange()
    waits.length = 0

    redis.stall()
    const all: Promise<void>[] = []
    for (const endMs = performance.now() + stallMs; performance.now() < endMs; await sleep(everyMs))
      all.push(exchange())
    redis.resume()
    await Promise.all(all)
    while (open.degraded()) await sleep(50)

    // What it carried out late is undone with the next renewal at the latest.
    const leases = () => redis.admin.zcard('{plantain:caller}:c:stall:concurrent')
    for (const endMs = performance.now() + 12_000; performance.now() < endMs && (await leases()) > 0; ) await sleep(100)
    const ghosts = await leases()
    const places = await Promise.all(Array.from({ length: limits.concurrent + 5 }, admit))
    const free = places.filter(({ admitted }) => admitted).length
    for (const place of places) await limiter.settle(place, { outcome: 'ok' })
    return {
      figures: [
        {
          name: 'Redis stands still for 5 s: the longest that a request waits for it',
          unit: 'ms',
          values: [Math.max(...waits)],
          atMost: 150,
        },
        {
          name: 'ghost reservations after it, by ZCARD and by admission',
          unit: '',
          values: [ghosts, limits.concurrent - free],
          atMost: 0,
          judged: 'each',
        },
      ],
      details: [],
      notes: [`${waits.length} requests were made while Redis stood still, and answered by the gateway’s own share.`],
    }
  } finally {
    await limiter.close()
    await open.close()
  }
}
