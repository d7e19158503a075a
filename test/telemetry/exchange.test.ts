/** What a real exchange leaves behind: its line in the log, with every fact of it, and its part in the metrics. */
import { expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { askOpenai } from '../helpers/callers.ts'
import { callerOf } from '../helpers/gateway.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'

const { gateway } = await scriptedGateway(answerWith('answers/image-only-jpeg.json'), {
  upstreamConfig: { connections: 16, limits: { concurrent: 8 } },
  callers: [callerOf('team-a', { limits: { requestsPerMinute: 100, budgetMicroUsdPerDay: 5_000_000 } })],
})

const asTeamA = { authorization: 'Bearer key-of-team-a' }

test("an exchange's line says who asked for what, who painted it, what came of it, what it cost and how long it took", async () => {
  const body = JSON.stringify({ prompt: 'A red kite', model: 'nano-banana-2', n: 2 })
  const { line, text, headers } = await askOpenai(gateway, JSON.parse(body), asTeamA)
  expect(line).toEqual({
    level: 'info',
    time: expect.any(String),
    msg: 'exchange',
    requestId: headers.get('x-request-id'),
    caller: 'team-a',
    protocol: 'openai',
    operation: 'generate',
    modelAsked: 'nano-banana-2',
    model: 'gemini-3.1-flash-image',
    upstream: 'google',
    attempts: 2,
    outcome: 'ok',
    status: 200,
    images: 2,
    resolution: expect.any(String),
    bytesIn: Buffer.byteLength(body),
    bytesOut: Buffer.byteLength(text),
    durationMs: expect.any(Number),
    upstreamMs: expect.any(Number),
    firstByteMs: expect.any(Number),
    inputTokens: 18,
    outputTokens: 2240,
    costUsd: Number(headers.get('x-plantain-cost-usd')),
  })
  expect(line.costUsd).toBeGreaterThan(0)
})

test('what happened to it is in the next scrape, and nothing is under way any more', async () => {
  const url = (await askOpenai(gateway, { response_format: 'url' }, asTeamA)).json.data[0].url
  const picture = await (await fetch(url)).arrayBuffer()
  await (await fetch(url, { method: 'HEAD' })).arrayBuffer()
  await (await fetch(`${url}0`)).arrayBuffer()

  expect(await gateway.metric('plantain_asset_downloads_total', { outcome: 'ok', status: '200' })).toBe(2)
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  const value = (series: string) =>
    Number(
      text
        .split('\n')
        .find(line => line.startsWith(`${series} `))
        ?.split(' ')[1],
    )
  expect(value('plantain_asset_downloads_total{outcome="failed",status="404"}')).toBe(1)
  expect(value('plantain_asset_bytes_total')).toBe(picture.byteLength)
  expect(value('plantain_upstream_in_flight{upstream="google"}')).toBe(0)
  expect(value('plantain_upstream_in_flight_max{upstream="google"}')).toBe(16)
  expect(value('plantain_caller_budget_usd{caller="team-a",period="day"}')).toBe(5)
  expect(
    value('plantain_limit_decisions_total{scope="upstream",dimension="concurrent",decision="admitted"}'),
  ).toBeGreaterThan(0)
  expect(value('plantain_answer_bytes_on_disk')).toBe(0)
  expect(value('plantain_request_bytes_in_memory')).toBe(0)
})
