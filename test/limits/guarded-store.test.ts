/** A shared store that comes and goes, question by question. The store is the one in memory, behind a line that the test cuts. */
import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import type { OnStoreError } from '../../src/config/config.ts'
import { createBreaker } from '../../src/limits/breaker.ts'
import { createGuardedStore } from '../../src/limits/guarded-store.ts'
import { createLimits } from '../../src/limits/limits.ts'
import { createMemoryStore } from '../../src/limits/memory-store.ts'
import type { Hold, LimitStore, Verdict } from '../../src/limits/store.ts'

const leaseMs = 60

function openGateway(onError: OnStoreError = 'local-share') {
  const clock = { nowMs: 1_700_000_000_000 }
  const now = () => clock.nowMs
  const memory = createMemoryStore({ now, leaseMs })
  const line = {
    /** No question gets through. */
    cut: false,
    asked: 0,
    /** What becomes of a question to reserve, in place of its answer. */
    reserve: null as ((hold: Hold, withinMs: number) => Promise<Verdict>) | null,
  }
  async function through<T>(question: () => Promise<T>): Promise<T> {
    line.asked += 1
    if (line.cut) throw new Error('The line is cut.')
    return question()
  }
  const shared: LimitStore = {
    ...memory,
    reserve: (hold, withinMs) => through(() => (line.reserve ?? memory.reserve)(hold, withinMs)),
    settle: (hold, settlement) => through(() => memory.settle(hold, settlement)),
    cancel: hold => through(() => memory.cancel(hold)),
    renew: holds => through(() => memory.renew(holds)),
  }
  const breaker = createBreaker({ now })
  const refusals: (string | null)[] = []
  const onRefusing = (reason: string | null) => void refusals.push(reason)
  const store = createGuardedStore({ store: shared, breaker, onError, shareOf: whole => whole, onRefusing, now })
  return { clock, memory, line, store, now, refusals }
}

const perMinute = (limit: number): Hold => ({
  id: randomUUID(),
  side: 'caller',
  reservations: [{ kind: 'window', key: 'team-a:requests', limit, cost: 1 }],
})

const lose = () => Promise.reject(new Error('Command timed out'))

test('a store that takes what is given back, and refuses all else, is as good as away, and it is told why', async () => {
  const { clock, line, store, refusals } = openGateway('closed')
  line.reserve = () => Promise.reject(new Error('OOM command not allowed'))
  for (let n = 0; n < 8; n++) {
    const hold = perMinute(3)
    await expect(store.reserve(hold, leaseMs)).rejects.toThrow()
    // Nobody knows whether it was taken.
    await store.cancel(hold).catch(() => {})
  }
  expect([store.degraded(), store.ready(), refusals]).toEqual([true, false, ['OOM command not allowed']])
  line.reserve = null
  clock.nowMs += 1_000
  await store.reserve(perMinute(3), leaseMs)
  expect([store.degraded(), store.ready(), refusals.at(-1)]).toEqual([false, true, null])
})

test('a limit holds however often the store goes and comes back within its minute', async () => {
  const { line, memory, store } = openGateway()
  const limit = 3
  let admitted = 0
  for (let n = 0; n < 20; n++) {
    const hold = perMinute(limit)
    // Every caller's question is lost; what the store is told of those before gets through.
    line.reserve = (one, withinMs) => (one === hold ? lose() : memory.reserve(one, withinMs))
    if ((await store.reserve(hold, leaseMs)).outcome === 'admitted') admitted += 1
  }
  expect(admitted).toBe(limit)
})

test('what a gateway admits by its share while it tells the store of others, the store hears of too', async () => {
  const { line, memory, store } = openGateway()
  const [first, slow, last] = [perMinute(4), perMinute(4), perMinute(4)]
  const slowAnswer = Promise.withResolvers<Verdict>()
  let slowOne: Promise<Verdict> | null = null
  line.reserve = async (one, withinMs) => {
    if (one === first) return lose()
    if (one === slow) return slowAnswer.promise
    if (slowOne && one !== last) {
      // The store is being told of the first, and a question that was put before is given up.
      slowAnswer.reject(new Error('Command timed out'))
      await slowOne
      slowOne = null
    }
    return memory.reserve(one, withinMs)
  }
  slowOne = store.reserve(slow, leaseMs)
  for (const hold of [first, last]) expect((await store.reserve(hold, leaseMs)).outcome).toBe('admitted')
  const [standing] = await store.standings('caller', last.reservations)
  expect(standing?.used).toBe(3)
})

test('what the store was told too late it is told again', async () => {
  const { line, store } = openGateway()
  line.reserve = lose
  await store.reserve(perMinute(2), leaseMs)
  line.reserve = async () => ({ outcome: 'void' })
  await store.reserve(perMinute(2), leaseMs)
  line.reserve = null
  expect((await store.reserve(perMinute(2), leaseMs)).outcome).toBe('refused')
})

test('an answer that says it comes too late leaves the question to the share, not the caller without an answer', async () => {
  const { line, store } = openGateway()
  line.reserve = async () => ({ outcome: 'void' })
  expect((await store.reserve(perMinute(1), leaseMs)).outcome).toBe('admitted')
  expect((await store.reserve(perMinute(1), leaseMs)).outcome).toBe('refused')
  expect((await openGateway().store.reserve(perMinute(1), 0)).outcome).toBe('void')
})

test.each<OnStoreError>(['local-share', 'closed'])(
  'while the store is away (%s) nothing is kept of those who are turned away, and it hears nothing of them later',
  async onError => {
    const { clock, line, store, now } = openGateway(onError)
    const limits = createLimits({ store, now })
    onTestFinished(() => limits.close())
    const caller = { id: 'team-a', limits: { budgetMicroUsdPerDay: 1_000_000 } }
    line.cut = true
    for (let n = 0; n < 500; n++) {
      const exchange = { id: 'a', caller, model: 'a-model', deadlineMs: now() + 60_000 }
      const asked = limits.admit(exchange, { images: 1, tokens: 1, microUsd: 1 })
      await expect(asked).rejects.toMatchObject({ kind: 'overloaded' })
    }
    line.cut = false
    clock.nowMs += 2_000
    line.asked = 0
    await new Promise(resolve => setTimeout(resolve, 2 * leaseMs))
    // The few that were put to it before it was known to be away, and renewals.
    expect(line.asked).toBeLessThan(30)
  },
)
