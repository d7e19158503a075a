/** The run beside: every answer of every server is checked by the hash of its image, over TCP, TLS, chunked and spilled. */
import { type Bench, type Lane, runLoad, scaled } from '../bench.ts'
import { type Size, sizes } from '../documents.ts'
import type { Findings } from '../figure.ts'
import { startGateway, startNginx, startParseAndStringify, startPipe } from '../servers.ts'
import type { Wish } from '../wishes.ts'

const callers = 16
const variants = [0, 1, 2]

export async function verify(bench: Bench): Promise<Findings> {
  const lanes = await startLanes(bench)
  let answers = 0
  for (const lane of lanes) {
    for (const chunked of bench.complete ? [false, true] : [true]) {
      const requests = scaled(60, callers, bench)
      const slow = { callers: 2, bytesPerSecond: 16_000_000 }
      const checked = await runLoad(bench, lane, { wishes: mixed(chunked), callers, requests, slow, verify: true })
      answers += checked.requests
    }
  }
  for (const server of new Set(lanes.map(lane => lane.server))) await bench.stage.stop(server.child)
  const names = lanes.map(({ server, kind }) => `${server.name} (${kind})`).join('; ')
  return { figures: [], details: [], notes: [`${answers} answers were checked by hash, none was wrong: ${names}.`] }
}

async function startLanes({ stage, ports, nginx, certificate }: Bench): Promise<Lane[]> {
  const upstreamUrl = `http://127.0.0.1:${ports.tcp}`
  const slabs = await startGateway(stage, 'gateway', { upstreamUrl })
  const servers = [
    slabs,
    await startGateway(stage, 'gateway, plain sockets', { upstreamUrl, slabs: false }),
    await startGateway(stage, 'gateway, spilling', { upstreamUrl, memoryMiB: 32 }),
    await startPipe(stage, ports),
    await startParseAndStringify(stage, ports),
  ]
  if (nginx) servers.push(await startNginx(stage, nginx, { scheme: 'http', port: ports.tcp }))
  if (certificate) {
    const overTls = { upstreamUrl: `https://127.0.0.1:${ports.tls}`, certFile: certificate.certFile }
    servers.push(await startGateway(stage, 'gateway, TLS upstream', overTls))
  }
  const lanes: Lane[] = servers.map(server => ({ server, kind: 'translated' }))
  const reverse = await startGateway(stage, 'gateway, OpenAI upstream', { upstreamUrl, openAi: true })
  lanes.push({ server: reverse, kind: 'reversed' })
  return [...lanes, ...(['relayed', 'edit', 'edit-of-3', 'url'] as const).map(kind => ({ server: slabs, kind }))]
}

/** All sizes in turn, neighbours of one size never the same bytes. */
function mixed(chunked: boolean): Wish[] {
  return variants.flatMap(variant => (Object.keys(sizes) as Size[]).map(size => ({ size, variant, chunked })))
}
