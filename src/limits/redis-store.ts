/** Limits shared by all gateways on one Redis, or on one Redis Cluster. */
import type { RedisClient, RedisScript } from '../redis/client.ts'
import type { Period } from './calendar.ts'
import { createClockOffset } from './clock-offset.ts'
import { renewLua, reserveLua, settleLua } from './redis-scripts.ts'
import { standingsBy } from './standings.ts'
import {
  checkSettlement,
  costOf,
  defaultTimes,
  type Hold,
  type LimitStore,
  mostRefunded,
  type Reservation,
  type Settlement,
  type Side,
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
 * themselves:
 * - `clock`: the highest time seen, and how far Redis's own clock has fallen behind it
 * - `w:…`: a window. HASH of its sum `s`, oldest sub-bucket `h`, newest `t`, and a count under each sub-bucket's number
 * - `f:…`: what failures gave back of a window. In the same form
 * - `c:…`: the leases. ZSET of hold ids by the time at which they lapse
 * - `d:…:2026-11-21`: a day. A number
 * - `b:…:2026-11`: a budget. HASH of what was spent `s` and what is held `h`
 * - `h:…:2026-11`: its holds. ZSET of amounts with hold ids by the time at which they lapse
 * - `r:…`: a hold's record. When it lapses, when it was reserved, and whether windows and days still count it; 0 once it was settled
 *
 * Needs Redis 7 or Valkey, for the flags on the scripts' first line.
 */
export function createRedisStore(parts: RedisStoreParts): LimitStore {
  const { redis, now = () => performance.now(), wallClock = Date.now, tag = 'plantain' } = parts
  const { windowMs = defaultTimes.windowMs, leaseMs = defaultTimes.leaseMs } = parts
  const offset = createClockOffset()
  const reservedAt = new WeakMap<Hold, number>()

  const bucketMs = Math.ceil(windowMs / subBuckets)
  const timing = [leaseMs, leaseMs + graceMs, bucketMs, windowMs + bucketMs + graceMs, calendarGraceMs]
  const keyOn = (side: Side, rest: string) => `{${tag}:${side}}:${rest}`
  const recordKey = ({ side, id }: Hold) => keyOn(side, `r:${id}`)

  function keysOf(side: Side, { kind, key }: Reservation, period: Period | null): Keys {
    switch (kind) {
      case 'window':
        return { counter: keyOn(side, `w:${key}`), beside: keyOn(side, `f:${key}`) }
      case 'lease':
        return { counter: keyOn(side, `c:${key}`) }
      case 'day':
        return { counter: keyOn(side, `d:${key}:${period?.name}`) }
      case 'budget':
        return { counter: keyOn(side, `b:${key}:${period?.name}`), beside: keyOn(side, `h:${key}:${period?.name}`) }
    }
  }

  /** Good enough to look for a day's key with: the script says so where its day is another. */
  const probablyNow = () => offset.toTheirs(now()) || wallClock()

  /**
   * Runs a script that does nothing once the time is up. Redis's clock is unknown before its first answer, and may be
   * set later: then it says `late` too early, or that it is another day, and what time it is; and is asked once more.
   */
  async function run(script: RedisScript, side: Side, withinMs: number, atMs: number, question: Question) {
    const askedMs = now()
    const deadline = askedMs + Math.min(withinMs, redis.commandTimeoutMs)
    let reply = late
    for (let attempt = 0, periodMs = atMs; attempt < 3 && now() < deadline; attempt++) {
      const sentAt = now()
      const { keys, args } = question(periodMs)
      const notAfter = withinMs === forever ? forever : offset.toTheirs(deadline)
      reply = read(await script([keyOn(side, 'clock'), ...keys], [notAfter, ...timing, ...args]))
      if (reply.outcome === 'period') periodMs = reply.redisMs
      else offset.learn(reply.redisMs, sentAt, now())
      if (reply.outcome !== 'period' && reply.outcome !== 'late') return reply
    }
    return reply
  }

  const reserveScript = redis.script(reserveLua)
  async function reserve(hold: Hold, withinMs: number): Promise<Verdict> {
    const { outcome, redisMs, facts } = await run(reserveScript, hold.side, withinMs, probablyNow(), atMs => {
      const wanted = hold.reservations.map(one => ({ one, period: periodOf(one, atMs) }))
      const keys = wanted.flatMap(({ one, period }) => {
        const { counter, beside } = keysOf(hold.side, one, period)
        return one.kind === 'budget' && beside ? [counter, beside] : [counter]
      })
      const args = wanted.flatMap(({ one, period }) => [one.kind, one.limit, costOf(one), ...edgesOf(period)])
      return { keys: [recordKey(hold), ...keys], args: [hold.id, ...args] }
    })
    if (outcome === 'admitted' && !reservedAt.has(hold)) reservedAt.set(hold, redisMs)
    return verdictOf(outcome, facts, hold.reservations)
  }

  const settleScript = redis.script(settleLua)
  async function settle(hold: Hold, { actuals, failed }: Settlement): Promise<void> {
    const memoryMs = hold.reservations.some(({ kind }) => kind === 'budget') ? moneyMemoryMs : leaseMs
    const toldMs = reservedAt.get(hold) ?? 0
    const { outcome } = await run(settleScript, hold.side, forever, toldMs || probablyNow(), atMs => {
      const taken = hold.reservations.map((one, index) => ({ one, index, period: periodOf(one, atMs) }))
      const keys = taken.flatMap(({ one, period }) => {
        const { counter, beside } = keysOf(hold.side, one, period)
        return beside ? [counter, beside] : [counter]
      })
      const args = taken.flatMap(({ one, index, period }) => {
        const actual = actuals[index] ?? costOf(one)
        return [one.kind, costOf(one), actual, mostRefunded(one.limit), ...edgesOf(period)]
      })
      return { keys: [recordKey(hold), ...keys], args: [hold.id, memoryMs, failed ? 1 : 0, toldMs, ...args] }
    })
    if (outcome !== 'settled') throw new Error('Redis did not settle a hold in time.')
  }

  const renewScript = redis.script(renewLua)
  async function renew(side: Side, holds: readonly Hold[]): Promise<void> {
    const nowMs = probablyNow()
    const question = holds.map(hold => {
      const toldMs = reservedAt.get(hold) ?? 0
      const leases = hold.reservations.filter(({ kind }) => kind === 'lease')
      const budgets = hold.reservations
        .filter(({ kind }) => kind === 'budget')
        .map(one => ({ one, period: periodOf(one, toldMs || nowMs) }))
      const budgetKeys = budgets.map(({ one, period }) => keysOf(side, one, period))
      return {
        keys: [
          recordKey(hold),
          ...leases.map(one => keysOf(side, one, null).counter),
          ...budgetKeys.flatMap(({ counter, beside }) => (beside ? [counter, beside] : [])),
        ],
        args: [
          ...[hold.id, leases.length, budgets.length, toldMs],
          ...budgets.flatMap(({ one, period }) => [costOf(one), period?.endsMs ?? 0]),
        ],
      }
    })
    const keys = question.flatMap(one => one.keys)
    const args = question.flatMap(one => one.args)
    await run(renewScript, side, redis.commandTimeoutMs, nowMs, () => ({ keys, args }))
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

interface Keys {
  readonly counter: string
  readonly beside?: string
}

/** What a script is asked, where its days and months are those of this moment. */
type Question = (atMs: number) => { readonly keys: readonly string[]; readonly args: readonly (string | number)[] }

const periodOf = (one: Reservation, atMs: number): Period | null => ('calendar' in one ? one.calendar(atMs) : null)
const edgesOf = (period: Period | null) => [period?.beginsMs ?? 0, period?.endsMs ?? 0]

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

function verdictOf(outcome: string, facts: readonly number[], reservations: readonly Reservation[]): Verdict {
  if (outcome !== 'admitted' && outcome !== 'refused') return { outcome: 'void' }
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
