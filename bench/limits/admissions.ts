/** Do four gateways on one Redis ever admit one too many? Bursts at random, window edges, saturation, weights, calls at once. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Tried } from '../../test/limits/gateway-process.ts'
import { type Gateway, mostWithin, startGateway } from '../../test/limits/gateways.ts'
import type { Findings } from '../figure.ts'
import { startRedis } from './redis.ts'

const windowMs = 2_000
const limit = 100
const weighed = 40
const atOnce = 7
const random = (from: number, to: number) => from + Math.floor(Math.random() * (to - from + 1))

type Weighed = Tried & { readonly weight: number }

export async function measureAdmissions(): Promise<Findings> {
  await using redis = await startRedis()
  const setting = { url: redis.url, tag: 'bench', windowMs, leaseMs: 5_000 }
  const gateways = await Promise.all([1, 2, 3, 4].map(() => startGateway(setting)))
  try {
    const [images, calls] = [shootWeights(gateways), shootCalls(gateways)]
    const patterns = {
      bursts: await shootBursts(gateways),
      edges: await shootEdges(gateways),
      saturation: await saturate(gateways),
      'weights of 1 to 10 images': await images,
    }
    const rows = Object.entries(patterns).map(([name, tried]) => {
      const its = name.startsWith('weights') ? weighed : limit
      const admitted = tried.filter(one => one.admitted).length
      return { name, its, most: mostWithin(windowMs, tried), admitted, tries: tried.length }
    })
    const running = await calls
    rows.push({ name: 'calls at once', its: atOnce, most: mostAtOnce(running), ...counted(running) })
    return {
      figures: [
        {
          name: 'admissions above any limit in any sliding window, 4 processes',
          unit: '',
          values: rows.map(({ most, its }) => Math.max(0, most - its)),
          atMost: 0,
          judged: 'each',
        },
      ],
      details: [
        {
          title: `Admissions, windows of ${windowMs / 1000} s`,
          head: ['', 'limit', 'most in any window', 'admitted', 'tried'],
          rows: rows.map(row => [row.name, ...[row.its, row.most, row.admitted, row.tries].map(String)]),
        },
      ],
      notes: [],
    }
  } finally {
    await Promise.all(gateways.map(gateway => gateway.kill()))
  }
}

const counted = (tried: readonly Tried[]) => ({
  admitted: tried.filter(({ admitted }) => admitted).length,
  tries: tried.length,
})

const requests = { limits: { requestsPerMinute: limit }, holdMs: null }

async function shootBursts(gateways: readonly Gateway[]): Promise<Tried[]> {
  const shots: Promise<readonly Tried[]>[] = []
  for (const endMs = performance.now() + 6_000; performance.now() < endMs; await sleep(random(1, 40))) {
    shots.push(...one(gateways, gateway => gateway.burst({ ...requests, caller: 'bursts', count: random(1, 20) })))
  }
  return (await Promise.all(shots)).flat()
}

/** One request, then as many as would fit on both sides of the window's end. */
async function shootEdges(gateways: readonly Gateway[]): Promise<Tried[]> {
  const shots: Promise<readonly Tried[]>[] = []
  const all = (count: number) => gateways.map(gateway => gateway.burst({ ...requests, caller: 'edges', count }))
  for (let round = 0; round < 2; round++) {
    shots.push(...one(gateways, gateway => gateway.burst({ ...requests, caller: 'edges', count: 1 })))
    await sleep(windowMs * 0.98)
    shots.push(...all(limit / 2))
    await sleep(windowMs * 0.04)
    shots.push(...all(limit / 2))
    await sleep(windowMs * 0.2)
  }
  return (await Promise.all(shots)).flat()
}

async function saturate(gateways: readonly Gateway[]): Promise<Tried[]> {
  const shots: Promise<readonly Tried[]>[] = []
  for (const endMs = performance.now() + 2.5 * windowMs; performance.now() < endMs; await sleep(10)) {
    shots.push(...gateways.map(gateway => gateway.burst({ ...requests, caller: 'saturation', count: 2 })))
  }
  return (await Promise.all(shots)).flat()
}

async function shootWeights(gateways: readonly Gateway[]): Promise<Weighed[]> {
  const shots: Promise<Weighed[]>[] = []
  for (const endMs = performance.now() + 6_000; performance.now() < endMs; await sleep(random(1, 60))) {
    const weight = random(1, 10)
    const burst = { caller: 'weights', limits: { imagesPerMinute: weighed }, count: random(1, 4), images: weight }
    for (const shot of one(gateways, gateway => gateway.burst({ ...burst, holdMs: null }))) {
      shots.push(shot.then(tried => tried.map(each => ({ ...each, weight }))))
    }
  }
  return (await Promise.all(shots)).flat()
}

async function shootCalls(gateways: readonly Gateway[]): Promise<Tried[]> {
  const shots: Promise<readonly Tried[]>[] = []
  for (const endMs = performance.now() + 4_000; performance.now() < endMs; await sleep(random(1, 40))) {
    const burst = { caller: 'calls', limits: { concurrent: atOnce }, count: random(1, 4), holdMs: random(0, 40) }
    shots.push(...one(gateways, gateway => gateway.burst(burst)))
  }
  return (await Promise.all(shots)).flat()
}

/** Through one of them. */
function one<T>(gateways: readonly Gateway[], act: (gateway: Gateway) => T): T[] {
  const chosen = gateways[random(0, gateways.length - 1)]
  return chosen ? [act(chosen)] : []
}

/** The most calls that are sure to have been under way at one time. */
function mostAtOnce(tried: readonly Tried[]): number {
  const admitted = tried.filter(each => each.admitted)
  const others = admitted.map(
    ({ toldMs: atMs }) => admitted.filter(({ toldMs, settledMs }) => toldMs <= atMs && settledMs > atMs).length,
  )
  return Math.max(0, ...others)
}
