/** The Lua of the Redis store: every question is one script, so nothing comes between its steps. */
import { subBuckets } from './store.ts'

/**
 * KEYS[1]: clock. ARGV: not after, lease, lease's life, sub-bucket, window's life, calendars' grace.
 *
 * Redis's clock in whole milliseconds, made steady: where it was set back, time goes on from the highest value that
 * anything was dated by, so nothing gets a negative age and nobody waits for the lost hour.
 */
const clockLua = `
local time = redis.call('TIME')
local wall = time[1] * 1000 + math.floor(time[2] / 1000)
local highest, behind = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%d+)$')
highest, behind = tonumber(highest or 0), tonumber(behind or 0)
if wall + behind < highest then behind = highest - wall end
local now = wall + behind

local notAfter, leaseMs, leaseTtl = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bucketMs, windowTtl, calendarGrace = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if now > notAfter then return { 'late', now } end

-- Called before anything is dated by now; lives longer than all that is.
local function keepClock()
  redis.call('SET', KEYS[1], string.format('%.0f %.0f', now, behind), 'PX', 2 * (leaseTtl + windowTtl))
end

local function text(number) return string.format('%.0f', number) end

-- Of a running hold: when it lapses, when it was reserved, and 0 where it had lapsed before.
local function readRecord(key)
  local record = redis.call('GET', key)
  if not record or record == '0' then return nil, record == '0' end
  local lapses, at, counted = string.match(record, '^(%d+) (%d+) (%d)$')
  if tonumber(lapses) <= now then return nil, false end
  return { at = tonumber(at), counted = counted == '1' }, false
end
local function writeRecord(key, at, counted)
  redis.call('SET', key, text(now + leaseMs) .. ' ' .. text(at) .. ' ' .. (counted and '1' or '0'), 'PX', leaseTtl)
end
`

/** Windows: a HASH of its sum, its oldest and its newest sub-bucket, and a count under each sub-bucket's number. */
const windowLua = `
local bucket = math.floor(now / bucketMs)

local function counts(key, from, to)
  local fields = {}
  for number = from, to do fields[#fields + 1] = text(number) end
  return redis.call('HMGET', key, unpack(fields)), fields
end

local function readWindow(key)
  local one = { key = key, used = 0, head = bucket }
  local kept = redis.call('HMGET', key, 's', 'h', 't', text(bucket))
  local oldest = bucket - ${subBuckets}
  one.tail, one.here = tonumber(kept[3] or 0), tonumber(kept[4] or 0)
  if one.tail < oldest then
    one.stale = kept[1]
    return one
  end
  one.used, one.head = tonumber(kept[1]), tonumber(kept[2])
  if one.head < oldest then
    local dead
    dead, one.dead = counts(key, one.head, oldest - 1)
    for _, count in ipairs(dead) do one.used = one.used - (count or 0) end
    one.head = oldest
  end
  return one
end

local function addToWindow(one, cost)
  if one.stale then redis.call('DEL', one.key) end
  if one.dead then redis.call('HDEL', one.key, unpack(one.dead)) end
  one.used, one.tail = one.used + cost, bucket
  redis.call('HSET', one.key, 's', text(one.used), 'h', text(one.head), 't', text(bucket), text(bucket), text(one.here + cost))
  redis.call('PEXPIRE', one.key, windowTtl)
end
`

/** Budgets: a HASH of what was spent and what is held, and a ZSET of the holds by when they lapse. */
const budgetLua = `
local function amountOf(member) return tonumber(string.match(member, '^%d+')) end

local function readBudget(key, holds)
  local one = { key = key, holds = holds, held = 0 }
  local kept = redis.call('HMGET', key, 's', 'h')
  one.spent = tonumber(kept[1] or 0)
  if redis.call('EXISTS', holds) == 1 then
    one.held = tonumber(kept[2] or 0)
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', holds, '-inf', now)) do one.held = one.held - amountOf(member) end
  end
  return one
end

local function writeBudget(one, ends)
  redis.call('ZREMRANGEBYSCORE', one.holds, '-inf', now)
  redis.call('HSET', one.key, 's', text(one.spent), 'h', text(one.held))
  redis.call('PEXPIRE', one.key, math.max(ends - now, 0) + calendarGrace)
end
`

