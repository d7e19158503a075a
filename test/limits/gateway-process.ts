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
}

/** Times of a clock that all processes of the machine share. Redis decided between `askedMs` and `toldMs`. */
export interface Tried {
  readonly admitted: boolean
  readonly askedMs: number
  readonly toldMs: number
  /** Just before the settle was sent. */
  readonly settledMs: number
}

const { url, tag, windowMs, leaseMs } = JSON.parse(process.argv[2] ?? '{}') as Setting
const redis = await connectRedis(url, { commandTimeoutMs: 5_000 })
const limits = createLimits({
  store: createRedisStore({ redis, tag, windowMs, leaseMs }),
  now: () => performance.now(),
})
const sharedMs = () => Number(process.hrtime.bigint() / 1000n) / 1000

async function attempt({ caller: id, limits: callerLimits, holdMs }: Burst): Promise<Tried> {
  const askedMs = sharedMs()
  const caller = { id, limits: callerLimits }
  const decision = await limits.admit({ id: 'request', caller, deadlineMs: performance.now() + 10_000 })
  const toldMs = sharedMs()
  if (decision.admitted && holdMs !== null) await new Promise(resolve => setTimeout(resolve, holdMs))
  const settledMs = sharedMs()
  if (holdMs !== null) await limits.settle(decision, 'ok')
  return { admitted: decision.admitted, askedMs, toldMs, settledMs }
}

process.on('message', async (burst: Burst) => {
  const tried = await Promise.all(Array.from({ length: burst.count }, () => attempt(burst)))
  process.send?.({ nth: burst.nth, tried })
})
// Without its parent it has no use.
process.on('disconnect', () => process.exit())
process.send?.({ nth: 0, tried: [] })
