/** Limits on a Redis Cluster of six nodes: the same contract, and what a failover leaves of it. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRedisStore } from '../../src/limits/redis-store.ts'
import type { Hold } from '../../src/limits/store.ts'
import { connectRedis, type RedisClient } from '../../src/redis/client.ts'
import { createRedisKeeper } from '../../src/usage/redis-keeper.ts'
import { noCounts } from '../../src/usage/usage.ts'
import { startCluster, type TestCluster } from '../helpers/redis-cluster.ts'

let cluster: TestCluster
let client: RedisClient
beforeAll(async () => {
  cluster = await startCluster()
  client = await connectRedis(cluster.url, { commandTimeoutMs: 3_000 })
})
afterAll(async () => {
  client?.close()
  await cluster?.stop()
})

const plenty = 10_000
const hold = (side: Hold['side'], limit = 5): Hold => ({
  id: randomUUID(),
  side,
  reservations: [
    { kind: 'window', key: 'a:requests', limit, cost: 1 },
    { kind: 'lease', key: 'a:concurrent', limit },
  ],
})

test('any node of a cluster is enough to be told', async () => {
  expect((await client.describe()).cluster).toBe(true)
  for (const url of cluster.urls) {
    const other = await connectRedis(url, { commandTimeoutMs: 3_000 })
    expect((await other.describe()).cluster).toBe(true)
    other.close()
  }
})

test('gateways that know different nodes share one limit, on both sides', async () => {
  const tag = `plantain-${randomUUID()}`
  const clients = await Promise.all(cluster.urls.map(url => connectRedis(url, { commandTimeoutMs: 3_000 })))
  const stores = clients.map(redis => createRedisStore({ redis, tag }))
  for (const side of ['caller', 'upstream'] as const) {
    const holds = stores.flatMap(store => [1, 2].map(() => ({ store, one: hold(side) })))
    const verdicts = await Promise.all(holds.map(({ store, one }) => store.reserve(one, plenty)))
    expect(verdicts.filter(({ outcome }) => outcome === 'admitted')).toHaveLength(5)
    await Promise.all(stores.map(store => store.renew(holds.map(({ one }) => one))))
    await Promise.all(holds.map(({ store, one }) => store.cancel(one)))
  }
  for (const one of clients) one.close()
})

test('usage is written and read by whichever node a gateway knows', async () => {
  const tag = `plantain-${randomUUID()}`
  const clients = await Promise.all(cluster.urls.map(url => connectRedis(url, { commandTimeoutMs: 3_000 })))
  const keepers = clients.map(redis => createRedisKeeper({ redis, tag }))
  const days = ['2026-11-20', '2026-11-21']
  for (const keeper of keepers)
    for (const day of days)
      for (const caller of ['a', 'b']) keeper.add({ day, caller, model: 'other', counts: { ...noCounts, requests: 1 } })
  await Promise.all(keepers.map(keeper => keeper.close()))
  const rows = await keepers[0]?.read({ from: '2026-11-01', to: '2026-11-30', mostRows: 100 })
  expect(rows?.map(({ day, caller, counts }) => `${day} ${caller} ${counts.requests}`)).toEqual(
    days.flatMap(day => ['a', 'b'].map(caller => `${day} ${caller} ${keepers.length}`)),
  )
  for (const one of clients) one.close()
})

test('a primary that dies is replaced within seconds, and the gateway finds the new one by itself', async () => {
  const tag = `plantain-${randomUUID()}`
  const store = createRedisStore({ redis: client, tag })
  expect((await store.reserve(hold('caller'), plenty)).outcome).toBe('admitted')
  await cluster.killPrimaryOf(`{${tag}:caller}:clock`)
  const outcome = async () => (await store.reserve(hold('caller'), plenty).catch(() => null))?.outcome
  await expect.poll(outcome, { timeout: 30_000, interval: 200 }).toBe('admitted')
}, 60_000)
