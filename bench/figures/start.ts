/** From the start of the process to its first answer, against a bare fastify; and the memory the gateway idles in. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { Caller } from '../caller.ts'
import type { Findings } from '../figure.ts'
import { printMeasured } from '../figure.ts'
import { residentBytes } from '../process-facts.ts'
import { requestOf } from '../requests.ts'
import { prepareGateway, script } from '../servers.ts'
import { freePort, type StartOptions, waitUntilListening } from '../stage.ts'
import { ratios } from '../statistics.ts'

const idleMs = 2000

interface Start {
  readonly firstAnswerMs: number
  readonly idleMiB: number
}

export async function measureStart(bench: Bench): Promise<Findings> {
  const gateways: Start[] = []
  const hellos: Start[] = []
  for (let round = 0; round < bench.rounds; round++) {
    const upstreamUrl = `http://127.0.0.1:${bench.ports.tcp}`
    const { args, port, env } = await prepareGateway(bench.stage, { upstreamUrl })
    gateways.push(await measureOne(bench, args, port, { env }))
    const helloPort = await freePort()
    hellos.push(await measureOne(bench, [script('hello.ts')], helloPort, { args: [String(helloPort)] }))
  }
  const [ours, theirs] = [gateways, hellos].map(starts => starts.map(({ firstAnswerMs }) => firstAnswerMs)) as [
    number[],
    number[],
  ]
  return {
    figures: [
      { name: 'idle RSS', unit: 'MiB', values: gateways.map(({ idleMiB }) => idleMiB), atMost: 130 },
      {
        name: 'start to first image against a bare fastify hello',
        unit: '×',
        values: ratios(ours, theirs),
        atMost: 3.5,
      },
    ],
    details: [
      {
        title: 'Start to first answer',
        head: ['gateway', 'fastify hello'],
        rows: [[printMeasured(ours, 'ms'), printMeasured(theirs, 'ms')]],
      },
    ],
    notes: [],
  }
}

async function measureOne(
  { stage }: Bench,
  nodeArgs: readonly string[],
  port: number,
  options: StartOptions,
): Promise<Start> {
  const request = await requestOf('translated', { size: '70KB' })
  const startedAt = performance.now()
  const child = stage.startNode('start', nodeArgs, options)
  await waitUntilListening(child, port)
  const caller = new Caller(port)
  const { status } = await caller.ask(request)
  const firstAnswerMs = performance.now() - startedAt
  caller.close()
  if (status !== 200) throw new Error(`The first answer of ${nodeArgs.join(' ')} had status ${status}.`)
  await sleep(idleMs)
  const idleMiB = residentBytes(child.pid) / 2 ** 20
  await stage.stop(child)
  return { firstAnswerMs, idleMiB }
}
