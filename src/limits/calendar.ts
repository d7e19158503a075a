/** Calendar days and months of a time zone, as stretches of time. */

/** From `beginsMs` on, until before `endsMs`; milliseconds since 1970. */
export interface Period {
  /** `2026-11-21`, `2026-11` */
  readonly name: string
  readonly beginsMs: number
  readonly endsMs: number
}

/** The period in which a moment lies. */
export type Calendar = (atMs: number) => Period

export interface Calendars {
  readonly day: Calendar
  readonly month: Calendar
}

const hourMs = 3_600_000

/** @throws RangeError for a zone that Node does not know. */
export function createCalendars(zone: string): Calendars {
  // The Canadian way of writing dates is ISO's.
  const dates = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
  const dayOf = (atMs: number) => dates.format(atMs)
  return {
    // Where a zone moves over the date line, a day may have almost twice its hours.
    day: createCalendar(dayOf, 48 * hourMs),
    month: createCalendar(atMs => dayOf(atMs).slice(0, 7), 33 * 24 * hourMs),
  }
}

function createCalendar(nameOf: (atMs: number) => string, longestMs: number): Calendar {
  // Asked with every reservation, nearly always for the period of the time before.
  let last: Period | null = null
  return atMs => {
    if (last && atMs >= last.beginsMs && atMs < last.endsMs) return last
    const name = nameOf(atMs)
    const beginsMs = firstMs(atMs - longestMs, atMs, ms => nameOf(ms) === name)
    const endsMs = firstMs(atMs, atMs + longestMs, ms => nameOf(ms) !== name)
    last = { name, beginsMs, endsMs }
    return last
  }
}

/** The first whole millisecond above `from` at which something is the case that stays so until `to`. */
function firstMs(from: number, to: number, isSo: (atMs: number) => boolean): number {
  let [no, yes] = [Math.floor(from), Math.floor(to)]
  while (yes - no > 1) {
    const middle = Math.floor((no + yes) / 2)
    if (isSo(middle)) yes = middle
    else no = middle
  }
  return yes
}
