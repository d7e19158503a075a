/** What every limit store promises, as one suite. */
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Calendar } from '../../src/limits/calendar.ts'
import {
  defaultTimes,
  type Hold,
  type LimitStore,
  leaseStepMs,
  type Reservation,
  type Verdict,
} from '../../src/limits/store.ts'
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
/** By so much later than its length a hold may end. */
const stepMs = leaseStepMs(leaseMs)
const plenty = 10_000

type Costly = Extract<Reservation, { readonly cost: number }>

/** Days of ten minutes, so that the suite sees many of them begin. */
const dayMs = 600_000
const calendar: Calendar = atMs => {
  const number = Math.floor(atMs / dayMs)
  return { name: `day-${number}`, beginsMs: number * dayMs, endsMs: (number + 1) * dayMs }
}

export function storeContract(name: string, open: () => Promise<StoreUnderTest>) {
  describe(name, () => {
    let under: StoreUnderTest
    beforeAll(async () => {
      under = await open()
    })
    afterAll(() => under.close())

    let count = 0
    const fresh = (prefix: string) => `${prefix}-${count++}`
    const hold = (...reservations: Reservation[]): Hold => ({ id: fresh('hold'), side: 'caller', reservations })
    const window = (limit: number, cost = 1): Costly => ({ kind: 'window', key: fresh('window'), limit, cost })
    const lease = (limit: number): Reservation => ({ kind: 'lease', key: fresh('lease'), limit })
    const day = (limit: number, cost = 1): Costly => ({ kind: 'day', key: fresh('day'), limit, cost, calendar })
    const budget = (limit: number, cost: number): Costly => ({
      kind: 'budget',
      key: fresh('budget'),
      limit,
      cost,
      calendar,
    })
    const reserve = (one: Hold) => under.store.reserve(one, plenty)
    /** `actuals` left out: as reserved. */
    const settle = (one: Hold, actuals?: readonly (number | null)[], failed = false) =>
      under.store.settle(one, { actuals: actuals ?? one.reservations.map(() => null), failed })
    const used = async (...reservations: Costly[]) => {
      const verdict = await reserve(hold(...reservations.map(one => ({ ...one, limit: plenty, cost: 1 }))))
      return verdict.outcome === 'void' ? [] : verdict.standings.map(standing => standing.used - 1)
    }

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
    /** To the middle of a day, so that what follows at once lies in one. */
    async function toNoon() {
      await reserve(hold(lease(1)))
      await under.pass(dayMs - ((under.lastMs() + dayMs / 2) % dayMs))
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
      await times(3, () => settle(first))
      await admitted(hold(calls))
      await refused(hold(calls))
    })

    test('what a window counted stays counted when the call is settled', async () => {
      const requests = window(1)
      const one = hold(requests)
      await admitted(one)
      await settle(one)
      await refused(hold(requests))
    })

    test('a settle that overtakes its reserve voids it', async () => {
      const [requests, calls] = [window(1), lease(1)]
      const one = hold(requests, calls)
      await settle(one)
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
      await under.pass(under.hasteMs + stepMs)
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
      await under.pass(leaseMs + stepMs)
      await admitted(next)
      await under.store.renew([long])
      expect((await refused(hold(calls))).standings[0]?.used).toBe(2)
      await settle(next)
      await refused(hold(calls))
      await settle(long)
      await admitted(hold(calls))
    })

    test('a renewal that comes after the settle revives nothing', async () => {
      const calls = lease(1)
      const one = hold(calls)
      await admitted(one)
      await settle(one)
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

    test('what failures give back is free again at once, in the minute and in the day', async () => {
      const [images, daily] = [window(4, 4), day(4, 4)]
      const one = hold(images, daily)
      await admitted(one)
      await settle(one, [1, 1], true)
      expect(await used(images, daily)).toEqual([1, 1])
      await refused(hold({ ...images, cost: 3 }))
      await admitted(hold({ ...images, cost: 2 }, { ...daily, cost: 2 }))
    })

    test('a call that came to more than was reserved is counted whole, although that is above the limit', async () => {
      const [tokens, daily, money] = [window(100, 60), day(100, 60), budget(100, 60)]
      const one = hold(tokens, daily, money)
      await admitted(one)
      await settle(one, [150, 160, 170])
      expect(await used(tokens, daily, money)).toEqual([150, 160, 170])
    })

    test('failures give back at most half of a window within a window, and all of days and money', async () => {
      const [images, daily, money] = [window(100, 10), day(1000, 10), budget(1000, 10)]
      await times(9, async () => {
        const one = hold(images, daily, money)
        await admitted(one)
        await settle(one, [0, 0, 0], true)
      })
      expect(await used(images, daily, money)).toEqual([40, 0, 0])
      await under.pass(windowMs + windowMs / 60)
      const later = hold(images)
      await admitted(later)
      await settle(later, [0], true)
      expect(await used(images)).toEqual([0])
    })

    test('small windows give back twenty, and what is given back without a failure has no bound', async () => {
      const small = window(30, 10)
      await times(3, async () => {
        const one = hold(small)
        await admitted(one)
        await settle(one, [0], true)
      })
      expect(await used(small)).toEqual([10])
      const fair = window(100, 60)
      await times(5, async () => {
        const one = hold(fair)
        await admitted(one)
        await settle(one, [10])
      })
      expect(await used(fair)).toEqual([50])
    })

    test('what is given back for a minute that is over gives nothing to the present one', async () => {
      const requests = window(5, 3)
      const one = hold(requests)
      await admitted(one)
      for (let ms = 0; ms <= windowMs + windowMs / 60; ms += leaseMs / 2) {
        await under.pass(leaseMs / 2)
        await under.store.renew([one])
      }
      await admitted(hold(requests))
      await settle(one, [0])
      expect(await used(requests)).toEqual([3])
    })

    test('a cancelled hold was never there, and one that is cancelled before it comes is never admitted', async () => {
      const all = [window(1), lease(1), day(1), budget(1, 1)]
      const [one, late] = [hold(...all), hold(...all)]
      await admitted(one)
      await under.store.cancel(one)
      await under.store.cancel(late)
      expect(await reserve(late)).toEqual({ outcome: 'void' })
      await admitted(hold(...all))
    })

    test('the first of settle and cancel counts, in whatever order and however often they come', async () => {
      for (const order of ['sc', 'cs', 'ss', 'scscs']) {
        const all = [window(9, 3), day(9, 3), budget(9, 3)]
        const one = hold(...all)
        await admitted(one)
        for (const [index, step] of [...order].entries()) {
          await (step === 's' ? settle(one, [2, 2, 2 + index]) : under.store.cancel(one))
        }
        expect(await used(...all), order).toEqual(order.startsWith('s') ? [2, 2, 2] : [0, 0, 0])
      }
    })

    test('a cost that is no whole number is refused and changes nothing', async () => {
      const money = budget(100, 50)
      const one = hold(money)
      await admitted(one)
      for (const actual of [-1, Number.NaN, 0.5, Number.POSITIVE_INFINITY, 2 ** 60]) {
        await expect(settle(one, [actual])).rejects.toThrow(RangeError)
      }
      await expect(settle(one, [])).rejects.toThrow(RangeError)
      expect(await used(money)).toEqual([50])
    })

    test('a day is whole again when the next begins, and says when that is', async () => {
      const [images, money] = [day(2), budget(2, 1)]
      await toNoon()
      for (const _ of [1, 2]) {
        const one = hold(images, money)
        await admitted(one)
        await settle(one)
      }
      for (const one of [images, money]) {
        const { wait, standings } = await refused(hold(one))
        expect(wait).toBe(standings[0]?.resetMs)
        expect(wait).toBeGreaterThan(dayMs / 2 - under.hasteMs)
        expect(wait).toBeLessThanOrEqual(dayMs / 2)
      }
      const wait = await waitOf(hold(images))
      await under.pass(wait - under.hasteMs)
      await refused(hold(images))
      await under.pass(under.hasteMs)
      await admitted(hold(images, money))
    })

    test('money is held while calls run, spent by what they came to, and free again where they cost nothing', async () => {
      const money = budget(100, 60)
      await toNoon()
      const one = hold(money)
      await admitted(one)
      expect(await refused(hold(money))).toMatchObject({ wait: 'unknown', standings: [{ used: 60 }] })
      await settle(one, [10])
      const two = hold(money)
      await admitted(two)
      await settle(two, [0], true)
      await admitted(hold({ ...money, cost: 90 }))
    })

    test('money that a crashed gateway held is free when its lease has ended', async () => {
      const money = budget(100, 60)
      await toNoon()
      const [abandoned, renewed] = [hold(money), hold({ ...money, cost: 30 })]
      await admitted(abandoned)
      await admitted(renewed)
      await under.pass(leaseMs - under.hasteMs)
      await under.store.renew([renewed])
      await refused(hold(money))
      await under.pass(under.hasteMs + stepMs)
      await admitted(hold(money))
      expect(await used(money)).toEqual([90])
    })

    test('money is charged once although its hold had lapsed', async () => {
      const money = budget(100, 60)
      await toNoon()
      const [late, later] = [hold(money), hold({ ...money, cost: 30 })]
      await admitted(late)
      await admitted(later)
      await under.pass(leaseMs + under.hasteMs + stepMs)
      expect(await used(money)).toEqual([0])
      await times(2, () => settle(late, [55]))
      await under.store.renew([later])
      await times(2, () => settle(later, [25]))
      expect(await used(money)).toEqual([81])
    })

    test('money of a call that runs into the next day is spent in the one it began in', async () => {
      const money = budget(100, 60)
      await toNoon()
      const one = hold(money)
      await admitted(one)
      for (let ms = 0; ms < dayMs / 2; ms += leaseMs / 2) {
        await under.pass(leaseMs / 2)
        await under.store.renew([one])
      }
      await admitted(hold(money))
      await settle(one, [60])
      expect(await used(money)).toEqual([60])
    })

    test('money of a hold that lapsed and was asked for again is spent in the day of its second admission', async () => {
      const money = budget(100, 60)
      await toNoon()
      const one = hold(money)
      await admitted(one)
      await under.pass(dayMs / 2)
      await admitted(one)
      await under.pass(leaseMs + stepMs)
      await settle(one, [60])
      expect(await used(money)).toEqual([60])
    })

    test('both sides have keys of their own', async () => {
      const requests = window(1)
      await admitted(hold(requests))
      expect((await reserve({ ...hold({ ...requests, key: `${requests.key}-up` }), side: 'upstream' })).outcome).toBe(
        'admitted',
      )
    })

    test('how things stand can be read as often as one likes: it is what the next admission is told, and takes nothing', async () => {
      await toNoon()
      const all = [window(5, 2), lease(3), day(9, 3), budget(100, 40)]
      const [requests, calls, images] = all
      const standings = () => under.store.standings('caller', all)
      const unused = [5, 3, 9, 100].map(limit => ({ limit, used: 0, resetMs: 0 }))
      expect(await standings()).toEqual([unused[0], { ...unused[1], resetMs: null }, unused[2], unused[3]])

      const one = hold(...all)
      const told = (await admitted(one)).standings
      await times(3, async () => {
        const read = await standings()
        expect(read.map(({ limit, used }) => ({ limit, used }))).toEqual(
          told.map(({ limit, used }) => ({ limit, used })),
        )
        for (const [index, { resetMs }] of read.entries()) {
          expect((told[index]?.resetMs ?? 0) - (resetMs ?? 0)).toBeGreaterThanOrEqual(0)
          expect((told[index]?.resetMs ?? 0) - (resetMs ?? 0)).toBeLessThanOrEqual(under.hasteMs)
        }
      })
      await settle(one, [2, null, 0, 25])
      expect((await standings()).map(({ used }) => used)).toEqual([2, 0, 0, 25])
      await admitted(hold(...[requests, calls, images].flatMap(it => it ?? [])))
      await refused(hold(...all.slice(0, 1)))
      expect((await standings()).map(({ used }) => used)).toEqual([4, 1, 3, 25])
    })

    test('a caller with more rules than fit into one question is told of all of them', async () => {
      const many = Array.from({ length: 150 }, (_, index) => window(index + 1))
      await admitted(hold(...many.slice(140)))
      const standings = await under.store.standings('caller', many)
      expect(standings.map(({ limit }) => limit)).toEqual(many.map(({ limit }) => limit))
      expect(standings.map(({ used }) => used)).toEqual(many.map((_, index) => (index < 140 ? 0 : 1)))
      expect(await under.store.standings('caller', [])).toEqual([])
    })

    test('whatever is asked in whatever order, the answers are the model’s and no stretch of a window holds more than its limit', async () => {
      const step = fc.oneof(
        {
          weight: 6,
          arbitrary: fc.record({
            do: fc.constant('reserve' as const),
            of: fc.subarray([0, 1, 2, 3, 4, 5], { minLength: 1 }),
            cost: fc.integer({ min: 1, max: 4 }),
          }),
        },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat' as const), which: fc.nat(20) }) },
        {
          weight: 3,
          arbitrary: fc.record({
            do: fc.constant('settle' as const),
            which: fc.nat(20),
            actuals: fc.array(fc.option(fc.nat(6)), { minLength: 6, maxLength: 6 }),
            failed: fc.boolean(),
          }),
        },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(20) }) },
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
          days: fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 })),
        }),
        fc.array(step, { maxLength: 60, size: 'max' }),
        async (limits, steps) => {
          const model = createModel()
          const counters = [
            ...limits.windows.map(limit => window(limit)),
            ...limits.leases.map(lease),
            day(limits.days[0]),
            budget(limits.days[1], 1),
          ]
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
                if (!one || model.maybeForgotten(one, under.lastMs())) break
                const settlement = { actuals: next.actuals.slice(0, one.reservations.length), failed: next.failed }
                await under.store.settle(one, settlement)
                model.settle(one, settlement, under.lastMs())
                break
              }
              case 'cancel': {
                const one = holds.at(-1 - next.which)
                if (!one || model.maybeForgotten(one, under.lastMs())) break
                await under.store.cancel(one)
                model.cancel(one, under.lastMs())
                break
              }
              case 'overtake': {
                const one = hold(...counters)
                await under.store.cancel(one)
                model.cancel(one, under.lastMs())
                await ask(one)
                break
              }
              case 'renew': {
                const some = next.which.flatMap(index => holds.at(-1 - index) ?? [])
                const named = [...new Set(some)].filter(
                  one => model.wasAdmitted(one) && !model.maybeForgotten(one, under.lastMs()),
                )
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
          for (const { key, limit } of counters.slice(0, 2)) {
            const all = model.admissions.get(key) ?? []
            // A call that came to more than was reserved is counted above the limit; it was not admitted above it.
            for (const { atMs: endMs } of all) {
              const inside = all.filter(({ atMs }) => atMs > endMs - windowMs && atMs <= endMs)
              expect(inside.reduce((sum, one) => sum + Math.min(one.cost, one.reserved), 0)).toBeLessThanOrEqual(limit)
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
