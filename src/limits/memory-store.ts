/** Limits in this process's memory: exact for one gateway, without Redis. */
import { createMemoryWindow, type MemoryWindow } from './memory-window.ts'
import { steadyClock } from './steady-clock.ts'
import {
  defaultTimes,
  type Hold,
  type LimitStore,
  type Reservation,
  type Standing,
  type StoreTimes,
  subBuckets,
  type Verdict,
  type Wait,
} from './store.ts'

export interface MemoryStoreParts extends Partial<StoreTimes> {
  /** Milliseconds of any clock. */
  readonly now: () => number
}

/** What is known of an id until `lapsesAt`: its hold while it runs, `null` once it was settled. */
interface Entry {
  readonly hold: Hold | null
  readonly lapsesAt: number
}

/**
 * No timers: both maps are kept in the order in which their entries lapse, and each question first drops what has
 * lapsed from their fronts. What stays is what the last window and the last lease's length brought.
 */
export function createMemoryStore({ now, ...times }: MemoryStoreParts): LimitStore {
  const { windowMs, leaseMs } = { ...defaultTimes, ...times }
  const bucketMs = Math.ceil(windowMs / subBuckets)
  const clock = steadyClock(now)
  const windows = new Map<string, MemoryWindow>()
  const records = new Map<string, Entry>()
  const leases = new Map<string, Set<string>>()

  function forgetLapsed(nowMs: number) {
    for (const [id, { lapsesAt }] of records) {
      if (lapsesAt > nowMs) break
      forget(id)
    }
    for (const [key, window] of windows) {
      if (window.emptyFrom() * bucketMs > nowMs) break
      windows.delete(key)
    }
  }

  function forget(id: string) {
    for (const { kind, key } of records.get(id)?.hold?.reservations ?? []) {
      if (kind !== 'lease') continue
      const holders = leases.get(key)
      holders?.delete(id)
      if (holders?.size === 0) leases.delete(key)
    }
    records.delete(id)
  }

  function remember(id: string, hold: Hold | null, lapsesAt: number) {
    forget(id)
    records.set(id, { hold, lapsesAt })
    for (const { kind, key } of hold?.reservations ?? []) {
      if (kind === 'lease') leases.set(key, (leases.get(key) ?? new Set()).add(id))
    }
  }

  function used({ kind, key }: Reservation, bucket: number): number {
    return kind === 'lease' ? (leases.get(key)?.size ?? 0) : (windows.get(key)?.used(bucket) ?? 0)
  }

  function standing(reservation: Reservation, nowMs: number): Standing {
    const { kind, key, limit } = reservation
    const emptyAt = (windows.get(key)?.emptyFrom() ?? 0) * bucketMs
    const resetMs = kind === 'lease' ? null : Math.max(0, emptyAt - nowMs)
    return { limit, used: used(reservation, bucketOf(nowMs)), resetMs }
  }

  /** 0 where there is room. */
  function waitFor(reservation: Reservation, nowMs: number): Wait {
    const { key, limit } = reservation
    const cost = costOf(reservation)
    if (used(reservation, bucketOf(nowMs)) + cost <= limit) return 0
    if (cost > limit) return 'never'
    const window = windows.get(key)
    return reservation.kind === 'window' && window ? window.bucketOfUse(limit - cost) * bucketMs - nowMs : 'unknown'
  }

  function count({ key, cost }: Reservation & { kind: 'window' }, bucket: number) {
    const window = windows.get(key) ?? createMemoryWindow(bucket)
    // Counted into in a new sub-bucket it lapses last, so it goes to the map's end.
    if (window.emptyFrom() <= bucket + subBuckets) windows.delete(key)
    window.add(bucket, cost)
    windows.set(key, window)
  }

  const bucketOf = (nowMs: number) => Math.floor(nowMs / bucketMs)

  function reserve(hold: Hold, withinMs: number): Verdict {
    const nowMs = clock()
    forgetLapsed(nowMs)
    const record = records.get(hold.id)
    if (withinMs <= 0 || record?.hold === null) return { outcome: 'void' }

    const standings = () => hold.reservations.map(reservation => standing(reservation, nowMs))
    if (record) return { outcome: 'admitted', standings: standings() }

    const waits = hold.reservations.map(reservation => waitFor(reservation, nowMs))
    if (waits.some(wait => wait !== 0)) return { outcome: 'refused', ...longest(waits), standings: standings() }

    for (const reservation of hold.reservations) {
      if (reservation.kind === 'window') count(reservation, bucketOf(nowMs))
    }
    remember(hold.id, hold, nowMs + leaseMs)
    return { outcome: 'admitted', standings: standings() }
  }

  return {
    leaseMs,
    reserve: async (hold, withinMs) => reserve(hold, withinMs),
    async settle({ id }) {
      const nowMs = clock()
      forgetLapsed(nowMs)
      remember(id, null, nowMs + leaseMs)
    },
    async renew(holds) {
      const nowMs = clock()
      forgetLapsed(nowMs)
      for (const hold of holds) {
        if (records.get(hold.id)?.hold !== null) remember(hold.id, hold, nowMs + leaseMs)
      }
    },
    ready: () => true,
  }
}

function costOf(reservation: Reservation): number {
  return reservation.kind === 'window' ? reservation.cost : 1
}

function longest(waits: readonly Wait[]): { refused: number; wait: Wait } {
  const lengths = waits.map(lengthOf)
  const refused = lengths.indexOf(Math.max(...lengths))
  return { refused, wait: waits[refused] ?? 'unknown' }
}

/** A wait that is known says more than one that is not, so the shortest of the known ones is still the longer. */
function lengthOf(wait: Wait): number {
  if (wait === 'never') return Number.POSITIVE_INFINITY
  return wait === 'unknown' ? 0.5 : wait
}
