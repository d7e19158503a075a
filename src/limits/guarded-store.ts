/**
 * A shared store that may be away: it is asked for as long as it answers, and while it does not, the configuration says what
 * becomes of callers with limits.
 */
import type { OnStoreError } from '../config/config.ts'
import type { Breaker } from './breaker.ts'
import { createLocalShare, type LastSeen, type LocalShare } from './local-share.ts'
import type { Hold, LimitStore, Settlement, Verdict } from './store.ts'

export interface GuardedStoreParts {
  readonly store: LimitStore
  readonly breaker: Breaker
  readonly onError: OnStoreError
  /** This gateway's part of a whole number, as of the last time the gateways could be counted. */
  readonly shareOf: (whole: number) => number
  /** It is there, and refuses all the same: why. Null: it does so no more. */
  readonly onRefusing?: (reason: string | null) => void
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** Milliseconds of a clock that nobody sets; absent: `now`. */
  readonly pace?: () => number
}

export interface GuardedStore extends LimitStore {
  /** The shared store does not answer. */
  degraded(): boolean
}

/** The shared store was not asked, and nothing may stand in for it: nothing of the question is there. */
export class StoreAway extends Error {
  constructor() {
    super('The limit store does not answer.')
    this.name = 'StoreAway'
  }
}

/**
 * With `local-share` no limit is exceeded while the store is away, as long as the gateways are those that were last counted.
 * In the window in which it goes or comes back, at most twice the limit is admitted: what the store had counted and this
 * gateway had not seen yet, beside the shares. Money is never spent uncounted.
 */
