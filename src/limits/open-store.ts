/** The store that a configuration asks for: this process's memory, or a Redis with all that guards it. */
import type { OnStoreError } from '../config/config.ts'
import { connectRedis } from '../redis/client.ts'
import { createBreaker } from './breaker.ts'
import { checkLimitRedis } from './check.ts'
import { createGuardedStore } from './guarded-store.ts'
import { createMembership, type Standpoint } from './membership.ts'
import { createMemoryStore } from './memory-store.ts'
import { createRedisStore } from './redis-store.ts'
import type { LimitStore } from './store.ts'

export interface OpenStoreParams {
  /** Null: memory. */
  readonly redisUrl: string | null
  readonly onError: OnStoreError
  readonly observe: (event: StoreEvent) => void
  readonly commandTimeoutMs?: number
  readonly tag?: string
  /** One of several workers knows of the others before Redis tells. Absent: alone, as far as it knows. */
  readonly atFirst?: Standpoint
}

export type StoreEvent =
  | { readonly what: 'connected' }
  | { readonly what: 'lost'; readonly reason: string }
  /** After it was lost with the connection still there. */
  | { readonly what: 'back' }
  /** Something that an operator should mend. */
  | { readonly what: 'warning'; readonly sentence: string }

export interface OpenStore {
  readonly store: LimitStore
  /** A shared store does not answer. */
  degraded(): boolean
  close(): Promise<void>
}

/** @throws RedisError where the address cannot be read. A Redis that is away is waited for while the gateway serves. */
export async function openLimitStore(params: OpenStoreParams): Promise<OpenStore> {
  const { redisUrl, onError, observe, commandTimeoutMs, tag = 'plantain', atFirst } = params
  if (redisUrl === null) {
    return {
      store: createMemoryStore({ now: Date.now, pace: () => performance.now() }),
      degraded: () => false,
      close: async () => {},
    }
  }
  const redis = await connectRedis(redisUrl, {
    ...(commandTimeoutMs !== undefined && { commandTimeoutMs }),
    observe: change => {
      observe(change.state === 'connected' ? { what: 'connected' } : { what: 'lost', reason: change.reason })
    },
  })
  const breaker = createBreaker({ now: () => performance.now() })
  let checking: Promise<void> | null = null
  const membership = createMembership({
    redis,
    tag,
    ...(atFirst && { atFirst }),
    observe: reached => {
      if (reached) breaker.succeeded()
      else breaker.failed()
      if (reached) checking ??= check()
    },
  })
  const store = createGuardedStore({
    store: createRedisStore({ redis, tag }),
    breaker,
    onError,
    shareOf: whole => membership.shareOf(whole),
    onRefusing: reason => observe(reason === null ? { what: 'back' } : { what: 'lost', reason }),
    pace: () => performance.now(),
  })

  /** Once, when Redis is there. */
  async function check(): Promise<void> {
    try {
      for (const sentence of await checkLimitRedis(redis, tag)) observe({ what: 'warning', sentence })
    } catch {
      checking = null
    }
  }

  await membership.beat().catch(() => {})
  // A user who may not run scripts has no heartbeat, and is to hear of it all the same.
  if (redis.ready()) checking ??= check()
  await checking
  return {
    store,
    degraded: () => store.degraded(),
    async close() {
      await membership.close()
      redis.close()
    },
  }
}
