/** What a pair of reserve and settle costs Redis, and how long it takes, against the least that Redis can be asked. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createRedisStore } from '../../src/limits/redis-store.ts'
import type { LimitStore, Reservation } from '../../src/limits/store.ts'
import { connectRedis } from '../../src/redis/client.ts'
import type { Findings } from '../figure.ts'
import { ratios } from '../statistics.ts'
import { holdOf, nineDimensions, success } from './nine.ts'
import { type BenchRedis, startRedis } from './redis.ts'

const callers = Array.from({ length: 50 }, (_, nth) => nineDimensions(`caller-${nth}`))
const twelve = [...nineDimensions('many'), ...nineDimensions('many-more').slice(0, 3)]
const patienceMs = 5_000

export async function measureRedisTime(): Promise<Findings> {
  await using redis = await startRedis()
  const client = await connectRedis(redis.url, { commandTimeoutMs: patienceMs })
  const pings = new Redis(redis.url)
  try {
    const store = createRedisStore({ redis: client, tag: 'bench' })
    const least = client.script('#!lua\nreturn 1')
    const pair = (nth: number) => pairOf(store, callers[nth % callers.length] ?? [])
    const twoPings = async () => {
      await pings.ping()
      await pings.ping()
    }
    for (let nth = 0; nth < 1_000; nth++) await pair(nth)

    const [perPair, perPairAlone, perLeast]: [number[], number[], number[]] = [[], [], []]
    for (let round = 0; round < 15; round++) {
      perPair.push(await scriptMicroseconds(redis, 10, pair))
      perPairAlone.push(await scriptMicroseconds(redis, 1, pair))
      perLeast.push(2 * (await scriptMicroseconds(redis, 10, async () => void (await least([], [])))))
    }
    const perQuestion: number[] = []
    for (let round = 0; round < 10; round++) {
      perQuestion.push(
        await scriptMicroseconds(redis, 10, async () => void (await store.reserve(holdOf(twelve), patienceMs))),
      )
    }
    const latencies: Latencies[] = []
    for (let round = 0; round < 5; round++) latencies.push(await latencyAt500(pair, twoPings))
    const of = (which: 'pair' | 'pings', share: number) => latencies.map(one => quantile(one[which], share))
    const ms = (which: 'pair' | 'pings') => [0.5, 0.99].map(share => `${Math.min(...of(which, share)).toFixed(2)} ms`)
    return {
      figures: [
        {
          name: 'Redis time per reserve + settle pair, 9 dimensions, by INFO commandstats, 10 side by side',
          unit: 'µs',
          values: perPair,
          atMost: 100,
        },
        { name: 'the same one after the other, by a Redis that sleeps in between', unit: 'µs', values: perPairAlone },
        { name: 'the same of two scripts that do nothing, 10 side by side', unit: 'µs', values: perLeast },
        { name: 'Redis time of one reserve, 12 dimensions', unit: 'µs', values: perQuestion, atMost: 200 },
        {
          name: 'latency of a pair at 500/s against two PINGs, p50',
          unit: '×',
          values: ratios(of('pair', 0.5), of('pings', 0.5)),
          atMost: 3,
        },
        {
          name: 'latency of a pair at 500/s against two PINGs, p99',
          unit: '×',
          values: ratios(of('pair', 0.99), of('pings', 0.99)),
          atMost: 5,
        },
      ],
      details: [
        {
          title: 'Latency at 500/s, best round',
          head: ['', 'p50', 'p99'],
          rows: [
            ['reserve + settle', ...ms('pair')],
            ['two PINGs', ...ms('pings')],
          ],
        },
      ],
      notes: [
        'The nine dimensions: requests, images and tokens per minute, requests and images per day, concurrent, budgets of the day and the month, and requests per minute of a model. The call comes to other tokens and other money than was reserved.',
      ],
    }
  } finally {
    client.close()
    pings.disconnect()
  }
}

async function pairOf(store: LimitStore, reservations: readonly Reservation[]): Promise<void> {
  const hold = holdOf(reservations)
  const { outcome } = await store.reserve(hold, patienceMs)
  if (outcome !== 'admitted') throw new Error(`A hold for the bench was ${outcome}.`)
  await store.settle(hold, success)
}

/** Per time that it is done, so many side by side. */
async function scriptMicroseconds({ admin }: BenchRedis, sideBySide: number, act: (nth: number) => Promise<void>) {
  const times = 300
  async function lane(first: number): Promise<void> {
    for (let nth = first; nth < times; nth += sideBySide) await act(nth)
  }
  await admin.config('RESETSTAT')
  await Promise.all(Array.from({ length: sideBySide }, (_, first) => lane(first)))
  const stats = await admin.info('commandstats')
  const all = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=\d+,usec=(\d+)/g)]
  return all.reduce((sum, [, microseconds]) => sum + Number(microseconds), 0) / times
}

interface Latencies {
  readonly pair: readonly number[]
  readonly pings: readonly number[]
}

/** For two seconds 500 of each a second, by turns, none of which waits for another. */
async function latencyAt500(pair: (nth: number) => Promise<void>, twoPings: () => Promise<void>): Promise<Latencies> {
  const [pairMs, pingsMs]: [number[], number[]] = [[], []]
  const timed = async (into: number[], act: () => Promise<void>) => {
    const startMs = performance.now()
    await act()
    into.push(performance.now() - startMs)
  }
  const all: Promise<void>[] = []
  const beganMs = performance.now()
  for (let nth = 0; nth < 2_000; nth++) {
    const earlyMs = beganMs + nth - performance.now()
    if (earlyMs > 0) await sleep(earlyMs)
    all.push(nth % 2 === 0 ? timed(pairMs, () => pair(nth / 2)) : timed(pingsMs, twoPings))
  }
  await Promise.all(all)
  return { pair: pairMs, pings: pingsMs }
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN
}
