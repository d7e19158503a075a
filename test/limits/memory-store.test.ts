import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../src/limits/memory-store.ts'
import { defaultTimes, type Hold } from '../../src/limits/store.ts'
import { type StoreUnderTest, storeContract } from './store.contract.ts'

storeContract('the memory store', async (): Promise<StoreUnderTest> => {
  let nowMs = 1_700_000_000_000
  let setBackMs = 0
  const store = createMemoryStore({ now: () => nowMs - setBackMs })
  return {
    store,
    lastMs: () => nowMs,
    async pass(ms) {
      nowMs += ms
    },
    async setClockBack(ms) {
      setBackMs += ms
    },
    hasteMs: 1,
    modelRuns: process.env.PLANTAIN_TEST_LONG ? 5_000 : 300,
    close: async () => {},
  }
})

test('a clock that begins at zero and runs in fractions is good enough', async () => {
  let nowMs = 0
  const store = createMemoryStore({ now: () => nowMs })
  const hold = (id: string): Hold => ({
    id,
    side: 'caller',
    reservations: [{ kind: 'window', key: 'requests', limit: 1, cost: 1 }],
  })
  expect(await store.reserve(hold('a'), 100)).toMatchObject({ outcome: 'admitted', standings: [{ resetMs: 61_000 }] })
  nowMs = 0.75
  expect(await store.reserve(hold('b'), 100)).toMatchObject({ outcome: 'refused', wait: 61_000 })
})

test('a clock that is set forward takes no place from a call that runs, and what is held lapses all the same', async () => {
  let [nowMs, paceMs] = [1_700_000_000_000, 0]
  const store = createMemoryStore({ now: () => nowMs, pace: () => paceMs })
  const running: Hold = { id: 'a', side: 'caller', reservations: [{ kind: 'lease', key: 'places', limit: 1 }] }
  const next: Hold = { ...running, id: 'b' }
  expect(await store.reserve(running, 100)).toMatchObject({ outcome: 'admitted' })
  nowMs += 3_600_000
  expect(await store.reserve(next, 100)).toMatchObject({ outcome: 'refused' })
  paceMs += 2 * defaultTimes.leaseMs
  expect(await store.reserve(next, 100)).toMatchObject({ outcome: 'admitted' })
})

test('what has lapsed takes no memory, although its calls were never settled and others run on', async () => {
  let nowMs = 0
  const store = createMemoryStore({ now: () => nowMs })
  const one = (n: number): Hold => ({
    id: `hold-${n}`,
    side: 'caller',
    reservations: [
      { kind: 'window', key: `window-${n}`, limit: 1_000_000, cost: 1 },
      { kind: 'lease', key: `lease-${n}`, limit: 1_000_000 },
    ],
  })
  const busy = one(-1)
  await store.reserve(busy, 100)
  const before = heapBytes()
  for (let n = 0; n < 20_000; n++) await store.reserve(one(n), 100)
  const full = heapBytes()
  for (; nowMs < 2 * defaultTimes.windowMs; nowMs += 1000) {
    await store.renew([busy])
    await store.reserve({ ...busy, id: `later-${nowMs}` }, 100)
  }
  expect(heapBytes() - before).toBeLessThan((full - before) / 4)
})

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const gc: () => void = runInNewContext('gc')
  gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
