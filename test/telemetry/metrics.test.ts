/** The metrics: what an exchange adds to them, and that nothing a caller sends adds a series. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Usage } from '../../src/images/result.ts'
import { tokenCounts } from '../../src/telemetry/labels.ts'
import { createMetrics, type Metrics, type MetricsParams } from '../../src/telemetry/metrics.ts'
import { type ExchangeRecord, startRecord } from '../../src/telemetry/record.ts'

function quietMetrics(params: Partial<MetricsParams> = {}): Metrics {
  return createMetrics({
    upstreamInFlight: () => [],
    answerBytesInMemory: () => 0,
    answerBytesSpilled: () => 0,
    ...params,
  })
}

function served(facts: Partial<ExchangeRecord> = {}): ExchangeRecord {
  return {
    ...startRecord('req-1', 'openai', 'generate'),
    caller: 'team-a',
    modelAsked: 'nano-banana-2',
    model: 'gemini-3.1-flash-image',
    modelKnown: true,
    upstream: 'google',
    attempts: 1,
    outcome: 'ok',
    status: 200,
    images: 1,
    resolution: '1K',
    durationMs: 2010,
    upstreamMs: 2000,
    firstByteMs: 1900,
    ...facts,
  }
}

/** The series of the gateway's own metrics, with their values, without Node's. */
async function series(metrics: Metrics): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split('\n').filter(line => line.startsWith('plantain_'))
  return new Map(lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}

describe('an exchange', () => {
  test('is counted by protocol, operation, model, caller, outcome and status', async () => {
    const metrics = quietMetrics()
    metrics.exchange(served())
    const labels =
      'protocol="openai",operation="generate",model="gemini-3.1-flash-image",caller="team-a",outcome="ok",status="200"'
    expect((await series(metrics)).get(`plantain_requests_total{${labels}}`)).toBe(1)
  })

  test('adds its duration in seconds, and what the gateway itself took of it', async () => {
    const metrics = quietMetrics()
    metrics.exchange(served())
    const seen = await series(metrics)
    const labels = 'protocol="openai",operation="generate",model="gemini-3.1-flash-image",outcome="ok"'
    expect(seen.get(`plantain_request_duration_seconds_sum{${labels}}`)).toBeCloseTo(2.01)
    const overhead = 'plantain_gateway_overhead_seconds_sum{protocol="openai",operation="generate"}'
    expect(seen.get(overhead)).toBeCloseTo(0.01)
  })

  test('that reached no upstream says nothing about the overhead', async () => {
    const metrics = quietMetrics()
    metrics.exchange(served({ upstreamMs: null, outcome: 'limited', status: 429, images: 0 }))
    expect([...(await series(metrics)).keys()].filter(key => key.includes('overhead'))).toEqual([])
  })

  test('that waited for a limit says how long, and its wait is nobody’s overhead', async () => {
    const metrics = quietMetrics({ queueWaiting: () => [['team-b', 3]] })
    metrics.exchange(served({ durationMs: 5010, queuedMs: 3000 }))
    metrics.exchange(served())
    const seen = await series(metrics)
    expect(seen.get('plantain_queue_wait_seconds_sum{caller="team-a",outcome="ok"}')).toBeCloseTo(3)
    expect(seen.get('plantain_queue_wait_seconds_count{caller="team-a",outcome="ok"}')).toBe(1)
    expect(seen.get('plantain_queue_waiting{caller="team-b"}')).toBe(3)
    const overhead = 'plantain_gateway_overhead_seconds_sum{protocol="openai",operation="generate"}'
    expect(seen.get(overhead)).toBeCloseTo(0.02)
  })

  test('counts its images by resolution', async () => {
    const metrics = quietMetrics()
    metrics.exchange(served({ images: 3, resolution: '4K' }))
    const labels = 'model="gemini-3.1-flash-image",caller="team-a",resolution="4K"'
    expect((await series(metrics)).get(`plantain_images_total{${labels}}`)).toBe(3)
  })

  test('counts its tokens by direction and modality, and what the upstream did not split as unsplit', async () => {
    const metrics = quietMetrics()
    const usage: Usage = {
      inputTokens: 10,
      outputTokens: 1300,
      totalTokens: 1310,
      outputDetails: { textTokens: 0, imageTokens: 1120 },
    }
    metrics.exchange(served({ usage }))
    const seen = await series(metrics)
    const tokens = (rest: string): number | undefined =>
      seen.get(`plantain_tokens_total{model="gemini-3.1-flash-image",${rest}}`)
    expect(tokens('direction="input",modality="unsplit"')).toBe(10)
    expect(tokens('direction="output",modality="image"')).toBe(1120)
    expect(tokens('direction="output",modality="unsplit"')).toBe(180)
    expect(tokens('direction="output",modality="text"')).toBeUndefined()
  })

  test('that was refused is counted by the reason the upstream gave', async () => {
    const metrics = quietMetrics()
    metrics.exchange(served({ outcome: 'refused', status: 400, images: 0, refusalReason: 'IMAGE_SAFETY' }))
    const labels = 'model="gemini-3.1-flash-image",reason="IMAGE_SAFETY"'
    expect((await series(metrics)).get(`plantain_refusals_total{${labels}}`)).toBe(1)
  })
})

