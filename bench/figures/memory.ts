/** The most memory the gateway takes when far more answers arrive than it may hold, and some callers read slowly. */
import { type Bench, fewRounds, runLoad } from '../bench.ts'
import type { Figure, Findings } from '../figure.ts'
import { peakResidentBytes, resetPeak } from '../process-facts.ts'
import { defaultMemoryMiB, type Gateway, startGateway } from '../servers.ts'

const callers = 64
const slowCallers = 16
// 16 MB in six seconds: long after the others have theirs.
const slowBytesPerSecond = 16_000_000 / 6
const mostMB = 140 + 1.3 * ((defaultMemoryMiB * 2 ** 20) / 1e6)

export async function measureMemory(bench: Bench): Promise<Findings> {
  const { stage, ports } = bench
  const gateway = await startGateway(stage, 'gateway, memory', { upstreamUrl: `http://127.0.0.1:${ports.tcp}` })
  const peaks: number[] = []
  const spilled: number[] = []
  for (let round = 0; round < fewRounds(bench); round++) {
    resetPeak(gateway.child.pid)
    const spilledBefore = await spilledBytes(gateway)
    await runLoad(
      bench,
      { server: gateway, kind: 'translated' },
      {
        wishes: [{ size: '16MB' }],
        callers,
        requests: callers + (callers - slowCallers),
        slow: { callers: slowCallers, bytesPerSecond: slowBytesPerSecond },
      },
    )
    peaks.push(peakResidentBytes(gateway.child.pid) / 1e6)
    spilled.push(((await spilledBytes(gateway)) - spilledBefore) / 1e6)
  }
  await stage.stop(gateway.child)
  const load = `${callers} callers × 16MB, ${slowCallers} of them slow, answers.memory ${defaultMemoryMiB} MiB`
  const figures: Figure[] = [
    { name: `peak RSS, ${load}`, unit: 'MB', values: peaks, atMost: mostMB, judged: 'each' },
    // A run in which nothing was spilled has not shown what the figure is about.
    { name: `spilled, ${load}`, unit: 'MB', values: spilled, atLeast: 1, judged: 'each' },
  ]
  return { figures, details: [], notes: [] }
}

async function spilledBytes({ adminPort }: Gateway): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  return Number(/^plantain_answer_bytes_spilled_total(?:\{\})? (\S+)$/m.exec(metrics)?.[1] ?? 0)
}
