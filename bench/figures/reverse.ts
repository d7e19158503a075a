/** What an answer costs in the other direction: a caller of Google's form, an upstream of OpenAI's. */
import { type Bench, interleaveAnswers, type Lane, startsOf, warmUp } from '../bench.ts'
import type { Size } from '../documents.ts'
import type { Figure, Findings } from '../figure.ts'
import { startGateway, startPipe } from '../servers.ts'
import { ratios } from '../statistics.ts'

const callers = 16
// 8 MB lies between: what holds on both of its sides was never missed there.
const bounds = [
  { size: '70KB', slabs: 1.6, plain: 1.6 },
  { size: '2MB', slabs: 0.5, plain: 0.85 },
  { size: '16MB', slabs: 0.5, plain: 0.85 },
] as const

export async function measureReverse(bench: Bench): Promise<Findings> {
  const figures = bounds.flatMap(({ size, slabs, plain }) => [
    figure('slabs', size, slabs),
    figure('plain sockets', size, plain),
  ])
  for (let start = 0; start < startsOf(bench); start++) {
    const measured = await measureOneStart(bench)
    for (const [index, { values }] of figures.entries()) values.push(...(measured[index] ?? []))
  }
  return { figures, details: [], notes: [] }
}

/** With values to come. */
const figure = (sockets: string, size: Size, atMost: number): Figure & { readonly values: number[] } => ({
  name: `CPU, Gemini in, OpenAI up, ${sockets} against the pipe, ${size}, ${callers} callers`,
  unit: '×',
  values: [],
  atMost,
})

/** The values of the figures, in their order. */
async function measureOneStart(bench: Bench): Promise<number[][]> {
  const { stage, ports } = bench
  const options = { upstreamUrl: `http://127.0.0.1:${ports.tcp}`, memoryMiB: 512, openAi: true }
  const servers = [
    await startGateway(stage, 'gateway, OpenAI upstream', options),
    await startGateway(stage, 'gateway, OpenAI upstream, plain sockets', { ...options, slabs: false }),
    await startPipe(stage, ports),
  ]
  const lanes: Lane[] = servers.map(server => ({ server, kind: 'reversed' }))
  for (const lane of lanes) await warmUp(bench, lane)
  const values: number[][] = []
  for (const { size } of bounds) {
    const yields = await interleaveAnswers(bench, lanes, size, callers, startsOf(bench))
    const [slabs = [], plain = [], pipe = []] = yields.map(each => each.map(({ cpuMsPerRequest }) => cpuMsPerRequest))
    values.push(ratios(slabs, pipe), ratios(plain, pipe))
  }
  for (const { child } of servers) await stage.stop(child)
  return values
}
