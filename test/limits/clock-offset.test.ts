import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createClockOffset } from '../../src/limits/clock-offset.ts'

const answer = (setByMs: fc.Arbitrary<number>) =>
  fc.record({
    setByMs,
    thereMs: fc.double({ min: 0, max: 200, noNaN: true }),
    backMs: fc.double({ min: 0, max: 200, noNaN: true }),
    pauseMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
  })

/** For any run of answers: by how much a deadline holds longer over there than here, after each of them. */
function check(setByMs: fc.Arbitrary<number>, law: (tooLateMs: number, thereMs: number, backMs: number) => void) {
  const property = fc.property(fc.array(answer(setByMs), { maxLength: 30, size: 'max' }), answers => {
    const offset = createClockOffset()
    let ours = 5_000
    let ahead = 1_700_000_000_000
    for (const { setByMs, thereMs, backMs, pauseMs } of answers) {
      ahead += setByMs
      const sentAt = ours + pauseMs
      const readAt = sentAt + thereMs + backMs
      offset.learn(Math.floor(sentAt + thereMs + ahead), sentAt, readAt)
      ours = readAt
      law(offset.toTheirs(ours) - (ours + ahead), thereMs, backMs)
    }
  })
  void fc.assert(property, { numRuns: 300 })
}

test('before the first answer nothing is in time over there', () => {
  expect(createClockOffset().toTheirs(1_000_000)).toBe(0)
})

test('a deadline is never later over there than here, and earlier by no more than an answer’s way back', () => {
  check(fc.constant(0), (tooLateMs, _thereMs, backMs) => {
    expect(tooLateMs).toBeLessThanOrEqual(0.001)
    expect(tooLateMs).toBeGreaterThanOrEqual(-backMs - 2.001)
  })
})

test('a clock that is set is noticed by the next answer, up to what can be told from a slow one', () => {
  check(fc.oneof(fc.constant(0), fc.integer({ min: -3_600_000, max: 3_600_000 })), (tooLateMs, thereMs, backMs) => {
    expect(tooLateMs).toBeLessThanOrEqual(thereMs + 1.001)
    expect(tooLateMs).toBeGreaterThanOrEqual(-backMs - 2.001)
  })
})
