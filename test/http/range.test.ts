import { expect, test } from 'vitest'
import { partOf } from '../../src/http/range.ts'

test.each([
  [undefined, 'whole'],
  ['', 'whole'],
  ['bytes=0-0', { start: 0, length: 1 }],
  ['bytes=0-99', { start: 0, length: 100 }],
  ['bytes=0-1000000', { start: 0, length: 100 }],
  ['bytes=10-19', { start: 10, length: 10 }],
  ['BYTES=10-19', { start: 10, length: 10 }],
  ['bytes= 10-19 ', { start: 10, length: 10 }],
  ['bytes=90-', { start: 90, length: 10 }],
  ['bytes=-10', { start: 90, length: 10 }],
  ['bytes=-1000', { start: 0, length: 100 }],
  ['bytes=100-', 'none'],
  ['bytes=100-200', 'none'],
  ['bytes=-0', 'none'],
  // Nonsense is no range.
  ['bytes=20-10', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=a-b', 'whole'],
  ['bytes=1', 'whole'],
  ['bytes', 'whole'],
  ['lines=1-2', 'whole'],
  ['bytes=0x1-2', 'whole'],
  ['bytes=99999999999999999999-', 'whole'],
  // A few parts at once may be answered with all of it; very many are an attack.
  ['bytes=0-1,5-6', 'whole'],
  [`bytes=${Array.from({ length: 1000 }, () => '0-').join(',')}`, 'none'],
])('of 100 bytes, %j is %j', (header, part) => {
  expect(partOf(header, 100)).toEqual(part)
})

test('an empty file has no parts', () => {
  expect(partOf('bytes=0-', 0)).toBe('none')
  expect(partOf('bytes=-5', 0)).toBe('none')
  expect(partOf(undefined, 0)).toBe('whole')
})
