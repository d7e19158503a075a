/** What the limiter decided, and how it is told to the caller: as headers, and as an error where it refused. */

import type { LimitDimension } from '../config/config.ts'
import { type ErrorFacts, GatewayError } from '../images/error.ts'
import type { Rule } from './rules.ts'
import { defaultTimes, type Hold, type Standing, type Wait } from './store.ts'

/** A rule and how it stands. */
export interface RuleStanding {
  readonly rule: Rule
  readonly standing: Standing
}

export interface Admitted {
  readonly admitted: true
  readonly standings: readonly RuleStanding[]
  /** What is to be given back, and the rule of each of its reservations; null where nothing was asked for. */
  readonly held: { readonly hold: Hold; readonly rules: readonly Rule[] } | null
}

export interface Refused {
  readonly admitted: false
  readonly rule: Rule
  /** What was asked of the rule. */
  readonly cost: number
  readonly wait: Wait
  readonly standings: readonly RuleStanding[]
}

export type Decision = Admitted | Refused

/** A call to an upstream, with the key it is to be made with; null: any. */
export type AdmittedCall = Admitted & { readonly key: number | null }
export type CallDecision = AdmittedCall | Refused

/** From our names of fields to the caller's. */
type Spelling = ReadonlyMap<string, string>

/** A refusal as the error that each protocol has an envelope for, with the true wait where one is known. */
export function refusalError(refused: Refused, spelling: Spelling = new Map()): GatewayError {
  const { rule, wait } = refused
  if (rule.dimension.startsWith('budget')) return budgetError(refused)
  if (wait === 'never' && rule.scope.startsWith('caller')) return neverError(refused, spelling)
  return rateError(refused)
}

function rateError({ rule, wait }: Refused): GatewayError {
  const { subject, measure, dimension } = words[rule.dimension]
  const isUpstream = !rule.scope.startsWith('caller')
  const whose = isUpstream ? ` of the upstream ${rule.subject}` : rule.subject ? ` of ${rule.subject}` : ''
  const reached = `Rate limit reached for ${subject}${whose}: ${rule.limit} ${measure}.`
  const facts = { dimension, quota: quotaOf(rule), ...(isUpstream && { notSent: true }) }
  if (wait === 'never') {
    return new GatewayError('rate-limited', `${reached} This request alone is above it.`, { ...facts, final: true })
  }
  const retryAfterMs = wait === 'unknown' ? unknownWaitMs : wait
  const whoseEnds = isUpstream ? 'another' : 'one of yours'
  const orSooner = wait === 'unknown' ? `, or as soon as ${whoseEnds} has finished` : ''
  const advice = `Please try again in ${timeText(retryAfterMs)}${orSooner}.`
  // OpenAI's SDKs do not keep a longer wait but come back within seconds: better that they stop.
  const final = retryAfterMs > longestKeptWaitMs
  return new GatewayError('rate-limited', `${reached} ${advice}`, { ...facts, retryAfterMs, ...(final && { final }) })
}

/** Waiting does not help, so it is the request that is wrong. */
function neverError({ rule, cost }: Refused, spelling: Spelling): GatewayError {
  const { subject, measure, setting, param } = words[rule.dimension]
  const ofModel = rule.subject ? ` of ${rule.subject}` : ''
  const sentence = `This request comes to ${cost} ${subject}${ofModel}, and your limit is ${rule.limit} ${measure} (${setting}): it can never be served whole.`
  return new GatewayError('invalid-request', sentence, { code: 'invalid_value', param: spelling.get(param) ?? param })
}

function budgetError({ rule, cost, wait }: Refused): GatewayError {
  const { measure, dimension } = words[rule.dimension]
  const ofModel = rule.subject ? ` for ${rule.subject}` : ''
  const budget = `Your budget of ${usdText(rule.limit)} ${measure}${ofModel}`
  const facts = { dimension, quota: quotaOf(rule) }
  if (wait === 'never') {
    const sentence = `${budget} is less than what this request alone may cost, ${usdText(cost)}.`
    return new GatewayError('quota-exhausted', sentence, { ...facts, final: true })
  }
  if (wait === 'unknown') {
    const sentence = `${budget} may be used up by requests of yours that are under way. Please try again when they have finished.`
    return new GatewayError('quota-exhausted', sentence, { ...facts, retryAfterMs: unknownWaitMs, final: false })
  }
  const sentence = `${budget} is used up: what is left is less than the ${usdText(cost)} that this request may cost. It is whole again in ${timeText(wait)}.`
  return new GatewayError('quota-exhausted', sentence, { ...facts, retryAfterMs: wait, final: true })
}

/** Nobody knows when a call will end: come back soon enough to take its place, and not at once. */
const unknownWaitMs = 1_000
const longestKeptWaitMs = 60_000

interface Words {
  readonly subject: string
  readonly measure: string
  readonly setting: string
  /** The field of a request that it depends on. */
  readonly param: string
  readonly dimension: NonNullable<ErrorFacts['dimension']>
  /** As Google's names of quotas go: `RequestsPerMinute`. */
  readonly quota: string
}

