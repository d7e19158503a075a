import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import type { CallerLimits } from '../../src/config/config.ts'
import { createLimits, type Limits } from '../../src/limits/limits.ts'
import { createRedisStore } from '../../src/limits/redis-store.ts'
import { connectRedis } from '../../src/redis/client.ts'
import { findRedis, openLine } from '../helpers/redis.ts'

const redis = await findRedis()
afterAll(() => redis?.stop())

interface GatewayParts {
  readonly url: string
  readonly tag: string
  readonly leaseMs?: number
  readonly commandTimeoutMs?: number
}

async function openGateway({ url, tag, leaseMs = 30_000, commandTimeoutMs = 5_000 }: GatewayParts): Promise<Limits> {
  const client = await connectRedis(url, { commandTimeoutMs })
  const store = createRedisStore({ redis: client, tag, leaseMs })
  const limits = createLimits({ store, now: () => performance.now() })
  onTestFinished(async () => {
    await limits.close()
    client.close()
  })
  return limits
}

const admit = (limits: Limits, callerLimits: CallerLimits) =>
  limits.admit(
    {
      id: 'request',
      caller: { id: 'team-a', limits: callerLimits },
      model: 'a-model',
      deadlineMs: performance.now() + 60_000,
    },
    { images: 1, tokens: 1, microUsd: null },
  )

describe.skipIf(!redis)('limits on a real Redis', () => {
  const url = redis?.url ?? ''
  const freshTag = () => `plantain-test-${randomUUID()}`
  const one = { concurrent: 1 }

  test('gateways share a caller’s limits', async () => {
    const tag = freshTag()
    const [left, right] = [await openGateway({ url, tag }), await openGateway({ url, tag })]
    const first = await admit(left, { requestsPerMinute: 2, concurrent: 1 })
    expect((await admit(right, { requestsPerMinute: 2, concurrent: 1 })).admitted).toBe(false)
    await left.settle(first, { outcome: 'ok' })
    expect((await admit(right, { requestsPerMinute: 2, concurrent: 1 })).admitted).toBe(true)
    expect((await admit(left, { requestsPerMinute: 2 })).admitted).toBe(false)
  })

  test('a place whose reservation was never confirmed is given back, long before its lease ends', async () => {
    await using line = await openLine(url)
    const tag = freshTag()
    const cut = await openGateway({ url: line.url, tag, commandTimeoutMs: 150 })
    const other = await openGateway({ url, tag })
    // A reservation that Redis carries out, but whose answer does not arrive. Its clock is known from the first one.
    await cut.settle(await admit(cut, one), { outcome: 'ok' })
    line.hold('answers')
    await expect(admit(cut, one)).rejects.toMatchObject({ kind: 'overloaded' })
    line.release()
    await expect.poll(async () => (await admit(other, one)).admitted).toBe(true)
  })

  test('a place whose settle was lost is given back when Redis is there again', async () => {
    await using line = await openLine(url)
    const tag = freshTag()
    const cut = await openGateway({ url: line.url, tag, leaseMs: 4_000 })
    const other = await openGateway({ url, tag, leaseMs: 4_000 })
    const admitted = await admit(cut, one)
    await line.cut()
    await cut.settle(admitted, { outcome: 'ok' })
    expect((await admit(other, one)).admitted).toBe(false)
    await line.mend()
    const lostMs = performance.now()
    await expect.poll(async () => (await admit(other, one)).admitted, { interval: 20 }).toBe(true)
    expect(performance.now() - lostMs).toBeLessThan(3_000)
  })

  test('a gateway that started without Redis limits its callers as soon as there is one', async () => {
    await using line = await openLine(url)
    await line.cut()
    const limits = await openGateway({ url: line.url, tag: freshTag() })
    expect(limits.ready()).toBe(false)
    await expect(admit(limits, one)).rejects.toMatchObject({ kind: 'overloaded' })
    expect((await admit(limits, {})).admitted).toBe(true)
    await line.mend()
    await expect.poll(() => limits.ready()).toBe(true)
    expect((await admit(limits, one)).admitted).toBe(true)
    expect((await admit(limits, one)).admitted).toBe(false)
  })
})
