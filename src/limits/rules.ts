/** From limits as they are configured to the counters that keep them. */
import type { CallerLimits, LimitDimension, LimitScope, ModelLimits, RateLimits } from '../config/config.ts'
import { patternMatches } from '../models/patterns.ts'
import type { Calendar, Calendars } from './calendar.ts'
import type { Reservation } from './store.ts'

export interface Rule {
  readonly scope: LimitScope
  readonly dimension: LimitDimension
  /** The counter: whose, and of what. */
  readonly key: string
  /** Money in micro-USD. */
  readonly limit: number
  readonly calendar?: Calendar
  /** The models it is about, or the upstream. */
  readonly subject?: string
}

/** What one exchange, or one call, takes. */
export interface Demand {
  readonly images: number
  /** A guess. */
  readonly tokens: number
  /** What it will cost at most, as far as that is known; null: the catalogue has no prices. */
  readonly microUsd: number | null
}

export type Rules = readonly Rule[]

/** Which of the house's words for a limit is counted as what. */
const dimensions = {
  requestsPerMinute: 'requests',
  requestsPerDay: 'requests-day',
  imagesPerMinute: 'images',
  imagesPerDay: 'images-day',
  tokensPerMinute: 'tokens',
  concurrent: 'concurrent',
  budgetMicroUsdPerDay: 'budget-day',
  budgetMicroUsdPerMonth: 'budget-month',
} as const satisfies Record<keyof CallerLimits, LimitDimension>

export interface RuleBook {
  /** Those of the caller, and those of the caller for the model. */
  ofCaller(caller: LimitedCaller, model: string): Rules
  /** Those of the caller, and those for each pattern of models. */
  allOfCaller(caller: LimitedCaller): Rules
  ofLimits(scope: LimitScope, owner: string, limits: RateLimits, subject?: string): Rules
}

export interface LimitedCaller {
  readonly id: string
  readonly limits: CallerLimits
  readonly modelLimits?: readonly ModelLimits[]
}

export function createRuleBook(calendars: Calendars): RuleBook {
  // Callers are few and configured: their rules are worked out once.
  const known = new WeakMap<CallerLimits, { readonly owner: string; readonly rules: Rules }>()

  function ofLimits(scope: LimitScope, owner: string, limits: CallerLimits, subject?: string): Rules {
    const names = Object.keys(dimensions) as (keyof CallerLimits)[]
    return names.flatMap(name => {
      const [limit, dimension] = [limits[name], dimensions[name]]
      if (limit === undefined) return []
      const calendar = calendarOf(dimension)
      const key = `${owner}:${dimension}`
      return [{ scope, dimension, key, limit, ...(calendar && { calendar }), ...(subject && { subject }) }]
    })
  }

  function calendarOf(dimension: LimitDimension): Calendar | undefined {
    if (dimension.endsWith('-month')) return calendars.month
    return dimension.endsWith('-day') ? calendars.day : undefined
  }

  function remembered(scope: LimitScope, owner: string, limits: CallerLimits, subject?: string): Rules {
    const kept = known.get(limits)
    if (kept?.owner === owner) return kept.rules
    const rules = ofLimits(scope, owner, limits, subject)
    known.set(limits, { owner, rules })
    return rules
  }

  const own = ({ id, limits }: LimitedCaller) => remembered('caller', id, limits)
  const special = ({ id }: LimitedCaller, { model, limits }: ModelLimits) =>
    remembered('caller-model', `${id}/${model}`, limits, model)

  return {
    ofLimits,
    ofCaller(caller, model) {
      const its = caller.modelLimits?.find(({ model: pattern }) => patternMatches(pattern, model))
      return its ? [...own(caller), ...special(caller, its)] : own(caller)
    },
    allOfCaller: caller => [...own(caller), ...(caller.modelLimits ?? []).flatMap(its => special(caller, its))],
  }
}

/** What the demand takes of a rule; null: nothing. */
export function reservationOf({ dimension, key, limit, calendar }: Rule, demand: Demand): Reservation | null {
  const cost = takenBy(demand, dimension)
  if (dimension === 'concurrent') return { kind: 'lease', key, limit }
  if (calendar && dimension.startsWith('budget')) return { kind: 'budget', key, limit, cost, calendar }
  if (cost === 0) return null
  return calendar ? { kind: 'day', key, limit, cost, calendar } : { kind: 'window', key, limit, cost }
}

function takenBy({ images, tokens, microUsd }: Demand, dimension: LimitDimension): number {
  switch (dimension) {
    case 'images':
    case 'images-day':
      return images
    case 'tokens':
      return tokens
    case 'budget-day':
    case 'budget-month':
      return microUsd ?? 0
    default:
      return 1
  }
}
