/** Exchanges that wait for limits: what a test asks, and the laws that hold on every store. */
import fc from 'fast-check'
import { expect, onTestFinished } from 'vitest'
import type { CallerLimits, CallerQueue, ModelLimits } from '../../src/config/config.ts'
import type { LimitEvent } from '../../src/limits/asking.ts'
import type { CallDecision, Decision, Refused } from '../../src/limits/decision.ts'
import { createLimits, type Limits } from '../../src/limits/limits.ts'
import { Patience } from '../../src/limits/patience.ts'
import type { LimitStore } from '../../src/limits/store.ts'
import type { LimitedUpstream } from '../../src/limits/upstream-rules.ts'

const now = () => performance.now()
export const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

interface Asked {
  readonly caller?: string
  readonly limits?: CallerLimits
  readonly modelLimits?: readonly ModelLimits[]
  readonly model?: string
  readonly images?: number
  /** Null: does not wait. */
  readonly queue?: CallerQueue | null
  readonly deadlineMs?: number
}

/** An exchange as the limits see it. */
export interface Asker {
  readonly patience: Patience | null
  admit(): Promise<Decision>
  admitCall(upstream: string): Promise<CallDecision>
  leave(): void
}

const one: CallerLimits = { concurrent: 1 }
const patient: CallerQueue = { max: 20, waitSeconds: 10 }
export const gone = new Error('The caller left.')

export function openQueue(store: LimitStore, upstreams: readonly LimitedUpstream[] = []) {
  const events: LimitEvent[] = []
  const limits = createLimits({ store, now, upstreams, observe: event => events.push(event) })
  onTestFinished(() => limits.close())
  return { limits, events, asker: (asked: Asked = {}) => asker(limits, asked) }
}

function asker(limits: Limits, { caller = 'team-a', queue = patient, ...asked }: Asked): Asker {
  const { model = 'a-model', images = 1, deadlineMs = now() + 60_000, modelLimits = [] } = asked
  const leaving = new AbortController()
  const { signal } = leaving
  const patience = queue && new Patience({ caller, queue, signal, deadlineMs, now })
  return {
    patience,
    admit: () =>
      limits.admit(
        { id: 'x', caller: { id: caller, limits: asked.limits ?? one, modelLimits }, model, deadlineMs, patience },
        { images, tokens: 1, microUsd: null },
      ),
    admitCall: upstream => limits.admitCall({ id: 'x', upstream, images, deadlineMs, patience }),
    leave: () => leaving.abort(gone),
  }
}

export async function admitted<D extends Decision>(decision: Promise<D>): Promise<D> {
  const decided = await decision
  return decided.admitted ? decided : expect.fail('refused')
}

export async function refused(decision: Promise<Decision>): Promise<Refused> {
  const decided = await decision
  return decided.admitted ? expect.fail('admitted') : decided
}

/** Still under way after everything that could have ended it. */
export async function waits(decision: Promise<unknown>): Promise<void> {
  const first = await Promise.race([decision, sleep(15).then(() => 'waits')])
  expect(first).toBe('waits')
}

/** Exchanges that come one after the other, each with how long it stays, or after how long it leaves the line. */
const schedules = fc.record({
  limit: fc.integer({ min: 1, max: 3 }),
  visits: fc.array(
    fc.record({
      pauseMs: fc.constantFrom(0, 0, 0, 1, 2, 4),
      holdMs: fc.integer({ min: 0, max: 5 }),
      leavesMs: fc.option(fc.integer({ min: 0, max: 8 }), { freq: 4 }),
    }),
    { minLength: 1, maxLength: 25 },
  ),
})

/**
 * Whoever comes when: never are more at work than may, they begin in the order in which they came, nobody who stays is left
 * over, and in the end all is free.
 */
export async function checkSchedules(storeOf: () => LimitStore, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(schedules, async ({ limit, visits }) => {
      const limits = createLimits({ store: storeOf(), now })
      const began: number[] = []
      let [atWork, most] = [0, 0]
      const visit = async (nth: number, { holdMs, leavesMs }: (typeof visits)[number]) => {
        const queue = { max: 25, waitSeconds: 30 }
        const guest = asker(limits, { caller: 'schedule', limits: { concurrent: limit }, queue })
        const timer = leavesMs === null ? null : setTimeout(guest.leave, leavesMs)
        try {
          const decision = await admitted(guest.admit())
          began.push(nth)
          atWork += 1
          most = Math.max(most, atWork)
          if (timer) clearTimeout(timer)
          await sleep(holdMs)
          atWork -= 1
          await limits.settle(decision, { outcome: 'ok' })
          return true
        } catch (error) {
          if (error !== gone) throw error
          return false
        }
      }
      const all: Promise<boolean>[] = []
      for (const [nth, one] of visits.entries()) {
        if (one.pauseMs > 0) await sleep(one.pauseMs)
        all.push(visit(nth, one))
      }
      const served = await Promise.all(all)
      expect(most).toBeLessThanOrEqual(limit)
      expect(began).toEqual(began.toSorted((a, b) => a - b))
      expect(served.filter((was, nth) => !was && visits[nth]?.leavesMs === null)).toEqual([])
      expect([...limits.waiting()]).toEqual([])
      const whole = Array.from({ length: limit }, () =>
        asker(limits, { caller: 'schedule', limits: { concurrent: limit }, queue: null }).admit(),
      )
      for (const decision of await Promise.all(whole)) {
        expect(decision.admitted).toBe(true)
        await limits.settle(decision, { outcome: 'ok' })
      }
      await limits.close()
    }),
    { numRuns },
  )
}
