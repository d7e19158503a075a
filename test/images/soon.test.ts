import { expect, test } from 'vitest'
import { isThere, whenThere } from '../../src/images/soon.ts'

test('what is there is gone on with at once', () => {
  expect(whenThere(1, one => whenThere(one + 1, two => [one, two]))).toEqual([1, 2])
})

test('what comes later is waited for, wherever it stands', async () => {
  const later = whenThere(1, one => whenThere(Promise.resolve(one + 1), two => [one, two]))
  expect(isThere(later)).toBe(false)
  expect(await later).toEqual([1, 2])
})
