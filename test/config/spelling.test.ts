import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearest } from '../../src/config/spelling.ts'

const keys = ['host', 'port', 'max_body', 'cors', 'key', 'key_sha256']

test.each([
  ['prot', 'port'],
  ['hosts', 'host'],
  ['maxBody', 'max_body'],
  ['MAX-BODY', 'max_body'],
  ['body', 'max_body'],
  ['crs', 'cors'],
  ['keysha256', 'key_sha256'],
  ['keys', 'key'],
])('%s is near %s', (typed, meant) => {
  expect(nearest(typed, keys)).toBe(meant)
})

test.each(['zebra', 'x', '', '_', 'timeout'])('%j is near nothing', typed => {
  expect(nearest(typed, keys)).toBeNull()
})

test('a name is nearest to itself, and still found with one letter dropped', () => {
  const name = fc.stringMatching(/^[a-z]{4,12}$/)
  fc.assert(
    fc.property(name, fc.nat(), (word, at) => {
      expect(nearest(word, [`${word}xx`, word, `y${word}`])).toBe(word)
      const position = at % word.length
      expect(nearest(word.slice(0, position) + word.slice(position + 1), [word])).toBe(word)
    }),
  )
})
