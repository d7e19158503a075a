/** What the limit scripts are asked: keys, numbers and ids of one hold, or of many, in the order in which the scripts read them. */
import type { Period } from './calendar.ts'
import { kinds } from './redis-scripts.ts'
import { costOf, type Hold, mostRefunded, type Settlement, type Side } from './store.ts'

export interface Question {
  readonly keys: readonly string[]
  readonly numbers: readonly number[]
  readonly ids: readonly string[]
}

/** Of questions that may be answered whenever they are. */
export const forever = Number.MAX_SAFE_INTEGER

/** A settle may be sent again for this long: money must not be charged twice by one whose answer was lost. */
const moneyMemoryMs = 600_000

export interface RedisQuestions {
  /** The key of the side's clock. */
  clockKey(side: Side): string
  /** `atMs`: of which moment days and months are asked. */
  reserve(hold: Hold, atMs: number): Question
  /** Names only what changes: windows and days in which the call came to what was reserved stay as they are. `toldMs`: when it was reserved; 0: nobody knows. */
  settle(hold: Hold, settlement: Settlement, toldMs: number, atMs: number): Question
  /** Of holds of one side, each with when it was reserved; 0: nobody knows. */
  renew(side: Side, holds: readonly (readonly [hold: Hold, toldMs: number])[], nowMs: number): Question
}

/**
 * All keys begin with `{tag:caller}:` or `{tag:upstream}:`, the hash tag of their side, stand in KEYS, and expire by
 * themselves. Strings, whose numbers are little-endian doubles unless they are told as text:
 * - `clock`: the highest time seen, and how far Redis's own clock has fallen behind it
 * - `w:…`: a window. Its sum, then number and count of each sub-bucket in which something came: at most 61
 * - `f:…`: what failures gave back of a window. In the same form
 * - `d:…:2026-11-21`: a day. A number as text
 * - `b:…:2026-11`: a budget. What was spent, what is held, then what is held by when it lapses
 * - `r:…`: a hold's record. When it lapses, when it was reserved, 1 while windows and days count it; the text 0 once it was settled
 *
 * And no string:
 * - `c:…`: the leases. A ZSET of hold ids by the time at which they lapse
 */
export function createRedisQuestions(tag: string, leaseMs: number): RedisQuestions {
  const keyOn = (side: Side, rest: string) => `{${tag}:${side}}:${rest}`
  const recordKey = (side: Side, id: string) => keyOn(side, `r:${id}`)

  const windowKey = (side: Side, key: string) => keyOn(side, `w:${key}`)
  const refundsKey = (side: Side, key: string) => keyOn(side, `f:${key}`)
  const leasesKey = (side: Side, key: string) => keyOn(side, `c:${key}`)
  const dayKey = (side: Side, key: string, { name }: Period) => keyOn(side, `d:${key}:${name}`)
  const budgetKey = (side: Side, key: string, { name }: Period) => keyOn(side, `b:${key}:${name}`)

  function reserveQuestion({ id, side, reservations }: Hold, atMs: number) {
    const draft = new Draft(recordKey(side, id))
    for (const one of reservations) {
      switch (one.kind) {
        case 'window':
          draft.strings.push(windowKey(side, one.key))
          draft.numbers.push(kinds.window, one.limit, one.cost, 0)
          break
        case 'lease':
          draft.leases.push(leasesKey(side, one.key))
          draft.numbers.push(kinds.lease, one.limit, 1, 0)
          break
        case 'day': {
          const period = draft.within(one.calendar(atMs))
          draft.strings.push(dayKey(side, one.key, period))
          draft.numbers.push(kinds.day, one.limit, one.cost, period.endsMs)
          break
        }
        case 'budget': {
          const period = draft.within(one.calendar(atMs))
          draft.strings.push(budgetKey(side, one.key, period))
          draft.numbers.push(kinds.budget, one.limit, one.cost, period.endsMs)
        }
      }
    }
    return draft.question(id)
  }

  function settleQuestion({ id, side, reservations }: Hold, settlement: Settlement, toldMs: number, atMs: number) {
    const hasBudget = reservations.some(({ kind }) => kind === 'budget')
    const draft = new Draft(recordKey(side, id), toldMs, hasBudget ? moneyMemoryMs : leaseMs)
    for (const [index, one] of reservations.entries()) {
      const actual = settlement.actuals[index] ?? costOf(one)
      const delta = actual - costOf(one)
      switch (one.kind) {
        case 'window':
          if (delta === 0) break
          draft.strings.push(windowKey(side, one.key))
          if (settlement.failed && delta < 0) {
            draft.strings.push(refundsKey(side, one.key))
            draft.numbers.push(kinds.window, delta, mostRefunded(one.limit), 0)
          } else draft.numbers.push(kinds.window, delta, -1, 0)
          break
        case 'lease':
          draft.leases.push(leasesKey(side, one.key))
          draft.numbers.push(kinds.lease, 0, 0, 0)
          break
        case 'day':
          if (delta === 0) break
          draft.strings.push(dayKey(side, one.key, draft.within(one.calendar(atMs))))
          draft.numbers.push(kinds.day, delta, 0, 0)
          break
        case 'budget': {
          const period = draft.within(one.calendar(atMs))
          draft.strings.push(budgetKey(side, one.key, period))
          draft.numbers.push(kinds.budget, one.cost, actual, period.endsMs)
        }
      }
    }
    return draft.question(id)
  }

  function renewQuestion(
    side: Side,
    holds: readonly (readonly [hold: Hold, toldMs: number])[],
    nowMs: number,
  ): Question {
    const keys: string[] = []
    const numbers: number[] = []
    for (const [{ id, reservations }, toldMs] of holds) {
      const leases = reservations.filter(one => one.kind === 'lease')
      const budgets = reservations.filter(one => one.kind === 'budget')
      keys.push(recordKey(side, id), ...leases.map(({ key }) => leasesKey(side, key)))
      numbers.push(leases.length, budgets.length, toldMs)
      for (const { key, cost, calendar } of budgets) {
        const period = calendar(toldMs || nowMs)
        keys.push(budgetKey(side, key, period))
        numbers.push(cost, period.endsMs)
      }
    }
    return { keys, numbers, ids: holds.map(([{ id }]) => id) }
  }

  return {
    clockKey: side => keyOn(side, 'clock'),
    reserve: reserveQuestion,
    settle: settleQuestion,
    renew: renewQuestion,
  }
}

/** A question about one hold, in the order in which the scripts read it. */
class Draft {
  readonly strings: string[]
  readonly leases: string[] = []
  readonly numbers: number[] = []
  readonly #head: readonly number[]
  #beginsMs = 0
  #endsMs = forever

  constructor(recordKey: string, ...head: readonly number[]) {
    this.strings = [recordKey]
    this.#head = head
  }

  /** The script says so where the keys are of a period that is not the one they should be of. */
  within(period: Period): Period {
    this.#beginsMs = Math.max(this.#beginsMs, period.beginsMs)
    this.#endsMs = Math.min(this.#endsMs, period.endsMs)
    return period
  }

  question(id: string): Question {
    // The clock is a string too.
    const head = [this.strings.length + 1, this.#beginsMs, this.#endsMs, ...this.#head]
    return { keys: [...this.strings, ...this.leases], numbers: [...head, ...this.numbers], ids: [id] }
  }
}