/**
 * KEYS: clock, record, then per reservation its counter, and of a budget its holds.
 * ARGV: times, id, then per reservation kind, limit, cost, and begin and end of the period that its key is of.
 * First everything is read, and nothing is written unless there is room in all of it.
 */
export const reserveLua = `#!lua
${clockLua}
${windowLua}
${budgetLua}
local id = ARGV[7]
local record, settled = readRecord(KEYS[2])
if settled then return { 'settled', now } end

local wanted, refused, wait = {}, nil, nil
local key = 3
for at = 8, #ARGV, 5 do
  local kind, limit, cost, begins, ends = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  if ends > 0 and (now < begins or now >= ends) then return { 'period', now } end
  local one
  if kind == 'window' then
    one = readWindow(KEYS[key])
  elseif kind == 'lease' then
    one = { key = KEYS[key], used = redis.call('ZCOUNT', KEYS[key], '(' .. text(now), '+inf') }
  elseif kind == 'day' then
    one = { key = KEYS[key], used = tonumber(redis.call('GET', KEYS[key]) or 0) }
  else
    one = readBudget(KEYS[key], KEYS[key + 1])
    one.used = one.spent + one.held
  end
  key = key + (kind == 'budget' and 2 or 1)
  one.kind, one.limit, one.cost, one.ends = kind, limit, cost, ends
  wanted[#wanted + 1] = one
end

-- Until there is room. -1: never, 0: when a call ends, nobody knows when.
local function waitOf(one)
  if one.cost > one.limit then return -1 end
  if one.kind == 'lease' then return 0 end
  if one.kind == 'day' then return one.ends - now end
  if one.kind == 'budget' then return one.spent + one.cost > one.limit and one.ends - now or 0 end
  local used = one.used
  for index, count in ipairs(counts(one.key, one.head, one.tail)) do
    used = used - (count or 0)
    if used + one.cost <= one.limit then return (one.head + index + ${subBuckets}) * bucketMs - now end
  end
end

if not record then
  for index, one in ipairs(wanted) do
    if one.used + one.cost > one.limit then
      local its = waitOf(one)
      if not refused or wait ~= -1 and (its == -1 or its > wait) then refused, wait = index - 1, its end
    end
  end
  if not refused then
    keepClock()
    for _, one in ipairs(wanted) do
      if one.kind == 'window' then
        addToWindow(one, one.cost)
      elseif one.kind == 'lease' then
        one.used = one.used + 1
        redis.call('ZREMRANGEBYSCORE', one.key, '-inf', now)
        redis.call('ZADD', one.key, now + leaseMs, id)
        redis.call('PEXPIRE', one.key, leaseTtl)
      elseif one.kind == 'day' then
        one.used = one.used + one.cost
        redis.call('SET', one.key, text(one.used), 'PX', one.ends - now + calendarGrace)
      else
        one.used, one.held = one.used + one.cost, one.held + one.cost
        writeBudget(one, one.ends)
        redis.call('ZADD', one.holds, now + leaseMs, text(one.cost) .. ' ' .. id)
        redis.call('PEXPIRE', one.holds, leaseTtl)
      end
    end
    writeRecord(KEYS[2], now, true)
  end
end

local reply = { refused and 'refused' or 'admitted', now, refused or 0, wait or 0 }
for _, one in ipairs(wanted) do
  local reset = 0
  if one.used > 0 and one.kind == 'window' then reset = (one.tail + ${subBuckets + 1}) * bucketMs - now end
  if one.used > 0 and one.ends > 0 then reset = one.ends - now end
  reply[#reply + 1] = one.used
  reply[#reply + 1] = reset
end
return reply
`

/**
 * KEYS: clock, record, then per reservation its counter, and of a window its refunds, of a budget its holds.
 * ARGV: times, id, how long to remember, 1 where the call failed, when it was reserved as far as the gateway knows, then
 * per reservation kind, cost, actual cost, most to be refunded, and begin and end of the period that its key is of.
 * Runs on a full Redis too: it gives back.
 */
