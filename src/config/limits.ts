/** Limits as the file writes them and as the house counts them: one table for reading and for printing. */

import type { z } from 'zod'
import type { Limits } from './config.ts'
import { field, section, wholeNumber } from './fields.ts'

const most = 1_000_000_000
const microUsd = 1_000_000

const count = () => wholeNumber({ min: 1, max: most }).optional()

/** US dollars → micro-USD. */
const money = () =>
  field<number>(input => {
    const value = typeof input === 'string' && /^\d+(\.\d+)?$/.test(input) ? Number(input) : input
    const micro = typeof value === 'number' ? Math.round(value * microUsd) : Number.NaN
    if (micro >= 1 && micro <= most * microUsd) return { value: micro }
    return { fault: `must be a number of US dollars above 0 and up to ${most}, like 20 or 0.50` }
  }).optional()

const rates = {
  requests_per_minute: count(),
  requests_per_day: count(),
  images_per_day: count(),
  concurrent: count(),
}

/** What an upstream, a project or a key may be asked for. Calls are its requests. */
export const rateLimitsSchema = section(rates, ['images_per_minute', 'tokens_per_minute'])

export const callerLimitsSchema = section({
  requests_per_minute: rates.requests_per_minute,
  requests_per_day: rates.requests_per_day,
  images_per_minute: count(),
  images_per_day: rates.images_per_day,
  tokens_per_minute: count(),
  concurrent: rates.concurrent,
  budget_usd_per_day: money(),
  budget_usd_per_month: money(),
})

type Written = Partial<z.infer<typeof callerLimitsSchema>>

const names = {
  requests_per_minute: 'requestsPerMinute',
  requests_per_day: 'requestsPerDay',
  images_per_minute: 'imagesPerMinute',
  images_per_day: 'imagesPerDay',
  tokens_per_minute: 'tokensPerMinute',
  concurrent: 'concurrent',
  budget_usd_per_day: 'budgetMicroUsdPerDay',
  budget_usd_per_month: 'budgetMicroUsdPerMonth',
} as const satisfies Record<keyof Written, keyof Limits>

const pairs = Object.entries(names) as [keyof Written, keyof Limits][]

/** In the words and units of the house. */
export function toLimits(written: Written): Limits {
  return Object.fromEntries(pairs.flatMap(([key, name]) => (written[key] === undefined ? [] : [[name, written[key]]])))
}

/** In the file's own keys. */
export function limitFields(limits: Limits): Record<string, number> {
  const inFile = (name: keyof Limits, value: number) => (name.startsWith('budget') ? value / microUsd : value)
  return Object.fromEntries(
    pairs.flatMap(([key, name]) => {
      const value = limits[name]
      return value === undefined ? [] : [[key, inFile(name, value)]]
    }),
  )
}
