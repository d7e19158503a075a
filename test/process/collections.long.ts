/** What V8 is told at the start, seen from outside: how often a gateway is stopped to collect all of its memory. */
import { expect, test } from 'vitest'
import { pictureAnswer } from '../faults/answers.ts'
import { picture } from '../helpers/pictures.ts'
import { rawHead, startRawUpstream } from '../helpers/raw-upstream.ts'
import { addressesOf, type GatewayProcess, type ProcessOptions, startProcess } from './gateway-process.ts'

const answer = pictureAnswer(1_500_000)

// Loaded into the gateway: on a signal it tells how many full collections there were.
const countCollections = `
  import { constants, PerformanceObserver } from 'node:perf_hooks'
  let full = 0
  new PerformanceObserver(list => {
    for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) full += 1
  }).observe({ entryTypes: ['gc'] })
  process.on('SIGUSR2', () => process.stderr.write('full collections: ' + full + '\\n'))`

test('the buffers of plain sockets are freed without full collections, as long as answers.memory is not used up', async () => {
  const collections = await collectionsIn(400, { env: { PLANTAIN_SLABS: 'off' } }, url =>
    fetch(`${url}/v1/images/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gemini-2.5-flash-image', prompt: 'a kite' }),
    }),
  )
  // With V8's limit at 144 MB above what is alive there are six or seven.
  expect(collections).toBeLessThan(2)
})

test('the buffers of uploads are freed without full collections, though answers.memory leaves no room for them', async () => {
  const file = new Blob([await picture('jpeg', { width: 64, height: 64 }), Buffer.alloc(4_000_000)])
  const collections = await collectionsIn(150, { config: { answers: { memory: '16MiB' } } }, url => {
    const body = new FormData()
    body.set('model', 'gemini-3.1-flash-image')
    body.set('prompt', 'a kite above them')
    for (const name of ['one', 'two', 'three']) body.append('image[]', file, `${name}.jpg`)
    return fetch(`${url}/v1/images/edits`, { method: 'POST', body })
  })
  // Where V8 waits for 64 MB of them, there are fourteen.
  expect(collections).toBeLessThan(3)
})

/** How many full collections so many calls take, after as many that compile what they need. */
async function collectionsIn(
  calls: number,
  options: ProcessOptions,
  call: (url: string) => Promise<Response>,
): Promise<number> {
  const { url, collections, close } = await startCounting(options)
  try {
    await byEight(calls, () => call(url))
    const before = await collections()
    await byEight(calls, () => call(url))
    return (await collections()) - before
  } finally {
    await close()
  }
}

/** A gateway that counts, before an upstream that answers pictures. */
async function startCounting({ env, config }: ProcessOptions) {
  const upstream = await startRawUpstream(({ socket }) => {
    socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${answer.bytes.length}`))
    socket.write(answer.bytes)
  })
  const gateway = startProcess({
    env: {
      GEMINI_API_KEY: 'key-of-a-test',
      GEMINI_BASE_URL: upstream.url,
      // As `npm start` has it.
      NODE_OPTIONS: `--max-semi-space-size=16 --import=data:text/javascript,${encodeURIComponent(countCollections)}`,
      ...env,
    },
    ...(config && { config }),
  })
  const close = async () => {
    await gateway.close()
    await upstream.close()
  }
  const { url } = await addressesOf(gateway)
  return { url, collections: () => collectionsOf(gateway), close }
}

/** Eight callers at once. */
async function byEight(calls: number, call: () => Promise<Response>): Promise<void> {
  let left = calls
  const caller = async () => {
    while (left-- > 0) {
      const response = await call()
      const body = Buffer.from(await response.arrayBuffer())
      expect(response.status, body.toString('utf8', 0, 300)).toBe(200)
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
