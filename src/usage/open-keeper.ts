/** The keeper of usage that a configuration asks for. */
import { connectRedis } from '../redis/client.ts'
import { createMemoryKeeper } from './memory-keeper.ts'
import { createRedisKeeper } from './redis-keeper.ts'
import type { UsageKeeper } from './usage.ts'

export interface OpenKeeperParams {
  /** Null: memory. */
  readonly redisUrl: string | null
  readonly tag?: string
  /** Once per change: usage can't be written to Redis, or can again (null). */
  readonly observe: (trouble: string | null) => void
}

/** Nobody's answer waits for it, so it may take longer than the limits' commands. */
const commandTimeoutMs = 1_000

/**
 * On a connection of its own: what is read for an operator stands in no exchange's way, and its timeouts say nothing of the limits'.
 * @throws RedisError where the address cannot be read.
 */
export async function openUsageKeeper({ redisUrl, tag, observe }: OpenKeeperParams): Promise<UsageKeeper> {
  if (redisUrl === null) return createMemoryKeeper()
  const redis = await connectRedis(redisUrl, { commandTimeoutMs })
  const keeper = createRedisKeeper({ redis, observe, ...(tag !== undefined && { tag }) })
  return {
    ...keeper,
    async close() {
      await keeper.close()
      redis.close()
    },
  }
}
