/** What a limit store should answer, in the plainest way: every admission is remembered and counted again each time. */
import {
  costOf,
  defaultTimes,
  type Hold,
  lapseMs,
  mostRefunded,
  type Reservation,
  type Settlement,
  type Standing,
  subBuckets,
  undone,
  type Verdict,
  type Wait,
} from '../../src/limits/store.ts'

const { windowMs, leaseMs } = defaultTimes
const bucketMs = windowMs / subBuckets

/** An admission counts from its moment until all of its sub-bucket is older than the window. */
const leavesAt = (admittedMs: number) => (Math.floor(admittedMs / bucketMs) + 1) * bucketMs + windowMs

export interface Model {
  reserve(hold: Hold, nowMs: number): Verdict
  settle(hold: Hold, settlement: Settlement, nowMs: number): void
  cancel(hold: Hold, nowMs: number): void
  renew(hold: Hold, nowMs: number): void
  wasAdmitted(hold: Hold): boolean
  /** Settled so long ago that a store may have forgotten it. */
  maybeForgotten(hold: Hold, nowMs: number): boolean
  /** Every admission so far by its key, never pruned: for laws that need no model of the store. */
  readonly admissions: ReadonlyMap<string, readonly Admission[]>
}

interface Admission {
  readonly hold: Hold
  readonly atMs: number
  readonly reserved: number
  cost: number
}

interface Open {
  readonly hold: Hold
  readonly lapsesMs: number
  /** Since it was reserved: without a gap, windows and days can still be corrected. */
  readonly unbroken: boolean
}

