import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findRedis } from '../helpers/redis.ts'
import type { Tried } from './gateway-process.ts'
import { type Gateway, mostWithin, startGateway } from './gateways.ts'

const redis = await findRedis()
afterAll(() => redis?.stop())

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const random = (from: number, to: number) => from + Math.floor(Math.random() * (to - from + 1))

/** The most calls that are sure to have been under way at one time. */
function mostAtOnce(tried: readonly Tried[]): number {
  const admitted = tried.filter(one => one.admitted)
  const running = admitted.map(({ toldMs: atMs }) => {
    const others = admitted.filter(({ toldMs, settledMs }) => toldMs <= atMs && settledMs > atMs)
    return others.length
  })
  return Math.max(0, ...running)
}

describe.skipIf(!redis)('three gateways on one Redis', () => {
  const [windowMs, leaseMs] = [400, 1_200]
  let gateways: Gateway[] = []
  beforeAll(async () => {
    const setting = { url: redis?.url ?? '', tag: `plantain-test-${randomUUID()}`, windowMs, leaseMs }
    gateways = await Promise.all([1, 2, 3].map(() => startGateway(setting)))
  })
  afterAll(() => Promise.all(gateways.map(gateway => gateway.kill())))

  test('never admit one request too many: random bursts, window edges, saturation', async () => {
    const limit = 25
    const burst = { caller: 'bursts', limits: { requestsPerMinute: limit }, holdMs: null }
    const pending: Promise<readonly Tried[]>[] = []
    const shoot = (gateway: Gateway | undefined, count: number) => {
      if (gateway) pending.push(gateway.burst({ ...burst, count }))
    }
    const shootAll = (count: number) => gateways.map(gateway => shoot(gateway, count))

    for (const endMs = performance.now() + 1_000; performance.now() < endMs; await sleep(random(1, 40))) {
      shoot(gateways[random(0, 2)], random(1, 15))
    }
    for (let round = 0; round < 2; round++) {
      await sleep(windowMs * 1.1)
      shoot(gateways[round], 1)
      await sleep(windowMs * 0.97)
      shootAll(limit)
      await sleep(windowMs * 0.05)
      shootAll(limit)
    }
    await sleep(windowMs * 1.1)
    const saturatedFrom = pending.length
    for (const endMs = performance.now() + 3 * windowMs; performance.now() < endMs; await sleep(5)) shootAll(3)

    const all = await Promise.all(pending)
    expect(mostWithin(windowMs, all.flat())).toBeLessThanOrEqual(limit)
    // Three windows long somebody always asked, so at least two whole limits were given out.
    const saturated = all.slice(saturatedFrom).flat()
    expect(saturated.filter(({ admitted }) => admitted).length).toBeGreaterThanOrEqual(2 * limit)
  })

  test('never run one call too many at once', async () => {
    const limit = 7
    const pending: Promise<readonly Tried[]>[] = []
    for (const endMs = performance.now() + 1_500; performance.now() < endMs; await sleep(random(1, 10))) {
      const burst = { caller: 'calls', count: random(1, 4), limits: { concurrent: limit }, holdMs: random(0, 40) }
      for (const gateway of gateways) pending.push(gateway.burst(burst))
    }
    const tried = (await Promise.all(pending)).flat()
    expect(mostAtOnce(tried)).toBeLessThanOrEqual(limit)
    expect(tried.some(({ admitted }) => !admitted)).toBe(true)
  })

  test('a gateway that lives keeps its calls’ places, and one that is killed loses them with their leases', async () => {
    const burst = { caller: 'places', limits: { concurrent: 4 }, holdMs: null }
    const [doomed, other] = gateways
    if (!doomed || !other) return expect.fail()
    const places = async (gateway: Gateway, count: number) => {
      const tried = await gateway.burst({ ...burst, count })
      return tried.filter(({ admitted }) => admitted).length
    }
    expect(await places(doomed, 5)).toBe(4)
    for (const endMs = performance.now() + 1.3 * leaseMs; performance.now() < endMs; await sleep(50)) {
      expect(await places(other, 1)).toBe(0)
    }
    await doomed.kill()
    await expect.poll(() => places(other, 1), { interval: 20 }).toBe(1)
    expect(await places(other, 5)).toBe(3)
  })
})
