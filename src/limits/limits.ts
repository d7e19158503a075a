/** Limits: admits an exchange, and each of its calls, or says what ran out; and settles when they are over. */
import { randomUUID } from 'node:crypto'
import { GatewayError } from '../images/error.ts'
import { type Calendars, createCalendars } from './calendar.ts'
import type { CallDecision, Decision, RuleStanding } from './decision.ts'
import { createHoldings } from './holdings.ts'
import { actualOfCall, actualOfExchange, type CallResult, type ExchangeResult, isCharged } from './refunds.ts'
import {
  createRuleBook,
  type Demand,
  type Dimension,
  type LimitedCaller,
  type Rule,
  type Rules,
  reservationOf,
  type Scope,
} from './rules.ts'
import {
  costOf,
  type Hold,
  type LimitStore,
  type Reservation,
  type Settlement,
  type Side,
  type Standing,
  type Verdict,
} from './store.ts'
import { createUpstreamRules, type LimitedUpstream } from './upstream-rules.ts'

/** What the limiter needs to know of an exchange. */
export interface LimitedExchange {
  /** The request's id: for operators who look into Redis. Callers may repeat it. */
  readonly id: string
  readonly caller: LimitedCaller
  /** The model's id. */
  readonly model: string
  /** When the caller gives up, in milliseconds of the clock that the limits were created with. */
  readonly deadlineMs: number
}

export interface LimitedCall {
  readonly id: string
  /** By its configured name. */
  readonly upstream: string
  readonly images: number
  readonly deadlineMs: number
}

/** One question to the store, for metrics. */
export interface LimitEvent {
  /** `bypassed`: the store is away, and that is no reason to refuse. */
  readonly decision: 'admitted' | 'refused' | 'error' | 'bypassed'
  /** All that was asked for; where it was refused, the one that refused it. */
  readonly rules: readonly { readonly scope: Scope; readonly dimension: Dimension }[]
  readonly storeMs: number
}

export interface LimitsParts {
  readonly store: LimitStore
  /** Milliseconds of the clock that deadlines are told in. */
  readonly now: () => number
  /** Absent: UTC. */
  readonly zone?: string
  /** Those with limits of their own. */
  readonly upstreams?: readonly LimitedUpstream[]
  readonly observe?: (event: LimitEvent) => void
}

export interface Limits {
  /**
   * Decides once per exchange, by its caller's limits. A caller without limits is admitted without asking the store.
   * Throws GatewayError `overloaded` where the store gives no answer: what cannot be counted is not let through.
   */
  admit(exchange: LimitedExchange, demand: Demand): Promise<Decision>
  /** Decides once per call, by the limits of the upstream and of the keys it could be made with. Throws as `admit`. */
  admitCall(call: LimitedCall): Promise<CallDecision>
  /** Gives back what the decision holds and was not used, once, however often it is called. Never rejects. */
  settle(decision: Decision, result: ExchangeResult): Promise<void>
  settleCall(decision: CallDecision, result: CallResult): Promise<void>
  /** How each of the caller's limits stands; with a model, of those that count for it. Takes nothing. Throws as `admit`. */
  standings(caller: LimitedCaller, model: string | null): Promise<readonly RuleStanding[]>
  /** False while callers with limits would be turned away because the store is away. */
  ready(): boolean
  /** Gives back all that is held, for the end of the process. The store's connection is its owner's to close. */
  close(): Promise<void>
}

