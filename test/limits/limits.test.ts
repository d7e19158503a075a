import { describe, expect, onTestFinished, test } from 'vitest'
import type { CallerLimits } from '../../src/config/config.ts'
import { GatewayError } from '../../src/images/error.ts'
import type { LimitEvent } from '../../src/limits/asking.ts'
import { type Decision, limitHeaders, type Refused, refusalError } from '../../src/limits/decision.ts'
import { createLimits, type Limits } from '../../src/limits/limits.ts'
import { createMemoryStore } from '../../src/limits/memory-store.ts'
import type { Demand } from '../../src/limits/rules.ts'
import type { LimitStore } from '../../src/limits/store.ts'

/** Limits in memory at a time that the test moves. */
function gateway({ store: given, leaseMs = 30_000 }: { store?: LimitStore; leaseMs?: number } = {}) {
  const clock = { nowMs: 1_700_000_000_000 }
  const now = () => clock.nowMs
  const store = given ?? createMemoryStore({ now, leaseMs })
  const events: LimitEvent[] = []
  const limits = createLimits({ store, now, observe: event => events.push(event) })
  onTestFinished(() => limits.close())
  return { limits, clock, store, events }
}

interface Asked extends Partial<Demand> {
  readonly caller?: string
  readonly id?: string
}

const later = Number.MAX_SAFE_INTEGER
const onePicture: Demand = { images: 1, tokens: 1, microUsd: null }

let requests = 0
function admit(
  limits: Limits,
  callerLimits: CallerLimits,
  { caller = 'team-a', id = `request-${requests++}`, ...demand }: Asked = {},
) {
  const exchange = { id, caller: { id: caller, limits: callerLimits }, model: 'a-model', deadlineMs: later }
  return limits.admit(exchange, { ...onePicture, ...demand })
}

async function refusal(decision: Promise<Decision>): Promise<Refused> {
  const decided = await decision
  return decided.admitted ? expect.fail('admitted') : decided
}

async function errorOf(decision: Promise<Decision>): Promise<GatewayError> {
  return refusalError(await refusal(decision))
}

const broken: LimitStore = {
  leaseMs: 30_000,
  reserve: () => Promise.reject(new Error('The store is away.')),
  settle: () => Promise.reject(new Error('The store is away.')),
  cancel: () => Promise.reject(new Error('The store is away.')),
  renew: () => Promise.reject(new Error('The store is away.')),
  standings: () => Promise.reject(new Error('The store is away.')),
  ready: () => false,
}