const words: Record<LimitDimension, Words> = {
  requests: {
    subject: 'requests',
    measure: 'per minute',
    setting: 'requests_per_minute',
    param: 'n',
    dimension: 'requests',
    quota: 'RequestsPerMinute',
  },
  'requests-day': {
    subject: 'requests',
    measure: 'per day',
    setting: 'requests_per_day',
    param: 'n',
    dimension: 'requests',
    quota: 'RequestsPerDay',
  },
  images: {
    subject: 'images',
    measure: 'per minute',
    setting: 'images_per_minute',
    param: 'n',
    dimension: 'images',
    quota: 'ImagesPerMinute',
  },
  'images-day': {
    subject: 'images',
    measure: 'per day',
    setting: 'images_per_day',
    param: 'n',
    dimension: 'images',
    quota: 'ImagesPerDay',
  },
  tokens: {
    subject: 'tokens',
    measure: 'per minute',
    setting: 'tokens_per_minute',
    param: 'prompt',
    dimension: 'tokens',
    quota: 'TokensPerMinute',
  },
  concurrent: {
    subject: 'concurrent requests',
    measure: 'at a time',
    setting: 'concurrent',
    param: 'n',
    dimension: 'concurrent',
    quota: 'ConcurrentRequests',
  },
  'budget-day': {
    subject: 'money',
    measure: 'per day',
    setting: 'budget_usd_per_day',
    param: 'n',
    dimension: 'budget',
    quota: 'BudgetPerDay',
  },
  'budget-month': {
    subject: 'money',
    measure: 'per month',
    setting: 'budget_usd_per_month',
    param: 'n',
    dimension: 'budget',
    quota: 'BudgetPerMonth',
  },
}

/** What a limit is called in the configuration: `requests_per_day`. */
export const settingOf = (dimension: LimitDimension): string => words[dimension].setting

const scopeNames: Record<Rule['scope'], string> = {
  caller: 'Caller',
  'caller-model': 'CallerModel',
  upstream: 'Upstream',
  'upstream-project': 'UpstreamProject',
  'upstream-key': 'UpstreamKey',
}

const quotaOf = ({ scope, dimension }: Rule) => `Plantain${scopeNames[scope]}-${words[dimension].quota}`

const usdText = (microUsd: number) => `$${Number((microUsd / 1e6).toFixed(6))}`

/** In tenths of a second, or in larger units rounded up. */
function timeText(ms: number): string {
  if (ms < 120_000) return `${Math.ceil(ms / 100) / 10}s`
  return ms < 2 * 3_600_000 ? `${Math.ceil(ms / 60_000)} minutes` : `${Math.ceil(ms / 3_600_000)} hours`
}

/**
 * Headers for the answer, admitted or refused: OpenAI's `x-ratelimit-*` of the rule with the least left, and the
 * `RateLimit` pair of draft-ietf-httpapi-ratelimit-headers-10 with all. None where the caller has no such limits.
 */
export function limitHeaders({ standings }: Decision): Record<string, string> {
  const counted = standings.filter(({ rule }) => windowSeconds[rule.dimension] !== undefined)
  if (counted.length === 0) return {}
  const named = counted.map(one => ({ ...one, name: `"${one.rule.subject ? 'model-' : ''}${one.rule.dimension}"` }))
  return {
    ...openaiHeaders('requests', counted),
    ...openaiHeaders('images', counted),
    ...openaiHeaders('tokens', counted),
    'ratelimit-policy': named
      .map(({ name, rule }) => `${name};q=${rule.limit};w=${windowSeconds[rule.dimension]}`)
      .join(', '),
    ratelimit: named
      .map(({ name, standing }) => `${name};r=${remaining(standing)};t=${Math.ceil((standing.resetMs ?? 0) / 1000)}`)
      .join(', '),
  }
}

function openaiHeaders(dimension: 'requests' | 'images' | 'tokens', counted: readonly RuleStanding[]) {
  const [tightest] = counted
    .filter(({ rule }) => words[rule.dimension].dimension === dimension)
    .map(({ standing }) => standing)
    .toSorted((a, b) => remaining(a) - remaining(b) || (b.resetMs ?? 0) - (a.resetMs ?? 0))
  if (!tightest) return {}
  return {
    [`x-ratelimit-limit-${dimension}`]: String(tightest.limit),
    [`x-ratelimit-remaining-${dimension}`]: String(remaining(tightest)),
    [`x-ratelimit-reset-${dimension}`]: duration(tightest.resetMs ?? 0),
  }
}

const remaining = ({ limit, used }: Standing) => Math.max(0, limit - used)

/** Money is nobody's business but the caller's bill, and what runs now has no window. */
const windowSeconds: Partial<Record<LimitDimension, number>> = {
  requests: defaultTimes.windowMs / 1000,
  images: defaultTimes.windowMs / 1000,
  tokens: defaultTimes.windowMs / 1000,
  'requests-day': 86_400,
  'images-day': 86_400,
}

/** As Go writes durations and OpenAI sends them: `350ms`, `1s`, `1.5s`, `6m0s`, `1h0m0s`. */
function duration(ms: number): string {
  if (ms > 0 && ms < 1000) return `${ms}ms`
  const [hours, minutes] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60]
  const seconds = `${(ms % 60_000) / 1000}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}
