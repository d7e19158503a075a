/** What a gateway takes for its share before it has seen Redis. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createMembership, type Standpoint } from '../../src/limits/membership.ts'
import { connectRedis } from '../../src/redis/client.ts'

/** Beside a Redis that is not there. */
async function openMembership(atFirst?: Standpoint) {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  const redis = await connectRedis(`redis://127.0.0.1:${port}`)
  const membership = createMembership({ redis, ...(atFirst && { atFirst }) })
  onTestFinished(async () => {
    await membership.close()
    redis.close()
  })
  await expect(membership.beat()).rejects.toThrow()
  return membership
}

test.each([1, 2, 10])('workers that never saw Redis share a limit of %d between them', async limit => {
  const workers = await Promise.all([0, 1, 2].map(place => openMembership({ size: 3, place })))
  expect(workers.reduce((sum, worker) => sum + worker.shareOf(limit), 0)).toBe(limit)
})

test('a gateway that never saw Redis takes itself for the only one', async () => {
  expect((await openMembership()).shareOf(7)).toBe(7)
})
