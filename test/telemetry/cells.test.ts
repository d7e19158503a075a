/** Cells: what they print is what prom-client prints of the same figures. */
import fc from 'fast-check'
import { Counter, Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { countCells, spreadCells, textOf } from '../../src/telemetry/cells.ts'

const labelValue = fc.oneof(fc.string({ unit: 'binary', maxLength: 6 }), fc.constantFrom('a"b', 'a\\', 'a\nb', ''))
const addition = fc.record({ labels: fc.record({ model: labelValue, caller: labelValue }), value: fc.nat(40) })

test('a registry of cells prints what one of counters and histograms prints', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(addition, { maxLength: 12 }), async additions => {
      const [ours, theirs] = [new Registry(), new Registry()]
      const registers = [theirs]
      const labelNames = ['model', 'caller']
      const counts = countCells(ours, 'counts_total', 'Counts.')
      const spreads = spreadCells(ours, 'spreads', 'Spreads.', [0.5, 10, 20])
      const counter = new Counter({ name: 'counts_total', help: 'Counts.', labelNames, registers })
      const histogram = new Histogram({
        name: 'spreads',
        help: 'Spreads.',
        labelNames,
        registers,
        buckets: [0.5, 10, 20],
      })
      for (const { labels, value } of additions) {
        counts(labels).value += value
        spreads(labels).observe(value)
        counter.inc(labels, value)
        histogram.observe(labels, value)
      }
      expect(await textOf(ours)).toBe(await theirs.metrics())
      expect(await ours.metrics()).toBe(await theirs.metrics())
    }),
    { numRuns: 50 },
  )
})

test('a metric without labels is there from the start', async () => {
  const registry = new Registry()
  countCells(registry, 'bytes_total', 'Bytes.')({}).value += 2
  spreadCells(registry, 'store_seconds', 'Store.', [1])({})
  expect((await textOf(registry)).split('\n').filter(line => line !== '' && !line.startsWith('#'))).toEqual([
    'bytes_total 2',
    'store_seconds_bucket{le="1"} 0',
    'store_seconds_bucket{le="+Inf"} 0',
    'store_seconds_sum 0',
    'store_seconds_count 0',
  ])
})