export function createModel(): Model {
  const admissions = new Map<string, Admission[]>()
  const refunds = new Map<string, { atMs: number; cost: number }[]>()
  const spent = new Map<string, number>()
  const open = new Map<string, Open>()
  const settled = new Map<string, number>()
  const reservedMs = new Map<string, number>()

  const live = (nowMs: number) => [...open.values()].filter(({ lapsesMs }) => lapsesMs > nowMs)
  const periodName = (one: Reservation, atMs: number) => ('calendar' in one ? one.calendar(atMs).name : '')
  const spentKey = (one: Reservation, atMs: number) => `${one.key} ${periodName(one, atMs)}`

  function counted(one: Reservation, nowMs: number): Admission[] {
    const all = admissions.get(one.key) ?? []
    if (one.kind === 'window') return all.filter(({ atMs }) => leavesAt(atMs) > nowMs)
    return all.filter(({ atMs }) => periodName(one, atMs) === periodName(one, nowMs))
  }
  function held(one: Reservation, nowMs: number): number {
    return live(nowMs)
      .filter(({ hold }) => {
        const reservedIn = periodName(one, reservedMs.get(hold.id) ?? nowMs)
        return hold.reservations.some(({ key }) => key === one.key) && reservedIn === periodName(one, nowMs)
      })
      .flatMap(({ hold }) => hold.reservations.filter(({ key }) => key === one.key))
      .reduce((sum, its) => sum + costOf(its), 0)
  }
  function used(one: Reservation, nowMs: number): number {
    switch (one.kind) {
      case 'lease':
        return held(one, nowMs)
      case 'budget':
        return (spent.get(spentKey(one, nowMs)) ?? 0) + held(one, nowMs)
      default:
        return counted(one, nowMs).reduce((sum, { cost }) => sum + cost, 0)
    }
  }
  function resetMs(one: Reservation, nowMs: number): number | null {
    if (one.kind === 'lease') return null
    if (used(one, nowMs) === 0) return 0
    if ('calendar' in one) return one.calendar(nowMs).endsMs - nowMs
    return Math.max(...counted(one, nowMs).map(({ atMs }) => leavesAt(atMs) - nowMs))
  }
  const standing = (one: Reservation, nowMs: number): Standing => ({
    limit: one.limit,
    used: used(one, nowMs),
    resetMs: resetMs(one, nowMs),
  })
  function wait(one: Reservation, nowMs: number): Wait {
    if (costOf(one) > one.limit) return 'never'
    if (used(one, nowMs) + costOf(one) <= one.limit) return 0
    if (one.kind === 'lease') return 'unknown'
    if (one.kind === 'budget' && (spent.get(spentKey(one, nowMs)) ?? 0) + one.cost <= one.limit) return 'unknown'
    if ('calendar' in one) return one.calendar(nowMs).endsMs - nowMs
    const times = counted(one, nowMs)
      .map(({ atMs }) => leavesAt(atMs))
      .sort((a, b) => a - b)
    return (times.find(atMs => used(one, atMs) + one.cost <= one.limit) ?? Number.NaN) - nowMs
  }

  function correct(one: Reservation, hold: Hold, actual: number, failed: boolean, nowMs: number): void {
    // A hold that lapsed and was asked for again is counted again: it is the second that is corrected.
    const admission = counted(one, nowMs).findLast(({ hold: its }) => its === hold)
    if (!admission) return
    let delta = actual - costOf(one)
    if (failed && delta < 0 && one.kind === 'window') {
      const given = (refunds.get(one.key) ?? []).filter(({ atMs }) => leavesAt(atMs) > nowMs)
      const room = Math.max(0, mostRefunded(one.limit) - given.reduce((sum, { cost }) => sum + cost, 0))
      delta = -Math.min(-delta, room)
      refunds.set(one.key, [...given, { atMs: nowMs, cost: -delta }])
    }
    admission.cost += delta
  }

  function settle(hold: Hold, { actuals, failed }: Settlement, nowMs: number): void {
    if (settled.has(hold.id)) return
    const its = live(nowMs).find(one => one.hold.id === hold.id)
    open.delete(hold.id)
    settled.set(hold.id, nowMs)
    for (const [index, one] of hold.reservations.entries()) {
      const actual = actuals[index] ?? costOf(one)
      if (one.kind === 'budget') {
        const key = spentKey(one, reservedMs.get(hold.id) ?? nowMs)
        spent.set(key, (spent.get(key) ?? 0) + actual)
      } else if (its?.unbroken) correct(one, hold, actual, failed, nowMs)
    }
  }

  return {
    admissions,
    reserve(hold, nowMs) {
      if (settled.has(hold.id)) return { outcome: 'void' }
      const standings = () => hold.reservations.map(one => standing(one, nowMs))
      if ((open.get(hold.id)?.lapsesMs ?? 0) > nowMs) return { outcome: 'admitted', standings: standings() }

      const waits = hold.reservations.map(one => wait(one, nowMs))
      const ranks = waits.map(one => (one === 'never' ? Number.MAX_VALUE : one === 'unknown' ? Number.MIN_VALUE : one))
      const longest = Math.max(...ranks)
      const refused = ranks.indexOf(longest)
      if (longest > 0) return { outcome: 'refused', refused, wait: waits[refused] ?? 0, standings: standings() }

      open.set(hold.id, { hold, lapsesMs: lapseMs(nowMs, leaseMs), unbroken: true })
      reservedMs.set(hold.id, nowMs)
      for (const one of hold.reservations) {
        if (one.kind === 'lease' || one.kind === 'budget') continue
        admissions.set(one.key, [
          ...(admissions.get(one.key) ?? []),
          { hold, atMs: nowMs, reserved: one.cost, cost: one.cost },
        ])
      }
      return { outcome: 'admitted', standings: standings() }
    },
    settle,
    cancel: (hold, nowMs) => settle(hold, undone(hold), nowMs),
    renew(hold, nowMs) {
      if (settled.has(hold.id)) return
      const unbroken = live(nowMs).find(one => one.hold === hold)?.unbroken ?? false
      open.set(hold.id, { hold, lapsesMs: lapseMs(nowMs, leaseMs), unbroken })
    },
    wasAdmitted: ({ id }) => reservedMs.has(id),
    maybeForgotten: ({ id }, nowMs) => (settled.get(id) ?? nowMs) + leaseMs <= nowMs,
  }
}
