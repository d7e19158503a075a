/** Limits: admits an exchange, and each of its calls, or says what ran out; and settles when they are over. */
import { createAsking, type LimitEvent, paired, unavailable, type Wish, wishesOf } from './asking.ts'
import { type Calendars, createCalendars } from './calendar.ts'
import type { Admitted, AdmittedCall, CallDecision, Decision, RuleStanding } from './decision.ts'
import { createHoldings } from './holdings.ts'
import { Crowd, type Patience } from './patience.ts'
import { createLimitQueue, type LimitQueue, type Step } from './queue.ts'
import { actualOfCall, actualOfExchange, type CallResult, type ExchangeResult, isCharged } from './refunds.ts'
import { ofInterest } from './refusal.ts'
import { createRuleBook, type Demand, type LimitedCaller, reservationOf } from './rules.ts'
import { costOf, type LimitStore, type Settlement } from './store.ts'
import { createUpstreamRules, type LimitedUpstream, type Way } from './upstream-rules.ts'

/** What the limiter needs to know of an exchange. */
export interface LimitedExchange {
  /** The request's id: for operators who look into Redis. Callers may repeat it. */
  readonly id: string
  readonly caller: LimitedCaller
  /** The model's id. */
  readonly model: string
  /** When the caller gives up, in milliseconds of the clock that the limits were created with. */
  readonly deadlineMs: number
  /** How long it may wait instead of being refused; null or absent: not at all. */
  readonly patience?: Patience | null
}

export interface LimitedCall {
  readonly id: string
  /** By its configured name. */
  readonly upstream: string
  readonly images: number
  readonly deadlineMs: number
  readonly patience?: Patience | null
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
   * Decides once per exchange, by its caller's limits. A caller without limits is admitted without asking the store. With
   * patience it may wait first: rejects with the reason of its signal when that aborts meanwhile; then nothing is held.
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
  /** Exchanges that wait now, by caller. */
  waiting(): Iterable<readonly [caller: string, exchanges: number]>
  /** False while callers with limits would be turned away because the store is away. */
  ready(): boolean
  /** Gives back all that is held, for the end of the process. The store's connection is its owner's to close. */
  close(): Promise<void>
}

