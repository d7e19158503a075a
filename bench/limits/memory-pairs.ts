/** How many pairs of reserve and settle a second of CPU brings in this process's memory. */
import { createMemoryStore } from '../../src/limits/memory-store.ts'
import type { Reservation } from '../../src/limits/store.ts'
import type { Figure, Findings } from '../figure.ts'
import { holdOf, nineDimensions, success } from './nine.ts'

const callers = Array.from({ length: 500 }, (_, nth) => nineDimensions(`caller-${nth}`))
const pairsEach = 40
/** Every caller comes once a second, by the store's clock. */
const msPerPair = 1000 / callers.length

export async function measureMemoryPairs(): Promise<Findings> {
  let nowMs = 1_790_000_000_000
  const store = createMemoryStore({ now: () => nowMs })
  async function call(reservations: readonly Reservation[]): Promise<void> {
    for (let nth = 0; nth < pairsEach; nth++) {
      const hold = holdOf(reservations)
      const { outcome } = await store.reserve(hold, 1_000)
      if (outcome !== 'admitted') throw new Error(`A hold for the bench was ${outcome}.`)
      nowMs += msPerPair
      await store.settle(hold, success)
    }
  }
  const round = async () => {
    const before = process.cpuUsage()
    await Promise.all(callers.map(call))
    const { user, system } = process.cpuUsage(before)
    return (callers.length * pairsEach * 1e6) / (user + system)
  }
  const values: number[] = []
  for (let nth = 0; nth < 5; nth++) await round()
  for (let nth = 0; nth < 100; nth++) values.push(await round())
  const name = 'memory store, 9 dimensions, 500 callers: pairs per CPU second'
  // No ratio: there is nothing to set it against. What else the machine does only ever takes away from it.
  const best: Figure = {
    name: `${name}, best of ${values.length} rounds`,
    unit: '/s',
    values: [Math.max(...values)],
    atLeast: 300_000,
  }
  return { figures: [best, { name: 'the same, all rounds', unit: '/s', values }], details: [], notes: [] }
}
