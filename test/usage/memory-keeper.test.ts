/** Usage in the process. */
import { expect, test } from 'vitest'
import { laterDay } from '../../src/usage/days.ts'
import { createMemoryKeeper, daysInMemory } from '../../src/usage/memory-keeper.ts'
import { keeperContract, row } from './keeper.contract.ts'

// Days later than the last are the present, whatever the calendar says.
keeperContract('in memory', async () => createMemoryKeeper())

test('days that are older than the retention are forgotten, and no others', async () => {
  const keeper = createMemoryKeeper()
  for (let n = 0; n < 100; n++) keeper.add(row('a', {}, { day: laterDay('2026-01-01', n) }))
  const rows = await keeper.read({ from: '2026-01-01', to: '2026-12-31', mostRows: 1000 })
  expect(rows).toHaveLength(daysInMemory)
  expect(rows.at(-1)?.day).toBe('2026-04-10')
})

test('with more rows than it keeps the eldest day gives way, and a day that is too large alone is counted as lost', async () => {
  const keeper = createMemoryKeeper()
  const fill = (day: string, callers: number) => {
    for (let n = 0; n < callers; n++) keeper.add(row(`caller-${n}`, {}, { day }))
  }
  fill('2026-11-20', 20_000)
  fill('2026-11-21', 40_000)
  const read = (day: string) => keeper.read({ from: day, to: day, mostRows: 100_000 })
  expect(await read('2026-11-20')).toHaveLength(0)
  expect(await read('2026-11-21')).toHaveLength(40_000)
  expect(keeper.lost()).toBe(0)
  fill('2026-11-21', 50_007)
  expect(keeper.lost()).toBe(7)
})
