/**
 * `npm run bench`: measures the gateway against its yardsticks, prints one table and writes its section of `bench/RESULTS.md`.
 * `-- --quick`: few and short rounds with widened bounds, some three minutes, writes nothing: does it run, is nothing far off?
 * `-- --only memory,start`: those parts alone, writes nothing. Exit code 1: a figure was missed or an answer was wrong.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Bench, openBench } from './bench.ts'
import { type Findings, isMet } from './figure.ts'
import { measureAnswers } from './figures/answers.ts'
import { measureEdit } from './figures/edit.ts'
import { measureEventLoop } from './figures/event-loop.ts'
import { measureMemory } from './figures/memory.ts'
import { measureReverse } from './figures/reverse.ts'
import { measureStart } from './figures/start.ts'
import { measureTls } from './figures/tls.ts'
import { measureUrlAnswers } from './figures/url-answers.ts'
import { verify } from './figures/verification.ts'
import { measureWaiting } from './figures/waiting.ts'
import { printRun, type Run, renderRun } from './report.ts'
import { writeResults } from './results.ts'
import { Stage } from './stage.ts'

const parts: Readonly<Record<string, (bench: Bench) => Promise<Findings>>> = {
  // Before the others, whose spilled files are removed as they go: for minutes ext4 looks past each of them for every new file.
  'url-answers': measureUrlAnswers,
  answers: measureAnswers,
  reverse: measureReverse,
  tls: measureTls,
  edit: measureEdit,
  memory: measureMemory,
  'event-loop': measureEventLoop,
  start: measureStart,
  waiting: measureWaiting,
  verify,
}

const full = { rounds: 5, effort: 1, complete: true, slack: 1 }
const quick = { rounds: 2, effort: 0.25, complete: false, slack: 2 }

const heading = `# What the byte path costs

Written by \`npm run bench\`, all in one run. A ratio is the median of the rounds' own ratios: each round runs every program once,
one after the other, between the same fake upstream and the same load. CPU is that of all threads of the program, from the
operating system, per answer; of 70 KB, of 2 MB, of edits and of answers by URL, which a shared machine disturbs most, in three times as
many rounds. What is told of answers, in both directions, comes of three starts, since what V8 makes of a program differs from start to start.
16 MB and the like are the bytes of the upstream's whole document.`

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
})

async function measure(): Promise<Run> {
  const { slack, ...thoroughness } = options.quick ? quick : full
  const chosen = chooseParts(options.only?.split(',') ?? Object.keys(parts))
  const startedAt = performance.now()
  const bench = await openBench(new Stage(fileURLToPath(new URL('..', import.meta.url))), thoroughness)
  const found: Findings[] = []
  for (const [name, part] of chosen) {
    console.error(`Measuring: ${name}`)
    found.push(await part(bench))
  }
  const findings = {
    figures: found.flatMap(({ figures }) => figures),
    details: found.flatMap(({ details }) => details),
    notes: found.flatMap(({ notes }) => notes),
  }
  const seconds = (performance.now() - startedAt) / 1000
  return { findings, rounds: thoroughness.rounds, slack, date: new Date(), seconds }
}

function chooseParts(names: readonly string[]) {
  return names.map(name => {
    const part = parts[name]
    if (!part) throw new Error(`There is no part ${name}. There are: ${Object.keys(parts).join(', ')}.`)
    return [name, part] as const
  })
}

if (!existsSync('/proc/self/schedstat')) {
  console.error('The bench reads CPU and memory of processes from /proc: it runs on Linux only.')
  process.exit(1)
}
try {
  const run = await measure()
  console.log(printRun(run))
  if (!options.quick && !options.only) writeResults('npm run bench', renderRun(run, heading))
  process.exit(run.findings.figures.every(figure => isMet(figure, run.slack) !== false) ? 0 : 1)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
