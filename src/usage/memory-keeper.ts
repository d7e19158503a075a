/** Usage in this process's memory: of this gateway alone, and gone with it. */
import { laterDay } from './days.ts'
import { requestsIn, Tally } from './tally.ts'
import { sorted, TooManyRows, type UsageKeeper } from './usage.ts'

/** For so many days usage is kept. */
export const daysInMemory = 62
/** Some 300 bytes each. */
const mostRows = 50_000

/** When there are too many rows, the eldest day goes first: what is lost of it is not counted, for it was there to be read. */
export function createMemoryKeeper(): UsageKeeper {
  const tally = new Tally(mostRows)
  let today = ''
  let lost = 0

  function begin(day: string): void {
    today = day
    const first = laterDay(day, 1 - daysInMemory)
    tally.forget(row => row.day < first)
  }

  function forgetEldest(): number {
    const eldest = tally.first()?.day ?? today
    return eldest < today ? tally.forget(({ day }) => day === eldest) : 0
  }

  return {
    add(row) {
      if (row.day > today) begin(row.day)
      if (tally.add(row)) return
      if (forgetEldest() === 0 || !tally.add(row)) lost += requestsIn([row])
    },
    async read({ from, to, caller, model, mostRows: most }) {
      const rows = tally
        .rows()
        .filter(row => row.day >= from && row.day <= to)
        .filter(row => (caller ?? row.caller) === row.caller && (model ?? row.model) === row.model)
      if (rows.length > most) throw new TooManyRows(most)
      return sorted(rows)
    },
    unwritten: () => 0,
    lost: () => lost,
    close: async () => {},
  }
}
