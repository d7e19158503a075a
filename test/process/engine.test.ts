/** What V8 is told while a gateway runs. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { collectPeaks } from '../../src/engine.ts'
import { textMemory } from '../../src/streams/base64-kernel.ts'

const mebibyte = 2 ** 20

test('what a peak left is given back when nobody has called for a while, and not before', async () => {
  let activity = { underWay: 0, begun: 0 }
  const letGo = collectPeaks(() => activity, 50)
  const left = new WeakRef(textMemory(mebibyte).buffer)
  const isLeft = () => left.deref() !== undefined
  letGo(16 * mebibyte)
  await sleep(150)
  expect(isLeft(), 'after a small one').toBe(true)

  letGo(16 * mebibyte)
  for (let begun = 1; begun <= 10; begun++) {
    activity = { underWay: 1, begun }
    await sleep(20)
  }
  expect(isLeft(), 'while there are calls').toBe(true)

  activity = { underWay: 0, begun: 10 }
  await expect.poll(isLeft, { timeout: 5000 }).toBe(false)
})
