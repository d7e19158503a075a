/** Turns: a few at a time, first come first served. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createQueue } from '../../src/sandbox/queue.ts'

const staying = new AbortController().signal

test('never more at a time than allowed, and in the order they came', async () => {
  const queue = createQueue(2)
  const begun: number[] = []
  let [now, most] = [0, 0]
  await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      queue(staying, async () => {
        begun.push(index)
        most = Math.max(most, ++now)
        await sleep(index % 3)
        now--
      }),
    ),
  )
  expect(most).toBe(2)
  expect(begun).toEqual([...begun].sort((a, b) => a - b))
})

test('who leaves while waiting is never begun, and those behind move up', async () => {
  const queue = createQueue(1)
  const leaver = new AbortController()
  const begun: string[] = []
  const first = queue(staying, () => sleep(20))
  const second = queue(leaver.signal, async () => begun.push('second'))
  const third = queue(staying, async () => begun.push('third'))
  leaver.abort()
  await expect(second).rejects.toThrow('aborted')
  await Promise.all([first, third])
  expect(begun).toEqual(['third'])
})

test('who has left before is not begun', async () => {
  await expect(createQueue(1)(AbortSignal.abort(), () => Promise.resolve('done'))).rejects.toThrow('aborted')
})

test('a failure frees its place', async () => {
  const queue = createQueue(1)
  await expect(queue(staying, () => Promise.reject(new Error('spilt')))).rejects.toThrow('spilt')
  expect(await queue(staying, async () => 'next')).toBe('next')
})
