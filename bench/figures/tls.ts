/** What an answer from a TLS upstream costs, against nginx with `proxy_pass https`. */
import { type Bench, interleaveAnswers, warmUp } from '../bench.ts'
import type { Figure, Findings } from '../figure.ts'
import { startGateway, startNginx } from '../servers.ts'
import { ratios } from '../statistics.ts'

const callers = 16
const bounds = [
  { size: '2MB', atMost: 1.6 },
  { size: '16MB', atMost: 2.5 },
] as const

export async function measureTls(bench: Bench): Promise<Findings> {
  const { stage, nginx, certificate, ports } = bench
  if (nginx === null || certificate === null || ports.tls === null) {
    return {
      figures: [],
      details: [],
      notes: ['nginx or openssl is not installed here: the TLS figures were left out.'],
    }
  }
  const upstreamUrl = `https://127.0.0.1:${ports.tls}`
  const gateway = await startGateway(stage, 'gateway, TLS upstream', {
    upstreamUrl,
    memoryMiB: 512,
    certFile: certificate.certFile,
  })
  const yardstick = await startNginx(stage, nginx, { scheme: 'https', port: ports.tls })
  const lanes = [gateway, yardstick].map(server => ({ server, kind: 'translated' }) as const)
  for (const lane of lanes) await warmUp(bench, lane)
  const figures: Figure[] = []
  for (const { size, atMost } of bounds) {
    const yields = await interleaveAnswers(bench, lanes, size, callers)
    const [ours = [], theirs = []] = yields.map(each => each.map(({ cpuMsPerRequest }) => cpuMsPerRequest))
    const name = `CPU, TLS upstream, translated answer against nginx, ${size}, ${callers} callers`
    figures.push({ name, unit: '×', values: ratios(ours, theirs), atMost })
  }
  await stage.stop(gateway.child)
  await stage.stop(yardstick.child)
  return { figures, details: [], notes: [] }
}
