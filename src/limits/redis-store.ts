/** Limits shared by all gateways on one Redis, or on one Redis Cluster. */
import type { RedisClient, RedisScript } from '../redis/client.ts'
import type { Period } from './calendar.ts'
import { createClockOffset } from './clock-offset.ts'
import type { ScriptTimes } from './redis-lua.ts'
import { kinds, renewLua, reserveLua, settleLua } from './redis-scripts.ts'
import { standingsBy } from './standings.ts'
import {
  checkSettlement,
  costOf,
  defaultTimes,
  type Hold,
  type LimitStore,
  leaseStepMs,
  mostRefunded,
  type Reservation,
  type Settlement,
  type Side,
  type Standing,
  type StoreTimes,
  subBuckets,
  undone,
  type Verdict,
  type Wait,
} from './store.ts'

export interface RedisStoreParts extends Partial<StoreTimes> {
  readonly redis: RedisClient
  /** Milliseconds of a clock that nobody sets: only its differences count. */
  readonly now?: () => number
  /** Milliseconds since 1970: a guess at Redis's time until it has told its own. */
  readonly wallClock?: () => number
  /** Begins the hash tags of all keys: two installations can share a Redis. */
  readonly tag?: string
}

/** Keys outlive what they say by this much: what has lapsed is decided by the scripts alone, by one clock. */
const graceMs = 5_000
const calendarGraceMs = 3_600_000
/** A renewal script names this many calls at most, so that none holds Redis up for long. */
const renewedAtOnce = 100
/** A settle may be sent again for this long: money must not be charged twice by one whose answer was lost. */
const moneyMemoryMs = 600_000
const forever = Number.MAX_SAFE_INTEGER

/**
 * All keys begin with `{tag:caller}:` or `{tag:upstream}:`, the hash tag of their side, stand in KEYS, and expire by
 * themselves. Strings, whose numbers are little-endian doubles unless they are told as text:
 * - `clock`: the highest time seen, and how far Redis's own clock has fallen behind it
 * - `w:…`: a window. Its sum, then number and count of each sub-bucket in which something came: at most 61
 * - `f:…`: what failures gave back of a window. In the same form
 * - `d:…:2026-11-21`: a day. A number as text
 * - `b:…:2026-11`: a budget. What was spent, what is held, then what is held by when it lapses
 * - `r:…`: a hold's record. When it lapses, when it was reserved, 1 while windows and days count it; the text 0 once it was settled
 *
 * - `c:…`: the leases. A ZSET of hold ids by the time at which they lapse
 *
 * Needs Redis 7 or Valkey, for the flags on the scripts' first line.
 */
