/** `GET /admin/usage`: what callers have used, by day, caller and model. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { RedisError } from '../redis/client.ts'
import { daysFrom, isDay, laterDay } from '../usage/days.ts'
import { type Counts, noCounts, sumCounts, TooManyRows, type UsageKeeper, type UsageRow } from '../usage/usage.ts'
import { badQuery, quoted, readQuery, wantsCsv } from './query.ts'
import { csvText, csvType, Refusal, usd } from './replies.ts'

export interface UsageParts {
  readonly usage: Pick<UsageKeeper, 'read'>
  /** The time zone whose days are counted. */
  readonly zone: string
  readonly today: () => string
  /** Those that there are. There may be usage of others, who were. */
  readonly callers: readonly { readonly id: string }[]
  /** Ids of the catalogue. */
  readonly modelIds: readonly string[]
  /** The id that usage of a model is counted under, by any of its names; null: the catalogue has no such model. */
  readonly modelIdOf: (name: string) => string | null
}

const parameters = ['caller', 'model', 'from', 'to', 'format']
const usualDays = 30
const mostDays = 400
/** Some 4 MB of JSON. */
const mostRows = 20_000

/** The handler of the route. */
export function createUsageAnswer({ usage, zone, today, callers, modelIds, modelIdOf }: UsageParts) {
  const callerIds = callers.map(({ id }) => id)

  /** @throws Refusal. */
  async function read(question: ReturnType<typeof readQuestion>): Promise<readonly UsageRow[]> {
    try {
      return await usage.read({ ...question, mostRows })
    } catch (error) {
      if (error instanceof TooManyRows) {
        const advice = 'Ask for fewer days, for one caller or for one model.'
        throw badQuery(`This comes to more than ${mostRows} rows. ${advice}`)
      }
      if (!(error instanceof RedisError)) throw error
      throw new Refusal(503, 'store_away', 'Redis does not answer, and usage lies there. Please try again soon.')
    }
  }

  function readQuestion(query: ReadonlyMap<string, string>) {
    const to = dayIn(query, 'to') ?? today()
    const from = dayIn(query, 'from') ?? laterDay(to, 1 - usualDays)
    if (from > to) throw badQuery(`from (${from}) is after to (${to}). Both days are part of the answer.`)
    if (daysFrom(from, to) > mostDays)
      throw badQuery(`These are ${daysFrom(from, to)} days: ask for ${mostDays} at most.`)
    const [caller, model] = [query.get('caller'), query.get('model')]
    return { from, to, ...(caller && { caller }), ...(model && { model: modelIdOf(model) ?? model }) }
  }

  /** An empty answer for a name that was only misspelt would be believed. */
  function checkNames({ caller, model }: { readonly caller?: string; readonly model?: string }): void {
    if (caller !== undefined && !callerIds.includes(caller)) {
      const known = callerIds.length > 0 ? ` Configured are: ${callerIds.join(', ')}.` : ''
      throw new Refusal(
        404,
        'unknown_caller',
        `No caller ${quoted(caller)} is configured or has used anything in these days.${known}`,
      )
    }
    if (model !== undefined && !modelIds.includes(model) && model !== 'other') {
      const known = `The catalogue has: ${modelIds.join(', ')}; what it does not have is counted as other.`
      throw new Refusal(404, 'unknown_model', `No model ${quoted(model)} is known or was used in these days. ${known}`)
    }
  }

  /** @throws Refusal. */
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const query = readQuery(request, parameters)
    const asCsv = wantsCsv(request, query)
    const question = readQuestion(query)
    const rows = await read(question)
    if (rows.length === 0) checkNames(question)
    const { from, to } = question
    if (asCsv) {
      const lines = rows.map(({ day, caller, model, counts }) => [day, caller, model, ...Object.values(fields(counts))])
      return reply.type(csvType).send(csvText(['day', 'caller', 'model', ...Object.keys(fields(noCounts))], lines))
    }
    return {
      zone,
      from,
      to,
      total: fields(rows.map(({ counts }) => counts).reduce(sumCounts, noCounts)),
      rows: rows.map(({ day, caller, model, counts }) => ({ day, caller, model, ...fields(counts) })),
    }
  }
}

function dayIn(query: ReadonlyMap<string, string>, name: string): string | undefined {
  const day = query.get(name)
  if (day === undefined || isDay(day)) return day
  throw badQuery(`${name} is ${quoted(day)}, and must be a day like 2026-11-21.`)
}

const fields = ({ requests, failed, images, inputTokens, outputTokens, tokens, microUsd }: Counts) => ({
  requests,
  failed,
  images,
  input_tokens: inputTokens,
  output_tokens: outputTokens,
  tokens,
  cost_usd: usd(microUsd),
})
