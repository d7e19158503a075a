/** How much less is admitted than by an exact log of all admissions, which remembers each of them. */
import { createMemoryStore } from '../../src/limits/memory-store.ts'
import { defaultTimes } from '../../src/limits/store.ts'
import type { Findings } from '../figure.ts'

const { windowMs } = defaultTimes
const windows = 30
const limit = 120

/** When somebody asks, in milliseconds after the time before. Every one is asked of both. */
const schedules: Readonly<Record<string, (nth: number) => number>> = {
  'as fast as can be': () => 10,
  'bursts of 40': nth => (nth % 40 === 0 ? 7_000 : 1),
  'at random, twice the limit': () => -Math.log(1 - Math.random()) * (windowMs / limit / 2),
  'at random, at the limit': () => -Math.log(1 - Math.random()) * (windowMs / limit),
}

export async function measureUnderAdmission(): Promise<Findings> {
  const rows = await Promise.all(
    Object.entries(schedules).map(async ([name, gap]) => ({ name, ...(await compare(gap)) })),
  )
  return {
    figures: [
      {
        name: 'under-admission against an exact log, of the limit in each window',
        unit: '%',
        values: rows.map(({ log, store }) => (100 * Math.max(0, log - store)) / (windows * limit)),
        atMost: 100 / 60,
        judged: 'each',
      },
    ],
    details: [
      {
        title: `Admitted in ${windows} windows of ${limit}`,
        head: ['', 'exact log', 'sub-buckets'],
        rows: rows.map(({ name, log, store }) => [name, String(log), String(store)]),
      },
    ],
    notes: [
      'Under-admission is that of the memory store, on a clock of the bench’s: the contract holds both stores to one model.',
    ],
  }
}

async function compare(gap: (nth: number) => number): Promise<{ log: number; store: number }> {
  let nowMs = 1_790_000_000_000
  const endMs = nowMs + windows * windowMs
  const store = createMemoryStore({ now: () => nowMs })
  const logged: number[] = []
  let admitted = 0
  for (let nth = 0; nowMs < endMs; nowMs += gap(nth++)) {
    const [oldest] = logged.slice(-limit)
    if (logged.length < limit || oldest === undefined || oldest <= nowMs - windowMs) logged.push(nowMs)
    const verdict = await store.reserve(
      { id: String(nth), side: 'caller', reservations: [{ kind: 'window', key: 'requests', limit, cost: 1 }] },
      1_000,
    )
    if (verdict.outcome === 'admitted') admitted += 1
  }
  return { log: logged.length, store: admitted }
}
