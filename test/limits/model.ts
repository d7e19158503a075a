/** What a limit store should answer, in the plainest way: every admission is remembered and counted again each time. */
import {
  defaultTimes,
  type Hold,
  type Reservation,
  type Standing,
  subBuckets,
  type Verdict,
  type Wait,
} from '../../src/limits/store.ts'

const { windowMs, leaseMs } = defaultTimes
const bucketMs = windowMs / subBuckets

/** An admission counts from its moment until all of its sub-bucket is older than the window. */
const leavesAt = (admittedMs: number) => (Math.floor(admittedMs / bucketMs) + 1) * bucketMs + windowMs

export interface Model {
  reserve(hold: Hold, nowMs: number): Verdict
  settle(hold: Hold, nowMs: number): void
  renew(hold: Hold, nowMs: number): void
  /** Settled so long ago that a store may have forgotten it. */
  maybeForgotten(hold: Hold, nowMs: number): boolean
  /** Every admission so far by the window's key, never pruned: for laws that need no model of the store. */
  readonly admissions: ReadonlyMap<string, readonly { readonly atMs: number; readonly cost: number }[]>
}

export function createModel(): Model {
  const admissions = new Map<string, { atMs: number; cost: number }[]>()
  const open = new Map<string, { hold: Hold; lapsesMs: number }>()
  const settled = new Map<string, number>()

  const costOf = (one: Reservation) => (one.kind === 'window' ? one.cost : 1)
  const counted = (key: string, nowMs: number) =>
    (admissions.get(key) ?? []).filter(({ atMs }) => leavesAt(atMs) > nowMs)

  function used({ kind, key }: Reservation, nowMs: number): number {
    if (kind === 'window') return counted(key, nowMs).reduce((sum, { cost }) => sum + cost, 0)
    const holds = [...open.values()].filter(({ lapsesMs }) => lapsesMs > nowMs)
    return holds.filter(({ hold }) => hold.reservations.some(one => one.kind === 'lease' && one.key === key)).length
  }
  function standing(one: Reservation, nowMs: number): Standing {
    const leaving = counted(one.key, nowMs).map(({ atMs }) => leavesAt(atMs) - nowMs)
    const resetMs = one.kind === 'lease' ? null : Math.max(0, ...leaving)
    return { limit: one.limit, used: used(one, nowMs), resetMs }
  }
  function wait(one: Reservation, nowMs: number): Wait {
    if (costOf(one) > one.limit) return 'never'
    if (one.kind === 'lease') return used(one, nowMs) < one.limit ? 0 : 'unknown'
    const times = [nowMs, ...counted(one.key, nowMs).map(({ atMs }) => leavesAt(atMs))].sort((a, b) => a - b)
    return (times.find(atMs => used(one, atMs) + one.cost <= one.limit) ?? Number.NaN) - nowMs
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

      open.set(hold.id, { hold, lapsesMs: nowMs + leaseMs })
      for (const one of hold.reservations) {
        if (one.kind === 'lease') continue
        admissions.set(one.key, [...(admissions.get(one.key) ?? []), { atMs: nowMs, cost: one.cost }])
      }
      return { outcome: 'admitted', standings: standings() }
    },
    settle(hold, nowMs) {
      open.delete(hold.id)
      settled.set(hold.id, nowMs)
    },
    renew(hold, nowMs) {
      if (!settled.has(hold.id)) open.set(hold.id, { hold, lapsesMs: nowMs + leaseMs })
    },
    maybeForgotten: ({ id }, nowMs) => (settled.get(id) ?? nowMs) + leaseMs <= nowMs,
  }
}
