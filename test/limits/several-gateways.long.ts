/** Four gateway processes on one Redis, of which some are killed: nothing is admitted too often, spent twice or leaked. */
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { findRedis } from '../helpers/redis.ts'
import { type Gateway, mostWithin, startGateway } from './gateways.ts'

const redis = await findRedis()
afterAll(() => redis?.stop())
const url = redis?.url ?? ''
const [windowMs, leaseMs] = [1_000, 1_500]
const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const random = (from: number, to: number) => from + Math.floor(Math.random() * (to - from + 1))

async function startFour(tag: string): Promise<Gateway[]> {
  const setting = { url, tag, windowMs, leaseMs }
  return Promise.all([1, 2, 3, 4].map(() => startGateway(setting)))
}

async function readBudget(admin: Redis, key: string) {
  const kept = await admin.getBuffer(key)
  return { spent: kept?.readDoubleLE(0), held: kept?.readDoubleLE(8) }
}

describe.skipIf(!redis)('four gateways on one Redis', () => {
  test('never admit one image too many, whatever the weights, for half a minute', async () => {
    const gateways = await startFour(`plantain-test-${randomUUID()}`)
    const limit = 40
    const pending = []
    for (const endMs = performance.now() + 30_000; performance.now() < endMs; await sleep(random(1, 30))) {
      const images = random(1, 10)
      const burst = { caller: 'weights', limits: { imagesPerMinute: limit }, count: random(1, 6), images, holdMs: null }
      const answered = gateways[random(0, 3)]?.burst(burst)
      if (answered) pending.push(answered.then(tried => tried.map(one => ({ ...one, weight: images }))))
    }
    const all = (await Promise.all(pending)).flat()
    expect(mostWithin(windowMs, all)).toBeLessThanOrEqual(limit)
    // It is no use to admit nobody: the limit is used up over and over.
    const admitted = all.filter(one => one.admitted).reduce((sum, { weight }) => sum + weight, 0)
    expect(admitted).toBeGreaterThan(15 * limit)
    await Promise.all(gateways.map(gateway => gateway.kill()))
  })

  test('spend what was settled and not a micro-dollar more, although gateways die with money in their hands', async () => {
    const tag = `plantain-test-${randomUUID()}`
    const gateways = await startFour(tag)
    const limits = { budgetMicroUsdPerDay: 1_000_000_000, concurrent: 1_000_000 }
    let spent = 0
    let tries = 0
    while (tries < 10_000) {
      const [index, microUsd] = [random(0, 3), random(1, 90_000)]
      const burst = { caller: 'money', limits, count: 50, microUsd, holdMs: random(0, 5) }
      const tried = await gateways[index]?.burst(burst)
      spent += (tried ?? []).filter(({ settled }) => settled).length * microUsd
      tries += 50
      if (random(1, 20) === 1) {
        // Killed with fifty calls in flight, none of which is ever settled.
        void gateways[index]?.burst({ ...burst, holdMs: null })
        await sleep(150)
        await gateways[index]?.kill()
        gateways[index] = await startGateway({ url, tag, windowMs, leaseMs })
      }
    }
    await sleep(leaseMs + 500)
    const last = await gateways[0]?.burst({ caller: 'money', limits, count: 1, microUsd: 1, holdMs: 0 })
    spent += last?.[0]?.settled ? 1 : 0
    const admin = new Redis(url)
    const keys = (await admin.keys(`{${tag}:caller}:*`)).filter(key => /:[bhc]:/.test(key))
    const figures = Object.fromEntries(
      await Promise.all(
        keys.map(async key => [
          key.split(':')[2],
          key.includes(':b:') ? await readBudget(admin, key) : await admin.zcard(key),
        ]),
      ),
    )
    admin.disconnect()
    expect(figures.b).toEqual({ spent, held: 0 })
    expect([figures.h ?? 0, figures.c ?? 0]).toEqual([0, 0])
    await Promise.all(gateways.map(gateway => gateway.kill()))
  })
})
