/** The Lua of the Redis store: every question is one script, so nothing comes between its steps. */
import {
  appendLua,
  budgetLua,
  keepClockLua,
  lapsesAtLua,
  readRecordLua,
  releaseLua,
  type ScriptTimes,
  scriptLua,
  takeLeaseLua,
  windowLua,
  writeRecordLua,
} from './redis-lua.ts'
import { subBuckets } from './store.ts'

/** How the scripts are told of what kind a reservation is. */
export const kinds = { window: 1, lease: 2, day: 3, budget: 4 } as const

/** The keys of strings stand before those of leases, which are ZSETs. The second number asked says how many they are. */
const stringsLua = `call('MGET', unpack(KEYS, 1, (read('<d', asked, 9))))`

/**
 * KEYS: clock, record, then the strings of the reservations in their order, then the leases in theirs.
 * ARGV: numbers, id. The numbers: not after, how many strings, begin and end of the time in which the keys of days and budgets
 * are the right ones; then per reservation kind, limit, cost, and of a day or a budget the end of its period.
 * First everything is read, and nothing is written unless there is room in all of it.
 * Answers `admitted`, `running` where it was admitted before, or `refused`; the time; which was refused, and its wait; then
 * what was used of each before, then the newest sub-bucket of each window.
 */
export const reserveLua = (times: ScriptTimes) =>
  scriptLua({
    kept: stringsLua,
    rest: `${readRecordLua('kept[2]')}
local _, strings, begins, finishes = read('<dddd', asked)
if settled then return { 'settled', now } end
if now < begins or now >= finishes then return { 'period', now } end
${lapsesAtLua(times)}${appendLua}${windowLua(times)}${budgetLua}
-- From here on kept is what each string will be where there is room in everything, and lives how long those are kept that
-- are new, and which leases are to be swept. A wait of -1: never, 0: when a call ends, nobody knows when.
-- Both tables have room for most questions from the beginning: one that grows is copied each time.
local lives = { ${'false, '.repeat(16)} }
local reply = { 'admitted', now, 0, 0, ${'0, '.repeat(16)} }
local slot, newestSlot, refused, longest = 5, 5 + (#asked - 32) / 32, nil, nil
local text, lease = 2, strings
for at = 33, #asked, 32 do
  local kind, limit, cost, ends = read('<dddd', asked, at)
  local used, wait
  if kind == ${kinds.lease} then
    lease = lease + 1
    used, wait = call('ZCARD', KEYS[lease]), 0
    local over = used > 0 and call('ZCOUNT', KEYS[lease], '-inf', now) or 0
    if over > 0 then used, lives[lease] = used - over, true end
  else
    text = text + 1
    local its = kept[text]
    if kind == ${kinds.window} then
      local first, newest
      used, first, newest = readWindow(its)
      reply[newestSlot] = newest
      newestSlot = newestSlot + 1
      if used + cost > limit and cost <= limit then
        -- Until so much has left that there is room.
        local left, pair, number, count = used, first, nil, nil
        repeat
          number, count = read('<dd', its, pair)
          left, pair = left - count, pair + 16
        until left + cost <= limit
        wait = (number + ${subBuckets + 1}) * ${times.bucketMs} - now
      end
      local others, last = append(its, first, bucket, cost)
      kept[text] = pack('<d', used + cost) .. others .. last
      if newest ~= bucket then lives[text] = '${times.windowTtlMs}' end
    elseif kind == ${kinds.day} then
      used, wait = tonumber(its or 0), ends - now
      kept[text] = string.format('%.0f', used + cost)
      if not its then lives[text] = ends - now + ${times.calendarGraceMs} end
    else
      local spent, held, first = readBudget(its)
      used, wait = spent + held, spent + cost > limit and ends - now or 0
      local others, last = append(its, first, lapsesAt, cost)
      kept[text] = pack('<dd', spent, held + cost) .. others .. last
      if not its then lives[text] = ends - now + ${times.calendarGraceMs} end
    end
  end
  if used + cost > limit then
    if cost > limit then wait = -1 end
    if not refused or longest ~= -1 and (wait == -1 or wait > longest) then refused, longest = slot - 5, wait end
  end
  reply[slot] = used
  slot = slot + 1
end
if reserved then
  reply[1] = 'running'
  return reply
elseif refused then
  reply[1], reply[3], reply[4] = 'refused', refused, longest
  return reply
end
${keepClockLua(times)}
${writeRecordLua(times, 'KEYS[2]', 'now', '1')}
for text = 3, strings do
  local life = lives[text]
  if life then
    call('SET', KEYS[text], kept[text], 'PX', life)
  else
    call('SET', KEYS[text], kept[text], 'KEEPTTL')
  end
end
for lease = strings + 1, #KEYS do
  if lives[lease] then call('ZREMRANGEBYSCORE', KEYS[lease], '-inf', now) end
  ${takeLeaseLua(times, 'KEYS[lease]', 'ARGV[2]')}
end
return reply
`,
  })

