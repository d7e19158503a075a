/** Days as operators write them. */
import { expect, test } from 'vitest'
import { daysBetween, daysFrom, isDay, laterDay } from '../../src/usage/days.ts'

test.each(['2026-11-21', '2024-02-29', '2026-12-31', '0001-01-01'])('%s is a day', day => {
  expect(isDay(day)).toBe(true)
})

test.each([
  '',
  '2026-02-29',
  '2026-13-01',
  '2026-11-31',
  '2026-1-1',
  '21.11.2026',
  '2026-11-21T00:00',
  ' 2026-11-21',
  'today',
])('%j is none', day => {
  expect(isDay(day)).toBe(false)
})

test('days are counted over months, years and changes of the clock', () => {
  expect(laterDay('2026-02-28', 1)).toBe('2026-03-01')
  expect(laterDay('2026-01-01', -1)).toBe('2025-12-31')
  expect(daysFrom('2026-11-21', '2026-11-21')).toBe(1)
  expect(daysFrom('2026-01-01', '2026-12-31')).toBe(365)
  expect(daysBetween('2026-10-31', '2026-11-02')).toEqual(['2026-10-31', '2026-11-01', '2026-11-02'])
  expect(daysBetween('2026-11-02', '2026-11-01')).toEqual([])
})
