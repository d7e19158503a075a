/** README's table of callers and upstreams is the matrix's own: it can't promise what no test holds. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { callers } from './callers.ts'
import { matrixTable, wordsOf } from './table.ts'
import { upstreams } from './upstreams.ts'
import { features } from './wishes.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

test('README’s table says of each caller at each upstream what the matrix tests', () => {
  const [, shown] = /<!-- The matrix[^\n]*-->\n\n(\|[\s\S]*?\|)\n\n/.exec(readme) ?? []
  expect(shown).toBe(matrixTable())
})

test('what differs in the form of its streams alone needs no row of its own', () => {
  const streams = features.filter(({ stream }) => stream)
  for (const [index, caller] of callers.entries()) {
    const before = callers[index - 1]
    if (!caller.streamsOnly || !before) continue
    for (const upstream of upstreams) {
      for (const feature of streams) expect(wordsOf(caller, upstream, feature)).toBe(wordsOf(before, upstream, feature))
    }
  }
})
