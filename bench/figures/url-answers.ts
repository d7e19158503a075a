/** What an answer by URL costs: the picture decoded and written to the disk, against the same answer as base64. */
import { readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { type Bench, interleave, manyRounds, scaled, warmUp } from '../bench.ts'
import type { Findings } from '../figure.ts'
import { startGateway } from '../servers.ts'
import { ratios } from '../statistics.ts'

const callers = 16

// On file systems that can't be written past it, the kernel keeps files in its cache, and memory that was never used, or was given
// back to a virtual machine's host, costs several times the CPU of the writing itself. So the files are emptied soon, as on a machine
// whose memory has long been in use. They are not removed: for some seconds ext4 looks past every name that was, one after the other,
// for each new file, which no gateway meets whose pictures live for an hour.
const clearEveryMs = 50
const keptMs = 100

export async function measureUrlAnswers(bench: Bench): Promise<Findings> {
  const { stage, ports } = bench
  const options = { upstreamUrl: `http://127.0.0.1:${ports.tcp}`, memoryMiB: 512 }
  const gateway = await startGateway(stage, 'gateway, answers by URL', options)
  const emptied = new Set<string>()
  const clearing = setInterval(() => clearFiles(gateway.assetsDir, emptied), clearEveryMs)
  const lanes = (['url', 'translated'] as const).map(kind => ({ server: gateway, kind }))
  for (const lane of lanes) await warmUp(bench, lane)
  const requests = scaled(96, callers, bench)
  const job = { wishes: [{ size: '8MB' }], callers, requests, warmUp: callers * 2 } as const
  const yields = await interleave(bench, lanes, job, manyRounds(bench))
  const [byUrl = [], base64 = []] = yields.map(each => each.map(({ cpuMsPerRequest }) => cpuMsPerRequest))
  clearInterval(clearing)
  await stage.stop(gateway.child)
  const name = `CPU, answer by URL against the same as base64, 8MB, ${callers} callers`
  return { figures: [{ name, unit: '×', values: ratios(byUrl, base64), atMost: 1.3 }], details: [], notes: [] }
}

/** Leaves out what was `emptied` before: looking at thousands of them again and again would be work beside the gateway's. */
function clearFiles(directory: string, emptied: Set<string>): void {
  for (const folder of readdirSync(directory).filter(name => /^\d+$/.test(name))) {
    for (const file of readdirSync(join(directory, folder)).filter(name => !emptied.has(name))) {
      const path = join(directory, folder, file)
      if (Date.now() - statSync(path).mtimeMs <= keptMs) continue
      truncateSync(path)
      emptied.add(file)
    }
  }
}
