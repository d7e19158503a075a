/** Limits shared by all gateways on one Redis: each question is one Lua script, so nothing comes between its steps. */
import type { RedisClient, RedisScript } from '../redis/client.ts'
import { createClockOffset } from './clock-offset.ts'
import {
  defaultTimes,
  type Hold,
  type LimitStore,
  type Reservation,
  type StoreTimes,
  subBuckets,
  type Verdict,
  type Wait,
} from './store.ts'

export interface RedisStoreParts extends Partial<StoreTimes> {
  readonly redis: RedisClient
  /** Milliseconds of a clock that nobody sets: only its differences count. */
  readonly now?: () => number
  /** The hash tag of all keys: they lie on one node of a cluster, and two installations can share a Redis. */
  readonly tag?: string
}

/** Keys outlive what they say by this much: what has lapsed is decided by the scripts alone, by one clock. */
const graceMs = 5_000
/** A renewal script names this many calls at most, so that none holds Redis up for long. */
const renewedAtOnce = 100

/**
 * All keys begin with `{tag}:`, stand in KEYS, and expire by themselves:
 * - `clock`: the highest time seen, and how far Redis's own clock has fallen behind it
 * - `w:…`: a window. HASH of its sum `s`, oldest sub-bucket `h`, newest `t`, and a count under each sub-bucket's number
 * - `c:…`: the leases. ZSET of hold ids by the time at which they lapse
 * - `r:…`: a hold's record. The time at which it lapses, 0 once it was settled
 *
 * Needs Redis 7 or Valkey, for the flags on the scripts' first line.
 */
export function createRedisStore(parts: RedisStoreParts): LimitStore {
  const { redis, now = () => performance.now(), tag = 'plantain' } = parts
  const { windowMs = defaultTimes.windowMs, leaseMs = defaultTimes.leaseMs } = parts
  const offset = createClockOffset()
  const clockKey = `{${tag}}:clock`
  const recordKey = ({ id }: Hold) => `{${tag}}:r:${id}`
  const counterKey = ({ kind, key }: Reservation) => `{${tag}}:${kind === 'window' ? 'w' : 'c'}:${key}`
  const leaseKeys = ({ reservations }: Hold) => reservations.filter(({ kind }) => kind === 'lease').map(counterKey)

  const bucketMs = Math.ceil(windowMs / subBuckets)
  const timing = [leaseMs, leaseMs + graceMs, bucketMs, windowMs + bucketMs + graceMs]

  /**
   * Runs a script that does nothing once the time is up. Redis's clock is unknown before its first answer, and may be
   * set later: then it says `late` too early, and what time it is, and the question is put once more.
   */
  async function inTime(script: RedisScript, withinMs: number, keys: readonly string[], args: readonly Argument[]) {
    const deadline = now() + Math.min(withinMs, redis.commandTimeoutMs)
    let reply = late
    for (let attempt = 0; attempt < 2 && reply.outcome === 'late' && now() < deadline; attempt++) {
      const sentAt = now()
      reply = read(await script([clockKey, ...keys], [offset.toTheirs(deadline), ...timing, ...args]))
      offset.learn(reply.redisMs, sentAt, now())
    }
    return reply
  }

  const reserveScript = redis.script(reserveLua)
  async function reserve(hold: Hold, withinMs: number): Promise<Verdict> {
    const keys = [recordKey(hold), ...hold.reservations.map(counterKey)]
    const wanted = hold.reservations.flatMap(wish => [wish.kind, wish.limit, wish.kind === 'window' ? wish.cost : 1])
    return verdictOf(await inTime(reserveScript, withinMs, keys, [hold.id, ...wanted]), hold.reservations)
  }

  const renewScript = redis.script(renewLua)
  async function renew(holds: readonly Hold[]): Promise<void> {
    const keys = holds.flatMap(hold => [recordKey(hold), ...leaseKeys(hold)])
    await inTime(
      renewScript,
      redis.commandTimeoutMs,
      keys,
      holds.flatMap(hold => [hold.id, leaseKeys(hold).length]),
    )
  }

  const settleScript = redis.script(settleLua)
  return {
    leaseMs,
    reserve,
    async settle(hold) {
      await settleScript([recordKey(hold), ...leaseKeys(hold)], [leaseMs, hold.id])
    },
    async renew(holds) {
      for (let start = 0; start < holds.length; start += renewedAtOnce) {
        await renew(holds.slice(start, start + renewedAtOnce))
      }
    },
    ready: () => redis.ready(),
  }
}

type Argument = string | number

interface Reply {
  readonly outcome: string
  readonly redisMs: number
  /** Which was refused and its wait, then for each reservation what is used and until when. */
  readonly facts: readonly number[]
}

const late: Reply = { outcome: 'late', redisMs: 0, facts: [] }

function read(reply: unknown): Reply {
  if (!Array.isArray(reply)) throw new TypeError('Redis answered a limit script with something that is no list.')
  const [outcome, redisMs, ...facts] = reply
  return { outcome: String(outcome), redisMs: Number(redisMs), facts: facts.map(Number) }
}

function verdictOf({ outcome, facts }: Reply, reservations: readonly Reservation[]): Verdict {
  if (outcome === 'late' || outcome === 'settled') return { outcome: 'void' }
  const [refused = 0, wait = 0, ...pairs] = facts
  const standings = reservations.map(({ kind, limit }, index) => ({
    limit,
    used: pairs[2 * index] ?? 0,
    resetMs: kind === 'lease' ? null : (pairs[2 * index + 1] ?? 0),
  }))
  if (outcome === 'admitted') return { outcome, standings }
  return { outcome: 'refused', refused, wait: waits.get(wait) ?? wait, standings }
}

