/** `GET /admin/limits/{caller}`: how each of a caller's limits stands now. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OnStoreError } from '../config/config.ts'
import { GatewayError } from '../images/error.ts'
import { type RuleStanding, settingOf } from '../limits/decision.ts'
import type { Limits } from '../limits/limits.ts'
import type { LimitedCaller } from '../limits/rules.ts'
import { whileAway } from '../limits/while-away.ts'
import { patternMatches } from '../models/patterns.ts'
import { quoted, readQuery, wantsCsv } from './query.ts'
import { csvText, csvType, Refusal, usd } from './replies.ts'

export interface LimitsParts {
  readonly limits: Pick<Limits, 'standings'>
  readonly onStoreError: OnStoreError
  /** The time zone in which days and months begin. */
  readonly zone: string
  readonly callers: readonly LimitedCaller[]
  readonly modelIds: readonly string[]
  /** As in UsageParts. */
  readonly modelIdOf: (name: string) => string | null
}

/** The handler of the route. */
export function createLimitsAnswer({ limits, onStoreError, zone, callers, modelIds, modelIdOf }: LimitsParts) {
  /** @throws Refusal. */
  function callerOf({ params }: FastifyRequest): LimitedCaller {
    const { caller: id = '' } = params as { readonly caller?: string }
    const caller = callers.find(one => one.id === id)
    if (caller) return caller
    const known = callers.length > 0 ? `There are: ${callers.map(one => one.id).join(', ')}.` : 'None is configured.'
    throw new Refusal(404, 'unknown_caller', `There is no caller ${quoted(id)}. ${known}`)
  }

  /** A name that the catalogue lacks may be one of those that the caller's rules are about. @throws Refusal. */
  function modelOf(name: string | undefined, { modelLimits = [] }: LimitedCaller): string | null {
    if (name === undefined) return null
    const id = modelIdOf(name)
    if (id !== null) return id
    if (modelLimits.some(({ model }) => patternMatches(model, name))) return name
    throw new Refusal(
      404,
      'unknown_model',
      `The catalogue has no model ${quoted(name)}. It has: ${modelIds.join(', ')}.`,
    )
  }

  async function standings(caller: LimitedCaller, model: string | null): Promise<readonly RuleStanding[]> {
    try {
      return await limits.standings(caller, model)
    } catch (error) {
      if (!(error instanceof GatewayError) || error.kind !== 'overloaded') throw error
      const meanwhile = `${whileAway[onStoreError]} (store.on_error: ${onStoreError})`
      const sentence = 'Redis does not answer, and how limits stand is known there alone.'
      throw new Refusal(503, 'store_away', `${sentence} Until it is back, ${meanwhile}. See /readyz.`)
    }
  }

  /** @throws Refusal. */
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const caller = callerOf(request)
    const query = readQuery(request, ['model', 'format'])
    const asCsv = wantsCsv(request, query)
    const model = modelOf(query.get('model'), caller)
    const rules = (await standings(caller, model)).map(fields)
    if (!asCsv) return { caller: caller.id, zone, rules }
    const columns = ['caller', 'scope', 'models', 'dimension', 'setting', 'limit', 'used', 'remaining', 'reset_s']
    return reply.type(csvType).send(
      csvText(
        columns,
        rules.map(rule => [caller.id, ...Object.values(rule)]),
      ),
    )
  }
}

/** In the order of the columns. Money in dollars. */
function fields({ rule, standing }: RuleStanding) {
  const { limit, used, resetMs } = standing
  const unit = rule.dimension.startsWith('budget') ? usd : (count: number) => count
  return {
    scope: rule.scope,
    /** The pattern of models that it is about; all where there is none. */
    models: rule.subject ?? '*',
    dimension: rule.dimension,
    setting: settingOf(rule.dimension),
    limit: unit(limit),
    used: unit(used),
    remaining: unit(Math.max(0, limit - used)),
    reset_s: resetMs === null ? null : Math.ceil(resetMs) / 1000,
  }
}
