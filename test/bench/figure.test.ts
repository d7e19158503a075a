import { expect, test } from 'vitest'
import { isMet, printMeasured } from '../../bench/figure.ts'
import { median, ratios } from '../../bench/statistics.ts'
import { findWish, printWish } from '../../bench/wishes.ts'

test('a median of an even number of rounds lies between the middle two', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([9, 1, 5])).toBe(5)
})

test('a ratio compares the two sides of the same round', () => {
  expect(ratios([1, 4], [2, 2])).toEqual([0.5, 2])
})

test('a figure judged by its median forgives one bad round, a figure judged by each does not', () => {
  const figure = { name: 'peak', unit: 'MB', values: [1, 1, 9], atMost: 2 } as const
  expect(isMet(figure)).toBe(true)
  expect(isMet({ ...figure, judged: 'each' })).toBe(false)
})

test('a figure without a bound is neither met nor missed', () => {
  expect(isMet({ name: 'peak', unit: 'MB', values: [1] })).toBeNull()
})

test('slack widens a bound in the direction it forgives', () => {
  expect(isMet({ name: 'cost', unit: '×', values: [0.7], atMost: 0.5 }, 1.5)).toBe(true)
  expect(isMet({ name: 'throughput', unit: '×', values: [1], atLeast: 1.3 }, 1.5)).toBe(true)
  expect(isMet({ name: 'throughput', unit: '×', values: [0.8], atLeast: 1.3 }, 1.5)).toBe(false)
})

test('what was measured is printed as its median and its spread', () => {
  expect(printMeasured([0.3, 0.38, 0.29], '×')).toBe('0.30× (0.29–0.38)')
})

test('a wish survives the way through a prompt', () => {
  const wish = { size: '8MB', variant: 2, chunked: true, afterSeconds: 5, form: 'openai', uploads: 3 } as const
  expect(findWish(Buffer.from(JSON.stringify({ prompt: `a pear ${printWish(wish)}` })))).toEqual(wish)
  expect(() => findWish(Buffer.from('{"prompt":"a pear"}'))).toThrow('no wish')
})
