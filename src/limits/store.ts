/** The contract of a limit store. Two keep it: this process's memory, and Redis shared by many gateways. */

/**
 * One thing to reserve. A window counts what was admitted in the last minute, a lease what is under way now.
 * `key` says who and what is limited and is never a secret: `caller:team-a:requests`.
 */
export type Reservation =
  | {
      readonly kind: 'window'
      readonly key: string
      readonly limit: number
      /** A whole number, at least 1. */
      readonly cost: number
    }
  | { readonly kind: 'lease'; readonly key: string; readonly limit: number }

/** What one call holds: all of it or nothing. Settling and renewing name the same reservations that were made. */
export interface Hold {
  /** Never used for two calls, so never taken from a caller as it is: a repeated id is answered without being counted again. */
  readonly id: string
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
  | { readonly outcome: 'admitted'; readonly standings: readonly Standing[] }
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
 * Milliseconds: a caller who waits exactly this long is admitted when nobody else came. `unknown`: a lease is free
 * when its call ends. `never`: the cost is above the limit.
 */
export type Wait = number | 'unknown' | 'never'

export interface LimitStore {
  /** A lease that nobody renews ends after this long: what a crashed gateway held is free again. */
  readonly leaseMs: number
  /**
   * Takes all or nothing, in one step; a refusal writes nothing. Idempotent per id until the hold lapses. Admits
   * nothing once `withinMs` have gone by since the question was put, however late the question is answered.
   * Rejects where the store does not answer: then the hold may have been taken or not, and is to be settled.
   */
  reserve(hold: Hold, withinMs: number): Promise<Verdict>
  /** Gives the leases back; what windows counted stays counted. Idempotent. A settle that overtakes its reserve voids it. */
  settle(hold: Hold): Promise<void>
  /**
   * Prolongs the leases of calls that still run. One that had lapsed (the store was away for longer than a lease) is
   * counted again, even above its limit, because its call does run. Settled holds stay settled.
   */
  renew(holds: readonly Hold[]): Promise<void>
  /** True when a reserve would be answered now. */
  ready(): boolean
}

/**
 * A window is cut into this many sub-buckets and the oldest is counted whole. So no stretch of a window's length ever
 * holds more than the limit, a limit is under-used by at most one part in 60, and a key's memory has a bound.
 */
export const subBuckets = 60

/** What both stores are told about time, in milliseconds. */
export interface StoreTimes {
  readonly windowMs: number
  readonly leaseMs: number
}

export const defaultTimes: StoreTimes = { windowMs: 60_000, leaseMs: 30_000 }
