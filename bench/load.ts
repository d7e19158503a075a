/** The load, a process of its own: callers at one server, their latencies, and the CPU that server spent on them. */
import { createHash } from 'node:crypto'
import { Caller, type CallerAnswer, type CallerOptions } from './caller.ts'
import { documentOf, sizes } from './documents.ts'
import { cpuMs } from './process-facts.ts'
import { formed, type Kind, requestOf, uploads } from './requests.ts'
import { answerRun } from './talk.ts'
import type { Wish } from './wishes.ts'

export interface Work {
  readonly port: number
  /** Whose CPU is read. */
  readonly pid: number
  readonly kind: Kind
  /** Asked for in turn. */
  readonly wishes: readonly Wish[]
  readonly callers: number
  /** All callers together. */
  readonly requests: number
  /** Before the measurement begins, all callers together. */
  readonly warmUp?: number
  /** So many of the callers read slowly, one answer each. */
  readonly slow?: { readonly callers: number; readonly bytesPerSecond: number }
  /** Check every answer's image by its hash. Costs this process far more than the load itself. */
  readonly verify?: boolean
}

export interface Yield {
  readonly requests: number
  readonly seconds: number
  readonly cpuMsPerRequest: number
  readonly p50Ms: number
  readonly p99Ms: number
}

interface Order {
  readonly wish: Wish
  readonly request: Buffer
}

/** Throws at the first answer that is not whole, not 200 or (with `verify`) not the image that was sent. */
async function run(work: Work): Promise<Yield> {
  const { kind, verify = false } = work
  const checked = verify && kind in uploads ? { uploads: uploads[kind as keyof typeof uploads].files } : {}
  const wishes = work.wishes.map(wish => ({ ...wish, ...checked }))
  const orders = await Promise.all(wishes.map(async wish => ({ wish, request: await requestOf(kind, wish) })))
  const callers = await connectAll(work)
  try {
    await askAll(work, callers, orders, work.warmUp ?? 0)
    const cpuBefore = cpuMs(work.pid)
    const startedAt = performance.now()
    const latencies = await askAll(work, callers, orders, work.requests)
    const seconds = (performance.now() - startedAt) / 1000
    const cpuMsPerRequest = (cpuMs(work.pid) - cpuBefore) / latencies.length
    const [p50Ms, p99Ms] = [percentile(latencies, 50), percentile(latencies, 99)]
    return { requests: latencies.length, seconds, cpuMsPerRequest, p50Ms, p99Ms }
  } finally {
    for (const caller of callers) caller.close()
  }
}

// A thousand connections at once overrun a server's queue of accepts, and a dropped SYN is only sent again a second later.
const connectsAtOnce = 100

async function connectAll({ port, callers, slow, verify }: Work): Promise<Caller[]> {
  const connected: Caller[] = []
  while (connected.length < callers) {
    const batch = Array.from({ length: Math.min(connectsAtOnce, callers - connected.length) }, (_, index) => {
      const isSlow = connected.length + index < (slow?.callers ?? 0)
      const options: CallerOptions = {
        keepBodies: verify ?? false,
        ...(slow && isSlow ? { bytesPerSecond: slow.bytesPerSecond } : {}),
      }
      return new Caller(port, options)
    })
    await Promise.all(batch.map(caller => caller.ready()))
    connected.push(...batch)
  }
  return connected
}

/** All callers ask until `requests` were asked; resolves with the latencies in milliseconds. */
async function askAll(work: Work, callers: readonly Caller[], orders: readonly Order[], requests: number) {
  const latencies: number[] = []
  let asked = 0
  const askOn = async (caller: Caller, index: number) => {
    const mostAnswers = index < (work.slow?.callers ?? 0) ? 1 : requests
    for (let answers = 0; answers < mostAnswers && asked < requests; answers++) {
      const order = orders[asked++ % orders.length] as Order
      const startedAt = performance.now()
      const answer = await caller.ask(order.request)
      latencies.push(performance.now() - startedAt)
      await check(work, order.wish, answer)
    }
  }
  await Promise.all(callers.map(askOn))
  return latencies
}

async function check({ kind, verify }: Work, wish: Wish, { status, bodyBytes, body }: CallerAnswer): Promise<void> {
  const name = `${kind} ${wish.size}`
  if (status !== 200) throw new Error(`${name}: status ${status}: ${body.toString('utf8', 0, 500)}`)
  // Translating may drop a part of the frame, never of the image.
  if (kind !== 'url' && bodyBytes < sizes[wish.size] * 0.95)
    throw new Error(`${name}: an answer of only ${bodyBytes} bytes.`)
  if (!verify) return
  const { imageSha256 } = await documentOf(formed(kind, wish))
  const image = kind === 'url' ? await imageAt(body) : Buffer.from(imageIn(body), 'base64')
  const got = createHash('sha256').update(image).digest('hex')
  if (got !== imageSha256) throw new Error(`${name}: the image is not the one the upstream sent.`)
}

function imageIn(body: Buffer): string {
  const answer = JSON.parse(body.toString()) as {
    data?: { b64_json: string }[]
    candidates?: { content: { parts: { inlineData: { data: string } }[] } }[]
  }
  return answer.data?.[0]?.b64_json ?? answer.candidates?.[0]?.content.parts[0]?.inlineData.data ?? ''
}

async function imageAt(body: Buffer): Promise<Buffer> {
  const { data } = JSON.parse(body.toString()) as { data: { url: string }[] }
  return Buffer.from(await (await fetch(data[0]?.url ?? '')).arrayBuffer())
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0
}

answerRun({ run })
