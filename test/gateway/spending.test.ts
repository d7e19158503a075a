/** Images and money as callers see them: counted by what was painted, told on the answer, and given back where nothing came. */
import { expect, test } from 'vitest'
import type { CallerLimits } from '../../src/config/config.ts'
import { answerWith } from '../fixtures/gemini.ts'
import { ask } from '../helpers/callers.ts'
import { callerOf } from '../helpers/gateway.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'

const caller = (id: string, limits: CallerLimits) => callerOf(id, { limits })

const { gateway, upstream } = await scriptedGateway(answerWith('answers/tiny-picture.json'), {
  upstreamConfig: {
    keys: ['k1', 'k2'],
    keySettings: [
      { project: 'one', limits: {} },
      { project: 'two', limits: { requestsPerDay: 2 } },
    ],
    projectLimits: { imagesPerDay: 20 },
  },
  callers: [
    caller('painter', { imagesPerMinute: 3 }),
    caller('poor', { budgetMicroUsdPerDay: 100_000 }),
    caller('google', { budgetMicroUsdPerDay: 100_000 }),
    caller('unlucky', { imagesPerDay: 1, budgetMicroUsdPerDay: 100_000 }),
    caller('greedy', { imagesPerMinute: 2 }),
    caller('lucky', { budgetMicroUsdPerDay: 1_000_000 }),
    caller('free', {}),
  ],
})

const paint = (id: string, body: object = {}) =>
  ask(gateway, '/v1/images/generations', { prompt: 'A kite', ...body }, { authorization: `Bearer key-of-${id}` })
const generate = (id: string) =>
  ask(gateway, '/v1beta/models/nano-banana-2:generateContent', { contents: [] }, { 'x-goog-api-key': `key-of-${id}` })

test('images count as many as were asked for', async () => {
  const { status, headers } = await paint('painter', { n: 2 })
  expect(status).toBe(200)
  expect(headers.get('x-ratelimit-remaining-images')).toBe('1')
  const refused = await paint('painter', { n: 2 })
  expect(refused.status).toBe(429)
  expect(refused.json.error).toMatchObject({ type: 'images', code: 'rate_limit_exceeded' })
  expect((await paint('painter')).status).toBe(200)
})

test('what can never be served whole is a mistake in the request', async () => {
  const { status, json, headers } = await paint('greedy', { n: 3 })
  expect(status).toBe(400)
  expect(json.error).toMatchObject({ type: 'invalid_request_error', code: 'invalid_value', param: 'n' })
  expect(headers.get('retry-after')).toBeNull()
  expect(upstream.seen).toHaveLength(0)
})

test('the answer, the log and the metrics say what it cost, and a budget that is used up is final', async () => {
  const { headers, line } = await paint('poor')
  const cost = Number(headers.get('x-plantain-cost-usd'))
  expect(cost).toBeGreaterThan(0)
  expect(line).toMatchObject({ costUsd: cost })
  expect(await gateway.metric('plantain_cost_usd_total', { caller: 'poor' })).toBe(cost)
  const second = await paint('poor')
  expect(second.status).toBe(429)
  expect(second.json.error).toMatchObject({ type: 'insufficient_quota', code: 'insufficient_quota' })
  expect(second.headers.get('x-should-retry')).toBe('false')
})

test('a Gemini caller hears the same in Google’s words', async () => {
  expect((await generate('google')).status).toBe(200)
  const { status, json, headers } = await generate('google')
  expect(status).toBe(429)
  expect(json.error).toMatchObject({ status: 'RESOURCE_EXHAUSTED' })
  const [quota, retry] = json.error.details
  expect(quota.violations[0].quotaId).toBe('PlantainCaller-BudgetPerDay')
  expect(Number.parseFloat(retry.retryDelay) * 1000).toBe(Number(headers.get('retry-after-ms')))
  expect(headers.get('x-should-retry')).toBe('false')
})

test('what failed costs nothing and counts no image', async () => {
  upstream.script = answerWith('refusals/image-safety.json')
  for (let n = 0; n < 3; n++) expect((await paint('unlucky')).status).toBe(400)
  upstream.script = answerWith('errors/internal.json', 500)
  expect((await paint('unlucky')).status).toBe(502)
  upstream.script = answerWith('answers/tiny-picture.json')
  expect((await paint('unlucky')).status).toBe(200)
  expect((await paint('unlucky')).status).toBe(429)
})

test('a refusal costs its caller nothing, and is written down with what the upstream bills for it', async () => {
  upstream.script = answerWith('refusals/image-safety.json')
  const model = { model: 'gemini-3-pro-image' }
  const { headers, line } = await paint('lucky', model)
  // 9 tokens read at $2 for a million, 140 of thoughts at $12.
  expect(line).toMatchObject({ outcome: 'refused', inputTokens: 9, outputTokens: 140, costUsd: 0.001698 })
  expect(headers.get('x-plantain-cost-usd')).toBeNull()
  const relayed = await ask(
    gateway,
    '/v1beta/models/gemini-3-pro-image:generateContent',
    { contents: [] },
    { 'x-goog-api-key': 'key-of-lucky' },
  )
  expect(relayed.line).toMatchObject({ outcome: 'refused', inputTokens: 9, outputTokens: 140, costUsd: 0.001698 })

  // Of two calls one is refused: the caller pays for the picture, the upstream bills both.
  let calls = 0
  upstream.script = (request, response) =>
    answerWith(calls++ === 0 ? 'refusals/image-safety.json' : 'answers/tiny-picture.json')(request, response)
  const half = await paint('lucky', { ...model, n: 2 })
  expect(half.headers.get('x-plantain-images')).toBe('1/2')
  const paid = Number(half.headers.get('x-plantain-cost-usd'))
  expect(Number(half.line.costUsd)).toBeCloseTo(paid + 0.001698, 9)

  upstream.script = answerWith('errors/internal.json', 500)
  const failed = await paint('lucky', model)
  expect(failed.line).toMatchObject({ outcome: 'failed' })
  expect(failed.line).not.toHaveProperty('costUsd')
})

test('a key that is used up is left out, and when all are the caller hears how long', async () => {
  const keyOf = (index: number) => upstream.seen[index]?.headers['x-goog-api-key']
  for (let n = 0; n < 12; n++) await paint('free')
  const second = upstream.seen.map((_, index) => keyOf(index)).filter(key => key === 'k2')
  expect(second.length).toBeLessThanOrEqual(2)
  let last = await paint('free')
  for (let n = 0; n < 30 && last.status === 200; n++) last = await paint('free')
  expect(last.status).toBe(429)
  expect(last.json.error.message).toContain('of the upstream google')
  expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0)
})
