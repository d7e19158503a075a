/** Usage on a real Redis: shared by gateways, written once, kept while Redis is away. */
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { sufficientAcl } from '../../src/limits/check.ts'
import { connectRedis, type RedisClient } from '../../src/redis/client.ts'
import { createRedisKeeper, daysInRedis } from '../../src/usage/redis-keeper.ts'
import type { UsageKeeper } from '../../src/usage/usage.ts'
import { attended, findRedis, openLine } from '../helpers/redis.ts'
import { keeperContract, row } from './keeper.contract.ts'

const redis = await findRedis()
afterAll(() => redis?.stop())
const url = redis?.url ?? ''

const freshTag = () => `plantain-test-${randomUUID()}`
const today = { from: '2026-11-21', to: '2026-11-21', mostRows: 1000 }

interface Opened {
  readonly keeper: UsageKeeper
  readonly client: RedisClient
  readonly troubles: (string | null)[]
}

async function open(
  tag: string,
  more: { url?: string; flushMs?: number; mostUnwritten?: number; commandTimeoutMs?: number } = {},
) {
  const client = await connectRedis(more.url ?? url, { commandTimeoutMs: more.commandTimeoutMs ?? 5_000 })
  const troubles: (string | null)[] = []
  const { url: _, commandTimeoutMs: __, ...parts } = more
  const keeper = createRedisKeeper({ redis: client, tag, flushMs: 20, observe: it => troubles.push(it), ...parts })
  onTestFinished(() => client.close())
  return { keeper, client, troubles } satisfies Opened
}