export function createLimits({ store, now, zone = 'UTC', upstreams = [], observe = () => {} }: LimitsParts): Limits {
  const calendars: Calendars = createCalendars(zone)
  const book = createRuleBook(calendars)
  const upstreamRules = createUpstreamRules(upstreams, book)
  const holdings = createHoldings(store, now)

  async function decide(side: Side, id: string, rules: Rules, demand: Demand, deadlineMs: number): Promise<Decision> {
    const wishes = rules.flatMap((rule): Wish[] => {
      const reservation = reservationOf(rule, demand)
      return reservation ? [{ rule, reservation }] : []
    })
    if (wishes.length === 0) return { admitted: true, standings: [], held: null }

    const reservations = wishes.map(({ reservation }) => reservation)
    const hold: Hold = { id: `${id}/${randomUUID()}`, side, reservations }
    const askedMs = now()
    let decision: Decision | undefined
    try {
      decision = decisionOf(await reserve(hold, deadlineMs - askedMs), hold, wishes)
    } finally {
      observe({ ...told(decision, wishes), storeMs: now() - askedMs })
    }
    if (decision.admitted && decision.held) holdings.begin(hold)
    return decision
  }

  async function reserve(hold: Hold, withinMs: number): Promise<Verdict> {
    try {
      return await store.reserve(hold, withinMs)
    } catch (cause) {
      // Taken or not, nobody knows. Not awaited: the caller need not wait for a store that is away.
      void holdings.undo(hold)
      throw unavailable(cause)
    }
  }

  return {
    admit: ({ id, caller, model, deadlineMs }, demand) =>
      decide('caller', id, book.ofCaller(caller, model), demand, deadlineMs),

    async admitCall({ id, upstream, images, deadlineMs }) {
      let refused: CallDecision | undefined
      for (const { key, rules } of upstreamRules(upstream)) {
        // A key that shares what is used up with one that was tried would be refused too.
        if (refused && !refused.admitted && rules.includes(refused.rule)) continue
        const decision = await decide('upstream', id, rules, { images, tokens: 0, microUsd: null }, deadlineMs)
        if (decision.admitted) return { ...decision, key }
        refused = soonest(refused, decision)
      }
      return refused ?? { admitted: true, standings: [], held: null, key: null }
    },

    async settle(decision, result) {
      if (!decision.admitted || !decision.held) return
      const { hold, rules } = decision.held
      const actuals = rules.map(({ dimension }) => actualOfExchange(dimension, result))
      // Our own refusal, by an upstream's limit, is no failure of the caller's.
      await holdings.end(hold, { actuals, failed: !isCharged(result) && result.outcome !== 'limited' })
    },

    async settleCall(decision, result) {
      if (!decision.admitted || !decision.held) return
      const { hold, rules } = decision.held
      if (result.outcome === 'not-sent') return holdings.undo(hold)
      const actuals = rules.map(({ dimension }) => actualOfCall(dimension, result))
      await holdings.end(hold, { actuals, failed: false } satisfies Settlement)
    },

    async standings(caller, model) {
      const rules = model === null ? book.allOfCaller(caller) : book.ofCaller(caller, model)
      const reservations = rules.flatMap(rule => reservationOf(rule, aDemand) ?? [])
      const standings = await store.standings('caller', reservations).catch(cause => {
        throw unavailable(cause)
      })
      return paired(rules, standings)
    },

    ready: () => store.ready(),
    close: () => holdings.close(),
  }
}

interface Wish {
  readonly rule: Rule
  readonly reservation: Reservation
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

const paired = (rules: Rules, standings: readonly Standing[]): readonly RuleStanding[] =>
  standings.flatMap((standing, index) => {
    const rule = rules[index]
    return rule ? [{ rule, standing }] : []
  })

/** Takes something of every rule. */
const aDemand: Demand = { images: 1, tokens: 1, microUsd: 1 }

function told(decision: Decision | undefined, wishes: readonly Wish[]): Omit<LimitEvent, 'storeMs'> {
  if (!decision) return { decision: 'error', rules: wishes.map(({ rule }) => rule) }
  if (decision.admitted)
    return { decision: decision.held ? 'admitted' : 'bypassed', rules: wishes.map(({ rule }) => rule) }
  return { decision: 'refused', rules: [decision.rule] }
}

/** Of two refusals the one that ends sooner: any of the keys will do. */
function soonest(first: CallDecision | undefined, second: Decision & { readonly admitted: false }): CallDecision {
  if (!first || first.admitted) return second
  const rank = ({ wait }: typeof second) => (wait === 'never' ? Number.MAX_VALUE : wait === 'unknown' ? 0 : wait)
  return rank(second) < rank(first) ? second : first
}

function unavailable(cause?: unknown): GatewayError {
  const sentence = 'The gateway cannot check rate limits at the moment. Please try again in a second.'
  return new GatewayError('overloaded', sentence, { retryAfterMs: 1000, cause })
}
