/** How long the event loop is held up while sixteen answers of 16 MB pass at once, against the pipe's. */
import { type Bench, type Lane, runLoad, warmUp } from '../bench.ts'
import type { Findings } from '../figure.ts'
import { printMeasured } from '../figure.ts'
import { startGateway, startPipe } from '../servers.ts'
import { ratios } from '../statistics.ts'

const callers = 16

export async function measureEventLoop(bench: Bench): Promise<Findings> {
  const { stage, ports, rounds } = bench
  const upstreamUrl = `http://127.0.0.1:${ports.tcp}`
  const gateway: Lane = {
    server: await startGateway(stage, 'gateway, event loop', { upstreamUrl }),
    kind: 'translated',
  }
  const pipe: Lane = { server: await startPipe(stage, ports), kind: 'translated' }
  for (const lane of [gateway, pipe]) await warmUp(bench, lane)
  const ours: number[] = []
  const pipes: number[] = []
  for (let round = 0; round < rounds; round++) {
    ours.push(await delayMs(bench, gateway))
    pipes.push(await delayMs(bench, pipe))
  }
  await stage.stop(gateway.server.child)
  await stage.stop(pipe.server.child)
  const name = `event-loop delay p99 against the pipe, ${callers} × 16MB`
  return {
    figures: [{ name, unit: '×', values: ratios(ours, pipes), atMost: 0.6 }],
    details: [
      {
        title: 'Event-loop delay, 99th percentile',
        head: ['gateway', 'pipe'],
        rows: [[printMeasured(ours, 'ms'), printMeasured(pipes, 'ms')]],
      },
    ],
    notes: [],
  }
}

async function delayMs(bench: Bench, lane: Lane): Promise<number> {
  const job = { wishes: [{ size: '16MB' }], callers } as const
  await runLoad(bench, lane, { ...job, requests: callers })
  // Not scaled: a 99th percentile of few samples is only their worst.
  await lane.server.child.call('startDelay')
  await runLoad(bench, lane, { ...job, requests: 64 })
  return lane.server.child.call<number>('stopDelay')
}
