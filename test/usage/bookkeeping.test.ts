/** From an exchange to its row: whose, of which model, on which day. */
import { expect, test } from 'vitest'
import { createBookkeeping } from '../../src/bookkeeping.ts'
import { type ExchangeRecord, startRecord } from '../../src/telemetry/record.ts'
import { createMemoryKeeper } from '../../src/usage/memory-keeper.ts'

const ok = (more: Partial<ExchangeRecord> = {}): ExchangeRecord => ({
  ...startRecord('r', 'openai', 'generate'),
  caller: 'team-a',
  model: 'gemini-3-pro-image',
  modelKnown: true,
  outcome: 'ok',
  ...more,
})

async function rowsOf(zone: string, exchanges: readonly (readonly [atUtc: string, record: ExchangeRecord])[]) {
  const keeper = createMemoryKeeper()
  let nowMs = 0
  const books = createBookkeeping({ keeper, zone, nowMs: () => nowMs })
  for (const [at, record] of exchanges) {
    nowMs = Date.parse(at)
    books.exchange(record)
  }
  return keeper.read({ from: '2000-01-01', to: '2100-01-01', mostRows: 1000 })
}

test('a day begins and ends in the zone, also when it has 23 hours or 25', async () => {
  // Los Angeles in 2026: a day of 23 hours on 8 March, one of 25 on 1 November.
  const at = (time: string) => [time, ok()] as const
  const rows = await rowsOf('America/Los_Angeles', [
    at('2026-03-08T07:59:59Z'),
    at('2026-03-08T08:00:00Z'),
    at('2026-03-09T06:59:59Z'),
    at('2026-03-09T07:00:00Z'),
  ])
  expect(rows.map(({ day, counts }) => [day, counts.requests])).toEqual([
    ['2026-03-07', 1],
    ['2026-03-08', 2],
    ['2026-03-09', 1],
  ])
  const autumn = await rowsOf('America/Los_Angeles', [
    at('2026-11-01T06:59:59Z'),
    at('2026-11-01T07:00:00Z'),
    at('2026-11-02T07:59:59Z'),
    at('2026-11-02T08:00:00Z'),
  ])
  expect(autumn.map(({ day, counts }) => [day, counts.requests])).toEqual([
    ['2026-10-31', 1],
    ['2026-11-01', 2],
    ['2026-11-02', 1],
  ])
})

test('an exchange counts on the day on which it came', async () => {
  const rows = await rowsOf('UTC', [['2026-11-21T00:01:00Z', ok({ durationMs: 90_000 })]])
  expect(rows.map(({ day }) => day)).toEqual(['2026-11-20'])
})

test('models that callers invent are counted as one, and strangers not at all', async () => {
  const rows = await rowsOf('UTC', [
    ['2026-11-21T12:00:00Z', ok({ model: 'made-up-1', modelKnown: false })],
    ['2026-11-21T12:00:00Z', ok({ model: 'made-up-2', modelKnown: false, outcome: 'failed' })],
    ['2026-11-21T12:00:00Z', ok({ model: null, modelKnown: false, outcome: 'failed' })],
    ['2026-11-21T12:00:00Z', ok({ caller: null, outcome: 'failed' })],
  ])
  expect(rows).toHaveLength(1)
  expect(rows[0]).toMatchObject({ caller: 'team-a', model: 'other', counts: { requests: 3, failed: 2 } })
})

test('an upstream’s odd figures don’t spoil the sums', async () => {
  const odd = { inputTokens: Number.NaN, outputTokens: -5, totalTokens: 2 ** 60 }
  const [row] = await rowsOf('UTC', [
    ['2026-11-21T12:00:00Z', ok({ usage: odd, costMicroUsd: 1.5 })],
    ['2026-11-21T12:00:00Z', ok({ usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 }, costMicroUsd: 4 })],
  ])
  expect(row?.counts).toMatchObject({ inputTokens: 1, outputTokens: 2, tokens: 3, microUsd: 4 })
})
