/**
 * How long a scrape of `/metrics` holds up the event loop of a gateway with thousands of series, and how often its text is made.
 * `node bench/scrape.ts` prints it.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { createMetrics, type Metrics } from '../src/telemetry/metrics.ts'
import { startRecord } from '../src/telemetry/record.ts'
import { median } from './statistics.ts'

export interface ScrapeFigures {
  /** Of the scrape; some 5 800. */
  readonly series: number
  readonly bytes: number
  /**
   * One a round: the longest stretch in which the thread did nothing else, in CPU time, to which other processes of a noisy
   * machine do not add. From the request's first byte to the answer's last.
   */
  readonly blockedMs: readonly number[]
  /** Scrapes of one second, and for how many of them the text was made. */
  readonly askedPerSecond: number
  readonly madePerSecond: number
}

const second = 1000
const askedPerSecond = 20

/** Takes two seconds and a bit for each round. */
export async function measureScrape(rounds = 5): Promise<ScrapeFigures> {
  let made = 0
  const metrics = createMetrics({
    upstreamInFlight: () => [['google', 3]],
    answerBytesInMemory: () => {
      made += 1
      return 0
    },
    answerBytesSpilled: () => 0,
  })
  fill(metrics)
  // As the operator's listener answers.
  const server = createServer((_, response) => void metrics.text().then(text => response.end(text)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const scraper = new Worker(scraperSource, {
    eval: true,
    workerData: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`,
  })
  const scrape = async () => {
    scraper.postMessage('scrape')
    const [size] = (await once(scraper, 'message')) as [{ readonly series: number; readonly bytes: number }]
    return size
  }
  const blockedMs: number[] = []
  let madePerSecond = 0
  let size = { series: 0, bytes: 0 }
  try {
    for (let round = 0; round < rounds; round++) {
      await sleep(second * 1.1)
      const [before, startedMs] = [made, performance.now()]
      const watch = watchLoop()
      size = await scrape()
      blockedMs.push(watch.stop())
      const restMs = second / askedPerSecond / 2
      // A busy machine asks less often: what comes after the second may be made anew.
      for (let asked = 1; asked < askedPerSecond && performance.now() - startedMs < second * 0.9; asked++)
        await Promise.all([scrape(), sleep(restMs)])
      madePerSecond = Math.max(madePerSecond, made - before)
    }
  } finally {
    await scraper.terminate()
    server.close()
  }
  return { ...size, blockedMs, askedPerSecond, madePerSecond }
}

/** Sixty callers, twenty models, four outcomes. */
function fill(metrics: Metrics): void {
  const outcomes = ['ok', 'failed', 'refused', 'timeout'] as const
  for (let caller = 0; caller < 60; caller++) {
    for (let nth = 0; nth < 20; nth++) {
      const model = `model-${nth}`
      const outcome = outcomes[(caller + nth) % outcomes.length] ?? 'ok'
      metrics.exchange({
        ...startRecord('request', 'openai', 'generate'),
        caller: `caller-${caller}`,
        model,
        modelKnown: true,
        outcome,
        status: 200,
        images: 1,
        resolution: '1K',
        costMicroUsd: 39_000,
        durationMs: 8_000 + nth,
        upstreamMs: 7_990,
        usage: { inputTokens: 12, outputTokens: 1290, totalTokens: 1302 },
      })
      const call = { upstream: 'google', model, modelKnown: true, outcome, status: 200 }
      metrics.upstreamCall({ ...call, durationMs: 7_990, firstByteMs: 7_800 })
    }
  }
}

/** Looks at the thread's CPU clock in every turn of the event loop. */
function watchLoop(): { stop(): number } {
  let longestMs = 0
  let lastMs = threadCpuMs()
  let turn = setImmediate(look)
  function look(): void {
    const nowMs = threadCpuMs()
    longestMs = Math.max(longestMs, nowMs - lastMs)
    lastMs = nowMs
    turn = setImmediate(look)
  }
  return {
    stop() {
      clearImmediate(turn)
      return longestMs
    },
  }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** A thread of its own, so that what reading the answer costs is not the gateway's. */
const scraperSource = `
  const { parentPort, workerData } = require('node:worker_threads')
  parentPort.on('message', async () => {
    const text = await (await fetch(workerData)).text()
    const series = text.split('\\n').filter(line => line !== '' && !line.startsWith('#')).length
    parentPort.postMessage({ series, bytes: text.length })
  })
`

if (import.meta.main) {
  const { series, bytes, blockedMs, madePerSecond } = await measureScrape()
  const worst = Math.max(...blockedMs)
  console.log(
    `${series} series, ${bytes} bytes: blocks ${median(blockedMs).toFixed(1)} ms, at worst ${worst.toFixed(1)} ms; ` +
      `of ${askedPerSecond} scrapes in a second ${madePerSecond} made the text`,
  )
}
