/**
 * This gateway's share of every limit, counted in its own memory for as long as the shared store is away. It begins where
 * the store was last seen to stand, and can tell the store afterwards what it admitted.
 */
import { randomUUID } from 'node:crypto'
import { createMemoryStore } from './memory-store.ts'
import { costOf, defaultTimes, type Hold, type Reservation, type Settlement, type Verdict } from './store.ts'

/** Where a counter of the shared store was last seen to stand, and until when that counts. */
export interface LastSeen {
  readonly used: number
  readonly untilMs: number
}

export interface LocalShareParts {
  /** This gateway's part of a whole number. */
  readonly shareOf: (whole: number) => number
  readonly leaseMs: number
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds of a clock that nobody sets; absent: `now`. */
  readonly pace?: (() => number) | undefined
  /** By the reservation's key. */
  readonly lastSeen: ReadonlyMap<string, LastSeen>
  /** Holds whose calls run: they keep their places. */
  readonly running: Iterable<Hold>
}

export interface LocalShare {
  reserve(hold: Hold): Promise<Verdict>
  /** Its call is over; null: as if it had never been. Of one that was not reserved here, its place is free. */
  end(hold: Hold, settlement: Settlement | null): Promise<void>
  renew(): Promise<void>
  /** What was admitted here and may still count in the shared store, as holds without limits, beyond what `told` has of it by key; and notes it there. */
  admittedHere(told: Map<string, number>): Promise<readonly Hold[]>
}

type Counted = Extract<Reservation, { readonly kind: 'window' | 'day' }>

const isCounted = (one: Reservation): one is Counted => one.kind === 'window' || one.kind === 'day'
const unlimited = Number.MAX_SAFE_INTEGER

interface Begun {
  readonly one: Counted
  readonly side: Hold['side']
  readonly seed: LastSeen
}

export function createLocalShare({ shareOf, leaseMs, now, pace, lastSeen, running }: LocalShareParts): LocalShare {
  const store = createMemoryStore({ now, leaseMs, ...(pace && { pace }) })
  const open = new Map<Hold, Hold>()
  const begun = new Map<string, Begun>()
  const places = [...running].map(hold => {
    const place = { ...hold, reservations: hold.reservations.filter(({ kind }) => kind === 'lease') }
    open.set(hold, place)
    return place
  })
  const ready = store.renew(places)

  const aside = ({ one, side }: Begun, limit: number, cost: number): Hold => ({
    id: randomUUID(),
    side,
    reservations: [{ ...one, limit, cost }],
  })

  async function begin(one: Counted, side: Hold['side']): Promise<void> {
    if (begun.has(one.key)) return
    const seen = lastSeen.get(one.key)
    // Counted anew as of now: for a while longer than the store would have.
    const seed = {
      used: seen && seen.untilMs > now() ? shareOf(seen.used) : 0,
      untilMs: one.kind === 'day' ? one.calendar(now()).endsMs : now() + 1.1 * defaultTimes.windowMs,
    }
    const its = { one, side, seed }
    begun.set(one.key, its)
    if (seed.used > 0) await store.reserve(aside(its, unlimited, seed.used), leaseMs)
  }

  /** Beyond what it began with. */
  async function countedHere(its: Begun): Promise<number> {
    const [{ used } = { used: 0 }] = await store.standings(its.side, [its.one])
    return Math.max(0, used - (its.seed.untilMs > now() ? its.seed.used : 0))
  }

  return {
    async reserve(hold) {
      await ready
      for (const one of hold.reservations) if (isCounted(one)) await begin(one, hold.side)
      const share = { ...hold, reservations: hold.reservations.map(one => ({ ...one, limit: shareOf(one.limit) })) }
      const verdict = await store.reserve(share, leaseMs)
      if (verdict.outcome === 'admitted') open.set(hold, share)
      if (verdict.outcome !== 'refused' || verdict.wait !== 'never') return verdict
      // Above the share, though not above the limit: there is room for it when the store is back.
      const refused = hold.reservations[verdict.refused]
      return refused && costOf(refused) <= refused.limit ? { ...verdict, wait: 'unknown' } : verdict
    },
    async end(hold, settlement) {
      const its = open.get(hold)
      if (!its) return
      open.delete(hold)
      const isWhole = its.reservations.length === hold.reservations.length
      await (settlement && isWhole ? store.settle(its, settlement) : store.cancel(its))
    },
    async renew() {
      await store.renew([...open.values()])
    },
    async admittedHere(told) {
      const counts = await Promise.all([...begun.values()].map(async its => ({ its, cost: await countedHere(its) })))
      return counts.flatMap(({ its, cost }) => {
        const more = cost - (told.get(its.one.key) ?? 0)
        if (more <= 0) return []
        told.set(its.one.key, cost)
        return [aside(its, unlimited, more)]
      })
    },
  }
}
