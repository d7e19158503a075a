/** Several processes' metrics as one's, out of real registries. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinMetrics } from '../../src/telemetry/joined-metrics.ts'
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts'
import { startRecord } from '../../src/telemetry/record.ts'
import { createWorkerMetrics } from '../../src/telemetry/worker-metrics.ts'

function processMetrics(facts: { bytes: number; degraded: boolean }): Metrics {
  return createMetrics({
    upstreamInFlight: () => [['google', 2]],
    answerBytesInMemory: () => facts.bytes,
    answerBytesSpilled: () => 0,
    limitStoreDegraded: () => facts.degraded,
  })
}

function serveOne(metrics: Metrics, caller: string, durationMs: number): void {
  metrics.exchange({ ...startRecord('r', 'openai', 'generate'), caller, outcome: 'ok', status: 200, durationMs })
}

const sampleOf = (text: string, start: string) => {
  const line = text.split('\n').find(it => it.startsWith(start))
  return line === undefined ? null : Number(line.slice(line.lastIndexOf(' ') + 1))
}

test('counters, histograms and gauges add up; a fault of one is a fault of all', async () => {
  const [one, other] = [processMetrics({ bytes: 10, degraded: false }), processMetrics({ bytes: 5, degraded: true })]
  serveOne(one, 'a caller "with" quotes', 200)
  serveOne(other, 'a caller "with" quotes', 20_000)
  serveOne(other, 'another', 200)
  const text = joinMetrics([await one.text(), await other.text()])
  expect(sampleOf(text, 'plantain_answer_bytes_in_memory ')).toBe(15)
  expect(sampleOf(text, 'plantain_upstream_in_flight{upstream="google"}')).toBe(4)
  expect(sampleOf(text, 'plantain_limit_store_degraded ')).toBe(1)
  expect(sampleOf(text, 'plantain_request_duration_seconds_bucket{le="0.25"')).toBe(2)
  expect(sampleOf(text, 'plantain_request_duration_seconds_bucket{le="+Inf"')).toBe(3)
  expect(sampleOf(text, 'plantain_request_duration_seconds_sum')).toBeCloseTo(20.4)
  const requests = text.split('\n').filter(line => line.startsWith('plantain_requests_total{'))
  expect(requests.map(line => Number(line.slice(line.lastIndexOf(' '))))).toEqual([2, 1])
  expect(sampleOf(text, 'nodejs_version_info')).toBe(1)
  for (const name of ['plantain_requests_total', 'process_resident_memory_bytes']) {
    expect(text.match(new RegExp(`^# TYPE ${name} `, 'gm'))).toHaveLength(1)
    expect(text.match(new RegExp(`^# HELP ${name} `, 'gm'))).toHaveLength(1)
  }
})

test('the metrics of one process are what they were', async () => {
  const metrics = processMetrics({ bytes: 10, degraded: false })
  serveOne(metrics, 'a', 200)
  const text = await metrics.text()
  const samples = (of: string) => of.split('\n').filter(line => line !== '')
  expect(samples(joinMetrics([text]))).toEqual(samples(text).map(line => line.replace(/ Nan$/, ' NaN')))
})

test('what was told once is never less, whichever workers end and begin anew', async () => {
  const step = fc.record({ worker: fc.nat(2), act: fc.constantFrom('serve', 'serve', 'scrape', 'end') })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
      const all = createWorkerMetrics({ workersUp: () => 3 })
      const counts = [0, 0, 0]
      const told = new Map<number, string>()
      let [before, kept] = [0, 0]
      const text = (count: number) => `# HELP c_total c\n# TYPE c_total counter\nc_total{a="b c"} ${count}\n`
      for (const { worker, act } of steps) {
        if (act === 'serve') counts[worker] = (counts[worker] ?? 0) + 1
        if (act === 'end') {
          const last = told.get(worker)
          if (last !== undefined) {
            all.keep(last)
            kept += sampleOf(last, 'c_total{') ?? 0
          }
          told.delete(worker)
          counts[worker] = 0
        }
        if (act !== 'scrape') continue
        for (const [index, count] of counts.entries()) told.set(index, text(count))
        const now = sampleOf(await all.join([...told.values()]), 'c_total{') ?? 0
        expect(now).toBe(kept + counts.reduce((sum, count) => sum + count, 0))
        expect(now).toBeGreaterThanOrEqual(before)
        before = now
      }
    }),
    { numRuns: 50 },
  )
})

test('the process that leads counts its memory and CPU, and how many serve', async () => {
  const metrics = createWorkerMetrics({ workersUp: () => 2 })
  metrics.restarted()
  const text = await metrics.join([])
  expect(sampleOf(text, 'plantain_workers ')).toBe(2)
  expect(sampleOf(text, 'plantain_worker_restarts_total ')).toBe(1)
  expect(sampleOf(text, 'process_resident_memory_bytes ')).toBeGreaterThan(1_000_000)
  expect(text).not.toContain('nodejs_')
})
