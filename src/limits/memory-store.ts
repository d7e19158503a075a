/** Limits in this process's memory: exact for one gateway, without Redis. */
import { type Counter, createCounter } from './memory-counters.ts'
import { Entries } from './memory-entries.ts'
import { standingsBy } from './standings.ts'
import { steadyClock } from './steady-clock.ts'
import {
  checkSettlement,
  costOf,
  defaultTimes,
  type Hold,
  type LimitStore,
  lapseMs,
  type Reservation,
  type Settlement,
  type Standing,
  type StoreTimes,
  subBuckets,
  undone,
  type Verdict,
  type Wait,
} from './store.ts'

export interface MemoryStoreParts extends Partial<StoreTimes> {
  /** Milliseconds since 1970, where days and months are counted; else of any clock. */
  readonly now: () => number
}

/**
 * No timers. Each question first drops the holds that have lapsed, settled ones too; counters that count nothing are looked for four times a window. So what stays is what the last
 * window, the last lease's length and the present days and months brought.
 */
export function createMemoryStore({ now, ...times }: MemoryStoreParts): LimitStore {
  const { windowMs, leaseMs } = { ...defaultTimes, ...times }
  const bucketMs = Math.ceil(windowMs / subBuckets)
  const clock = steadyClock(now)
  const counters: Readonly<Record<Reservation['kind'], Map<string, Counter>>> = {
    window: new Map(),
    lease: new Map(),
    day: new Map(),
    budget: new Map(),
  }
  /** Of holds that lapsed: in which day and month their money counts. */
  const reservedAt = new WeakMap<Hold, number>()
  const entries = new Entries(({ hold, counters: taken, reservedMs }) => {
    release(hold, taken)
    if (reservedMs !== null) reservedAt.set(hold, reservedMs)
  })
  let sweptMs = 0

  function forgetLapsed(nowMs: number): void {
    entries.forgetLapsed(nowMs)
    if (nowMs - sweptMs >= windowMs / 4) sweep(nowMs)
  }

  function sweep(nowMs: number): void {
    sweptMs = nowMs
    for (const ofKind of Object.values(counters)) {
      for (const [key, counter] of ofKind) if (counter.isOver(nowMs)) ofKind.delete(key)
    }
  }

  function counterOf(reservation: Reservation, nowMs: number): Counter {
    const ofKind = counters[reservation.kind]
    const known = ofKind.get(reservation.key)
    if (known && !known.isOver(nowMs)) return known
    const counter = createCounter(reservation, bucketMs, nowMs)
    ofKind.set(reservation.key, counter)
    return counter
  }

  function reserve(hold: Hold, withinMs: number): Verdict {
    const { id, reservations } = hold
    const nowMs = clock()
    forgetLapsed(nowMs)
    const known = entries.get(id)
    if (withinMs <= 0 || known === null) return { outcome: 'void' }

    let isRoom = true
    const asked: Counter[] = []
    for (const one of reservations) {
      const counter = counterOf(one, nowMs)
      asked.push(counter)
      if (counter.used(nowMs) + costOf(one) > one.limit) isRoom = false
    }
    if (known) return { outcome: 'admitted', standings: standingsOf(reservations, asked, nowMs) }
    if (!isRoom) return refusal(reservations, asked, nowMs)

    for (let index = 0; index < asked.length; index++) {
      const one = reservations[index]
      if (one) asked[index]?.take(costOf(one), nowMs)
    }
    entries.set(id, { hold, counters: asked, reservedMs: nowMs }, lapseMs(nowMs, leaseMs))
    return { outcome: 'admitted', standings: standingsOf(reservations, asked, nowMs) }
  }

  function settle(hold: Hold, { actuals, failed }: Settlement): void {
    const nowMs = clock()
    forgetLapsed(nowMs)
    const known = entries.get(hold.id)
    if (known === null) return
    entries.set(hold.id, null, lapseMs(nowMs, leaseMs))
    if (known) release(hold, known.counters)
    const taken = known?.counters ?? countersOfLapsed(hold, nowMs)
    const atMs = known?.reservedMs ?? null
    for (let index = 0; index < taken.length; index++) {
      const one = hold.reservations[index]
      if (!one || one.kind === 'lease') continue
      const actual = actuals[index] ?? one.cost
      // Of a hold that had lapsed the money alone is still to be counted.
      if (one.kind !== 'budget' && (atMs === null || actual === one.cost)) continue
      taken[index]?.settle(one.cost, actual, one.limit, failed, atMs ?? 0, nowMs)
    }
  }

  /** Money counts in the period in which it was reserved, which may be over. */
  function countersOfLapsed(hold: Hold, nowMs: number): readonly Counter[] {
    const atMs = reservedAt.get(hold) ?? nowMs
    return hold.reservations.map(reservation => {
      const isPast = reservation.kind === 'budget' && reservation.calendar(atMs).endsMs <= nowMs
      return isPast ? createCounter(reservation, bucketMs, atMs) : counterOf(reservation, nowMs)
    })
  }

  function renew(hold: Hold, nowMs: number): void {
    const known = entries.get(hold.id)
    if (known === null) return
    const taken = known?.counters ?? countersOfLapsed(hold, nowMs)
    if (!known) {
      for (const [index, reservation] of hold.reservations.entries()) taken[index]?.revive(costOf(reservation))
    }
    const reservedMs = known?.reservedMs ?? null
    entries.set(hold.id, { hold, counters: taken, reservedMs }, lapseMs(nowMs, leaseMs))
  }

  return {
    leaseMs,
    reserve: async (hold, withinMs) => reserve(hold, withinMs),
    async settle(hold, settlement) {
      checkSettlement(hold, settlement)
      settle(hold, settlement)
    },
    cancel: async hold => settle(hold, undone(hold)),
    async renew(holds) {
      const nowMs = clock()
      forgetLapsed(nowMs)
      for (const hold of holds) renew(hold, nowMs)
    },
    standings: standingsBy(async (hold, withinMs) => reserve(hold, withinMs)),
    ready: () => true,
  }
}