/**
 * KEYS: clock, record, then strings and leases as above; of a window that gives back after a failure, its refunds after it.
 * ARGV: numbers, id. The numbers: as above the first four, then when it was reserved as far as the gateway knows, and how
 * long to remember; then four of all that changes: of a window and a day by how much, of a window after a failure also what
 * failures may give back at most, else -1; of a budget cost, actual cost and end of its period.
 * Runs on a full Redis too: it gives back.
 */
export const settleLua = (times: ScriptTimes) =>
  scriptLua({
    flags: ' flags=allow-oom',
    kept: stringsLua,
    rest: `${readRecordLua('kept[2]')}
local _, strings, begins, finishes, told, memory = read('<dddddd', asked)
if settled then return { 'settled', now } end
reserved = reserved or told
local when = reserved > 0 and reserved or now
if when < begins or when >= finishes then return { 'period', when } end
${releaseLua(times)}
local text, lease = 2, strings
for at = 49, #asked, 32 do
  local kind, delta, most, ends = read('<dddd', asked, at)
  if kind == ${kinds.lease} then
    lease = lease + 1
    call('ZREM', KEYS[lease], ARGV[2])
  else
    text = text + 1
    local key, its = KEYS[text], kept[text]
    if kind == ${kinds.window} then
      local there, place, count = floor(reserved / ${times.bucketMs}), nil, nil
      local refunds = most >= 0
      if refunds then text = text + 1 end
      if counted == 1 and its and there >= floor(now / ${times.bucketMs}) - ${subBuckets} then place, count = find(its, 9, there, 1) end
      if place then
        delta = max(delta, -count)
        if refunds and delta < 0 then
          ${appendLua}${windowLua(times)}
          local used, first = readWindow(kept[text])
          local given = math.min(-delta, max(0, most - used))
          if given > 0 then
            ${keepClockLua(times)}
            local others, last = append(kept[text], first, bucket, given)
            call('SET', KEYS[text], pack('<d', used + given) .. others .. last, 'PX', '${times.windowTtlMs}')
          end
          delta = -given
        end
        local sum = read('<d', its) + delta
        call('SET', key, pack('<d', sum) .. sub(its, 9, place + 7) .. pack('<d', count + delta) .. sub(its, place + 16), 'KEEPTTL')
      end
    elseif kind == ${kinds.day} then
      if counted == 1 and its then call('INCRBY', key, max(delta, -its)) end
    else
      local cost, actual = delta, most
      local spent, held, holds = release(its, lapses, cost)
      if lapses or actual > 0 then writeBudget(key, its, spent + actual, held, holds, ends) end
    end
  end
end
call('SET', KEYS[2], '0', 'PX', memory)
return { 'settled', now }
`,
  })

/**
 * KEYS: clock, then per hold its record, its leases, and its budgets.
 * ARGV: numbers, then the holds' ids. The numbers: not after; then per hold how many leases and how many budgets, when it was
 * reserved as far as the gateway knows, and per budget cost and end of its period.
 */
export const renewLua = (times: ScriptTimes) =>
  scriptLua({
    kept: `{ call('GET', KEYS[1]) }`,
    rest: `${lapsesAtLua(times)}${appendLua}${releaseLua(times)}
${keepClockLua(times)}
local key, at = 2, 9
for hold = 2, #ARGV do
  local leases, budgets, told = read('<ddd', asked, at)
  ${readRecordLua("call('GET', KEYS[key])")}
  at = at + 24
  if not settled then
    ${writeRecordLua(times, 'KEYS[key]', 'reserved or told > 0 and told or now', 'counted or 0')}
    for lease = key + 1, key + leases do
      ${takeLeaseLua(times, 'KEYS[lease]', 'ARGV[hold]')}
    end
    for budget = 0, budgets - 1 do
      local its = call('GET', KEYS[key + leases + 1 + budget])
      local cost, ends = read('<dd', asked, at + 16 * budget)
      local spent, held, holds = release(its, lapses, cost)
      local others, last = append(holds, 1, lapsesAt, cost)
      writeBudget(KEYS[key + leases + 1 + budget], its, spent, held + cost, others .. last, ends)
    end
  end
  key, at = key + 1 + leases + budgets, at + 16 * budgets
end
return { 'renewed', now }
`,
  })
