/** A thousand callers who wait for an upstream that paints for five seconds: what each costs, and that all are served. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, fewRounds, type Lane, runLoad, warmUp } from '../bench.ts'
import type { Findings } from '../figure.ts'
import { residentBytes } from '../process-facts.ts'
import { startGateway } from '../servers.ts'

const callers = 1000
const paintingSeconds = 5

export async function measureWaiting(bench: Bench): Promise<Findings> {
  const kilobytesEach: number[] = []
  const seconds: number[] = []
  for (let round = 0; round < fewRounds(bench); round++) {
    const upstreamUrl = `http://127.0.0.1:${bench.ports.tcp}`
    const gateway = await startGateway(bench.stage, 'gateway, waiting callers', { upstreamUrl })
    const lane: Lane = { server: gateway, kind: 'translated' }
    const [each, took] = await waitOnce(bench, lane)
    kilobytesEach.push(each)
    seconds.push(took)
    await bench.stage.stop(gateway.child)
  }
  const name = `${callers} callers waiting for an upstream that takes ${paintingSeconds} s`
  return {
    figures: [
      { name: `${name}: memory each`, unit: 'KB', values: kilobytesEach, atMost: 45 },
      { name: `${name}: all answered`, unit: 's', values: seconds, atMost: 8 },
    ],
    details: [],
    notes: [],
  }
}

async function waitOnce(bench: Bench, lane: Lane): Promise<[kilobytesEach: number, seconds: number]> {
  const { pid } = lane.server.child
  // The code a first request loads, and the room the heap takes under any load, are no waiting caller's.
  await warmUp(bench, lane)
  const before = residentBytes(pid)
  const served = runLoad(bench, lane, {
    wishes: [{ size: '70KB', afterSeconds: paintingSeconds }],
    callers,
    requests: callers,
  })
  const [waiting, { seconds }] = await Promise.all([residentWhileAllWait(bench, pid), served])
  return [(waiting - before) / 1000 / callers, seconds]
}

/** The memory at the moment the upstream has every caller's request. */
async function residentWhileAllWait({ upstream }: Bench, pid: number): Promise<number> {
  const deadline = performance.now() + 15_000
  while (performance.now() < deadline) {
    await sleep(100)
    if ((await upstream.call<number>('waiting')) === callers) return residentBytes(pid)
  }
  throw new Error(`The upstream never had all ${callers} requests at the same time.`)
}
