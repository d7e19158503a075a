/** The contract of a limit store. Two keep it: this process's memory, and Redis shared by many gateways. */
import type { Calendar } from './calendar.ts'

/**
 * One thing to reserve. `key` says who and what is limited and is never a secret: `team-a:requests`. Limits and costs are
 * whole numbers; a cost is at least 1, that of a budget may be 0.
 */
export type Reservation =
  /** Counts what was admitted in the last minute. */
  | { readonly kind: 'window'; readonly key: string; readonly limit: number; readonly cost: number }
  /** Counts what is under way now. */
  | { readonly kind: 'lease'; readonly key: string; readonly limit: number }
  /** Counts what was admitted in a calendar's present period. */
  | CalendarReservation<'day'>
  /** Money in micro-USD in a calendar's present period: what was spent, and what calls under way may come to. */
  | CalendarReservation<'budget'>

interface CalendarReservation<Kind extends string> {
  readonly kind: Kind
  readonly key: string
  readonly limit: number
  readonly cost: number
  /** Asked with the store's own time, so that gateways whose clocks differ share their days. */
  readonly calendar: Calendar
}

/** Two groups of keys that are never asked for together: each can lie on a cluster node of its own. */
export type Side = 'caller' | 'upstream'

/** What one call holds: all of it or nothing. Whoever settles or renews brings the same object that was reserved. */
export interface Hold {
  /** What Redis knows it by. Never used for two calls, so never taken from a caller as it is. */
  readonly id: string
  readonly side: Side
  /** Each with a key of its own. */
  readonly reservations: readonly Reservation[]
}

export interface Standing {
  readonly limit: number
  readonly used: number
  /** Until the limit is whole again if nobody comes, in milliseconds; null for leases, whose calls end when they end. */
  readonly resetMs: number | null
}

export type Verdict =
  | {
      readonly outcome: 'admitted'
      readonly standings: readonly Standing[]
      /** Nothing was counted, and nothing is held: the store is away, and that is no reason to refuse. */
      readonly uncounted?: true
    }
  | {
      readonly outcome: 'refused'
      /** Which reservation was refused; the one with the longest wait where several were. */
      readonly refused: number
      readonly wait: Wait
      readonly standings: readonly Standing[]
    }
  /** The question came too late, or after its own settle: nothing was taken and nothing was counted. */
  | { readonly outcome: 'void' }

/**
 * Milliseconds: a caller who waits exactly this long is admitted when nobody else came. `unknown`: there is room when a
 * call that is under way ends. `never`: the cost is above the limit.
 */
export type Wait = number | 'unknown' | 'never'

/** What a call came to. */
export interface Settlement {
  /** In the order of the hold's reservations; null: as it was reserved. Of a lease it means nothing: it ends. */
  readonly actuals: readonly (number | null)[]
  /** What a window is given back because of failures has a bound: see `mostRefunded`. */
  readonly failed: boolean
}

export interface LimitStore {
  /**
   * A hold that nobody renews ends after this long, or up to a thirtieth later: see `leaseStepMs`. Leases and money that
   * a crashed gateway held are free again.
   */
  readonly leaseMs: number
  /**
   * Takes all or nothing, in one step; a refusal writes nothing. Idempotent per hold until it lapses. Admits
   * nothing once `withinMs` have gone by since the question was put, however late the question is answered.
   * Rejects where the store does not answer: then the hold may have been taken or not, and is to be cancelled.
   */
  reserve(hold: Hold, withinMs: number): Promise<Verdict>
  /**
   * Ends the leases, turns money that was held into money that was spent, and corrects windows and days where they still
   * count the reservation. The first settle or cancel of a hold counts, in whatever order they come; one that overtakes
   * its reserve voids it. Money is charged although its hold had lapsed. Rejects with a RangeError for a cost that is no
   * whole number.
   */
  settle(hold: Hold, settlement: Settlement): Promise<void>
  /** As if nothing had been reserved. */
  cancel(hold: Hold): Promise<void>
  /**
   * Prolongs holds whose calls still run. Leases and money of one that had lapsed (the store was away for longer than a
   * lease) are counted again, even above their limits, because the call does run. Settled holds stay settled.
   */
  renew(holds: readonly Hold[]): Promise<void>
  /**
   * How things stand, in the order of the reservations, whatever they would cost. Takes nothing and writes nothing.
   * Rejects where the store does not answer.
   */
  standings(side: Side, reservations: readonly Reservation[]): Promise<readonly Standing[]>
  /** True when a reserve would be answered now. */
  ready(): boolean
}

/**
 * A window is cut into this many sub-buckets and the oldest is counted whole. So no stretch of a window's length ever
 * holds more than the limit, a limit is under-used by at most one part in 60, and a key's memory has a bound.
 */
export const subBuckets = 60

/**
 * Holds end at whole multiples of this, counted from the beginning of time: so what is held in a budget is known by few
 * sums, whatever the number of calls that hold it.
 */
export const leaseStepMs = (leaseMs: number): number => Math.ceil(leaseMs / 30)

/** When a hold ends that is reserved or renewed now. */
export function lapseMs(nowMs: number, leaseMs: number): number {
  const step = leaseStepMs(leaseMs)
  return Math.ceil((nowMs + leaseMs) / step) * step
}

/** What both stores are told about time, in milliseconds. */
export interface StoreTimes {
  readonly windowMs: number
  readonly leaseMs: number
}

export const defaultTimes: StoreTimes = { windowMs: 60_000, leaseMs: 30_000 }

/** How much of a window failures may give back within one window: who can bring failures about must not go free by them. */
export const mostRefunded = (limit: number): number => Math.max(20, Math.floor(limit / 2))

/** @throws RangeError */
export function checkSettlement({ reservations }: Hold, { actuals }: Settlement): void {
  let fits = actuals.length === reservations.length
  for (const actual of actuals) fits &&= actual === null || (Number.isSafeInteger(actual) && actual >= 0)
  if (!fits) throw new RangeError('A settlement has one whole number, or null, for each reservation.')
}

/** What it costs to undo a hold: nothing of it was used, and no failure of the caller's is to blame. */
export const undone = ({ reservations }: Hold): Settlement => ({ actuals: reservations.map(() => 0), failed: false })

/** A lease takes one place. */
export const costOf = (reservation: Reservation): number => (reservation.kind === 'lease' ? 1 : reservation.cost)
