/** Limits in this process's memory: exact for one gateway, without Redis. */
import { type Counter, createCounter } from './memory-counters.ts'
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

/** What is known of a hold while it runs. */
interface Entry {
  readonly hold: Hold
  /** In the order of its reservations; those of the time when it was reserved. */
  readonly counters: readonly Counter[]
  /** Null: it had lapsed, so nobody knows what windows and days still count of it. */
  readonly reservedMs: number | null
  readonly lapsesMs: number
}

/**
 * No timers. Entries and settled ids are kept in the order in which they lapse, and each question first drops what has
 * lapsed from their fronts; counters that count nothing are looked for four times a window. So what stays is what the last
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
  const running = new Map<string, Entry>()
  const settled = new Map<string, number>()
  const reservedAt = new WeakMap<Hold, number>()
  let sweptMs = 0

  function forgetLapsed(nowMs: number): void {
    for (const [id, entry] of running) {
      if (entry.lapsesMs > nowMs) break
      running.delete(id)
      release(entry)
    }
    for (const [id, lapsesMs] of settled) {
      if (lapsesMs > nowMs) break
      settled.delete(id)
    }
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

  function release({ hold, counters: taken }: Entry): void {
    for (const [index, reservation] of hold.reservations.entries()) taken[index]?.release(costOf(reservation))
  }

  function reserve(hold: Hold, withinMs: number): Verdict {
    const nowMs = clock()
    forgetLapsed(nowMs)
    if (withinMs <= 0 || settled.has(hold.id)) return { outcome: 'void' }

    const asked = hold.reservations.map(reservation => counterOf(reservation, nowMs))
    const standings = () => standingsOf(hold, asked, nowMs)
    if (running.has(hold.id)) return { outcome: 'admitted', standings: standings() }

    const refusal = longestWait(hold, asked, nowMs)
    if (refusal) return { outcome: 'refused', ...refusal, standings: standings() }

    for (const [index, reservation] of hold.reservations.entries()) asked[index]?.take(costOf(reservation), nowMs)
    running.set(hold.id, { hold, counters: asked, reservedMs: nowMs, lapsesMs: lapseMs(nowMs, leaseMs) })
    reservedAt.set(hold, nowMs)
    return { outcome: 'admitted', standings: standings() }
  }

  function settle(hold: Hold, { actuals, failed }: Settlement): void {
    const nowMs = clock()
    forgetLapsed(nowMs)
    if (settled.has(hold.id)) return
    const entry = running.get(hold.id)
    if (entry) release(entry)
    running.delete(hold.id)
    settled.set(hold.id, nowMs + leaseMs)
    const taken = entry?.counters ?? countersOfLapsed(hold, nowMs)
    const atMs = entry?.reservedMs ?? null
    for (const [index, reservation] of hold.reservations.entries()) {
      // Of a hold that had lapsed the money alone is still to be counted.
      if (atMs === null && reservation.kind !== 'budget') continue
      const cost = costOf(reservation)
      taken[index]?.settle(cost, actuals[index] ?? cost, reservation.limit, failed, atMs ?? 0, nowMs)
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
    if (settled.has(hold.id)) return
    const entry = running.get(hold.id)
    const taken = entry?.counters ?? countersOfLapsed(hold, nowMs)
    if (!entry) {
      for (const [index, reservation] of hold.reservations.entries()) taken[index]?.revive(costOf(reservation))
    }
    running.delete(hold.id)
    running.set(hold.id, {
      hold,
      counters: taken,
      reservedMs: entry?.reservedMs ?? null,
      lapsesMs: lapseMs(nowMs, leaseMs),
    })
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

function standingsOf({ reservations }: Hold, asked: readonly Counter[], nowMs: number): readonly Standing[] {
  return reservations.map(({ limit }, index) => {
    const counter = asked[index]
    return { limit, used: counter?.used(nowMs) ?? 0, resetMs: counter?.resetMs(nowMs) ?? null }
  })
}

/** Null where there is room for everything. */
function longestWait({ reservations }: Hold, asked: readonly Counter[], nowMs: number) {
  let longest: { refused: number; wait: Wait } | null = null
  for (const [refused, reservation] of reservations.entries()) {
    const [cost, counter] = [costOf(reservation), asked[refused]]
    if (!counter || counter.used(nowMs) + cost <= reservation.limit) continue
    const wait = counter.wait(cost, reservation.limit, nowMs)
    if (!longest || lengthOf(wait) > lengthOf(longest.wait)) longest = { refused, wait }
  }
  return longest
}

/** A wait that is known says more than one that is not, so the shortest of the known ones is still the longer. */
function lengthOf(wait: Wait): number {
  if (wait === 'never') return Number.POSITIVE_INFINITY
  return wait === 'unknown' ? 0.5 : wait
}
