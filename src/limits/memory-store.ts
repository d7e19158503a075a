/** Limits in this process's memory: exact for one gateway, without Redis. */
import { type Counter, createCounter } from './memory-counters.ts'
import { Entries, Entry } from './memory-entries.ts'
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
  /**
   * Milliseconds of a clock that nobody sets, by which holds lapse: else, where the machine's is set forward, calls that run would
   * have no places until they are renewed. Absent: `now`.
   */
  readonly pace?: () => number
}

/**
 * No timers. Each question first ends the holds that have lapsed; counters that count nothing are looked for four times a
 * window. So what stays is what the last window, the last lease's length and the present days and months brought.
 */
export function createMemoryStore({ now, pace, ...times }: MemoryStoreParts): LimitStore {
  const { windowMs, leaseMs } = { ...defaultTimes, ...times }
  const bucketMs = Math.ceil(windowMs / subBuckets)
  const clock = steadyClock(now)
  const paceOf = pace ?? clock
  const counters: Readonly<Record<Reservation['kind'], Map<string, Counter>>> = {
    window: new Map(),
    lease: new Map(),
    day: new Map(),
    budget: new Map(),
  }
  const entries = new Entries()
  let sweptMs = 0

  function forgetLapsed(nowMs: number): void {
    const paceMs = paceOf()
    for (let entry = entries.lapse(paceMs); entry; entry = entries.lapse(paceMs)) release(entry)
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
    const { reservations } = hold
    const nowMs = clock()
    forgetLapsed(nowMs)
    const known = entries.get(hold)
    if (withinMs <= 0 || known === 'settled') return { outcome: 'void' }

    let isRoom = true
    const asked = new Array<Counter>(reservations.length)
    for (let index = 0; index < asked.length; index++) {
      const one = reservations[index]
      if (!one) continue
      const counter = counterOf(one, nowMs)
      asked[index] = counter
      if (counter.used(nowMs) + costOf(one) > one.limit) isRoom = false
    }
    if (known instanceof Entry) return { outcome: 'admitted', standings: standingsOf(reservations, asked, nowMs) }
    if (!isRoom) return refusal(reservations, asked, nowMs)

    for (let index = 0; index < asked.length; index++) {
      const one = reservations[index]
      if (one) asked[index]?.take(costOf(one), nowMs)
    }
    entries.run(new Entry(hold, asked, nowMs, true), lapseMs(paceOf(), leaseMs))
    return { outcome: 'admitted', standings: standingsOf(reservations, asked, nowMs) }
  }

  function settle(hold: Hold, { actuals, failed }: Settlement): void {
    const nowMs = clock()
    forgetLapsed(nowMs)
    const known = entries.get(hold)
    if (known === 'settled') return
    const running = known instanceof Entry ? known : null
    const atMs = known?.reservedMs ?? nowMs
    const taken = running?.counters ?? countersOfLapsed(hold, atMs, nowMs)
    if (running) release(running)
    entries.settle(hold)
    for (let index = 0; index < taken.length; index++) {
      const one = hold.reservations[index]
      if (!one || one.kind === 'lease') continue
      const actual = actuals[index] ?? one.cost
      // Of a hold that had lapsed the money alone is still to be counted.
      if (one.kind !== 'budget' && (actual === one.cost || !running?.isUnbroken)) continue
      taken[index]?.settle(one.cost, actual, one.limit, failed, atMs, nowMs)
    }
  }

  /** Money counts in the period in which it was reserved, which may be over. */
  function countersOfLapsed(hold: Hold, atMs: number, nowMs: number): readonly Counter[] {
    return hold.reservations.map(reservation => {
      const isPast = reservation.kind === 'budget' && reservation.calendar(atMs).endsMs <= nowMs
      return isPast ? createCounter(reservation, bucketMs, atMs) : counterOf(reservation, nowMs)
    })
  }

  function renew(hold: Hold, nowMs: number): void {
    const lapsesMs = lapseMs(paceOf(), leaseMs)
    const known = entries.get(hold)
    if (known === 'settled') return
    if (known instanceof Entry) {
      entries.prolong(known, lapsesMs)
      return
    }
    const atMs = known?.reservedMs ?? nowMs
    const taken = countersOfLapsed(hold, atMs, nowMs)
    for (const [index, reservation] of hold.reservations.entries()) taken[index]?.revive(costOf(reservation))
    entries.run(new Entry(hold, taken, atMs, false), lapsesMs)
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
function release({ hold: { reservations }, counters }: Entry): void {
  for (let index = 0; index < counters.length; index++) {
    const one = reservations[index]
    if (one?.kind === 'lease' || one?.kind === 'budget') counters[index]?.release(costOf(one))
  }
}

function standingsOf(reservations: readonly Reservation[], asked: readonly Counter[], nowMs: number) {
  const standings = new Array<Standing>(asked.length)
  for (let index = 0; index < asked.length; index++) {
    const one = reservations[index]
    const counter = asked[index]
    if (one && counter)
      standings[index] = { limit: one.limit, used: counter.used(nowMs), resetMs: counter.resetMs(nowMs) }
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
