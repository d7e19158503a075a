/** The Lua of the Redis keeper. */

/**
 * KEYS: what this gateway told last, then per caller and day the callers of that day and the caller's counts.
 * ARGV: number of this batch, how long that is remembered, how long usage is kept (both ms), then per pair of keys the caller,
 * how many counts, and each count's field and amount.
 * A batch that was told before is not counted again: its answer may have been lost on the way.
 */
export const addLua = `#!lua
if tonumber(redis.call('GET', KEYS[1]) or 0) >= tonumber(ARGV[1]) then return 0 end
-- First what does no harm twice: a user who may not write is told so here, and nothing is lost of what is tried again.
local counts, at = {}, 4
for key = 2, #KEYS, 2 do
  local last = at + 1 + 2 * tonumber(ARGV[at + 1])
  redis.call('SADD', KEYS[key], ARGV[at])
  redis.call('PEXPIRE', KEYS[key], ARGV[3])
  counts[#counts + 1] = { key = KEYS[key + 1], first = at + 2, last = last }
  at = last + 1
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
for _, one in ipairs(counts) do
  for field = one.first, one.last, 2 do redis.call('HINCRBY', one.key, ARGV[field], ARGV[field + 1]) end
  redis.call('PEXPIRE', one.key, ARGV[3])
end
return 1
`

/** KEYS: days' callers. Each in a list of its own. */
export const callersLua = `#!lua flags=no-writes
local lists = {}
for index, key in ipairs(KEYS) do lists[index] = redis.call('SMEMBERS', key) end
return lists
`

/** KEYS: counts of callers. Each a list of fields and amounts. */
export const countsLua = `#!lua flags=no-writes
local lists = {}
for index, key in ipairs(KEYS) do lists[index] = redis.call('HGETALL', key) end
return lists
`
