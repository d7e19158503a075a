import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCalendars } from '../../src/limits/calendar.ts'

const iso = (text: string) => Date.parse(text)

describe('days and months of a zone', () => {
  test('begin at its midnight, summer and winter', () => {
    const { day, month } = createCalendars('America/Los_Angeles')
    expect(day(iso('2026-11-21T12:00:00Z'))).toEqual({
      name: '2026-11-21',
      beginsMs: iso('2026-11-21T08:00:00Z'),
      endsMs: iso('2026-11-22T08:00:00Z'),
    })
    expect(day(iso('2026-07-01T06:59:59.999Z')).name).toBe('2026-06-30')
    expect(day(iso('2026-07-01T07:00:00Z')).name).toBe('2026-07-01')
    expect(month(iso('2026-03-31T12:00:00Z'))).toEqual({
      name: '2026-03',
      beginsMs: iso('2026-03-01T08:00:00Z'),
      endsMs: iso('2026-04-01T07:00:00Z'),
    })
  })

  test.each([
    ['America/Los_Angeles', '2026-03-08T20:00:00Z', 23],
    ['America/Los_Angeles', '2026-11-01T20:00:00Z', 25],
    ['Australia/Lord_Howe', '2026-04-05T03:00:00Z', 24.5],
    ['UTC', '2026-03-08T20:00:00Z', 24],
  ])('in %s the day of %s has %d hours', (zone, at, hours) => {
    const { beginsMs, endsMs } = createCalendars(zone).day(iso(at))
    expect((endsMs - beginsMs) / 3_600_000).toBe(hours)
  })

  test('follow each other without a gap and without an overlap', () => {
    const zone = fc.constantFrom('UTC', 'America/Los_Angeles', 'Asia/Kolkata', 'Pacific/Apia', 'Atlantic/Azores')
    const moment = fc.integer({ min: iso('2000-01-01T00:00:00Z'), max: iso('2040-01-01T00:00:00Z') })
    void fc.assert(
      fc.property(zone, moment, (name, atMs) => {
        for (const calendar of Object.values(createCalendars(name))) {
          const period = calendar(atMs)
          expect(period.beginsMs).toBeLessThanOrEqual(atMs)
          expect(period.endsMs).toBeGreaterThan(atMs)
          expect(calendar(period.endsMs - 1)).toEqual(period)
          expect(calendar(period.endsMs)).toMatchObject({ beginsMs: period.endsMs })
          expect(calendar(period.beginsMs - 1)).toMatchObject({ endsMs: period.beginsMs })
        }
      }),
      { numRuns: 60 },
    )
  })
})