test('the modalities of a direction add up to its tokens', () => {
  const details = fc.option(fc.record({ textTokens: fc.nat(1000), imageTokens: fc.nat(1000) }), { nil: undefined })
  fc.assert(
    fc.property(details, details, fc.nat(1000), fc.nat(1000), (inputDetails, outputDetails, moreIn, moreOut) => {
      const inputTokens = (inputDetails?.textTokens ?? 0) + (inputDetails?.imageTokens ?? 0) + moreIn
      const outputTokens = (outputDetails?.textTokens ?? 0) + (outputDetails?.imageTokens ?? 0) + moreOut
      const counts = tokenCounts({
        inputTokens,
        outputTokens,
        totalTokens: inputTokens + outputTokens,
        ...(inputDetails && { inputDetails }),
        ...(outputDetails && { outputDetails }),
      })
      const sum = (direction: string): number =>
        counts.filter(count => count.direction === direction).reduce((total, count) => total + count.tokens, 0)
      expect(sum('input')).toBe(inputTokens)
      expect(sum('output')).toBe(outputTokens)
    }),
  )
})

test('an upstream call is counted with its outcome and its two times', async () => {
  const metrics = quietMetrics()
  metrics.upstreamCall({
    upstream: 'google',
    model: 'gemini-3.1-flash-image',
    modelKnown: true,
    outcome: 'failed',
    status: 503,
    durationMs: 500,
    firstByteMs: 400,
  })
  metrics.upstreamCall({
    upstream: 'google',
    model: 'gemini-3.1-flash-image',
    modelKnown: true,
    outcome: 'timeout',
    status: null,
    durationMs: 1500,
    firstByteMs: null,
  })
  const seen = await series(metrics)
  const labels = 'upstream="google",model="gemini-3.1-flash-image"'
  expect(seen.get(`plantain_upstream_requests_total{${labels},outcome="failed",status="503"}`)).toBe(1)
  expect(seen.get(`plantain_upstream_requests_total{${labels},outcome="timeout",status="none"}`)).toBe(1)
  expect(seen.get(`plantain_upstream_duration_seconds_sum{${labels}}`)).toBeCloseTo(2)
  expect(seen.get(`plantain_upstream_first_byte_seconds_count{${labels}}`)).toBe(1)
})

test('a limit decision on two dimensions counts both and times the store once', async () => {
  const metrics = quietMetrics()
  metrics.limitDecision({ scope: 'caller', dimension: 'requests', decision: 'admitted', storeMs: 0.4 })
  metrics.limitDecision({ scope: 'caller', dimension: 'concurrent', decision: 'refused' })
  const seen = await series(metrics)
  const decisions = 'plantain_limit_decisions_total'
  expect(seen.get(`${decisions}{scope="caller",dimension="requests",decision="admitted"}`)).toBe(1)
  expect(seen.get(`${decisions}{scope="caller",dimension="concurrent",decision="refused"}`)).toBe(1)
  expect(seen.get('plantain_limit_store_duration_seconds_count')).toBe(1)
})

test('figures that others keep are read when somebody asks', async () => {
  let clockMs = 0
  const inFlight = new Map([['google', 2]])
  let spilled = 5
  const metrics = quietMetrics({
    upstreamInFlight: () => inFlight,
    answerBytesInMemory: () => 1024,
    answerBytesSpilled: () => spilled,
    now: () => clockMs,
  })
  const before = await series(metrics)
  expect(before.get('plantain_upstream_in_flight{upstream="google"}')).toBe(2)
  expect(before.get('plantain_answer_bytes_in_memory')).toBe(1024)
  expect(before.get('plantain_answer_bytes_spilled_total')).toBe(5)

  inFlight.clear()
  spilled = 7
  clockMs = 1000
  const after = await series(metrics)
  expect(after.has('plantain_upstream_in_flight{upstream="google"}')).toBe(false)
  expect(after.get('plantain_answer_bytes_spilled_total')).toBe(7)
})