/** @throws RangeError for a zone that Node does not know. */
export function createLimits({ store, now, zone = 'UTC', upstreams = [], observe = () => {} }: LimitsParts): Limits {
  const calendars: Calendars = createCalendars(zone)
  const book = createRuleBook(calendars)
  const upstreamRules = createUpstreamRules(upstreams, book)
  const holdings = createHoldings(store, now)
  const ask = createAsking(store, holdings, now, observe)
  const crowd = new Crowd()
  const exchangeQueue = createLimitQueue<Admitted>({ now, crowd })
  const callQueue = createLimitQueue<AdmittedCall>({ now, crowd })

  /** By each of the ways in turn. */
  async function decideCall(
    { id, images, deadlineMs }: LimitedCall,
    ways: readonly Way[],
    tell: (event: LimitEvent) => void,
  ): Promise<CallDecision> {
    let refused: CallDecision | undefined
    for (const { key, rules } of ways) {
      // A key that shares what is used up with one that was tried would be refused too.
      if (refused && !refused.admitted && rules.includes(refused.rule)) continue
      const wishes = wishesOf(rules, demandOfCall(images))
      const decision = await ask('upstream', id, wishes, deadlineMs, tell)
      if (decision.admitted) return { ...decision, key }
      refused = soonest(refused, decision)
    }
    return refused ?? { admitted: true, standings: [], held: null, key: null }
  }

  /** Waits where that is wanted. Of a wait the last refusal is told, and only where it ended in one. */
  async function queued<Granted extends Admitted>(
    queue: LimitQueue<Granted>,
    {
      ask,
      ...step
    }: Omit<Step<Granted>, 'ask' | 'giveBack'> & {
      ask(tell: (event: LimitEvent) => void): ReturnType<Step<Granted>['ask']>
    },
  ): ReturnType<Step<Granted>['ask']> {
    let refusals: LimitEvent[] = []
    const decision = await queue.pass({
      ...step,
      ask() {
        refusals = []
        return ask(event => refusals.push(event))
      },
      giveBack,
    })
    if (!decision.admitted && refusals.length === 0) refusals = [{ decision: 'refused', rules: [decision.rule] }]
    for (const event of refusals) observe(event)
    return decision
  }

  function giveBack({ held }: Admitted): Promise<void> {
    return held ? afterwards(held, holdings.undo(held.hold)) : Promise.resolve()
  }

  /** Who waits for what was given back hears of it once the store has. */
  function afterwards({ hold, rules }: NonNullable<Admitted['held']>, given: Promise<void>): Promise<void> {
    const isCaller = hold.side === 'caller'
    const queue = isCaller ? exchangeQueue : callQueue
    if (queue.isEmpty) return given
    const needs = isCaller ? rules.map(({ key }) => key) : rules.slice(0, 1).map(({ subject = '' }) => subject)
    queue.freeing(needs)
    return given.then(() => queue.freed(needs))
  }

  return {
    admit({ id, caller, model, deadlineMs, patience = null }, demand) {
      const wishes = wishesOf(book.ofCaller(caller, model), demand)
      if (!patience || wishes.some(isVain)) return ask('caller', id, wishes, deadlineMs, observe)
      const decision = queued(exchangeQueue, {
        needs: wishes.map(({ rule }) => rule.key),
        needOf: ({ rule }) => rule.key,
        patience,
        ask: tell => ask('caller', id, wishes, deadlineMs, tell),
      })
      return decision.then(decided => (decided.admitted ? decided : ofInterest(decided, wishes)))
    },

    admitCall(call) {
      const { upstream, patience = null } = call
      const ways = upstreamRules(upstream)
      if ((!patience && callQueue.isEmpty) || isVainByAll(ways, call)) return decideCall(call, ways, observe)
      // Whatever the key, all calls to an upstream stand in one line.
      return queued(callQueue, {
        needs: ways.length > 0 ? [upstream] : [],
        needOf: () => upstream,
        patience,
        ask: tell => decideCall(call, ways, tell),
      })
    },

    async settle(decision, result) {
      if (!decision.admitted || !decision.held) return
      const { hold, rules } = decision.held
      if (result.outcome === 'not-sent') return giveBack(decision)
      const actuals = rules.map(({ dimension }) => actualOfExchange(dimension, result))
      // Our own refusal, by an upstream's limit, is no failure of the caller's.
      const failed = !isCharged(result) && result.outcome !== 'limited'
      await afterwards(decision.held, holdings.end(hold, { actuals, failed }))
    },

    async settleCall(decision, result) {
      if (!decision.admitted || !decision.held) return
      const { hold, rules } = decision.held
      if (result.outcome === 'not-sent') return giveBack(decision)
      const actuals = rules.map(({ dimension }) => actualOfCall(dimension, result))
      await afterwards(decision.held, holdings.end(hold, { actuals, failed: false } satisfies Settlement))
    },

    async standings(caller, model) {
      const rules = model === null ? book.allOfCaller(caller) : book.ofCaller(caller, model)
      const reservations = rules.flatMap(rule => reservationOf(rule, aDemand) ?? [])
      const standings = await store.standings('caller', reservations).catch(cause => {
        throw unavailable(cause)
      })
      return paired(rules, standings)
    },

    waiting: () => crowd.counts(),
    ready: () => store.ready(),
    close: () => holdings.close(),
  }
}

/** Of two refusals the one that ends sooner: any of the keys will do. */
function soonest(first: CallDecision | undefined, second: Decision & { readonly admitted: false }): CallDecision {
  if (!first || first.admitted) return second
  const rank = ({ wait }: typeof second) => (wait === 'never' ? Number.MAX_VALUE : wait === 'unknown' ? 0 : wait)
  return rank(second) < rank(first) ? second : first
}

const demandOfCall = (images: number): Demand => ({ images, tokens: 0, microUsd: null })

/** No wait would help: it is not to stand in line, and to be told of those who do. */
const isVain = ({ reservation }: Wish) => costOf(reservation) > reservation.limit

const isVainByAll = (ways: readonly Way[], { images }: LimitedCall) =>
  ways.length > 0 && ways.every(({ rules }) => wishesOf(rules, demandOfCall(images)).some(isVain))

/** Takes something of every rule. */
const aDemand: Demand = { images: 1, tokens: 1, microUsd: 1 }
