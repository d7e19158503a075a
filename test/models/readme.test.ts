/** README's table of models says what the catalogue knows. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Model } from '../../src/models/model.ts'
import { catalogue, modelNamed } from './shipped.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const [, table = ''] = /\n## Models\n[\s\S]*?\n(\| model \|[\s\S]*?)\n\n/.exec(readme) ?? []
const rows = table
  .split('\n')
  .slice(2)
  .map(line => line.split('|').map(cell => cell.trim()))
const codes = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, name]) => name ?? [])

const names = catalogue.list()
const aliasesOf = (model: Model) =>
  names.filter(({ isAlias, model: its }) => isAlias && its.id === model.id).map(({ id }) => id)
const typeNames: Readonly<Record<string, string>> = { 'image/jpeg': 'JPEG', 'image/png': 'PNG', 'image/webp': 'WebP' }

function told(model: Model): readonly (string | undefined)[] {
  const { tiers, ratios, references } = model
  const count = ratios?.length ?? 0
  return [
    tiers?.length === 0 ? 'one, about 1K' : tiers?.join(' '),
    ratios === null ? 'any from 1:3 to 3:1' : count < 10 ? ratios.join(' ') : String(count),
    references === null ? 'any' : String(references),
    model.outputs.map(type => typeNames[type]).join(', '),
  ]
}

test.each(rows.map(([, ids, ...cells]) => [ids, cells] as const))('%s', (ids, [also, ...cells]) => {
  for (const id of codes(ids)) {
    const model = modelNamed(id)
    expect(cells.slice(0, 4)).toEqual(told(model))
    expect(codes(also).toSorted()).toEqual(aliasesOf(model).toSorted())
  }
})

test('every model stands in it, but for those that are named by a date', () => {
  const undated = names.flatMap(({ id, isAlias }) => (isAlias || /-\d{4}-\d\d-\d\d$/.test(id) ? [] : [id]))
  expect(rows.flatMap(([, ids]) => codes(ids)).toSorted()).toEqual(undated.toSorted())
})