describe('requests per minute', () => {
  test('a caller who waits exactly retry-after is admitted, and one who comes sooner is not', async () => {
    const { limits, clock } = gateway()
    await admit(limits, { requestsPerMinute: 1 })
    clock.nowMs += 12_345
    const { retryAfterMs = 0 } = (await errorOf(admit(limits, { requestsPerMinute: 1 }))).facts
    clock.nowMs += retryAfterMs - 1
    await refusal(admit(limits, { requestsPerMinute: 1 }))
    clock.nowMs += 1
    expect((await admit(limits, { requestsPerMinute: 1 })).admitted).toBe(true)
  })

  test('the refusal says what ran out, how much there is and when to come back', async () => {
    const { limits, clock } = gateway()
    for (let n = 0; n < 60; n++) await admit(limits, { requestsPerMinute: 60 })
    clock.nowMs += 48_700
    const error = await errorOf(admit(limits, { requestsPerMinute: 60 }))
    expect(error).toBeInstanceOf(GatewayError)
    expect(error.kind).toBe('rate-limited')
    expect(error.message).toBe('Rate limit reached for requests: 60 per minute. Please try again in 12.3s.')
    expect(error.facts).toMatchObject({ dimension: 'requests', retryAfterMs: 12_300 })
    expect(error.facts.final).toBeUndefined()
  })

  test('a wait that SDKs would not keep tells them not to retry', async () => {
    const { limits } = gateway()
    await admit(limits, { requestsPerMinute: 1 })
    const error = await errorOf(admit(limits, { requestsPerMinute: 1 }))
    expect(error.facts).toMatchObject({ dimension: 'requests', retryAfterMs: 61_000, final: true })
  })

  test('callers do not use up each other’s requests', async () => {
    const { limits } = gateway()
    await admit(limits, { requestsPerMinute: 1 }, { caller: 'team-a' })
    await refusal(admit(limits, { requestsPerMinute: 1 }, { caller: 'team-a' }))
    expect((await admit(limits, { requestsPerMinute: 1 }, { caller: 'team-b' })).admitted).toBe(true)
  })

  test('a caller who sends the same request id again is counted again', async () => {
    const { limits } = gateway()
    await admit(limits, { requestsPerMinute: 2, concurrent: 9 }, { id: 'mine' })
    await admit(limits, { requestsPerMinute: 2, concurrent: 9 }, { id: 'mine' })
    await refusal(admit(limits, { requestsPerMinute: 2, concurrent: 9 }, { id: 'mine' }))
  })

  test('a request that was refused for its concurrency has not used up a minute’s request', async () => {
    const { limits } = gateway()
    const both = { requestsPerMinute: 2, concurrent: 1 }
    const first = await admit(limits, both)
    await refusal(admit(limits, both))
    await limits.settle(first, { outcome: 'ok' })
    expect((await admit(limits, both)).admitted).toBe(true)
  })
})

