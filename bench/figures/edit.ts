/** What an edit costs: pictures of 4 MB up as multipart, an answer of 2 MB down, against the pipe carrying the same bytes. */
import { type Bench, fewRounds, interleave, manyRounds, runLoad, scaled } from '../bench.ts'
import type { Figure, Findings } from '../figure.ts'
import { peakResidentBytes, resetPeak } from '../process-facts.ts'
import { defaultRequestsMiB, startGateway, startPipe } from '../servers.ts'
import { ratios } from '../statistics.ts'

const callers = 16
const jobs = [
  { kind: 'edit', text: 'edit with 4 MB up and 2 MB down', requests: 96 },
  { kind: 'edit-of-3', text: 'edit with 3 × 4 MB up and 2 MB down', requests: 48 },
] as const
const wishes = [{ size: '2MB' }] as const

export async function measureEdit(bench: Bench): Promise<Findings> {
  const { stage, ports } = bench
  const gateway = await startGateway(stage, 'gateway, edits', { upstreamUrl: `http://127.0.0.1:${ports.tcp}` })
  const pipe = await startPipe(stage, ports)
  // Small ones, until the compiler has settled.
  for (const server of [gateway, pipe]) {
    await runLoad(bench, { server, kind: 'small-edit' }, { wishes: [{ size: '70KB' }], callers, requests: 4000 })
    await runLoad(bench, { server, kind: 'edit' }, { wishes, callers, requests: 100 })
  }
  const figures: Figure[] = []
  for (const { kind, text, requests } of jobs) {
    const lanes = [gateway, pipe].map(server => ({ server, kind }))
    const job = { wishes, callers, requests: scaled(requests, callers, bench), warmUp: callers * 2 }
    const yields = await interleave(bench, lanes, job, manyRounds(bench))
    const [ours = [], pipes = []] = yields.map(each => each.map(({ cpuMsPerRequest }) => cpuMsPerRequest))
    const name = `CPU, ${text} against the pipe, ${callers} callers`
    figures.push({ name, unit: '×', values: ratios(ours, pipes), atMost: 1.5 })
  }
  await stage.stop(pipe.child)
  figures.push(await measureMemory(bench))
  await stage.stop(gateway.child)
  return { figures, details: [], notes: [] }
}

const mostCallers = 64
const mostMB = 130 + 1.5 * ((defaultRequestsMiB * 2 ** 20) / 1e6)

/** The most memory the gateway takes when far more pictures arrive than it may hold: of a gateway that has seen no other load. */
async function measureMemory(bench: Bench): Promise<Figure> {
  const { stage, ports } = bench
  const gateway = await startGateway(stage, 'gateway, edits, memory', { upstreamUrl: `http://127.0.0.1:${ports.tcp}` })
  const peaks: number[] = []
  for (let round = 0; round < fewRounds(bench); round++) {
    resetPeak(gateway.child.pid)
    await runLoad(
      bench,
      { server: gateway, kind: 'edit-of-3' },
      { wishes, callers: mostCallers, requests: mostCallers * 2 },
    )
    peaks.push(peakResidentBytes(gateway.child.pid) / 1e6)
  }
  await stage.stop(gateway.child)
  const name = `peak RSS, ${mostCallers} callers × edit with 3 × 4 MB, requests.memory ${defaultRequestsMiB} MiB`
  return { name, unit: 'MB', values: peaks, atMost: mostMB, judged: 'each' }
}
