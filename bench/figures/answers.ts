/** What an answer costs: CPU, throughput and latency of translating and relaying against the pipe, nginx and other gateways. */
import { type Bench, interleaveAnswers, type Lane, startsOf, warmUp } from '../bench.ts'
import { type Size, sizes } from '../documents.ts'
import { type Detail, type Figure, type Findings, printMeasured } from '../figure.ts'
import type { Yield } from '../load.ts'
import { startBareGateway, startGateway, startNginx, startParseAndStringify, startPipe } from '../servers.ts'
import { median, ratios } from '../statistics.ts'

const allSizes = Object.keys(sizes) as Size[]

// Sixteen answers of 16 MB fill the default of 256 MiB to the brim; what spilling costs is not this figure's question.
const memoryMiB = 512

type LaneName = 'slabs' | 'plain' | 'relay' | 'pipe' | 'bare' | 'nginx' | 'naive'
type Lanes = Readonly<Partial<Record<LaneName, Lane>>>
type AllLanes = Readonly<Record<Exclude<LaneName, 'nginx'>, Lane>> & Lanes

/** The yields of each lane, one a round, at one size and one number of callers. */
interface Cell {
  readonly size: Size
  readonly callers: number
  readonly yields: Partial<Record<LaneName, Yield[]>>
}

export async function measureAnswers(bench: Bench): Promise<Findings> {
  const cells = cellsOf(bench)
  for (let start = 0; start < startsOf(bench); start++) await measureOneStart(bench, cells)
  return {
    figures: figuresOf(cells),
    details: [costs(cells), latencies(cells)],
    notes: bench.nginx ? [] : ['nginx is not installed here: the figures against it were left out.'],
  }
}

/** With yields to come. */
function cellsOf({ complete }: Bench): readonly Cell[] {
  const sizesNow = allSizes.filter(size => complete || size !== '8MB')
  const cells = sizesNow.map(size => ({ size, callers: 16, yields: {} }))
  const others = complete ? [1, 64].flatMap(callers => allSizes.map(size => ({ size, callers, yields: {} }))) : []
  return [...cells, ...others]
}

async function measureOneStart(bench: Bench, cells: readonly Cell[]): Promise<void> {
  const all = await startLanes(bench)
  for (const lane of Object.values(all)) await warmUp(bench, lane)
  const { slabs, pipe, nginx } = all
  const few: Lanes = { slabs, pipe, ...(nginx && { nginx }) }
  for (const { size, callers, yields } of cells) {
    const lanes = callers === 16 ? all : few
    const measured = await interleaveAnswers(bench, Object.values(lanes), size, callers, startsOf(bench))
    for (const [index, name] of (Object.keys(lanes) as LaneName[]).entries()) {
      yields[name] = [...(yields[name] ?? []), ...(measured[index] ?? [])]
    }
  }
  for (const server of new Set(Object.values(all).map(lane => lane.server))) await bench.stage.stop(server.child)
}

async function startLanes({ stage, ports, nginx }: Bench): Promise<AllLanes> {
  const upstreamUrl = `http://127.0.0.1:${ports.tcp}`
  const slabs = await startGateway(stage, 'gateway', { upstreamUrl, memoryMiB })
  const plain = await startGateway(stage, 'gateway, plain sockets', { upstreamUrl, memoryMiB, slabs: false })
  return {
    slabs: { server: slabs, kind: 'translated' },
    plain: { server: plain, kind: 'translated' },
    relay: { server: slabs, kind: 'relayed' },
    pipe: { server: await startPipe(stage, ports), kind: 'translated' },
    bare: { server: await startBareGateway(stage, ports), kind: 'translated' },
    ...(nginx
      ? { nginx: { server: await startNginx(stage, nginx, { scheme: 'http', port: ports.tcp }), kind: 'translated' } }
      : {}),
    naive: { server: await startParseAndStringify(stage, ports), kind: 'translated', share: 0.3 },
  }
}

