/** Ten thousand exchanges of all outcomes: what operators are told they cost is what budgets were charged, and what failures cost beside. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createBookkeeping } from '../../src/bookkeeping.ts'
import { createAdmission } from '../../src/gateway/admission.ts'
import type { Exchange } from '../../src/gateway/exchange.ts'
import { GatewayError, type Outcome, outcomeOf } from '../../src/images/error.ts'
import type { Usage } from '../../src/images/result.ts'
import { createLimits } from '../../src/limits/limits.ts'
import { createMemoryStore } from '../../src/limits/memory-store.ts'
import { startRecord } from '../../src/telemetry/record.ts'
import { createMemoryKeeper } from '../../src/usage/memory-keeper.ts'
import { noCounts, sumCounts } from '../../src/usage/usage.ts'
import { catalogue } from '../models/shipped.ts'

const nowMs = Date.parse('2026-11-21T12:00:00Z')
const budget = 1e12

/** The same numbers each time. */
function createDice(seed: number): (sides: number) => number {
  let state = seed
  return sides => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

const usageOf = (input: number, words: number, pictures: number): Usage => ({
  inputTokens: input,
  outputTokens: words + pictures,
  totalTokens: input + words + pictures,
  inputDetails: { textTokens: input, imageTokens: 0 },
  outputDetails: { textTokens: words, imageTokens: pictures },
})

test('ten thousand mixed outcomes add up to what budgets were charged, and what refusals and lost answers cost beside, to the millionth', async () => {
  const dice = createDice(7)
  const keeper = createMemoryKeeper()
  const books = createBookkeeping({ keeper, zone: 'UTC', nowMs: () => nowMs })
  const limits = createLimits({ store: createMemoryStore({ now: () => nowMs }), now: () => nowMs })
  const admitted = createAdmission({
    limits,
    places: { memory: { full: false }, spill: { full: false } } as Parameters<typeof createAdmission>[0]['places'],
  })
  const models = ['gemini-3-pro-image', 'gemini-2.5-flash-image', 'gpt-image-2'].map(name => catalogue.resolve(name))
  const callers = ['a', 'b', 'c'].map((id, index) => ({
    id,
    models: null,
    limits: { budgetMicroUsdPerDay: budget, imagesPerDay: 1e9 },
    chargeOnDisconnect: index > 0,
  }))
  const seen = new Map<Outcome, number>()
  let told = noCounts
  let beside = 0

  async function one(): Promise<void> {
    const [caller, resolution] = [callers[dice(3)], models[dice(3)]]
    if (!caller || !resolution) return
    const record = startRecord(randomUUID(), 'openai', 'generate')
    record.caller = caller.id
    record.model = resolution.id
    record.modelKnown = true
    const exchange: Exchange = {
      record,
      caller,
      signal: new AbortController().signal,
      deadlineMs: nowMs + 60_000,
      trail: '',
      headers: new Map(),
      strict: false,
      dryRun: null,
      ignored: new Set(),
      patience: null,
    }
    const wanted = { promptChars: dice(4000), references: dice(3), count: 1 + dice(4), search: dice(10) === 0 }
    const fate = dice(6)
    const work = async () => {
      const usage = usageOf(dice(5000), dice(900), 1290 * wanted.count)
      switch (fate) {
        case 0:
        case 1:
          record.images = wanted.count
          record.usage = usage
          return
        case 2:
          record.images = wanted.count
          return
        case 3:
          record.usageOfFailures.push(usageOf(dice(5000), dice(900), 0))
          throw new GatewayError('content-refused', 'no')
        case 4:
          record.begun = 1 + dice(wanted.count)
          throw new GatewayError('caller-left', 'gone')
        default:
          throw new GatewayError(dice(2) === 0 ? 'upstream-failed' : 'upstream-timeout', 'broken')
      }
    }
    try {
      await admitted(exchange, { resolution, wanted }, work)
      record.outcome = 'ok'
    } catch (error) {
      record.outcome = outcomeOf(error)
      record.images = 0
    }
    const cost = record.costMicroUsd ?? 0
    if (record.outcome === 'refused' || (record.outcome === 'left' && !caller.chargeOnDisconnect)) beside += cost
    if (record.outcome === 'failed' || record.outcome === 'timeout') expect(record.costMicroUsd).toBeUndefined()
    else expect(cost).toBeGreaterThan(0)
    told = sumCounts(told, { ...noCounts, requests: 1, images: record.images, microUsd: cost })
    seen.set(record.outcome, (seen.get(record.outcome) ?? 0) + 1)
    books.exchange(record)
  }
  for (let n = 0; n < 10_000; n += 50) await Promise.all(Array.from({ length: 50 }, one))

  expect([...seen.keys()].toSorted()).toEqual(['failed', 'left', 'ok', 'refused', 'timeout'])
  const rows = await keeper.read({ from: '2026-11-21', to: '2026-11-21', mostRows: 100 })
  const sum = rows.map(({ counts }) => counts).reduce(sumCounts, noCounts)
  expect(sum.requests).toBe(10_000)
  expect(sum).toMatchObject({ images: told.images, microUsd: told.microUsd })
  expect(sum.failed).toBe(10_000 - (seen.get('ok') ?? 0))

  let charged = 0
  for (const caller of callers) {
    const standings = await limits.standings(caller, null)
    const money = standings.find(({ rule }) => rule.dimension === 'budget-day')?.standing.used ?? Number.NaN
    charged += money
  }
  expect(beside).toBeGreaterThan(0)
  expect(sum.microUsd).toBe(charged + beside)
})