export function createGuardedStore(parts: GuardedStoreParts): GuardedStore {
  const { store, breaker, onError, shareOf, onRefusing = () => {}, now = Date.now, pace } = parts
  const { leaseMs } = store
  const lastSeen = new Map<string, LastSeen>()
  /** Holds with leases whose calls run, wherever they were admitted. */
  const running = new Set<Hold>()
  /** Of those that were admitted here alone: their leases, as the shared store comes to know them. */
  const localOnly = new WeakMap<Hold, Hold>()
  /** Taken or not, nobody knows, and something stands in for them; with the time at which they lapse by themselves. */
  const doubtful = new Map<Hold, number>()
  let local: LocalShare | null = null
  let recovery: Promise<boolean> | null = null
  let isRefusing = false

  /** @throws StoreAway where the store is not asked; else its own error. */
  async function ask<T>(question: () => Promise<T>): Promise<T> {
    if (!breaker.allows()) throw new StoreAway()
    try {
      const answer = await question()
      breaker.succeeded()
      if (isRefusing) onRefusing(null)
      isRefusing = false
      return answer
    } catch (error) {
      // A mistake in the question says nothing about the store.
      if (!(error instanceof RangeError)) failed(error)
      throw error
    }
  }

  /** What gives back is taken by a store that has no memory left too, and says nothing of what it makes of a reservation. */
  async function giveBack(question: () => Promise<void>): Promise<void> {
    if (!breaker.allows()) throw new StoreAway()
    try {
      await question()
      breaker.answered()
    } catch (error) {
      if (!(error instanceof RangeError)) failed(error)
      throw error
    }
  }

  function failed(error: unknown): void {
    breaker.failed()
    if (isRefusing || !breaker.isOpen() || !store.ready()) return
    isRefusing = true
    onRefusing(error instanceof Error ? error.message : String(error))
  }

  const degraded = () => breaker.isOpen() || !store.ready()

  /** True where the store knows of everything, or has just been told: before that it is asked nothing new. */
  function recovered(): Promise<boolean> | boolean {
    if (!local && doubtful.size === 0) return true
    recovery ??= recover().finally(() => {
      recovery = null
    })
    return recovery
  }

  /** Tells the store what became of limits while it was away. What is told twice is counted twice: that is the safe side. */
  async function recover(): Promise<boolean> {
    const told = new Map<string, number>()
    const adopted = new Set<Hold>()
    try {
      // Questions that were under way when this began may fail meanwhile, and be answered by the share: so until nothing is new.
      for (;;) {
        const counted = (await local?.admittedHere(told)) ?? []
        const leases = [...running].flatMap(hold => localOnly.get(hold) ?? []).filter(its => !adopted.has(its))
        if (counted.length + leases.length + doubtful.size === 0) break
        for (const hold of counted) await tell(hold)
        for (const its of leases) adopted.add(its)
        if (leases.length > 0) await ask(() => store.renew(leases))
        for (const [hold, lapsesMs] of doubtful) {
          if (lapsesMs > now()) await giveBack(() => store.cancel(hold))
          doubtful.delete(hold)
        }
      }
      local = null
      return true
    } catch {
      return false
    }
  }

  /** @throws StoreAway where it came too late. */
  async function tell(hold: Hold): Promise<void> {
    const verdict = await ask(() => store.reserve(hold, leaseMs))
    if (verdict.outcome !== 'admitted') throw new StoreAway()
    // The store may be away again before anybody else has asked it: then the next share begins with this.
    learn(hold, verdict)
  }

  async function standIn(hold: Hold): Promise<Verdict> {
    const hasBudget = hold.reservations.some(({ kind }) => kind === 'budget')
    if (onError === 'closed' || hasBudget) throw new StoreAway()
    if (onError === 'open') return { outcome: 'admitted', standings: [], uncounted: true }
    local ??= createLocalShare({ shareOf, leaseMs, now, pace, lastSeen, running })
    const verdict = await local.reserve(hold)
    if (verdict.outcome !== 'admitted') return verdict
    const leases = hold.reservations.filter(({ kind }) => kind === 'lease')
    localOnly.set(hold, { ...hold, id: `${hold.id}/local`, reservations: leases })
    if (leases.length > 0) running.add(hold)
    return verdict
  }

  function learn(hold: Hold, verdict: Verdict): void {
    if (verdict.outcome === 'void') return
    for (const [index, { key }] of hold.reservations.entries()) {
      const standing = verdict.standings[index]
      if (standing?.resetMs) lastSeen.set(key, { used: standing.used, untilMs: now() + standing.resetMs })
      else lastSeen.delete(key)
    }
    if (verdict.outcome === 'admitted' && hold.reservations.some(({ kind }) => kind === 'lease')) running.add(hold)
  }

  async function end(hold: Hold, settlement: Settlement | null): Promise<void> {
    running.delete(hold)
    await local?.end(hold, settlement)
    const leases = localOnly.get(hold)
    if (leases?.reservations.length === 0) return
    // Of what was admitted here the store knows the leases at most. A word too many does no harm.
    await giveBack(() => (settlement && !leases ? store.settle(hold, settlement) : store.cancel(leases ?? hold)))
  }

  return {
    leaseMs,
    async reserve(hold, withinMs) {
      if (!(await recovered())) return standIn(hold)
      let verdict: Verdict
      try {
        verdict = await ask(() => store.reserve(hold, withinMs))
      } catch (error) {
        if (error instanceof StoreAway) return standIn(hold)
        const instead = await standIn(hold).catch(() => {
          throw error
        })
        doubtful.set(hold, now() + leaseMs)
        return instead
      }
      // It answered too late, though in time for the exchange.
      if (verdict.outcome === 'void' && withinMs > 0) return standIn(hold)
      learn(hold, verdict)
      return verdict
    },
    settle: (hold, settlement) => end(hold, settlement),
    cancel: hold => end(hold, null),
    async renew(holds) {
      await local?.renew()
      await recovered()
      const known = holds.map(hold => localOnly.get(hold) ?? hold)
      await ask(() => store.renew(known.filter(({ reservations }) => reservations.length > 0)))
    },
    async standings(side, reservations) {
      // What is counted here meanwhile is a share, and none of the store's numbers.
      if (!(await recovered())) throw new StoreAway()
      return ask(() => store.standings(side, reservations))
    },
    ready: () => onError !== 'closed' || !degraded(),
    degraded,
  }
}
