import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { goOnWith } from '../../src/net/turn.ts'

async function exchange(name: string, steps: string[]): Promise<void> {
  await new Promise<void>(resolve => goOnWith(1000, resolve))
  steps.push(`${name} decodes`)
  await null
  steps.push(`${name} answers`)
}

test('of small messages that come in within one turn, each step is done for all before the next', async () => {
  const steps: string[] = []
  await Promise.all([exchange('a', steps), exchange('b', steps), exchange('c', steps)])
  expect(steps).toEqual(['a decodes', 'b decodes', 'c decodes', 'a answers', 'b answers', 'c answers'])
})

test('a message that comes in while others go on waits for the end of the next turn', async () => {
  const steps: string[] = []
  goOnWith(1000, () => {
    steps.push('first')
    goOnWith(1000, () => steps.push('second'))
  })
  goOnWith(1000, () => steps.push('third'))
  await nextTurn()
  expect(steps).toEqual(['first', 'third'])
  await nextTurn()
  expect(steps).toEqual(['first', 'third', 'second'])
})

test('a large message goes on at once, while its bytes are in the caches', () => {
  const steps: string[] = []
  goOnWith(1000, () => steps.push('small'))
  goOnWith(2_000_000, () => steps.push('large'))
  expect(steps).toEqual(['large'])
})
