/** What every limit store promises, as one suite. */
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultTimes, type Hold, type LimitStore, type Reservation, type Verdict } from '../../src/limits/store.ts'
import { createModel } from './model.ts'

/** A store whose time the suite can move. */
export interface StoreUnderTest {
  readonly store: LimitStore
  /** The store's time when it last answered, in milliseconds. */
  lastMs(): number
  /** Lets time pass for the store. */
  pass(ms: number): Promise<void>
  /** Sets the clock that the store goes by back. */
  setClockBack(ms: number): Promise<void>
  /** How much time may pass between two questions that follow each other at once. */
  readonly hasteMs: number
  /** How often the comparison with the model is repeated. */
  readonly modelRuns: number
  close(): Promise<void>
}

const { windowMs, leaseMs } = defaultTimes
const plenty = 10_000

export function storeContract(name: string, open: () => Promise<StoreUnderTest>) {
  describe(name, () => {
    let under: StoreUnderTest
    beforeAll(async () => {
      under = await open()
    })
    afterAll(() => under.close())

    let count = 0
    const fresh = (prefix: string) => `${prefix}-${count++}`
    const hold = (...reservations: Reservation[]): Hold => ({ id: fresh('hold'), reservations })
    const window = (limit: number, cost = 1): Reservation => ({ kind: 'window', key: fresh('window'), limit, cost })
    const lease = (limit: number): Reservation => ({ kind: 'lease', key: fresh('lease'), limit })
    const reserve = (one: Hold) => under.store.reserve(one, plenty)

    async function admitted(one: Hold) {
      const verdict = await reserve(one)
      expect(verdict.outcome).toBe('admitted')
      return verdict.outcome === 'admitted' ? verdict : expect.fail()
    }
    async function refused(one: Hold) {
      const verdict = await reserve(one)
      expect(verdict.outcome).toBe('refused')
      return verdict.outcome === 'refused' ? verdict : expect.fail()
    }
    async function waitOf(one: Hold): Promise<number> {
      const { wait } = await refused(one)
      return typeof wait === 'number' ? wait : expect.fail(`the wait is ${wait}`)
    }
    async function times(n: number, act: () => Promise<unknown>) {
      for (let i = 0; i < n; i++) await act()
    }

    test('a window admits up to its limit, and says what is left at each step', async () => {
      const requests = window(3)
      for (const used of [1, 2, 3]) {
        const { standings } = await admitted(hold(requests))
        expect(standings).toEqual([{ limit: 3, used, resetMs: expect.any(Number) }])
      }
      const { standings } = await refused(hold(requests))
      expect(standings).toEqual([{ limit: 3, used: 3, resetMs: expect.any(Number) }])
    })

    test('a caller who waits as long as was said is admitted, and one who comes sooner is not', async () => {
      const requests = window(2)
      await admitted(hold(requests))
      await under.pass(20_000)
      await admitted(hold(requests))
      const wait = await waitOf(hold(requests))
      await under.pass(wait - under.hasteMs)
      const rest = await waitOf(hold(requests))
      expect(rest).toBeLessThanOrEqual(under.hasteMs)
      await under.pass(rest)
      await admitted(hold(requests))
      await refused(hold(requests))
    })

    test('a window that was filled is whole again after its reset', async () => {
      const requests = window(5, 2)
      await admitted(hold(requests))
      await under.pass(1_500)
      const { standings } = await admitted(hold(requests))
      await under.pass(standings[0]?.resetMs ?? expect.fail())
      const after = await admitted(hold(requests))
      expect(after.standings[0]?.used).toBe(2)
    })

    test('a window that is never empty for hours is still right', async () => {
      const requests = window(3)
      for (let n = 0; n < 250; n++) {
        await admitted(hold(requests))
        await under.pass(40_000)
      }
      const { standings } = await admitted(hold(requests))
      expect(standings[0]?.used).toBe(2)
    })

    test('bursts on both sides of any edge stay under the limit together', async () => {
      const requests = window(10)
      await admitted(hold(requests))
      await under.pass(windowMs * 0.98)
      await times(9, () => admitted(hold(requests)))
      await under.pass(windowMs * 0.04)
      await admitted(hold(requests))
      await refused(hold(requests))
    })

    test('a refusal by one limit takes nothing from the others', async () => {
      const [requests, images, calls] = [window(2), window(1), lease(2)]
      await admitted(hold(requests, images, calls))
      await times(3, () => refused(hold(requests, images, calls)))
      const { standings } = await admitted(hold(requests, calls))
      expect(standings.map(({ used }) => used)).toEqual([2, 2])
    })

    test('the refusal names the limit with the longest wait', async () => {
      const [early, late] = [window(1), window(1)]
      await admitted(hold(early))
      await under.pass(10_000)
      await admitted(hold(late))
      expect((await refused(hold(early, late))).refused).toBe(1)
      expect((await refused(hold(late, early))).refused).toBe(0)
      const calls = lease(1)
      await admitted(hold(calls))
      const both = await refused(hold(calls, early))
      expect(both).toMatchObject({ refused: 1, wait: expect.any(Number) })
    })

    test('a cost above the limit is refused for ever, also while the window is empty', async () => {
      const verdict = await refused(hold(window(3, 4)))
      expect(verdict).toMatchObject({ wait: 'never', standings: [{ used: 0, resetMs: 0 }] })
    })

    test('one key being full changes nothing for another', async () => {
      const [full, free] = [window(1), window(1)]
      await admitted(hold(full))
      await refused(hold(full))
      await admitted(hold(free))
    })

    test('the same hold asked for many times at once is counted once', async () => {
      const [requests, calls] = [window(5), lease(5)]
      const one = hold(requests, calls)
      const verdicts = await Promise.all(Array.from({ length: 8 }, () => reserve(one)))
      expect(verdicts.map(({ outcome }) => outcome)).toEqual(Array(8).fill('admitted'))
      const { standings } = await admitted(hold(requests, calls))
      expect(standings.map(({ used }) => used)).toEqual([2, 2])
    })

    test('leases are free again when their calls are settled, once per call', async () => {
      const calls = lease(2)
      const [first, second] = [hold(calls), hold(calls)]
      await admitted(first)
      await admitted(second)
      expect(await refused(hold(calls))).toMatchObject({ refused: 0, wait: 'unknown' })
      await times(3, () => under.store.settle(first))
      await admitted(hold(calls))
      await refused(hold(calls))
    })

    test('what a window counted stays counted when the call is settled', async () => {
      const requests = window(1)
      const one = hold(requests)
      await admitted(one)
      await under.store.settle(one)
      await refused(hold(requests))
    })

    test('a settle that overtakes its reserve voids it', async () => {
      const [requests, calls] = [window(1), lease(1)]
      const one = hold(requests, calls)
      await under.store.settle(one)
      expect(await reserve(one)).toEqual({ outcome: 'void' })
      await admitted(hold(requests, calls))
    })

    test('a question that comes too late takes nothing', async () => {
      const [requests, calls] = [window(1), lease(1)]
      expect(await under.store.reserve(hold(requests, calls), 0)).toEqual({ outcome: 'void' })
      await admitted(hold(requests, calls))
    })

    test('a lease that nobody renews ends, one that is renewed does not', async () => {
      const calls = lease(2)
      const [renewed, abandoned] = [hold(calls), hold(calls)]
      await admitted(renewed)
      await admitted(abandoned)
      await under.pass(leaseMs - under.hasteMs)
      await under.store.renew([renewed])
      await refused(hold(calls))
      await under.pass(under.hasteMs)
      await admitted(hold(calls))
      await refused(hold(calls))
    })

    test('a hold that was renewed is still known, and not counted again', async () => {
      const requests = window(5)
      const one = hold(requests, lease(5))
      await admitted(one)
      await under.pass(leaseMs / 2)
      await under.store.renew([one])
      await under.pass(leaseMs / 2 + under.hasteMs)
      expect((await admitted(one)).standings[0]?.used).toBe(1)
      expect((await admitted(hold(requests))).standings[0]?.used).toBe(2)
    })

    test('a call that outlived its lease is counted again when it is renewed, also above the limit', async () => {
      const calls = lease(1)
      const [long, next] = [hold(calls), hold(calls)]
      await admitted(long)
      await under.pass(leaseMs)
      await admitted(next)
      await under.store.renew([long])
      expect((await refused(hold(calls))).standings[0]?.used).toBe(2)
      await under.store.settle(next)
      await refused(hold(calls))
      await under.store.settle(long)
      await admitted(hold(calls))
    })

    test('a renewal that comes after the settle revives nothing', async () => {
      const calls = lease(1)
      const one = hold(calls)
      await admitted(one)
      await under.store.settle(one)
      await under.store.renew([one])
      await admitted(hold(calls))
    })

    test('many calls are renewed at once', async () => {
      const calls = lease(250)
      const many = Array.from({ length: 250 }, () => hold(calls))
      await Promise.all(many.map(admitted))
      await under.pass(leaseMs / 2)
      await under.store.renew(many)
      await under.pass(leaseMs / 2 + under.hasteMs)
      await refused(hold(calls))
    })

    test('a clock set back by an hour admits no flood and loses no time', async () => {
      const [requests, calls] = [window(2), lease(1)]
      await admitted(hold(requests, calls))
      await under.setClockBack(3_600_000)
      await refused(hold(requests, calls))
      await admitted(hold(requests))
      const wait = await waitOf(hold(requests))
      expect(wait).toBeGreaterThan(0)
      expect(wait).toBeLessThanOrEqual(windowMs + windowMs / 60)
      await under.pass(wait)
      await admitted(hold(requests, calls))
    })

    test('a clock put forward by an hour leaves whole limits', async () => {
      const [requests, calls] = [window(1), lease(1)]
      await admitted(hold(requests, calls))
      await under.pass(3_600_000)
      await admitted(hold(requests, calls))
      await refused(hold(requests, calls))
    })

    test('a limit that is lowered while calls run is kept from then on', async () => {
      const requests = window(5)
      await times(3, () => admitted(hold(requests)))
      const lowered = { ...requests, limit: 2 }
      const wait = await waitOf(hold(lowered))
      await under.pass(wait)
      await admitted(hold(lowered))
    })

    test('whatever is asked in whatever order, the answers are the model’s and no stretch of a window holds more than its limit', async () => {
      const step = fc.oneof(
        {
          weight: 6,
          arbitrary: fc.record({
            do: fc.constant('reserve' as const),
            of: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
            cost: fc.integer({ min: 1, max: 4 }),
          }),
        },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat' as const), which: fc.nat(20) }) },
        { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(20) }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('overtake' as const) }) },
        {
          weight: 1,
          arbitrary: fc.record({ do: fc.constant('renew' as const), which: fc.array(fc.nat(20), { maxLength: 4 }) }),
        },
        {
          weight: 3,
          arbitrary: fc.record({
            do: fc.constant('pass' as const),
            ms: fc.oneof(fc.nat(1_500), fc.nat(70_000), fc.constantFrom(windowMs, leaseMs, 999, 61_000)),
          }),
        },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
      )
      const property = fc.asyncProperty(
        fc.record({
          windows: fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })),
          leases: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
        }),
        fc.array(step, { maxLength: 60, size: 'max' }),
        async (limits, steps) => {
          const model = createModel()
          const counters = [...limits.windows.map(limit => window(limit)), ...limits.leases.map(lease)]
          const holds: Hold[] = []
          let waitMs = 0
          async function ask(one: Hold) {
            const verdict = await reserve(one)
            expect(verdict).toEqual(model.reserve(one, under.lastMs()))
            waitMs = numericWait(verdict) ?? waitMs
          }
          for (const next of steps) {
            switch (next.do) {
              case 'reserve':
                holds.push(
                  hold(...next.of.flatMap(index => counters[index] ?? []).map(one => ({ ...one, cost: next.cost }))),
                )
                await ask(holds.at(-1) ?? expect.fail())
                break
              case 'repeat': {
                const one = holds.at(-1 - next.which)
                if (one && !model.maybeForgotten(one, under.lastMs())) await ask(one)
                break
              }
              case 'settle': {
                const one = holds.at(-1 - next.which)
                if (!one) break
                await under.store.settle(one)
                model.settle(one, under.lastMs())
                break
              }
              case 'overtake': {
                const one = hold(...counters)
                await under.store.settle(one)
                model.settle(one, under.lastMs())
                await ask(one)
                break
              }
              case 'renew': {
                const some = next.which.flatMap(index => holds.at(-1 - index) ?? [])
                const named = [...new Set(some)].filter(one => !model.maybeForgotten(one, under.lastMs()))
                await under.store.renew(named)
                for (const one of named) model.renew(one, under.lastMs())
                break
              }
              case 'pass':
                await under.pass(next.ms)
                break
              case 'wait':
                await under.pass(waitMs)
            }
          }
          for (const { key, limit } of counters) {
            const all = model.admissions.get(key) ?? []
            for (const { atMs: endMs } of all) {
              const inside = all.filter(({ atMs }) => atMs > endMs - windowMs && atMs <= endMs)
              expect(inside.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(limit)
            }
          }
        },
      )
      await fc.assert(property, { numRuns: under.modelRuns })
    })
  })
}

function numericWait(verdict: Verdict): number | null {
  return verdict.outcome === 'refused' && typeof verdict.wait === 'number' ? verdict.wait : null
}
