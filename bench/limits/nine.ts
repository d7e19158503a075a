/** One caller's limits in nine dimensions, as the stores are asked for them with each exchange. */
import { createCalendars } from '../../src/limits/calendar.ts'
import type { Hold, Reservation, Settlement } from '../../src/limits/store.ts'

const { day, month } = createCalendars('UTC')
const plenty = 1e12

/** Four windows, two days, one lease and two budgets: all that a caller can be limited by, and one of a model's own. */
export function nineDimensions(caller: string): readonly Reservation[] {
  return [
    { kind: 'window', key: `${caller}:requests`, limit: plenty, cost: 1 },
    { kind: 'day', key: `${caller}:requests-day`, limit: plenty, cost: 1, calendar: day },
    { kind: 'window', key: `${caller}:images`, limit: plenty, cost: 1 },
    { kind: 'day', key: `${caller}:images-day`, limit: plenty, cost: 1, calendar: day },
    { kind: 'window', key: `${caller}:tokens`, limit: plenty, cost: 2_900 },
    { kind: 'lease', key: `${caller}:concurrent`, limit: plenty },
    { kind: 'budget', key: `${caller}:budget-day`, limit: plenty, cost: 134_000, calendar: day },
    { kind: 'budget', key: `${caller}:budget-month`, limit: plenty, cost: 134_000, calendar: month },
    { kind: 'window', key: `${caller}/a-model:requests`, limit: plenty, cost: 1 },
  ]
}

/** A success: what was counted stays, tokens and money come to something else than was guessed. */
export const success: Settlement = {
  actuals: [null, null, null, null, 1_400, null, 39_000, 39_000, null],
  failed: false,
}

let count = 0
/** As long as the ids of the gateway: the request's and one of the hold's own. */
export const holdOf = (reservations: readonly Reservation[]): Hold => ({
  id: `req_${'0'.repeat(24)}/${String(count++).padStart(36, '0')}`,
  side: 'caller',
  reservations,
})