function figuresOf(cells: readonly Cell[]): Figure[] {
  const main = cells.filter(cell => cell.callers === 16)
  const rest = cells.filter(cell => cell.callers !== 16)
  const large = main.filter(cell => cell.size !== '70KB')
  return [
    ...main.map(cell => cpuFigure(cell, 'slabs', 'pipe', cell.size === '70KB' ? 1.6 : 0.5)),
    ...main.map(cell => cpuFigure(cell, 'plain', 'pipe', cell.size === '70KB' ? 1.6 : 0.85)),
    ...large
      .filter(has('nginx'))
      .map(cell => cpuFigure(cell, 'slabs', 'nginx', { '2MB': 1.3, '16MB': 2 }[cell.size as string])),
    ...large.map(cell => cpuFigure(cell, 'relay', 'pipe', 0.6)),
    ...main.map(cell => cpuFigure(cell, 'bare', 'pipe')),
    ...main.filter(cell => cell.size === '8MB' || cell.size === '16MB').map(throughputFigure),
    ...rest.map(cell => cpuFigure(cell, 'slabs', 'pipe')),
    ...rest
      .filter(has('nginx'))
      .filter(cell => cell.size !== '70KB')
      .map(cell => cpuFigure(cell, 'slabs', 'nginx')),
  ]
}

const laneTitles: Record<LaneName, string> = {
  slabs: 'translated answer, slabs',
  plain: 'translated answer, plain sockets',
  relay: 'relay',
  pipe: 'the pipe',
  bare: 'fastify and undici alone',
  nginx: 'nginx',
  naive: 'parse and stringify',
}

const has = (name: LaneName) => (cell: Cell) => cell.yields[name] !== undefined

function cpuFigure(cell: Cell, lane: LaneName, yardstick: LaneName, atMost?: number): Figure {
  const name = `CPU, ${laneTitles[lane]} against ${laneTitles[yardstick]}, ${cell.size}, ${callersText(cell)}`
  const values = ratios(cpu(cell, lane), cpu(cell, yardstick))
  return { name, unit: '×', values, ...(atMost === undefined ? {} : { atMost }) }
}

function throughputFigure(cell: Cell): Figure {
  const name = `throughput, ${laneTitles.slabs} against the pipe, ${cell.size}, ${callersText(cell)}`
  const answersPerSecond = (lane: LaneName) =>
    (cell.yields[lane] ?? []).map(({ requests, seconds }) => requests / seconds)
  return { name, unit: '×', values: ratios(answersPerSecond('slabs'), answersPerSecond('pipe')), atLeast: 1.3 }
}

function costs(cells: readonly Cell[]): Detail {
  const main = cells.filter(cell => cell.callers === 16)
  const rows = (Object.keys(laneTitles) as LaneName[]).map(lane => [
    laneTitles[lane],
    ...main.map(cell => (has(lane)(cell) ? printMeasured(cpu(cell, lane), 'ms') : '')),
  ])
  return { title: 'CPU per answer at 16 callers', head: ['', ...main.map(cell => cell.size)], rows }
}

function latencies(cells: readonly Cell[]): Detail {
  const rows = cells.flatMap(cell =>
    Object.entries(cell.yields).map(([lane, yields]) => [
      `${cell.size}, ${callersText(cell)}`,
      laneTitles[lane as LaneName],
      milliseconds(yields.map(({ p50Ms }) => p50Ms)),
      milliseconds(yields.map(({ p99Ms }) => p99Ms)),
      median(yields.map(({ requests, seconds }) => requests / seconds)).toFixed(0),
    ]),
  )
  return { title: 'Latency and throughput', head: ['', '', 'p50', 'p99', 'answers/s'], rows }
}

function cpu(cell: Cell, lane: LaneName): number[] {
  return (cell.yields[lane] ?? []).map(({ cpuMsPerRequest }) => cpuMsPerRequest)
}

function callersText({ callers }: Cell): string {
  return callers === 1 ? '1 caller' : `${callers} callers`
}

function milliseconds(values: readonly number[]): string {
  return `${median(values).toFixed(1)} ms`
}