/** How the script writes the waits that are no time. */
const waits = new Map<number, Wait>([
  [-1, 'never'],
  [0, 'unknown'],
])

/**
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
local bucketMs, windowTtl = tonumber(ARGV[4]), tonumber(ARGV[5])
if now > notAfter then return { 'late', now } end

-- Called before anything is dated by now; lives longer than all that is.
local function keepClock()
  redis.call('SET', KEYS[1], string.format('%.0f %.0f', now, behind), 'PX', 2 * (leaseTtl + windowTtl))
end
`

/**
 * KEYS: clock, record, a counter per reservation. ARGV: not after, times, id, then kind, limit and cost per reservation.
 * First everything is read, and nothing is written unless there is room in all of it.
 */
const reserveLua = `#!lua
${clockLua}
local id = ARGV[6]
local record = redis.call('GET', KEYS[2])
if record == '0' then return { 'settled', now } end
local repeated = record and tonumber(record) > now

local bucket = math.floor(now / bucketMs)
local function field(number) return string.format('%.0f', number) end

local function counts(key, from, to)
  local fields = {}
  for number = from, to do fields[#fields + 1] = field(number) end
  return redis.call('HMGET', key, unpack(fields)), fields
end

local function readWindow(one)
  local kept = redis.call('HMGET', one.key, 's', 'h', 't', field(bucket))
  local oldest = bucket - ${subBuckets}
  one.used, one.head, one.tail, one.here = 0, bucket, tonumber(kept[3] or 0), tonumber(kept[4] or 0)
  if one.tail < oldest then
    one.stale = kept[1]
    return
  end
  one.used, one.head = tonumber(kept[1]), tonumber(kept[2])
  if one.head < oldest then
    local dead
    dead, one.dead = counts(one.key, one.head, oldest - 1)
    for _, count in ipairs(dead) do one.used = one.used - (count or 0) end
    one.head = oldest
  end
end

-- Until enough sub-buckets have left, oldest first. -1: never.
local function windowWait(one)
  if one.cost > one.limit then return -1 end
  local used = one.used
  for index, count in ipairs(counts(one.key, one.head, one.tail)) do
    used = used - (count or 0)
    if used + one.cost <= one.limit then return (one.head + index + ${subBuckets}) * bucketMs - now end
  end
end

local wanted, refused, wait = {}, nil, nil
for index = 3, #KEYS do
  local at = 7 + (index - 3) * 3
  local one = { key = KEYS[index], window = ARGV[at] == 'window', limit = tonumber(ARGV[at + 1]), cost = tonumber(ARGV[at + 2]) }
  wanted[#wanted + 1] = one
  if one.window then readWindow(one) else one.used = redis.call('ZCOUNT', one.key, '(' .. field(now), '+inf') end
  if not repeated and one.used + one.cost > one.limit then
    local its = one.window and windowWait(one) or one.cost > one.limit and -1 or 0
    if not refused or wait ~= -1 and (its == -1 or its > wait) then refused, wait = #wanted - 1, its end
  end
end

if not refused and not repeated then
  keepClock()
  for _, one in ipairs(wanted) do
    if one.window then
      if one.stale then redis.call('DEL', one.key) end
      if one.dead then redis.call('HDEL', one.key, unpack(one.dead)) end
      one.used, one.tail = one.used + one.cost, bucket
      redis.call('HSET', one.key, 's', one.used, 'h', one.head, 't', bucket, field(bucket), one.here + one.cost)
      redis.call('PEXPIRE', one.key, windowTtl)
    else
      one.used = one.used + 1
      redis.call('ZREMRANGEBYSCORE', one.key, '-inf', now)
      redis.call('ZADD', one.key, now + leaseMs, id)
      redis.call('PEXPIRE', one.key, leaseTtl)
    end
  end
  redis.call('SET', KEYS[2], now + leaseMs, 'PX', leaseTtl)
end

local reply = { refused and 'refused' or 'admitted', now, refused or 0, wait or 0 }
for _, one in ipairs(wanted) do
  reply[#reply + 1] = one.used
  reply[#reply + 1] = one.window and one.used > 0 and (one.tail + ${subBuckets + 1}) * bucketMs - now or 0
end
return reply
`

/** KEYS: record, leases. ARGV: lease, id. Runs on a full Redis too: it gives back. */
const settleLua = `#!lua flags=allow-oom
for index = 2, #KEYS do redis.call('ZREM', KEYS[index], ARGV[2]) end
redis.call('SET', KEYS[1], 0, 'PX', ARGV[1])
`

/** KEYS: clock, then per hold its record and leases. ARGV: not after, times, then per hold its id and how many leases. */
const renewLua = `#!lua
${clockLua}
keepClock()
local at = 2
for index = 6, #ARGV, 2 do
  local id, record, leases = ARGV[index], KEYS[at], tonumber(ARGV[index + 1])
  if redis.call('GET', record) ~= '0' then
    for key = at + 1, at + leases do
      redis.call('ZADD', KEYS[key], now + leaseMs, id)
      redis.call('PEXPIRE', KEYS[key], leaseTtl)
    end
    redis.call('SET', record, now + leaseMs, 'PX', leaseTtl)
  end
  at = at + 1 + leases
end
return { 'renewed', now }
`
