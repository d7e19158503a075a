/** One question to the store about the limits of an exchange or a call, and what its answer means. */
import { randomUUID } from 'node:crypto'
import type { LimitDimension, LimitScope } from '../config/config.ts'
import { GatewayError } from '../images/error.ts'
import type { Decision, RuleStanding } from './decision.ts'
import { StoreAway } from './guarded-store.ts'
import type { Holdings } from './holdings.ts'
import { type Demand, type Rule, type Rules, reservationOf } from './rules.ts'
import {
  costOf,
  type Hold,
  type LimitStore,
  type Reservation,
  type Side,
  type Standing,
  type Verdict,
} from './store.ts'

/** One question to the store, for metrics; of those of an exchange that waited, the last. */
export interface LimitEvent {
  /** `bypassed`: the store is away, and that is no reason to refuse. */
  readonly decision: 'admitted' | 'refused' | 'error' | 'bypassed'
  /** All that was asked for; where it was refused, the one that refused it. */
  readonly rules: readonly { readonly scope: LimitScope; readonly dimension: LimitDimension }[]
  /** Absent: refused without a question, since others wait already. */
  readonly storeMs?: number
}

/** What is wanted of one rule. */
export interface Wish {
  readonly rule: Rule
  readonly reservation: Reservation
}

/** Of each rule what the demand takes; nothing of those it does not touch. */
export function wishesOf(rules: Rules, demand: Demand): readonly Wish[] {
  return rules.flatMap((rule): Wish[] => {
    const reservation = reservationOf(rule, demand)
    return reservation ? [{ rule, reservation }] : []
  })
}

/**
 * Reserves all that is wished for, or nothing. `tell` hears of a refusal; all else is told at once.
 * @throws GatewayError `overloaded` where the store gives no answer.
 */
export type Ask = (
  side: Side,
  id: string,
  wishes: readonly Wish[],
  deadlineMs: number,
  tell: (event: LimitEvent) => void,
) => Promise<Decision>

export function createAsking(
  store: LimitStore,
  holdings: Holdings,
  now: () => number,
  observe: (event: LimitEvent) => void,
): Ask {
  return async (side, id, wishes, deadlineMs, tell) => {
    if (wishes.length === 0) return { admitted: true, standings: [], held: null }

    const reservations = wishes.map(({ reservation }) => reservation)
    const hold: Hold = { id: `${id}/${randomUUID()}`, side, reservations }
    const askedMs = now()
    let decision: Decision | undefined
    try {
      decision = decisionOf(await reserve(hold, deadlineMs - askedMs), hold, wishes)
    } finally {
      const event = { ...told(decision, wishes), storeMs: now() - askedMs }
      if (event.decision === 'refused') tell(event)
      else observe(event)
    }
    if (decision.admitted && decision.held) holdings.begin(hold)
    return decision
  }

  async function reserve(hold: Hold, withinMs: number): Promise<Verdict> {
    try {
      return await store.reserve(hold, withinMs)
    } catch (cause) {
      // Taken or not, nobody knows. Not awaited: the caller need not wait for a store that is away.
      if (!(cause instanceof StoreAway)) void holdings.undo(hold)
      throw unavailable(cause)
    }
  }
}

function decisionOf(verdict: Verdict, hold: Hold, wishes: readonly Wish[]): Decision {
  if (verdict.outcome === 'void') throw unavailable()
  const standings = paired(
    wishes.map(({ rule }) => rule),
    verdict.standings,
  )
  if (verdict.outcome === 'admitted') {
    if (verdict.uncounted) return { admitted: true, standings, held: null }
    return { admitted: true, standings, held: { hold, rules: wishes.map(({ rule }) => rule) } }
  }
  const wish = wishes[verdict.refused]
  if (!wish) throw new RangeError(`The store refused reservation ${verdict.refused} of ${wishes.length}.`)
  return { admitted: false, rule: wish.rule, cost: costOf(wish.reservation), wait: verdict.wait, standings }
}

/** Each rule with where it stands, in the order that the store was asked in. */
export const paired = (rules: Rules, standings: readonly Standing[]): readonly RuleStanding[] =>
  standings.flatMap((standing, index) => {
    const rule = rules[index]
    return rule ? [{ rule, standing }] : []
  })

function told(decision: Decision | undefined, wishes: readonly Wish[]): LimitEvent {
  if (!decision) return { decision: 'error', rules: wishes.map(({ rule }) => rule) }
  if (decision.admitted)
    return { decision: decision.held ? 'admitted' : 'bypassed', rules: wishes.map(({ rule }) => rule) }
  return { decision: 'refused', rules: [decision.rule] }
}

/** The store is away. */
export function unavailable(cause?: unknown): GatewayError {
  const sentence = 'The gateway cannot check rate limits at the moment. Please try again in a second.'
  return new GatewayError('overloaded', sentence, { retryAfterMs: 1000, cause })
}
