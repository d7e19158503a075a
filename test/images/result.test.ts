import { expect, test } from 'vitest'
import { sumUsage, type Usage } from '../../src/images/result.ts'

const one: Usage = {
  inputTokens: 10,
  outputTokens: 1290,
  totalTokens: 1300,
  inputDetails: { textTokens: 10, imageTokens: 0 },
  outputDetails: { textTokens: 0, imageTokens: 1290 },
}

test('usage of parallel calls is added up, details and all', () => {
  expect(sumUsage([one, one, one])).toEqual({
    inputTokens: 30,
    outputTokens: 3870,
    totalTokens: 3900,
    inputDetails: { textTokens: 30, imageTokens: 0 },
    outputDetails: { textTokens: 0, imageTokens: 3870 },
  })
})

test('details survive only where every call has them', () => {
  const { inputDetails: _, ...without } = one
  expect(sumUsage([one, without])).toEqual({
    inputTokens: 20,
    outputTokens: 2580,
    totalTokens: 2600,
    outputDetails: { textTokens: 0, imageTokens: 2580 },
  })
})

test('one usage is itself, none is none', () => {
  expect(sumUsage([one])).toEqual(one)
  expect(sumUsage([])).toBeUndefined()
})
