/** From what is known of an exchange to its row in the usage that operators are told. */
import { createCalendars } from './limits/calendar.ts'
import { modelLabel } from './telemetry/labels.ts'
import type { ExchangeRecord } from './telemetry/record.ts'
import type { UsageKeeper } from './usage/usage.ts'

export interface Bookkeeping {
  /** Of an exchange that has ended, well or not. Requests of strangers are nobody's usage, and dry runs are none. */
  exchange(record: ExchangeRecord): void
  /** The present day of the zone. */
  today(): string
}

export interface BookkeepingParts {
  readonly keeper: UsageKeeper
  readonly zone: string
  /** Since 1970. */
  readonly nowMs: () => number
}

export function createBookkeeping({ keeper, zone, nowMs }: BookkeepingParts): Bookkeeping {
  const { day } = createCalendars(zone)

  return {
    exchange({ caller, dryRun, model, modelKnown, outcome, images, usage, costMicroUsd, durationMs }) {
      if (caller === null || dryRun) return
      keeper.add({
        // The day on which it came. Budgets count that on which it was let in: another where it waited in line across midnight.
        day: day(Math.floor(nowMs() - durationMs)).name,
        caller,
        model: modelLabel(model, modelKnown),
        counts: {
          requests: 1,
          failed: outcome === 'ok' ? 0 : 1,
          images: whole(images),
          inputTokens: whole(usage?.inputTokens),
          outputTokens: whole(usage?.outputTokens),
          tokens: whole(usage?.totalTokens),
          microUsd: whole(costMicroUsd),
        },
      })
    },
    today: () => day(nowMs()).name,
  }
}

/** An upstream's odd figure is not to spoil the sums. */
const whole = (count = 0): number => (Number.isSafeInteger(count) && count > 0 ? count : 0)
