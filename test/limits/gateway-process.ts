/** A gateway's limiter in a process of its own, for tests with several: does what its parent says and tells when it was. */
import type { CallerLimits } from '../../src/config/config.ts'
import { createLimits } from '../../src/limits/limits.ts'
import { createRedisStore } from '../../src/limits/redis-store.ts'
import { connectRedis } from '../../src/redis/client.ts'

export interface Setting {
  readonly url: string
  readonly tag: string
  readonly windowMs: number
  readonly leaseMs: number
}

/** `count` exchanges at once, each settled `holdMs` after it was admitted; null: never. */
export interface Burst {
  readonly nth: number
  readonly count: number
  readonly caller: string
  readonly limits: CallerLimits
  readonly holdMs: number | null
  /** Of each exchange; absent: one, at no known price. */
  readonly images?: number
  readonly microUsd?: number | null
}

/** Times of a clock that all processes of the machine share. Redis decided between `askedMs` and `toldMs`. */
export interface Tried {
  readonly admitted: boolean
  readonly askedMs: number
  readonly toldMs: number
  /** Just before the settle was sent. */
  readonly settledMs: number
  /** The store heard of its end. */
  readonly settled: boolean
}

const { url, tag, windowMs, leaseMs } = JSON.parse(process.argv[2] ?? '{}') as Setting
const redis = await connectRedis(url, { commandTimeoutMs: 5_000 })
const limits = createLimits({
  store: createRedisStore({ redis, tag, windowMs, leaseMs }),
  now: () => performance.now(),
})
const sharedMs = () => Number(process.hrtime.bigint() / 1000n) / 1000

async function attempt({
  caller: id,
  limits: callerLimits,
  holdMs,
  images = 1,
  microUsd = null,
}: Burst): Promise<Tried> {
  const askedMs = sharedMs()
  const caller = { id, limits: callerLimits }
  const exchange = { id: 'request', caller, model: 'a-model', deadlineMs: performance.now() + 10_000 }
  const decision = await limits.admit(exchange, { images, tokens: 1, microUsd })
  const toldMs = sharedMs()
  if (decision.admitted && holdMs !== null) await new Promise(resolve => setTimeout(resolve, holdMs))
  const settledMs = sharedMs()
  if (holdMs !== null) await limits.settle(decision, { outcome: 'ok' })
  return { admitted: decision.admitted, askedMs, toldMs, settledMs, settled: decision.admitted && holdMs !== null }
}

process.on('message', async (burst: Burst) => {
  const tried = await Promise.all(Array.from({ length: burst.count }, () => attempt(burst)))
  process.send?.({ nth: burst.nth, tried })
})
// Without its parent it has no use.
process.on('disconnect', () => process.exit())
process.send?.({ nth: 0, tried: [] })
