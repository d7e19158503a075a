/** The row on `/metrics` in the table of limits. */
import type { Findings } from '../figure.ts'
import { measureScrape } from '../scrape.ts'

export async function measureScrapes(): Promise<Findings> {
  const { series, blockedMs, askedPerSecond, madePerSecond } = await measureScrape()
  return {
    figures: [
      {
        name: `one scrape of /metrics with ${series} series: blocks, in CPU time`,
        unit: 'ms',
        values: blockedMs,
        atMost: 30,
      },
      {
        name: `made of ${askedPerSecond} scrapes in a second`,
        unit: '',
        values: [madePerSecond],
        atMost: 1,
      },
    ],
    details: [],
    notes: [],
  }
}
