/** Callers' limits: admits an exchange or says what ran out, and gives back what it held when it is over. */
import { randomUUID } from 'node:crypto'
import type { CallerLimits } from '../config/config.ts'
import { GatewayError, type Outcome } from '../images/error.ts'
import type { Decision, Dimension, Standings } from './decision.ts'
import type { Hold, LimitStore, Reservation, Verdict } from './store.ts'

/** What the limiter needs to know of an exchange. */
export interface LimitedExchange {
  /** The request's id: for operators who look into Redis. Callers may repeat it. */
  readonly id: string
  readonly caller: { readonly id: string; readonly limits: CallerLimits }
  /** When the caller gives up, in milliseconds of the clock that the limits were created with. */
  readonly deadlineMs: number
}

/** One question to the store, for metrics. */
export interface LimitEvent {
  readonly scope: 'caller'
  readonly decision: 'admitted' | 'refused' | 'error'
  /** All that was asked for; where it was refused, the one that refused it. */
  readonly dimensions: readonly Dimension[]
  readonly storeMs: number
}

export interface LimitsParts {
  readonly store: LimitStore
  /** Milliseconds of the clock that deadlines are told in. */
  readonly now: () => number
  readonly observe?: (event: LimitEvent) => void
}

export interface Limits {
  /**
   * Decides, once per exchange. A caller without limits is admitted without asking the store.
   * Throws GatewayError `overloaded` where the store gives no answer: what cannot be counted is not let through.
   */
  admit(exchange: LimitedExchange): Promise<Decision>
  /** Gives back what the decision holds, once, however often it is called. Never rejects. */
  settle(decision: Decision, outcome: Outcome): Promise<void>
  /** False while callers with limits would be turned away because the store is away. */
  ready(): boolean
  /** Gives back all that is held, for the end of the process. The store's connection is its owner's to close. */
  close(): Promise<void>
}

/** One timer renews what runs; it does not keep the process alive. */
export function createLimits({ store, now, observe = () => {} }: LimitsParts): Limits {
  const running = new Set<Hold>()
  /** Over, but the store did not hear of it yet; with the time at which it lapses there anyway. */
  const unsettled = new Map<Hold, number>()

  async function giveBack(hold: Hold): Promise<void> {
    if (!hasLease(hold)) return
    try {
      await store.settle(hold)
      unsettled.delete(hold)
    } catch {
      unsettled.set(hold, unsettled.get(hold) ?? now() + store.leaseMs)
    }
  }

  async function settleLate(): Promise<void> {
    for (const [hold, lapsesMs] of unsettled) {
      if (lapsesMs > now()) await giveBack(hold)
      else unsettled.delete(hold)
      // Still there: the store is still away, and there is no use in asking it for all the others.
      if (unsettled.has(hold)) return
    }
  }

  async function renewRunning(): Promise<void> {
    // A renewal that fails is made good by the next: a lease outlives two that are missed.
    await store.renew([...running].filter(hasLease)).catch(() => {})
  }

  let renewing = false
  async function renew(): Promise<void> {
    if (renewing) return
    renewing = true
    await settleLate()
    await renewRunning()
    renewing = false
  }
  const renewer = setInterval(renew, store.leaseMs / 3)
  renewer.unref()

  async function reserve(hold: Hold, withinMs: number): Promise<Verdict> {
    try {
      return await store.reserve(hold, withinMs)
    } catch (cause) {
      // Taken or not, nobody knows. Not awaited: the caller need not wait for a store that is away.
      void giveBack(hold)
      throw unavailable(cause)
    }
  }

  return {
    async admit({ id, caller, deadlineMs }) {
      const wishes = wishesOf(caller)
      if (wishes.length === 0) return { admitted: true, standings: {}, hold: null }

      const hold = { id: `${id}/${randomUUID()}`, reservations: wishes.map(({ reservation }) => reservation) }
      const askedMs = now()
      let decision: Decision | undefined
      try {
        decision = decisionOf(await reserve(hold, deadlineMs - askedMs), hold, wishes)
      } finally {
        observe({ ...told(decision, wishes), storeMs: now() - askedMs })
      }
      if (decision.admitted) running.add(hold)
      return decision
    },
    async settle(decision) {
      if (decision.admitted && decision.hold && running.delete(decision.hold)) await giveBack(decision.hold)
    },
    ready: () => store.ready(),
    async close() {
      clearInterval(renewer)
      const held = [...running, ...unsettled.keys()]
      running.clear()
      await Promise.all(held.map(giveBack))
    },
  }
}

interface Wish {
  readonly dimension: Dimension
  readonly reservation: Reservation
}

/** What an exchange of this caller takes: one wish for each limit that the caller has. */
function wishesOf({ id, limits: { requestsPerMinute, concurrent } }: LimitedExchange['caller']): readonly Wish[] {
  const wishes: Wish[] = []
  if (requestsPerMinute !== undefined) {
    const reservation = { kind: 'window', key: `caller:${id}:requests`, limit: requestsPerMinute, cost: 1 } as const
    wishes.push({ dimension: 'requests', reservation })
  }
  if (concurrent !== undefined) {
    const reservation = { kind: 'lease', key: `caller:${id}:concurrent`, limit: concurrent } as const
    wishes.push({ dimension: 'concurrent', reservation })
  }
  return wishes
}

function decisionOf(verdict: Verdict, hold: Hold, wishes: readonly Wish[]): Decision {
  if (verdict.outcome === 'void') throw unavailable()
  const standings: Standings = Object.fromEntries(
    wishes.map(({ dimension }, index) => [dimension, verdict.standings[index]] as const),
  )
  if (verdict.outcome === 'admitted') return { admitted: true, standings, hold }

  const wish = wishes[verdict.refused]
  if (!wish) throw new RangeError(`The store refused reservation ${verdict.refused} of ${wishes.length}.`)
  const { dimension, reservation } = wish
  return { admitted: false, dimension, limit: reservation.limit, wait: verdict.wait, standings }
}

function told(decision: Decision | undefined, wishes: readonly Wish[]): Omit<LimitEvent, 'storeMs'> {
  const dimensions = wishes.map(({ dimension }) => dimension)
  if (!decision) return { scope: 'caller', decision: 'error', dimensions }
  if (decision.admitted) return { scope: 'caller', decision: 'admitted', dimensions }
  return { scope: 'caller', decision: 'refused', dimensions: [decision.dimension] }
}

function unavailable(cause?: unknown): GatewayError {
  const sentence = 'The gateway cannot check rate limits at the moment. Please try again in a second.'
  return new GatewayError('overloaded', sentence, { retryAfterMs: 1000, cause })
}

const hasLease = ({ reservations }: Hold) => reservations.some(({ kind }) => kind === 'lease')
