/** What V8 is told at the start, seen from outside: how often a gateway that reads plainly is stopped to collect all of its memory. */
import { expect, test } from 'vitest'
import { pictureAnswer } from '../faults/answers.ts'
import { rawHead, startRawUpstream } from '../helpers/raw-upstream.ts'
import { addressesOf, type GatewayProcess, startProcess } from './gateway-process.ts'

const picture = pictureAnswer(1_500_000)

// Loaded into the gateway: on a signal it tells how many full collections there were.
const countCollections = `
  import { constants, PerformanceObserver } from 'node:perf_hooks'
  let full = 0
  new PerformanceObserver(list => {
    for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) full += 1
  }).observe({ entryTypes: ['gc'] })
  process.on('SIGUSR2', () => process.stderr.write('full collections: ' + full + '\\n'))`

test('the buffers of plain sockets are freed without full collections, as long as answers.memory is not used up', async () => {
  const upstream = await startRawUpstream(({ socket }) => {
    socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${picture.bytes.length}`))
    socket.write(picture.bytes)
  })
  const gateway = startProcess({
    env: {
      GEMINI_API_KEY: 'key-of-a-test',
      GEMINI_BASE_URL: upstream.url,
      PLANTAIN_SLABS: 'off',
      // As `npm start` has it.
      NODE_OPTIONS: `--max-semi-space-size=16 --import=data:text/javascript,${encodeURIComponent(countCollections)}`,
    },
  })
  try {
    const { url } = await addressesOf(gateway)
    await paint(url, 300)
    const before = await collectionsOf(gateway)
    await paint(url, 400)
    // With V8's limit at 144 MB above what is alive there are six or seven.
    expect((await collectionsOf(gateway)) - before).toBeLessThan(2)
  } finally {
    await gateway.close()
    await upstream.close()
  }
})

/** Eight callers at once. */
async function paint(url: string, pictures: number): Promise<void> {
  let left = pictures
  const caller = async () => {
    while (left-- > 0) {
      const answer = await fetch(`${url}/v1/images/generations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gemini-2.5-flash-image', prompt: 'a kite' }),
      })
      expect(answer.status).toBe(200)
      await answer.arrayBuffer()
    }
  }
  await Promise.all(Array.from({ length: 8 }, caller))
}

async function collectionsOf(gateway: GatewayProcess): Promise<number> {
  const toldBefore = gateway.output.err.length
  gateway.signal('SIGUSR2')
  await expect.poll(() => gateway.output.err.slice(toldBefore)).toMatch(/full collections: \d+\n/)
  return Number(/full collections: (\d+)/.exec(gateway.output.err.slice(toldBefore))?.[1])
}