/** Lets go of what it holds. */
function release({ reservations }: Hold, taken: readonly Counter[]): void {
  for (let index = 0; index < taken.length; index++) {
    const one = reservations[index]
    if (one?.kind === 'lease' || one?.kind === 'budget') taken[index]?.release(costOf(one))
  }
}

function standingsOf(reservations: readonly Reservation[], asked: readonly Counter[], nowMs: number): Standing[] {
  const standings: Standing[] = []
  for (let index = 0; index < asked.length; index++) {
    const [one, counter] = [reservations[index], asked[index]]
    if (one && counter) standings.push({ limit: one.limit, used: counter.used(nowMs), resetMs: counter.resetMs(nowMs) })
  }
  return standings
}

/** Of a hold that there is no room for. */
function refusal(reservations: readonly Reservation[], asked: readonly Counter[], nowMs: number): Verdict {
  let longest: { refused: number; wait: Wait } = { refused: 0, wait: 0 }
  for (const [refused, reservation] of reservations.entries()) {
    const [cost, counter] = [costOf(reservation), asked[refused]]
    if (!counter || counter.used(nowMs) + cost <= reservation.limit) continue
    const wait = counter.wait(cost, reservation.limit, nowMs)
    if (lengthOf(wait) > lengthOf(longest.wait)) longest = { refused, wait }
  }
  return { outcome: 'refused', ...longest, standings: standingsOf(reservations, asked, nowMs) }
}

/** A wait that is known says more than one that is not, so the shortest of the known ones is still the longer. */
function lengthOf(wait: Wait): number {
  if (wait === 'never') return Number.POSITIVE_INFINITY
  return wait === 'unknown' ? 0.5 : wait
}