test('a bound is told beside what it bounds, and a budget as configured', async () => {
  const metrics = quietMetrics({
    upstreamInFlightMax: [['google', 64]],
    answerBytesInMemoryMax: 4096,
    answerBytesOnDisk: () => 12,
    answerBytesOnDiskMax: 8192,
    requestBytesInMemory: () => 7,
    requestBytesInMemoryMax: 512,
    budgets: [{ caller: 'team-a', period: 'day', usd: 0.5 }],
  })
  const seen = await series(metrics)
  expect(Object.fromEntries([...seen].filter(([name]) => /_max|on_disk|request_bytes|budget/.test(name)))).toEqual({
    'plantain_upstream_in_flight_max{upstream="google"}': 64,
    plantain_answer_bytes_in_memory_max: 4096,
    plantain_answer_bytes_on_disk: 12,
    plantain_answer_bytes_on_disk_max: 8192,
    plantain_request_bytes_in_memory: 7,
    plantain_request_bytes_in_memory_max: 512,
    'plantain_caller_budget_usd{caller="team-a",period="day"}': 0.5,
  })
})

test('a download is counted by what became of it, its bytes where it came to its end', async () => {
  const metrics = quietMetrics()
  metrics.download({ outcome: 'ok', status: 200, bytes: 5 })
  metrics.download({ outcome: 'ok', status: 304, bytes: 0 })
  metrics.download({ outcome: 'left', status: 200, bytes: 5 })
  metrics.download({ outcome: 'failed', status: null, bytes: 0 })
  const seen = await series(metrics)
  const downloads = (rest: string) => seen.get(`plantain_asset_downloads_total{${rest}}`)
  expect(downloads('outcome="ok",status="200"')).toBe(1)
  expect(downloads('outcome="ok",status="304"')).toBe(1)
  expect(downloads('outcome="left",status="200"')).toBe(1)
  expect(downloads('outcome="failed",status="none"')).toBe(1)
  expect(seen.get('plantain_asset_bytes_total')).toBe(5)
})

test('usage that is not written yet, and usage that never will be, show', async () => {
  const seen = await series(quietMetrics({ usage: { unwritten: () => 7, lost: () => 3 } }))
  expect(seen.get('plantain_usage_unwritten_requests')).toBe(7)
  expect(seen.get('plantain_usage_lost_requests_total')).toBe(3)
})

test('many scrapers within a second share one text', async () => {
  let clockMs = 0
  let readings = 0
  const metrics = quietMetrics({
    now: () => clockMs,
    answerBytesInMemory: () => {
      readings += 1
      return 0
    },
  })
  await Promise.all([metrics.text(), metrics.text()])
  clockMs = 999
  await metrics.text()
  expect(readings).toBe(1)
  clockMs = 1000
  await metrics.text()
  expect(readings).toBe(2)
})

test("Node's own figures are there", async () => {
  expect(await quietMetrics().text()).toContain('nodejs_eventloop_lag_p99_seconds')
})

describe('cardinality', () => {
  test('nothing a caller or an upstream invents makes a new series', async () => {
    let clockMs = 0
    const metrics = quietMetrics({ now: () => clockMs })
    const invent = (round: number): void => {
      metrics.exchange(
        served({
          caller: null,
          model: `model-${round}`,
          modelKnown: false,
          outcome: 'refused',
          status: 1000 + round,
          resolution: `${round}K!`,
          refusalReason: `REASON_${round}`,
          usage: { inputTokens: round, outputTokens: round, totalTokens: 2 * round },
        }),
      )
      metrics.upstreamCall({
        upstream: 'google',
        model: `model-${round}`,
        modelKnown: false,
        outcome: 'ok',
        status: -round,
        durationMs: 1,
        firstByteMs: 1,
      })
    }
    invent(1)
    const first = (await series(metrics)).size
    for (let round = 2; round < 500; round++) invent(round)
    clockMs = 1000
    const later = await series(metrics)
    expect(later.size).toBe(first)
    expect([...later].filter(([key]) => key.startsWith('plantain_requests_total{'))).toEqual([
      [expect.stringContaining('model="other"'), 499],
    ])
  })

  test('every label of every metric is one whose values are bounded', async () => {
    const metrics = quietMetrics({ upstreamInFlight: () => [['google', 1]] })
    metrics.exchange(served({ outcome: 'refused', refusalReason: 'SAFETY' }))
    metrics.exchange(served({ usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 } }))
    metrics.upstreamCall({
      upstream: 'google',
      model: 'm',
      modelKnown: true,
      outcome: 'ok',
      status: 200,
      durationMs: 1,
      firstByteMs: 1,
    })
    metrics.limitDecision({ scope: 'caller', dimension: 'requests', decision: 'admitted', storeMs: 1 })
    const names = [...(await series(metrics)).keys()].flatMap(key =>
      [...key.matchAll(/(\w+)="/g)].map(([, name]) => name),
    )
    // Fixed words of the source, or names out of the configuration and the catalogue.
    const bounded = [
      'protocol',
      'operation',
      'outcome',
      'status',
      'resolution',
      'direction',
      'modality',
      'reason',
      'scope',
    ]
    const configured = ['dimension', 'decision', 'model', 'caller', 'upstream', 'le']
    expect(new Set(names)).toEqual(new Set([...bounded, ...configured]))
  })
})
