/**
 * What the Lua scripts of the Redis store have in common. What a script costs is its commands, and then the strings it makes:
 * so counters are strings of little-endian doubles, of which one MGET reads all and one SET writes each together with its time
 * to live; and all numbers of a question are one such string too, `ARGV[1]`.
 */
import { subBuckets } from './store.ts'

/** In milliseconds. They never change while a store lives, so they stand in its scripts as they are. */
export interface ScriptTimes {
  readonly leaseMs: number
  /** Leases end at multiples of it. */
  readonly leaseStepMs: number
  readonly leaseTtlMs: number
  readonly bucketMs: number
  readonly windowTtlMs: number
  readonly calendarGraceMs: number
}

/** A global costs Lua a search each time. */
const namesLua = `
local call, pack, read, floor, max, sub = redis.call, struct.pack, struct.unpack, math.floor, math.max, string.sub
local asked = ARGV[1]
`

/**
 * `kept[1]`, the clock: the highest time that anything was dated by, and how far Redis's own clock has fallen behind it.
 *
 * Redis's clock in whole milliseconds, made steady: where it was set back, time goes on from the highest value, so nothing
 * gets a negative age and nobody waits for the lost hour. The first number asked: after that nothing is done.
 */
const clockLua = `
local time = call('TIME')
local now, behind, highest, before = time[1] * 1000 + floor(time[2] / 1000), 0, 0, 0
if kept[1] then
  highest, before = read('<dd', kept[1])
  behind = max(before, highest - now)
  now = now + behind
end
if now > read('<d', asked) then return { 'late', now } end
`

/** To be done before anything is dated by now. It lives longer than all that is. */
export const keepClockLua = ({ leaseTtlMs, windowTtlMs }: ScriptTimes) => `
if now ~= highest or behind ~= before then
  call('SET', KEYS[1], pack('<dd', now, behind), 'PX', '${2 * (leaseTtlMs + windowTtlMs)}')
end
`

/**
 * A hold's record: when it lapses, when it was reserved, and 1 while windows and days count it; the text 0 once it was
 * settled. Of a hold that does not run, or no more, the three are nil.
 */
export const readRecordLua = (itsLua: string) => `
local lapses, reserved, counted
local record = ${itsLua}
local settled = record == '0'
if record and not settled then
  lapses, reserved, counted = read('<ddd', record)
  if lapses <= now then lapses, reserved, counted = nil, nil, nil end
end
`

/** For scripts that take, or keep, what is held. */
export const lapsesAtLua = ({ leaseMs, leaseStepMs }: ScriptTimes) => `
local lapsesAt = math.ceil((now + ${leaseMs}) / ${leaseStepMs}) * ${leaseStepMs}
`
export const writeRecordLua = ({ leaseTtlMs }: ScriptTimes, key: string, at: string, counted: string) =>
  `call('SET', ${key}, pack('<ddd', lapsesAt, ${at}, ${counted}), 'PX', '${leaseTtlMs}')`

export const takeLeaseLua = ({ leaseTtlMs }: ScriptTimes, key: string, id: string) =>
  `call('ZADD', ${key}, lapsesAt, ${id})
  call('PEXPIRE', ${key}, '${leaseTtlMs}')`

/** Windows and budgets end with pairs of a number and a count, the smallest number first. */
export const appendLua = `
-- The pairs from first on, with one more, or with the last one counting more: all but the last, and the last.
local function append(its, first, number, count)
  if not its then return '', pack('<dd', number, count) end
  local size = #its
  if size > first then
    local newest, there = read('<dd', its, size - 15)
    if newest == number then return sub(its, first, size - 16), pack('<dd', number, there + count) end
  end
  return sub(its, first), pack('<dd', number, count)
end
`

const findLua = `
-- Where the number's pair stands, and what it counts. Numbers are a step apart at least, so it cannot be further ahead.
local function find(its, first, number, step)
  local size = #its
  if size < first then return nil end
  local newest = read('<d', its, size - 15)
  for at = max(first, size - 15 - 16 * floor((newest - number) / step)), size, 16 do
    local one, count = read('<dd', its, at)
    if one >= number then return one == number and at or nil, count end
  end
end
`

/** A window: its sum, then number and count of each sub-bucket in which something came. */
export const windowLua = ({ bucketMs }: ScriptTimes) => `
local bucket = floor(now / ${bucketMs})

-- What is used, where the pairs that count begin, and the number of the last.
local function readWindow(its)
  if not its then return 0, 9, 0 end
  local oldest, size = bucket - ${subBuckets}, #its
  local newest = read('<d', its, size - 15)
  if newest < oldest then return 0, size + 1, 0 end
  local used, first = read('<d', its), 9
  local number, count = read('<dd', its, 9)
  while number < oldest do
    used, first = used - count, first + 16
    number, count = read('<dd', its, first)
  end
  return used, first, newest
end
`

/** A budget: what was spent, what is held, then what is held by when it lapses. */
export const budgetLua = `
-- What is spent, what is held, and where the pairs that have not lapsed begin.
local function readBudget(its)
  if not its then return 0, 0, 17 end
  local spent, held = read('<dd', its)
  for at = 17, #its, 16 do
    local lapses, amount = read('<dd', its, at)
    if lapses > now then return spent, held, at end
    held = held - amount
  end
  return spent, held, #its + 1
end
`

/** For scripts that end, or prolong, what is held. */
export const releaseLua = ({ leaseStepMs, calendarGraceMs }: ScriptTimes) => `${findLua}${budgetLua}
-- What is spent and held, and the pairs, without what the hold that lapses then has in them.
local function release(its, lapses, amount)
  local spent, held, first = readBudget(its)
  if not its then return spent, held, '' end
  local at, there
  if lapses then at, there = find(its, first, lapses, ${leaseStepMs}) end
  if not at then return spent, held, sub(its, first) end
  amount = math.min(amount, there)
  return spent, held - amount, sub(its, first, at + 7) .. pack('<d', there - amount) .. sub(its, at + 16)
end

local function writeBudget(key, its, spent, held, holds, ends)
  local value = pack('<dd', spent, held) .. holds
  if its then
    call('SET', key, value, 'KEEPTTL')
  else
    call('SET', key, value, 'PX', max(ends - now, 0) + ${calendarGraceMs})
  end
end
`

interface ScriptParts {
  /** Redis's own, of the first line. */
  readonly flags?: string
  /** What is read first: the clock, and what else the script asks for at once. */
  readonly kept: string
  readonly rest: string
}

export function scriptLua({ flags = '', kept, rest }: ScriptParts): string {
  return `#!lua${flags}${namesLua}local kept = ${kept}\n${clockLua}${rest}`
}