export const settleLua = `#!lua flags=allow-oom
${clockLua}
${windowLua}
${budgetLua}
local id, memory, failed, told = ARGV[7], ARGV[8], ARGV[9] == '1', tonumber(ARGV[10])
local record, settled = readRecord(KEYS[2])
if settled then return { 'settled', now } end
local reserved = record and record.at or told
for at = 11, #ARGV, 6 do
  local begins, ends = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  local when = reserved > 0 and reserved or now
  if ends > 0 and (when < begins or when >= ends) then return { 'period', when } end
end

keepClock()
local function correctWindow(key, refunds, delta, most)
  local there = math.floor(reserved / bucketMs)
  if there < bucket - ${subBuckets} then return end
  local counted = tonumber(redis.call('HGET', key, text(there)) or -1)
  if counted < 0 then return end
  if delta < 0 then delta = -math.min(-delta, counted) end
  if delta < 0 and failed then
    local given = readWindow(refunds)
    delta = -math.min(-delta, math.max(0, most - given.used))
    if delta < 0 then addToWindow(given, -delta) end
  end
  if delta == 0 then return end
  redis.call('HINCRBY', key, text(there), text(delta))
  redis.call('HINCRBY', key, 's', text(delta))
end

local key = 3
for at = 11, #ARGV, 6 do
  local kind, cost, actual, most, ends = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 5])
  local counted = record and record.counted and actual ~= cost
  if kind == 'window' then
    if counted then correctWindow(KEYS[key], KEYS[key + 1], actual - cost, most) end
  elseif kind == 'lease' then
    redis.call('ZREM', KEYS[key], id)
  elseif kind == 'day' then
    local used = tonumber(redis.call('GET', KEYS[key]) or -1)
    if counted and used >= 0 then redis.call('SET', KEYS[key], text(math.max(0, used + actual - cost)), 'KEEPTTL') end
  else
    local one = readBudget(KEYS[key], KEYS[key + 1])
    local holds = redis.call('ZSCORE', one.holds, text(cost) .. ' ' .. id)
    if holds and tonumber(holds) > now then one.held = one.held - cost end
    redis.call('ZREM', one.holds, text(cost) .. ' ' .. id)
    one.spent = one.spent + actual
    if holds or actual > 0 then writeBudget(one, ends) end
  end
  key = key + ((kind == 'window' or kind == 'budget') and 2 or 1)
end
redis.call('SET', KEYS[2], '0', 'PX', memory)
return { 'settled', now }
`

/**
 * KEYS: clock, then per hold its record, its leases, and per budget its counter and its holds.
 * ARGV: times, then per hold its id, how many leases and how many budgets, when it was reserved as far as the gateway
 * knows, and per budget cost and end of its period.
 */
export const renewLua = `#!lua
${clockLua}
${budgetLua}
keepClock()
local key, at = 2, 7
while at <= #ARGV do
  local id, leases, budgets, told = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local recordKey = KEYS[key]
  local record, settled = readRecord(recordKey)
  key, at = key + 1, at + 4
  for _ = 1, leases do
    if not settled then
      redis.call('ZADD', KEYS[key], now + leaseMs, id)
      redis.call('PEXPIRE', KEYS[key], leaseTtl)
    end
    key = key + 1
  end
  for _ = 1, budgets do
    if not settled then
      local cost, ends = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
      local one = readBudget(KEYS[key], KEYS[key + 1])
      local member = text(cost) .. ' ' .. id
      local holds = redis.call('ZSCORE', one.holds, member)
      if not holds or tonumber(holds) <= now then one.held = one.held + cost end
      writeBudget(one, ends)
      redis.call('ZADD', one.holds, now + leaseMs, member)
      redis.call('PEXPIRE', one.holds, leaseTtl)
    end
    key, at = key + 2, at + 2
  end
  if not settled then
    if record then writeRecord(recordKey, record.at, record.counted) else writeRecord(recordKey, told > 0 and told or now, false) end
  end
end
return { 'renewed', now }
`