describe('concurrent requests', () => {
  test('a place is free when its exchange is settled, whatever came of it, and only once', async () => {
    const { limits } = gateway()
    for (const outcome of ['ok', 'refused', 'failed', 'timeout', 'left', 'limited'] as const) {
      const [first] = [await admit(limits, { concurrent: 2 }), await admit(limits, { concurrent: 2 })]
      await limits.settle(first, { outcome })
      await limits.settle(first, { outcome })
      const third = await admit(limits, { concurrent: 2 })
      await refusal(admit(limits, { concurrent: 2 }))
      await limits.close()
      expect(third.admitted).toBe(true)
    }
  })

  test('the refusal says how many, and gives a short wait because nobody knows the true one', async () => {
    const { limits } = gateway()
    await admit(limits, { concurrent: 1 })
    const error = await errorOf(admit(limits, { concurrent: 1 }))
    expect(error.message).toBe(
      'Rate limit reached for concurrent requests: 1 at a time. Please try again in 1s, or as soon as one of yours has finished.',
    )
    expect(error.facts).toMatchObject({ dimension: 'concurrent', retryAfterMs: 1000 })
  })

  test('a call that runs for longer than a lease keeps its place', async () => {
    const leaseMs = 1_500
    const store = createMemoryStore({ now: () => performance.now(), leaseMs })
    const { limits } = gateway({ store })
    const long = await admit(limits, { concurrent: 1 })
    const end = performance.now() + 2 * leaseMs
    while (performance.now() < end) {
      await refusal(admit(limits, { concurrent: 1 }))
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    await limits.settle(long, { outcome: 'ok' })
    expect((await admit(limits, { concurrent: 1 })).admitted).toBe(true)
  })

  test('closing gives back what is held', async () => {
    const { limits, store } = gateway()
    await admit(limits, { concurrent: 1 })
    await limits.close()
    const next = createLimits({ store, now: () => 0 })
    onTestFinished(() => next.close())
    expect((await admit(next, { concurrent: 1 })).admitted).toBe(true)
  })
})

describe('a store that is away', () => {
  test('a caller without limits does not notice', async () => {
    const { limits, events } = gateway({ store: broken })
    const decision = await admit(limits, {})
    expect(decision.admitted).toBe(true)
    expect(limitHeaders(decision)).toEqual({})
    await limits.settle(decision, { outcome: 'ok' })
    expect(events).toEqual([])
  })

  test('a caller with limits is turned away for a second, since nothing is let through uncounted', async () => {
    const { limits } = gateway({ store: broken })
    expect(limits.ready()).toBe(false)
    await expect(admit(limits, { requestsPerMinute: 9 })).rejects.toMatchObject({
      kind: 'overloaded',
      facts: { retryAfterMs: 1000 },
    })
  })

  test('an exchange whose time is over is turned away too', async () => {
    const { limits, clock } = gateway()
    const caller = { id: 'a', limits: { requestsPerMinute: 1 } }
    const late = { id: 'late', caller, model: 'a-model', deadlineMs: clock.nowMs }
    await expect(limits.admit(late, onePicture)).rejects.toMatchObject({ kind: 'overloaded' })
  })
})

describe('what is told', () => {
  test('an admitted answer carries the standing of its requests in OpenAI’s headers and in the IETF’s', async () => {
    const { limits, clock } = gateway()
    await admit(limits, { requestsPerMinute: 60, concurrent: 4 })
    clock.nowMs += 30_000
    expect(limitHeaders(await admit(limits, { requestsPerMinute: 60, concurrent: 4 }))).toEqual({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '58',
      'x-ratelimit-reset-requests': '1m1s',
      'ratelimit-policy': '"requests";q=60;w=60',
      ratelimit: '"requests";r=58;t=61',
    })
  })

  test('a refused answer carries them too, with nothing remaining', async () => {
    const { limits } = gateway()
    await admit(limits, { requestsPerMinute: 1 })
    const headers = limitHeaders(await refusal(admit(limits, { requestsPerMinute: 1 })))
    expect(headers).toMatchObject({ 'x-ratelimit-remaining-requests': '0', ratelimit: '"requests";r=0;t=61' })
  })

  test.each([
    [0, '0s'],
    [1, '1ms'],
    [350, '350ms'],
    [1000, '1s'],
    [12_345, '12.345s'],
    [60_000, '1m0s'],
    [360_000, '6m0s'],
    [4_000_500, '1h6m40.5s'],
  ])('a reset of %i ms is written %s', (resetMs, written) => {
    const rule = { scope: 'caller', dimension: 'requests', key: 'a:requests', limit: 1 } as const
    const standings = [{ rule, standing: { limit: 1, used: 1, resetMs } }]
    const headers = limitHeaders({ admitted: true, standings, held: null })
    expect(headers['x-ratelimit-reset-requests']).toBe(written)
  })

  test('each question to the store is told once, with what was asked or what refused', async () => {
    const { limits, events } = gateway()
    const both = { requestsPerMinute: 9, concurrent: 1 }
    await admit(limits, both)
    await refusal(admit(limits, both))
    const [requests, concurrent] = ['requests', 'concurrent'].map(dimension => ({ scope: 'caller', dimension }))
    expect(events).toMatchObject([
      { decision: 'admitted', rules: [requests, concurrent], storeMs: expect.any(Number) },
      { decision: 'refused', rules: [concurrent], storeMs: expect.any(Number) },
    ])
    const away = gateway({ store: broken })
    await expect(admit(away.limits, both)).rejects.toThrow()
    expect(away.events).toMatchObject([{ decision: 'error', rules: [requests, concurrent] }])
  })
})

describe('images, tokens and days', () => {
  test('images count as many as are asked for, and those that did not come are free again', async () => {
    const { limits } = gateway()
    const both = { imagesPerMinute: 5, imagesPerDay: 5 }
    const first = await admit(limits, both, { images: 4 })
    await refusal(admit(limits, both, { images: 2 }))
    await limits.settle(first, { outcome: 'ok', images: 3 })
    expect((await admit(limits, both, { images: 2 })).admitted).toBe(true)
  })

  test('a failed request gives back everything but its place in the minute', async () => {
    for (const outcome of ['refused', 'failed', 'timeout', 'left'] as const) {
      const { limits } = gateway()
      const all = {
        requestsPerMinute: 2,
        requestsPerDay: 1,
        imagesPerMinute: 1,
        imagesPerDay: 1,
        tokensPerMinute: 1_000,
        concurrent: 1,
        budgetMicroUsdPerDay: 50,
        budgetMicroUsdPerMonth: 50,
      }
      const asked = { tokens: 100, microUsd: 50 }
      await limits.settle(await admit(limits, all, asked), { outcome })
      const second = await admit(limits, all, asked)
      expect(second.admitted, outcome).toBe(true)
      await limits.settle(second, { outcome })
      expect((await refusal(admit(limits, all, asked))).rule.dimension).toBe('requests')
    }
  })

  test('a caller who left pays for what was painted, where that is the rule', async () => {
    const { limits } = gateway()
    const budget = { budgetMicroUsdPerDay: 100 }
    await limits.settle(await admit(limits, budget, { microUsd: 60 }), { outcome: 'left', chargedAnyway: true })
    await refusal(admit(limits, budget, { microUsd: 60 }))
  })

  test('tokens are settled by what the upstream counted', async () => {
    const { limits } = gateway()
    const tokens = { tokensPerMinute: 3000 }
    await limits.settle(await admit(limits, tokens, { tokens: 2000 }), { outcome: 'ok', tokens: 2900 })
    const error = await errorOf(admit(limits, tokens, { tokens: 200 }))
    expect(error.message).toMatch(/^Rate limit reached for tokens: 3000 per minute/)
    expect(error.facts.dimension).toBe('tokens')
  })

  test('a request that no window can hold is told so, and not to come back', async () => {
    const { limits } = gateway()
    const error = await errorOf(admit(limits, { imagesPerMinute: 3 }, { images: 4 }))
    expect([error.kind, error.facts.code, error.facts.param]).toEqual(['invalid-request', 'invalid_value', 'n'])
    expect(error.message).toContain('comes to 4 images, and your limit is 3 per minute (images_per_minute)')
    expect(error.facts.retryAfterMs).toBeUndefined()
  })

  test('limits for some models count beside the caller’s own', async () => {
    const { limits } = gateway()
    const caller = {
      id: 'a',
      limits: { imagesPerMinute: 9 },
      modelLimits: [{ model: 'pro-*', limits: { imagesPerDay: 1 } }],
    }
    const ask = (model: string) => limits.admit({ id: 'x', caller, model, deadlineMs: later }, onePicture)
    expect((await ask('pro-1')).admitted).toBe(true)
    const refused = await refusal(ask('pro-2'))
    expect(refusalError(refused).message).toContain('Rate limit reached for images of pro-*: 1 per day.')
    const other = await ask('flash')
    expect(other.admitted).toBe(true)
    expect(limitHeaders(other)['x-ratelimit-remaining-images']).toBe('7')
  })

  test('headers tell of the rule with the least left', async () => {
    const { limits } = gateway()
    const headers = limitHeaders(
      await admit(limits, { requestsPerMinute: 60, requestsPerDay: 9, imagesPerMinute: 5 }, { images: 2 }),
    )
    expect(headers).toMatchObject({
      'x-ratelimit-limit-requests': '9',
      'x-ratelimit-remaining-requests': '8',
      'x-ratelimit-limit-images': '5',
      'x-ratelimit-remaining-images': '3',
      'ratelimit-policy': '"requests";q=60;w=60, "requests-day";q=9;w=86400, "images";q=5;w=60',
    })
  })
})

test('an upstream’s odd figures end no call badly: what was reserved stands, and the place is free', async () => {
  const { limits } = gateway()
  const all = { concurrent: 1, tokensPerMinute: 1000, budgetMicroUsdPerDay: 1000 }
  for (const odd of [1.5, -1, Number.NaN, 2 ** 60]) {
    const decision = await admit(limits, all, { tokens: 100, microUsd: 100 })
    await limits.settle(decision, { outcome: 'ok', tokens: odd, microUsd: odd })
  }
  const { standings } = await admit(limits, all, { tokens: 100, microUsd: 100 })
  expect(standings.map(({ rule, standing }) => [rule.dimension, standing.used])).toEqual([
    ['tokens', 500],
    ['concurrent', 1],
    ['budget-day', 500],
  ])
})

describe('budgets', () => {
  test('money is held by the guess, spent by what it came to, and no retry helps when it is gone', async () => {
    const { limits } = gateway()
    const budget = { budgetMicroUsdPerDay: 100_000 }
    const first = await admit(limits, budget, { microUsd: 67_000 })
    const meanwhile = await errorOf(admit(limits, budget, { microUsd: 67_000 }))
    expect(meanwhile.facts).toMatchObject({ retryAfterMs: 1000, final: false })
    await limits.settle(first, { outcome: 'ok', microUsd: 20_000 })
    await limits.settle(await admit(limits, budget, { microUsd: 67_000 }), { outcome: 'ok', microUsd: 70_000 })
    const error = await errorOf(admit(limits, budget, { microUsd: 67_000 }))
    expect(error.kind).toBe('quota-exhausted')
    expect(error.facts).toMatchObject({ final: true, quota: 'PlantainCaller-BudgetPerDay' })
    expect(error.message).toMatch(/^Your budget of \$0\.1 per day is used up/)
  })

  test('a request that costs nothing by the catalogue is admitted while there is any budget left', async () => {
    const { limits } = gateway()
    const budget = { budgetMicroUsdPerMonth: 10 }
    expect((await admit(limits, budget, { microUsd: null })).admitted).toBe(true)
    const error = await errorOf(admit(limits, budget, { microUsd: 11 }))
    expect(error.message).toContain('is less than what this request alone may cost')
  })
})

describe('upstreams', () => {
  const upstream = {
    name: 'google',
    keys: ['k1', 'k2', 'k3'],
    keySettings: [
      { project: 'one', limits: {} },
      { project: 'one', limits: {} },
      { project: 'two', limits: { requestsPerMinute: 1 } },
    ],
    limits: { concurrent: 5 },
    projectLimits: { requestsPerMinute: 2 },
  }
  const open = () => {
    const store = createMemoryStore({ now: () => 0 })
    const limits = createLimits({ store, now: () => 0, upstreams: [upstream] })
    onTestFinished(() => limits.close())
    return limits
  }
  const call = (limits: Limits, name = 'google') =>
    limits.admitCall({ id: 'x', upstream: name, images: 1, deadlineMs: later })

  test('keys with room are preferred, and keys of one project share its quota', async () => {
    const limits = open()
    const keys: (number | null)[] = []
    for (let n = 0; n < 3; n++) {
      const decision = await call(limits)
      if (decision.admitted) keys.push(decision.key)
    }
    expect(keys.filter(key => key === 2)).toHaveLength(1)
    expect(keys.filter(key => key !== 2)).toHaveLength(2)
    const refused = await call(limits)
    const error = refused.admitted ? expect.fail() : refusalError(refused)
    expect(error.message).toContain('of the upstream google')
    expect(error.facts).toMatchObject({ notSent: true })
  })

  test('a call that was not sent was never counted, one that failed was', async () => {
    const limits = open()
    for (let n = 0; n < 9; n++) await limits.settleCall(await call(limits), { outcome: 'not-sent' })
    for (let n = 0; n < 3; n++) await limits.settleCall(await call(limits), { outcome: 'failed' })
    expect((await call(limits)).admitted).toBe(false)
  })

  test('an upstream without limits takes every call, with whatever key', async () => {
    expect(await call(open(), 'other')).toMatchObject({ admitted: true, key: null, held: null })
  })
})
