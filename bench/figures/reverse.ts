/** What an answer costs in the other direction: a caller of Google's form, an upstream of OpenAI's. */
import { type Bench, interleaveAnswers, type Lane, warmUp } from '../bench.ts'
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
  const { stage, ports } = bench
  const options = { upstreamUrl: `http://127.0.0.1:${ports.tcp}`, memoryMiB: 512, openAi: true }
  const servers = [
    await startGateway(stage, 'gateway, OpenAI upstream', options),
    await startGateway(stage, 'gateway, OpenAI upstream, plain sockets', { ...options, slabs: false }),
    await startPipe(stage, ports),
  ]
  const lanes: Lane[] = servers.map(server => ({ server, kind: 'reversed' }))
  for (const lane of lanes) await warmUp(bench, lane)
  const figures: Figure[] = []
  for (const { size, ...atMost } of bounds) {
    const yields = await interleaveAnswers(bench, lanes, size, callers)
    const [slabs = [], plain = [], pipe = []] = yields.map(each => each.map(({ cpuMsPerRequest }) => cpuMsPerRequest))
    const name = (sockets: string) =>
      `CPU, Gemini in, OpenAI up, ${sockets} against the pipe, ${size}, ${callers} callers`
    figures.push({ name: name('slabs'), unit: '×', values: ratios(slabs, pipe), atMost: atMost.slabs })
    figures.push({ name: name('plain sockets'), unit: '×', values: ratios(plain, pipe), atMost: atMost.plain })
  }
  for (const { child } of servers) await stage.stop(child)
  return { figures, details: [], notes: [] }
}
