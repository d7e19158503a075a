import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shareOf } from '../../src/workers/shares.ts'
import { load, withUpstream } from '../config/setup.ts'

test('what all workers may use together is what one process might', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 128 }), fc.integer({ min: 128, max: 4_096 }), (workers, connections) => {
      const whole = load(withUpstream('google', `connections: ${connections}`), {
        env: { PLANTAIN_WORKERS: String(workers) },
      })
      const share = shareOf(whole)
      for (const of of [
        (config: typeof whole) => config.answers.memoryBytes,
        (config: typeof whole) => config.answers.spillBytes,
        (config: typeof whole) => config.requests.memoryBytes,
        (config: typeof whole) => config.upstreams[0]?.connections ?? 0,
      ]) {
        expect(of(share) * workers).toBeLessThanOrEqual(of(whole))
        expect(of(share) * workers).toBeGreaterThan(of(whole) - workers)
      }
    }),
    { numRuns: 30 },
  )
})

test('who may wait for a limit may do so at every worker, and who may not at none', () => {
  const queueOf = (max: number) => {
    const yaml = `callers: [{ id: a, key: key-of-a-caller, queue: { max: ${max} } }]`
    return shareOf(load(yaml, { env: { PLANTAIN_WORKERS: '4' } })).callers[0]?.queue?.max
  }
  expect([0, 1, 4, 20].map(queueOf)).toEqual([0, 1, 1, 5])
})

test('each worker has a connection at least', () => {
  const whole = load(withUpstream('google', 'connections: 2'), { env: { PLANTAIN_WORKERS: '4' } })
  expect(shareOf(whole).upstreams[0]?.connections).toBe(1)
})
