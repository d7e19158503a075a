/** Looks at a Redis before limits are entrusted to it, and says what an operator should mend. */
import type { RedisClient } from '../redis/client.ts'

/** Every command that the scripts use, on one key that nothing else uses: DEL between those of strings and those of sorted sets. */
const tryLua = `#!lua
local key = KEYS[1]
local commands = {
  { 'TIME' }, { 'SET', key, '1', 'PX', 1000 }, { 'SET', key, '1', 'KEEPTTL' }, { 'GET', key }, { 'MGET', key },
  { 'INCRBY', key, '1' }, { 'PEXPIRE', key, 1000 }, { 'DEL', key }, { 'ZADD', key, 1, 'a' }, { 'ZCARD', key },
  { 'ZCOUNT', key, '-inf', '+inf' }, { 'ZRANGE', key, 0, -1 }, { 'ZREMRANGEBYSCORE', key, '-inf', 0 }, { 'ZREM', key, 'a' },
}
local failed = {}
for _, command in ipairs(commands) do
  local reply = redis.pcall(unpack(command))
  if type(reply) == 'table' and reply.err then failed[#failed + 1] = command[1] .. ': ' .. reply.err end
end
return failed
`

/** What a Redis user needs, and no more: the README says the same. */
export const sufficientAcl =
  '~{plantain:*}:* +@read +@write +@scripting +@connection +info +time +cluster|slots +config|get'

/** Sentences for the log; none: all is well. Rejects where Redis does not answer. */
export async function checkLimitRedis(redis: RedisClient, tag = 'plantain'): Promise<readonly string[]> {
  const { version, evictionPolicy } = await redis.describe()
  const warnings: string[] = []
  if (Number.parseInt(version, 10) < 7) {
    warnings.push(`Redis ${version} is too old: limits need 7.0 or later, or Valkey`)
  }
  if (evictionPolicy === null) {
    warnings.push(
      'this user may not read maxmemory-policy: see to it that it is noeviction, or limits can be forgotten',
    )
  } else if (evictionPolicy !== 'noeviction') {
    warnings.push(
      `maxmemory-policy is ${evictionPolicy}: a full Redis would forget limits. Set it to noeviction, then it refuses instead`,
    )
  }
  for (const problem of await failures(redis, tag)) {
    warnings.push(`Redis refuses what limits need (${problem}). Its user needs: ${sufficientAcl}`)
  }
  return warnings
}

async function failures(redis: RedisClient, tag: string): Promise<readonly string[]> {
  try {
    const failed = await redis.script(tryLua)([`{${tag}:gateways}:check`], [])
    return Array.isArray(failed) ? failed.map(String) : []
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}
