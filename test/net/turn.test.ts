import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { atTurnsEnd } from '../../src/net/turn.ts'

async function exchange(name: string, steps: string[]): Promise<void> {
  await new Promise<void>(resolve => atTurnsEnd(resolve))
  steps.push(`${name} decodes`)
  await null
  steps.push(`${name} answers`)
}

test('of what comes in within one turn, each step is done for all before the next', async () => {
  const steps: string[] = []
  await Promise.all([exchange('a', steps), exchange('b', steps), exchange('c', steps)])
  expect(steps).toEqual(['a decodes', 'b decodes', 'c decodes', 'a answers', 'b answers', 'c answers'])
})

test('what comes in while others go on waits for the end of the next turn', async () => {
  const steps: string[] = []
  atTurnsEnd(() => {
    steps.push('first')
    atTurnsEnd(() => steps.push('second'))
  })
  atTurnsEnd(() => steps.push('third'))
  await nextTurn()
  expect(steps).toEqual(['first', 'third'])
  await nextTurn()
  expect(steps).toEqual(['first', 'third', 'second'])
})
