import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { lineOf } from '../helpers/log.ts'
import { type RawUpstream, startRawUpstream } from '../helpers/raw-upstream.ts'
import { ask, expectFailure, expectTimeout, readMetrics, relayed, spillFiles, type Way, ways } from './setup.ts'
import { answerWhole, type Fault, faults, picture } from './upstream-faults.ts'

// Most of the time is spent waiting for time limits.
vi.setConfig({ maxConcurrency: 24 })

let upstream: RawUpstream
let gateway: TestGateway

beforeAll(async () => {
  const scripts = new Map(faults.map(({ name, script }) => [name, script]))
  upstream = await startRawUpstream(call => {
    const name = /an upstream that ([^"]+)/.exec(call.body.toString())?.[1] ?? ''
    return (scripts.get(name) ?? answerWhole)(call)
  })
  gateway = await startGateway({
    upstream: upstream.url,
    // A part of the picture fits into memory: every answer is spilled too.
    answers: { memoryBytes: 65_536 },
    upstreamConfig: {
      timeouts: { connectSeconds: 1, firstByteSeconds: 0.8, idleSeconds: 0.8, totalSeconds: 1.8 },
    },
  })
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

describe.for(ways)('$name', { concurrent: true }, way => {
  test.for(faults)('an upstream that $name', async fault => {
    const { id, answer } = await ask(gateway, way, `an upstream that ${fault.name}`)
    const line = await lineOf(gateway, id)
    const call = upstream.calls.find(({ body }) => body.includes(`an upstream that ${fault.name}"`))
    switch (expectation(fault, way)) {
      case 'fine':
        expect({ status: answer.status, whole: answer.whole }).toEqual({ status: 200, whole: true })
        expect(way.pictureOf(answer.body.toString()) === picture.base64).toBe(true)
        expect(line).toMatchObject({ outcome: 'ok', status: 200, images: 1 })
        break
      case 'failed':
        expectFailure(way, answer)
        expect(line).toMatchObject({
          outcome: 'failed',
          status: answer.status,
          images: 0,
          errorKind: 'upstream-failed',
        })
        break
      case 'timeout':
        expectTimeout(way, answer)
        expect(line).toMatchObject({ outcome: 'timeout', status: 504, images: 0, errorKind: 'upstream-timeout' })
        break
      case 'cut':
        expect(answer.whole).toBe(false)
        expect(line).toMatchObject({ outcome: 'failed', images: 0, errorKind: 'upstream-failed' })
        break
      case 'cut by time':
        expect(answer.whole).toBe(false)
        expect(line).toMatchObject({ outcome: 'timeout', images: 0, errorKind: 'upstream-timeout' })
    }
    if (fault.is !== 'fine' && !fault.reusable) await call?.closed
    const next = await ask(gateway, way, 'the next request')
    expect(way.pictureOf(next.answer.body.toString()) === picture.base64).toBe(true)
  })
})

test('nothing is left over: no call, no file, no memory but that of idle connections; and the metrics agree with the log', async () => {
  expect(spillFiles(gateway)).toEqual([])
  await upstream.hangUp()
  const metrics = await readMetrics(gateway)
  expect(metrics('plantain_answer_bytes_in_memory')).toBe(0)
  expect(metrics('plantain_upstream_in_flight')).toBe(0)
  const lines = gateway.log.filter(({ msg }) => msg === 'exchange')
  for (const outcome of ['ok', 'failed', 'timeout']) {
    const logged = lines.filter(line => line.outcome === outcome).length
    expect(logged).toBeGreaterThan(0)
    expect(metrics('plantain_requests_total', { outcome })).toBe(logged)
  }
  expect(lines).toHaveLength(ways.length * faults.length * 2)
})

/** Only the relay has sent something on when an upstream dies in the body: a translated answer is held until it is whole. */
function expectation({ is }: Fault, way: Way): Fault['is'] {
  if (way === relayed) return is
  return is === 'cut' ? 'failed' : is === 'cut by time' ? 'timeout' : is
}
