/** Days as they are written: `2026-11-21`. A name says nothing of a zone, so days are counted as UTC's. */

const dayMs = 86_400_000

/** Is it the name of a day that there is? */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const ms = Date.parse(text)
  return !Number.isNaN(ms) && nameOf(ms) === text
}

/** The day so many days later; earlier, where that is below 0. */
export const laterDay = (day: string, days: number): string => nameOf(Date.parse(day) + days * dayMs)

/** How many days there are from one to the other, both counted. */
export const daysFrom = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / dayMs + 1

/** In order, both among them; none where `to` comes before `from`. */
export const daysBetween = (from: string, to: string): readonly string[] =>
  Array.from({ length: Math.max(0, daysFrom(from, to)) }, (_, index) => laterDay(from, index))

const nameOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)