export function createRedisStore(parts: RedisStoreParts): LimitStore {
  const { redis, now = () => performance.now(), wallClock = Date.now, tag = 'plantain' } = parts
  const { windowMs = defaultTimes.windowMs, leaseMs = defaultTimes.leaseMs } = parts
  const offset = createClockOffset()
  const reservedAt = new WeakMap<Hold, number>()

  const bucketMs = Math.ceil(windowMs / subBuckets)
  const times: ScriptTimes = {
    leaseMs,
    leaseStepMs: leaseStepMs(leaseMs),
    leaseTtlMs: leaseMs + graceMs,
    bucketMs,
    windowTtlMs: windowMs + bucketMs + graceMs,
    calendarGraceMs,
  }
  const keyOn = (side: Side, rest: string) => `{${tag}:${side}}:${rest}`
  const recordKey = (side: Side, id: string) => keyOn(side, `r:${id}`)

  const windowKey = (side: Side, key: string) => keyOn(side, `w:${key}`)
  const refundsKey = (side: Side, key: string) => keyOn(side, `f:${key}`)
  const leasesKey = (side: Side, key: string) => keyOn(side, `c:${key}`)
  const dayKey = (side: Side, key: string, { name }: Period) => keyOn(side, `d:${key}:${name}`)
  const budgetKey = (side: Side, key: string, { name }: Period) => keyOn(side, `b:${key}:${name}`)

  /** Good enough to look for a day's key with: the script says so where its day is another. */
  const probablyNow = () => offset.toTheirs(now()) || wallClock()

  /**
   * `ask`: what is asked, where its days and months are those of that moment.
   * Runs a script that does nothing once the time is up. Redis's clock is unknown before its first answer, and may be
   * set later: then it says `late` too early, or that it is another day, and what time it is; and is asked once more.
   */
  async function run(script: RedisScript, side: Side, withinMs: number, atMs: number, ask: (atMs: number) => Question) {
    const askedMs = now()
    const deadline = askedMs + Math.min(withinMs, redis.commandTimeoutMs)
    let reply = late
    for (let attempt = 0, periodMs = atMs; attempt < 3 && now() < deadline; attempt++) {
      const sentAt = now()
      const { keys, numbers, ids } = ask(periodMs)
      const notAfter = withinMs === forever ? forever : offset.toTheirs(deadline)
      reply = read(await script([keyOn(side, 'clock'), ...keys], [packed(notAfter, numbers), ...ids]))
      if (reply.outcome === 'period') periodMs = reply.redisMs
      else offset.learn(reply.redisMs, sentAt, now())
      if (reply.outcome !== 'period' && reply.outcome !== 'late') return reply
    }
    return reply
  }

  const reserveScript = redis.script(reserveLua(times))
  async function reserve(hold: Hold, withinMs: number): Promise<Verdict> {
    const reply = await run(reserveScript, hold.side, withinMs, probablyNow(), atMs => reserveQuestion(hold, atMs))
    const isHeld = reply.outcome === 'admitted' || reply.outcome === 'running'
    if (isHeld && !reservedAt.has(hold)) reservedAt.set(hold, reply.redisMs)
    return verdictOf(reply, hold.reservations)
  }

  function reserveQuestion({ id, side, reservations }: Hold, atMs: number) {
    const draft = new Draft(recordKey(side, id))
    for (const one of reservations) {
      switch (one.kind) {
        case 'window':
          draft.strings.push(windowKey(side, one.key))
          draft.numbers.push(kinds.window, one.limit, one.cost, 0)
          break
        case 'lease':
          draft.leases.push(leasesKey(side, one.key))
          draft.numbers.push(kinds.lease, one.limit, 1, 0)
          break
        case 'day': {
          const period = draft.within(one.calendar(atMs))
          draft.strings.push(dayKey(side, one.key, period))
          draft.numbers.push(kinds.day, one.limit, one.cost, period.endsMs)
          break
        }
        case 'budget': {
          const period = draft.within(one.calendar(atMs))
          draft.strings.push(budgetKey(side, one.key, period))
          draft.numbers.push(kinds.budget, one.limit, one.cost, period.endsMs)
        }
      }
    }
    return draft.question(id)
  }

  function verdictOf({ outcome, redisMs, facts }: Reply, reservations: readonly Reservation[]): Verdict {
    if (outcome !== 'admitted' && outcome !== 'running' && outcome !== 'refused') return { outcome: 'void' }
    const [refused = 0, wait = 0] = facts
    const nowTaken = outcome === 'admitted'
    let newest = 2 + reservations.length
    const standings = reservations.map((one, index): Standing => {
      const used = (facts[2 + index] ?? 0) + (nowTaken ? costOf(one) : 0)
      if (one.kind === 'lease') return { limit: one.limit, used, resetMs: null }
      if (one.kind !== 'window') {
        return { limit: one.limit, used, resetMs: used > 0 ? one.calendar(redisMs).endsMs - redisMs : 0 }
      }
      const last = nowTaken ? Math.floor(redisMs / bucketMs) : (facts[newest] ?? 0)
      newest += 1
      return { limit: one.limit, used, resetMs: used > 0 ? (last + subBuckets + 1) * bucketMs - redisMs : 0 }
    })
    if (outcome !== 'refused') return { outcome: 'admitted', standings }
    return { outcome, refused, wait: waits.get(wait) ?? wait, standings }
  }

  const settleScript = redis.script(settleLua(times))
  async function settle(hold: Hold, settlement: Settlement): Promise<void> {
    const toldMs = reservedAt.get(hold) ?? 0
    const { outcome } = await run(settleScript, hold.side, forever, toldMs || probablyNow(), atMs =>
      settleQuestion(hold, settlement, toldMs, atMs),
    )
    if (outcome !== 'settled') throw new Error('Redis did not settle a hold in time.')
  }

  /** Names only what changes: windows and days in which the call came to what was reserved stay as they are. */
  function settleQuestion({ id, side, reservations }: Hold, settlement: Settlement, toldMs: number, atMs: number) {
    const hasBudget = reservations.some(({ kind }) => kind === 'budget')
    const draft = new Draft(recordKey(side, id), toldMs, hasBudget ? moneyMemoryMs : leaseMs)
    for (const [index, one] of reservations.entries()) {
      const actual = settlement.actuals[index] ?? costOf(one)
      const delta = actual - costOf(one)
      switch (one.kind) {
        case 'window':
          if (delta === 0) break
          draft.strings.push(windowKey(side, one.key))
          if (settlement.failed && delta < 0) {
            draft.strings.push(refundsKey(side, one.key))
            draft.numbers.push(kinds.window, delta, mostRefunded(one.limit), 0)
          } else draft.numbers.push(kinds.window, delta, -1, 0)
          break
        case 'lease':
          draft.leases.push(leasesKey(side, one.key))
          draft.numbers.push(kinds.lease, 0, 0, 0)
          break
        case 'day':
          if (delta === 0) break
          draft.strings.push(dayKey(side, one.key, draft.within(one.calendar(atMs))))
          draft.numbers.push(kinds.day, delta, 0, 0)
          break
        case 'budget': {
          const period = draft.within(one.calendar(atMs))
          draft.strings.push(budgetKey(side, one.key, period))
          draft.numbers.push(kinds.budget, one.cost, actual, period.endsMs)
        }
      }
    }
    return draft.question(id)
  }

  const renewScript = redis.script(renewLua(times))
  async function renew(side: Side, holds: readonly Hold[]): Promise<void> {
    const nowMs = probablyNow()
    const keys: string[] = []
    const numbers: number[] = []
    const ids = holds.map(({ id }) => id)
    for (const hold of holds) {
      const toldMs = reservedAt.get(hold) ?? 0
      const leases = hold.reservations.filter(one => one.kind === 'lease')
      const budgets = hold.reservations.filter(one => one.kind === 'budget')
      keys.push(recordKey(side, hold.id), ...leases.map(({ key }) => leasesKey(side, key)))
      numbers.push(leases.length, budgets.length, toldMs)
      for (const { key, cost, calendar } of budgets) {
        const period = calendar(toldMs || nowMs)
        keys.push(budgetKey(side, key, period))
        numbers.push(cost, period.endsMs)
      }
    }
    await run(renewScript, side, redis.commandTimeoutMs, nowMs, () => ({ keys, numbers, ids }))
  }

  return {
    leaseMs,
    reserve,
    async settle(hold, settlement) {
      checkSettlement(hold, settlement)
      await settle(hold, settlement)
    },
    cancel: hold => settle(hold, undone(hold)),
    async renew(holds) {
      for (const side of ['caller', 'upstream'] as const) {
        const its = holds.filter(hold => hold.side === side)
        for (let start = 0; start < its.length; start += renewedAtOnce) {
          await renew(side, its.slice(start, start + renewedAtOnce))
        }
      }
    },
    standings: standingsBy(reserve),
    ready: () => redis.ready(),
  }
}

