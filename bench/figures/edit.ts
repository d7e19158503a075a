/** What an edit costs: a picture of 4 MB up as multipart, an answer of 2 MB down, against the pipe carrying the same bytes. */
import { type Bench, interleave, scaled, warmUp } from '../bench.ts'
import type { Findings } from '../figure.ts'
import { startGateway, startPipe } from '../servers.ts'
import { ratios } from '../statistics.ts'

const callers = 16

export async function measureEdit(bench: Bench): Promise<Findings> {
  const { stage, ports } = bench
  const gateway = await startGateway(stage, 'gateway, edits', { upstreamUrl: `http://127.0.0.1:${ports.tcp}` })
  const pipe = await startPipe(stage, ports)
  const lanes = [gateway, pipe].map(server => ({ server, kind: 'edit' }) as const)
  for (const lane of lanes) await warmUp(bench, { ...lane, kind: 'translated' })
  const requests = scaled(96, callers, bench)
  const yields = await interleave(bench, lanes, { wishes: [{ size: '2MB' }], callers, requests, warmUp: callers * 2 })
  const [ours = [], pipes = []] = yields.map(each => each.map(({ cpuMsPerRequest }) => cpuMsPerRequest))
  await stage.stop(gateway.child)
  await stage.stop(pipe.child)
  const name = `CPU, edit with 4 MB up and 2 MB down against the pipe, ${callers} callers`
  return { figures: [{ name, unit: '×', values: ratios(ours, pipes), atMost: 1.5 }], details: [], notes: [] }
}
