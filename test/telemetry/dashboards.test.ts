/** The dashboards and rules that are shipped, as far as they can be held against the code without a Prometheus. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { dashboards, panelQueries, type Query, ruleQueries, rules, seriesNamesIn, variables } from './watching.ts'

/** Every series a scrape can have, by the types that Prometheus is told. */
async function scrapedNames(): Promise<readonly string[]> {
  const metrics = createMetrics({
    upstreamInFlight: () => [],
    answerBytesInMemory: () => 0,
    answerBytesInMemoryMax: 1,
    answerBytesOnDisk: () => 0,
    answerBytesOnDiskMax: 1,
    answerBytesSpilled: () => 0,
    requestBytesInMemory: () => 0,
    requestBytesInMemoryMax: 1,
  })
  const types = [...(await metrics.text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)]
  return types.flatMap(([, name, type]) => {
    if (type === 'histogram') return [`${name}_bucket`, `${name}_sum`, `${name}_count`]
    return type === 'summary' ? [`${name}`, `${name}_sum`, `${name}_count`] : [`${name}`]
  })
}

/** Prometheus makes these by itself. */
const itsOwn = ['up', 'ALERTS']

const queries: readonly Query[] = [
  ...panelQueries,
  ...ruleQueries,
  ...variables.map(({ where, metric }) => ({ where, expr: metric })),
]

test('there is something to look at: a board for each theme, and rules', () => {
  expect(dashboards.map(({ file }) => file).toSorted()).toEqual([
    'gateways.json',
    'images-and-spend.json',
    'latency.json',
    'limits.json',
    'plantain.json',
    'upstreams.json',
  ])
  expect(panelQueries.length).toBeGreaterThan(60)
  expect(rules.length).toBeGreaterThan(20)
})

test('every query asks for series that the gateway has, or that a rule records', async () => {
  const recorded = rules.flatMap(({ record }) => record ?? [])
  const known = new Set([...(await scrapedNames()), ...recorded, ...itsOwn])
  const unknown = queries.flatMap(({ where, expr }) => {
    const names = seriesNamesIn(expr)
    const strange = names.length === 0 ? ['nothing'] : names.filter(name => !known.has(name))
    return strange.map(name => `${where} asks for ${name}`)
  })
  expect(unknown).toEqual([])
})

test("every series of the gateway's own is on some board", async () => {
  const own = (await scrapedNames()).filter(name => name.startsWith('plantain_') && !/_(?:sum|count)$/.test(name))
  const shown = new Set(queries.flatMap(({ expr }) => seriesNamesIn(expr)))
  expect(own.filter(name => !shown.has(name))).toEqual([])
})

test('every query sums over gateways: none shows series as they were scraped', () => {
  const aggregation = /\b(?:sum|max|min|count)\b(?: by \([^)]*\))? ?\(/
  expect(panelQueries.filter(({ expr }) => !aggregation.test(expr))).toEqual([])
})

test('boards lead to each other, and no panel lies on another', () => {
  expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(dashboards.length)
  for (const { tags, panels } of dashboards) {
    expect(tags).toContain('plantain')
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    for (const { type, datasource } of panels) if (type !== 'row') expect(datasource?.uid).toBe('prometheus')
  }
})

test('the README names every series and every alert', async () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  // Bounds stand beside what they bound, without their names.
  const series = (await scrapedNames()).filter(
    name => name.startsWith('plantain_') && !/_(?:sum|count|max)$/.test(name),
  )
  const names = [...series.map(name => name.replace(/_bucket$/, '')), ...rules.flatMap(({ alert }) => alert ?? [])]
  expect(names.filter(name => !readme.includes(`\`${name}`))).toEqual([])
})

test('every alert says how bad it is, what is wrong and what to do', () => {
  const alerts = rules.filter(({ alert }) => alert !== undefined)
  const wordless = alerts.filter(({ labels, annotations }) => {
    const { summary = '', runbook = '' } = annotations ?? {}
    return !/^(?:critical|warning|info)$/.test(labels?.severity ?? '') || summary.length < 20 || runbook.length < 40
  })
  expect(wordless).toEqual([])
})
