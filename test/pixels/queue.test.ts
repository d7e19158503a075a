/** The line before the encoders. */
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GatewayError } from '../../src/images/error.ts'
import { createPixelQueue, jobsAtOnce } from '../../src/pixels/queue.ts'

const never = new AbortController().signal
const roomy = { atOnce: 2, mostPixels: 100, mostPictures: 10 }

/** Work that lasts until it is told to end, and says whether it was begun. */
function job() {
  const gate = Promise.withResolvers<string>()
  const state = { begun: false }
  const work = () => {
    state.begun = true
    return gate.promise
  }
  return { work, state, end: () => gate.resolve('done') }
}

test('so many jobs run at a time, and the next begins when one ends', async () => {
  const places = createPixelQueue(roomy).enter(3)
  const jobs = [job(), job(), job()]
  const runs = jobs.map(({ work }) => places.run(10, never, work))
  await setImmediate()
  expect(jobs.map(({ state }) => state.begun)).toEqual([true, true, false])
  jobs[1]?.end()
  await runs[1]
  await setImmediate()
  expect(jobs.map(({ state }) => state.begun)).toEqual([true, true, true])
  for (const { end } of jobs) end()
  expect(await Promise.all(runs)).toEqual(['done', 'done', 'done'])
})

test('the pixels of all that run have a bound, and one that is beyond it runs alone', async () => {
  const places = createPixelQueue(roomy).enter(3)
  const [small, huge, last] = [job(), job(), job()]
  const runs = [places.run(60, never, small.work), places.run(500, never, huge.work), places.run(1, never, last.work)]
  await setImmediate()
  expect([small, huge, last].map(({ state }) => state.begun)).toEqual([true, false, false])
  small.end()
  await runs[0]
  await setImmediate()
  expect([huge, last].map(({ state }) => state.begun)).toEqual([true, false])
  huge.end()
  last.end()
  await Promise.all(runs)
})

test('a full line turns away with 503 and a wait, and is open again when places are given back', () => {
  const queue = createPixelQueue(roomy)
  const places = queue.enter(8)
  expect(() => queue.enter(3)).toThrow(GatewayError)
  expect(() => queue.enter(3)).toThrow(expect.objectContaining({ kind: 'overloaded', facts: { retryAfterMs: 2000 } }))
  queue.enter(2)
  places.leave()
  places.leave()
  queue.enter(8)
  expect(() => queue.enter(1)).toThrow(GatewayError)
})

test('who leaves while waiting is never begun, and those behind move up', async () => {
  const places = createPixelQueue({ ...roomy, atOnce: 1 }).enter(3)
  const leaving = new AbortController()
  const [first, second, third] = [job(), job(), job()]
  const running = places.run(1, never, first.work)
  const left = places.run(1, leaving.signal, second.work)
  const next = places.run(1, never, third.work)
  leaving.abort(new GatewayError('caller-left', 'gone'))
  await expect(left).rejects.toMatchObject({ kind: 'caller-left' })
  first.end()
  third.end()
  await Promise.all([running, next])
  expect(second.state.begun).toBe(false)
  await expect(places.run(1, leaving.signal, second.work)).rejects.toMatchObject({ kind: 'caller-left' })
})

test('who leaves while it runs is told so when the work has ended, and the place is free then', async () => {
  const places = createPixelQueue({ ...roomy, atOnce: 1 }).enter(2)
  const leaving = new AbortController()
  const [first, second] = [job(), job()]
  const left = places.run(1, leaving.signal, first.work)
  const next = places.run(1, never, second.work)
  await setImmediate()
  leaving.abort(new GatewayError('caller-left', 'gone'))
  await setImmediate()
  expect(second.state.begun).toBe(false)
  first.end()
  await expect(left).rejects.toMatchObject({ kind: 'caller-left' })
  second.end()
  expect(await next).toBe('done')
})

test('work that fails gives its place back', async () => {
  const places = createPixelQueue({ ...roomy, atOnce: 1 }).enter(2)
  await expect(places.run(1, never, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(await places.run(1, never, async () => 'done')).toBe('done')
})

test('whatever comes, no bound is passed and everything ends', async () => {
  const law = fc.asyncProperty(
    fc.array(fc.record({ pixels: fc.integer({ min: 0, max: 150 }), turns: fc.nat(4), fails: fc.boolean() }), {
      maxLength: 25,
    }),
    async jobs => {
      const places = createPixelQueue({ ...roomy, mostPictures: 100 }).enter(jobs.length)
      let [running, pixels] = [0, 0]
      const run = ({ pixels: own, turns, fails }: (typeof jobs)[number]) =>
        places.run(own, never, async () => {
          running += 1
          pixels += own
          expect(running).toBeLessThanOrEqual(2)
          if (running > 1) expect(pixels).toBeLessThanOrEqual(100)
          for (let turn = 0; turn < turns; turn++) await setImmediate()
          running -= 1
          pixels -= own
          if (fails) throw new Error('expected')
        })
      const results = await Promise.allSettled(jobs.map(run))
      const failed = results.filter(({ status }) => status === 'rejected').length
      expect(failed).toBe(jobs.filter(({ fails }) => fails).length)
      expect(running).toBe(0)
    },
  )
  await fc.assert(law, { numRuns: 100 })
})

test.each([
  [1, undefined, 1],
  [2, undefined, 1],
  [4, undefined, 3],
  [64, undefined, 3],
  [64, '16', 15],
  [64, '1', 1],
  [8, 'many', 3],
])('%d cores and UV_THREADPOOL_SIZE %s: %d jobs at a time', (cores, threads, jobs) => {
  expect(jobsAtOnce(cores, threads)).toBe(jobs)
})
