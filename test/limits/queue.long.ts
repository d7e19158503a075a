/** Waiting for limits that lie in Redis: the same laws, and places that other gateways give back. */
import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { createMemoryStore } from '../../src/limits/memory-store.ts'
import { createRedisStore } from '../../src/limits/redis-store.ts'
import { connectRedis } from '../../src/redis/client.ts'
import { findRedis } from '../helpers/redis.ts'
import { admitted, checkSchedules, openQueue, refused, sleep, waits } from './queueing.ts'

const redis = await findRedis()
afterAll(() => redis?.stop())
const freshTag = () => `plantain-test-${randomUUID()}`

test('a thousand schedules in memory', async () => {
  await checkSchedules(() => createMemoryStore({ now: () => performance.now() }), 1000)
})

test('the longest line that there may be changes lanes all at once', async () => {
  const { limits, asker } = openQueue(createMemoryStore({ now: () => performance.now(), windowMs: 600 }))
  const both = { limits: { concurrent: 1, requestsPerMinute: 2 }, queue: { max: 10_000, waitSeconds: 60 } }
  await limits.settle(await admitted(asker(both).admit()), { outcome: 'ok' })
  const running = await admitted(asker(both).admit())
  const line = Array.from({ length: 10_000 }, () => {
    const guest = asker(both)
    return { guest, decision: guest.admit() }
  })
  // First for the minute; when that is over, for the one that still runs.
  await sleep(700)
  expect([...limits.waiting()]).toEqual([['team-a', 10_000]])
  await limits.settle(running, { outcome: 'ok' })
  const [next, ...rest] = line
  if (next) await limits.settle(await admitted(next.decision), { outcome: 'ok' })
  for (const { guest } of rest) guest.leave()
  await Promise.allSettled(rest.map(({ decision }) => decision))
  expect([...limits.waiting()]).toEqual([])
})

describe.skipIf(!redis)('on a real Redis', () => {
  async function connect() {
    const client = await connectRedis(redis?.url ?? '', { commandTimeoutMs: 5_000 })
    onTestFinished(() => client.close())
    return client
  }

  test('in every schedule: no more at work than may, first in first out, nobody forgotten, all given back', async () => {
    const client = await connect()
    await checkSchedules(() => createRedisStore({ redis: client, tag: freshTag() }), 300)
  })

  test('a place that another gateway gives back is noticed', async () => {
    const [left, right, tag] = [await connect(), await connect(), freshTag()]
    const here = openQueue(createRedisStore({ redis: left, tag }))
    const there = openQueue(createRedisStore({ redis: right, tag }))
    const first = await admitted(there.asker().admit())
    const waiting = here.asker().admit()
    await waits(waiting)
    await there.limits.settle(first, { outcome: 'ok' })
    await admitted(waiting)
  })

  test('several gateways with lines for one limit never exceed it, and serve everybody', async () => {
    const tag = freshTag()
    const gateways = await Promise.all(
      [1, 2, 3].map(async () => openQueue(createRedisStore({ redis: await connect(), tag }))),
    )
    const limited = { limits: { concurrent: 2 }, queue: { max: 50, waitSeconds: 60 } }
    let [atWork, most] = [0, 0]
    const visits = gateways.flatMap(({ limits, asker }) =>
      Array.from({ length: 20 }, async () => {
        const decision = await admitted(asker(limited).admit())
        atWork += 1
        most = Math.max(most, atWork)
        await sleep(Math.random() * 10)
        atWork -= 1
        await limits.settle(decision, { outcome: 'ok' })
      }),
    )
    await Promise.all(visits)
    expect(most).toBeLessThanOrEqual(2)
  })

  test('who waits in vain asks Redis at most ten times a second, however many stand behind', async () => {
    const client = await connect()
    const store = createRedisStore({ redis: client, tag: freshTag() })
    let questions = 0
    const reserve: typeof store.reserve = (hold, withinMs) => {
      questions += 1
      return store.reserve(hold, withinMs)
    }
    const { asker } = openQueue({ ...store, ready: () => true, reserve })
    await admitted(asker().admit())
    const waitSeconds = 3
    const line = Array.from({ length: 20 }, () => asker({ queue: { max: 20, waitSeconds } }).admit())
    await Promise.all(line.map(refused))
    // And each of the twenty has asked once or so: when it came, or when it became the first.
    expect(questions).toBeLessThan(10 * waitSeconds + 2 * 20)
  })
})
