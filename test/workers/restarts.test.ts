import { expect, test } from 'vitest'
import { createRestarts } from '../../src/workers/restarts.ts'

test('who ends again and again is waited for ever longer, up to half a minute; who lived well begins anew', () => {
  let nowMs = 0
  const restarts = createRestarts(() => nowMs)
  const waits = (livedMs: number) => {
    restarts.started()
    nowMs += livedMs
    return restarts.waitMs()
  }
  expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(() => waits(1_000))).toEqual([
    200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000,
  ])
  expect(waits(60_000)).toBe(200)
  expect(waits(1_000)).toBe(200)
  expect(waits(1_000)).toBe(400)
})
