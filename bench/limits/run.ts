/**
 * `npm run bench:limits`: do the limits keep their word, and what do they cost? Prints one table and writes its section of
 * `bench/RESULTS.md`. `-- --only crash,stall`: those parts alone, writes nothing. Exit code 1: a figure was missed.
 */
import { parseArgs } from 'node:util'
import { type Findings, isMet } from '../figure.ts'
import { printRun, renderRun } from '../report.ts'
import { writeResults } from '../results.ts'
import { measureAdmissions } from './admissions.ts'
import { measureCrash } from './crash.ts'
import { measureMemoryPairs } from './memory-pairs.ts'
import { measureRedisTime } from './redis-time.ts'
import { measureScrapes } from './scrape.ts'
import { measureStall } from './stall.ts'
import { measureUnderAdmission } from './under-admission.ts'

/**
 * What measures time comes alone and first, what measures this process before it did anything else. The crash is mostly a wait
 * of 35 s, which the others fill.
 */
const parts: readonly (readonly [name: string, measure: () => Promise<Findings>])[] = [
  ['memory', measureMemoryPairs],
  ['redis-time', measureRedisTime],
  ['scrape', measureScrapes],
  ['under-admission', measureUnderAdmission],
  ['crash', measureCrash],
  ['stall', measureStall],
  ['admissions', measureAdmissions],
]

const heading = `# What limits keep, and what they cost

Written by \`npm run bench:limits\`, on a Redis of its own. Where several values stand for one figure they are those of its rounds,
or, of counts, those of its ways to count.`

const { values: options } = parseArgs({ options: { only: { type: 'string' } } })

async function measure() {
  const names = options.only?.split(',')
  const chosen = parts.filter(([name]) => names?.includes(name) ?? true)
  const startedAt = performance.now()
  const beside: Promise<Findings>[] = []
  const found: Findings[] = []
  for (const [name, part] of chosen) {
    console.error(`Measuring: ${name}`)
    if (name === 'crash') beside.push(part())
    else found.push(await part())
  }
  found.push(...(await Promise.all(beside)))
  const findings = {
    figures: found.flatMap(({ figures }) => figures),
    details: found.flatMap(({ details }) => details),
    notes: found.flatMap(({ notes }) => notes),
  }
  return { findings, slack: 1, date: new Date(), seconds: (performance.now() - startedAt) / 1000 }
}

try {
  const run = await measure()
  console.log(printRun(run))
  if (!options.only) writeResults('npm run bench:limits', renderRun(run, heading))
  process.exit(run.findings.figures.every(figure => isMet(figure) !== false) ? 0 : 1)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
