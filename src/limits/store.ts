/** The contract of a limit store. Two keep it: this process's memory, and Redis shared by many gateways. */

/** One thing to reserve. A window counts what was admitted in the last minute, a lease what is under way now. */
export interface Reservation {
  readonly kind: 'window' | 'lease'
  /** Who and what is limited, never a key: `caller:team-a:requests`. */
  readonly key: string
  readonly limit: number
  readonly cost: number
}

export interface Standing {
  readonly limit: number
  readonly used: number
  /** Until the limit is whole again if nobody comes, in milliseconds. */
  readonly resetMs: number
}

export type Verdict =
  | { readonly admitted: true; readonly standings: readonly Standing[] }
  | {
      readonly admitted: false
      /** Which reservation of the list was refused; the one with the longest wait where several were. */
      readonly refused: number
      /** A caller who waits exactly this long is admitted when nobody else came. `null`: no wait helps. */
      readonly waitMs: number | null
      readonly standings: readonly Standing[]
    }

export interface LimitStore {
  /** Takes all or nothing, in one step. Idempotent per id. Admits nothing after `notAfterMs` (a late command of a caller who gave up). */
  reserve(id: string, reservations: readonly Reservation[], notAfterMs: number): Promise<Verdict>
  /** Gives the leases back; what windows counted stays counted. Idempotent. A settle that overtakes its reserve refuses it. */
  settle(id: string): Promise<void>
  /** Prolongs the leases of these ids: called while their calls run. */
  renew(ids: readonly string[]): Promise<void>
  /** True when a reserve would be answered now. */
  ready(): boolean
  close(): Promise<void>
}

/** A lease that nobody renews ends after this long: what a crashed gateway held is free again. */
export const leaseMs = 30_000
export const renewEveryMs = 10_000