describe.skipIf(!redis)('on a real Redis', () => {
  keeperContract('usage', async () => {
    const client = await connectRedis(url, { commandTimeoutMs: 5_000 })
    const keeper = createRedisKeeper({ redis: client, tag: freshTag() })
    return {
      ...keeper,
      async close() {
        await keeper.close()
        client.close()
      },
    }
  })

  test('gateways add up, and each sees its own work at once and the others’ when they have written it', async () => {
    const tag = freshTag()
    const [a, b] = [await open(tag, { flushMs: 60_000 }), await open(tag)]
    for (let n = 0; n < 100; n++) {
      a.keeper.add(row('team', { images: 1, microUsd: 39_000 }))
      b.keeper.add(row('team', { images: 1, microUsd: 39_000 }))
    }
    expect(a.keeper.unwritten()).toBe(100)
    await b.keeper.close()
    const [sum] = await a.keeper.read(today)
    expect(sum?.counts).toMatchObject({ requests: 200, images: 200, microUsd: 7_800_000 })
    expect(a.keeper.unwritten()).toBe(0)
  })

  test('it is written soon without anybody asking, by one command for many exchanges', async () => {
    const tag = freshTag()
    const { keeper } = await open(tag)
    const admin = new Redis(url)
    onTestFinished(() => admin.disconnect())
    for (let n = 0; n < 50; n++) keeper.add(row('team'))
    await expect
      .poll(() => admin.hgetall(`{${tag}:usage}:2026-11-21:team`))
      .toEqual({ 'gemini-3-pro-image requests': '50' })
    const [told = ''] = await admin.keys(`{${tag}:usage}:told:*`)
    expect(await admin.get(told)).toBe('1')
  })

  test('every key lies under the one hash tag and expires: what was used after 400 days', async () => {
    const tag = freshTag()
    const { keeper } = await open(tag)
    keeper.add(row('team'))
    await keeper.close()
    const admin = new Redis(url)
    onTestFinished(() => admin.disconnect())
    const keys = await admin.keys(`*${tag}*`)
    expect(keys).toHaveLength(3)
    for (const key of keys) {
      expect(key).toMatch(new RegExp(`^\\{${tag}:usage\\}:`))
      const days = (await admin.pttl(key)) / 86_400_000
      expect(days).toBeGreaterThan(key.includes('told') ? 6 : daysInRedis - 1)
      expect(days).toBeLessThanOrEqual(daysInRedis)
    }
  })

  test('what was written although the answer was lost is not counted twice', async () => {
    const tag = freshTag()
    await using line = await openLine(url)
    const { keeper } = await open(tag, { url: line.url, commandTimeoutMs: 100 })
    keeper.add(row('team', { microUsd: 5 }))
    await expect.poll(() => keeper.unwritten()).toBe(0)
    line.hold('answers')
    keeper.add(row('team', { microUsd: 7 }))
    const witness = (await open(tag)).keeper
    await expect.poll(async () => (await witness.read(today))[0]?.counts.microUsd).toBe(12)
    expect(keeper.unwritten()).toBe(1)
    keeper.add(row('team', { microUsd: 9 }))
    line.release()
    await expect.poll(() => keeper.unwritten()).toBe(0)
    expect((await witness.read(today))[0]?.counts).toMatchObject({ requests: 3, microUsd: 21 })
  })

  test('while Redis is away usage is kept, in bounds; what is above them is counted, and the rest written when it is back', async () => {
    const tag = freshTag()
    await using line = await openLine(url)
    const { keeper, troubles } = await open(tag, { url: line.url, commandTimeoutMs: 200, mostUnwritten: 10 })
    await line.cut()
    for (let n = 0; n < 12; n++) keeper.add(row(`caller-${n}`))
    for (let n = 0; n < 1000; n++) keeper.add(row('caller-0', { images: 1 }))
    await expect(keeper.read(today)).rejects.toThrow()
    // The batch that was being sent left its place.
    for (let n = 0; n < 12; n++) keeper.add(row(`later-${n}`))
    expect(keeper.lost()).toBe(4)
    expect(keeper.unwritten()).toBe(12 + 1000 + 12 - 4)
    expect(troubles).toEqual([expect.stringMatching(/./)])
    await line.mend()
    await expect.poll(() => keeper.unwritten()).toBe(0)
    const rows = await keeper.read(today)
    expect(rows.reduce((sum, { counts }) => sum + counts.requests, 0)).toBe(12 + 1000 + 12 - 4)
    expect(troubles.at(-1)).toBeNull()
  })

  test('a Redis that is slow for so many calls is not written to all the time, and who asks is answered', async () => {
    const tag = freshTag()
    const { client } = await open(tag)
    let commands = 0
    const slow = attended(client, {
      before: async () => {
        commands += 1
        await new Promise(resolve => setTimeout(resolve, 20))
      },
    })
    const keeper = createRedisKeeper({ redis: slow, tag, flushMs: 200 })
    let calls = 0
    const traffic = setInterval(() => keeper.add(row(`caller-${calls++ % 7}`)), 2)
    try {
      await expect.poll(() => commands).toBeGreaterThan(0)
      const before = calls
      const rows = await keeper.read(today)
      expect(rows.reduce((sum, { counts }) => sum + counts.requests, 0)).toBeGreaterThanOrEqual(before)
      // Two flushes, and the two commands of the question.
      expect(commands).toBeLessThan(6)
    } finally {
      clearInterval(traffic)
      await keeper.close()
    }
    const rows = await (await open(tag)).keeper.read(today)
    expect(rows.reduce((sum, { counts }) => sum + counts.requests, 0)).toBe(calls)
  }, 5_000)

  test('a user who may do what limits need can keep and read usage; one who may not write is told of, once', async () => {
    const tag = `plantain:${randomUUID()}`
    const admin = new Redis(url)
    const user = `reader-${randomUUID()}`
    onTestFinished(async () => {
      await admin.call('ACL', 'DELUSER', user)
      admin.disconnect()
    })
    await admin.call('ACL', 'SETUSER', user, 'on', '>secret', ...sufficientAcl.split(' '), '-sadd')
    const address = new URL(url)
    address.username = user
    address.password = 'secret'
    const { keeper, troubles } = await open(tag, { url: address.href })
    keeper.add(row('team'))
    await expect.poll(() => troubles).toHaveLength(1)
    expect(troubles[0]).toMatch(/can't run|permission/)
    await admin.call('ACL', 'SETUSER', user, '+sadd')
    await expect.poll(() => keeper.unwritten()).toBe(0)
    expect(troubles).toEqual([expect.anything(), null])
    expect((await keeper.read(today))[0]?.counts.requests).toBe(1)
  })
})
