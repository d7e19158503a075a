/** What stands behind a question mark, read strictly: what is not understood is not passed over. */
import type { FastifyRequest } from 'fastify'
import { Refusal } from './replies.ts'

export type Query = ReadonlyMap<string, string>

/** @throws Refusal for a parameter that is not among them, that is there twice, or has no value. */
export function readQuery({ query }: FastifyRequest, known: readonly string[]): Query {
  const given = Object.entries(query as Record<string, string | string[]>)
  for (const [name, value] of given) {
    if (!known.includes(name)) throw badQuery(`There is no parameter ${quoted(name)}. There are: ${known.join(', ')}.`)
    if (typeof value !== 'string') throw badQuery(`The parameter ${name} is there twice.`)
    if (value === '') throw badQuery(`The parameter ${name} has no value. Leave it out, or give it one.`)
  }
  return new Map(given as [string, string][])
}

/** The parameter `format` decides, else the `accept` header. @throws Refusal. */
export function wantsCsv({ headers }: FastifyRequest, query: Query): boolean {
  const format = query.get('format')
  if (format === undefined) return weightOf('text/csv', headers.accept) > weightOf('application/json', headers.accept)
  if (format === 'csv' || format === 'json') return format === 'csv'
  throw badQuery(`format is ${quoted(format)}, and may be json or csv.`)
}

/** How much a type is wanted that is named as it is; what stars stand for is JSON's. */
function weightOf(type: string, accept = ''): number {
  for (const range of accept.toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';').map(text => text.trim())
    if (name !== type) continue
    const q = parameters.find(parameter => parameter.startsWith('q='))
    return q === undefined ? 1 : Number(q.slice(2)) || 0
  }
  return 0
}

/** For a question that makes no sense: what is wrong, and what would be right. */
export const badQuery = (message: string) => new Refusal(400, 'invalid_query', message)

const longestQuote = 80

/** What somebody wrote, as far as it can be shown. */
export const quoted = (text: string): string =>
  JSON.stringify(text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text)