interface Question {
  readonly keys: readonly string[]
  readonly numbers: readonly number[]
  readonly ids: readonly string[]
}

/** As the scripts read them: little-endian doubles. */
function packed(notAfter: number, numbers: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(8 * (1 + numbers.length))
  let at = bytes.writeDoubleLE(notAfter)
  for (const number of numbers) at = bytes.writeDoubleLE(number, at)
  return bytes
}

/** A question about one hold, in the order in which the scripts read it. */
class Draft {
  readonly strings: string[]
  readonly leases: string[] = []
  readonly numbers: number[] = []
  readonly #head: readonly number[]
  #beginsMs = 0
  #endsMs = forever

  constructor(recordKey: string, ...head: readonly number[]) {
    this.strings = [recordKey]
    this.#head = head
  }

  /** The script says so where the keys are of a period that is not the one they should be of. */
  within(period: Period): Period {
    this.#beginsMs = Math.max(this.#beginsMs, period.beginsMs)
    this.#endsMs = Math.min(this.#endsMs, period.endsMs)
    return period
  }

  question(id: string): Question {
    // The clock is a string too.
    const head = [this.strings.length + 1, this.#beginsMs, this.#endsMs, ...this.#head]
    return { keys: [...this.strings, ...this.leases], numbers: [...head, ...this.numbers], ids: [id] }
  }
}

interface Reply {
  readonly outcome: string
  readonly redisMs: number
  /** Which was refused and its wait, what each reservation's counter stood at, and the newest sub-bucket of each window. */
  readonly facts: readonly number[]
}

const late: Reply = { outcome: 'late', redisMs: 0, facts: [] }

function read(reply: unknown): Reply {
  if (!Array.isArray(reply)) throw new TypeError('Redis answered a limit script with something that is no list.')
  const [outcome, redisMs, ...facts] = reply
  return { outcome: String(outcome), redisMs: Number(redisMs), facts: facts.map(Number) }
}

/** How the script writes the waits that are no time. */
const waits = new Map<number, Wait>([
  [-1, 'never'],
  [0, 'unknown'],
])
