/** Limits shared by all gateways on one Redis, or on one Redis Cluster. */
import type { RedisClient, RedisScript } from '../redis/client.ts'
import { createClockOffset } from './clock-offset.ts'
import type { ScriptTimes } from './redis-lua.ts'
import { createRedisQuestions, forever, type Question } from './redis-questions.ts'
import { renewLua, reserveLua, settleLua } from './redis-scripts.ts'
import { standingsBy } from './standings.ts'
import {
  checkSettlement,
  costOf,
  defaultTimes,
  type Hold,
  type LimitStore,
  leaseStepMs,
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
/**
 * What the gateway no longer waits for, Redis must not carry out, so it stops first: timers count whole milliseconds from when their
 * turn of the event loop began, and end early by as much.
 */
const redisStopsFirst = 0.9
/** A renewal script names this many calls at most, so that none holds Redis up for long. */
const renewedAtOnce = 100

/** Needs Redis 7 or Valkey, for the flags on the scripts' first line. Which keys it has: redis-questions.ts. */
export function createRedisStore(parts: RedisStoreParts): LimitStore {
  const { redis, now = () => performance.now(), wallClock = Date.now, tag = 'plantain' } = parts
  const { windowMs = defaultTimes.windowMs, leaseMs = defaultTimes.leaseMs } = parts
  const offset = createClockOffset()
  const questions = createRedisQuestions(tag, leaseMs)
  const reservedAt = new WeakMap<Hold, number>()
  /** The question that is under way while Redis's time is unknown. */
  let sounding: Promise<unknown> | null = null

  const bucketMs = Math.ceil(windowMs / subBuckets)
  const times: ScriptTimes = {
    leaseMs,
    leaseStepMs: leaseStepMs(leaseMs),
    leaseTtlMs: leaseMs + graceMs,
    bucketMs,
    windowTtlMs: windowMs + bucketMs + graceMs,
    calendarGraceMs,
  }

  /** Good enough to look for a day's key with: the script says so where its day is another. */
  const probablyNow = () => offset.toTheirs(now()) || wallClock()

  /** Where it fails, so do those that wait for it. */
  function sound(asked: Promise<unknown>): void {
    const over = () => {
      sounding = null
    }
    sounding = asked
    asked.then(over, over)
  }

  /**
   * `ask`: what is asked, where its days and months are those of that moment.
   * Runs a script that does nothing once the time is up. Redis's clock is unknown before its first answer, and may be
   * set later: then it says `late` too early, or that it is another day, and what time it is; and is asked once more.
   * So the first question finds out for those that follow it: none overtakes another because it had to be asked twice.
   */
  async function run(script: RedisScript, side: Side, withinMs: number, atMs: number, ask: (atMs: number) => Question) {
    const askedMs = now()
    const deadline = askedMs + Math.min(withinMs, redis.commandTimeoutMs)
    const lastMoment = askedMs + Math.min(withinMs, redis.commandTimeoutMs * redisStopsFirst)
    let reply = late
    if (!offset.isKnown && sounding) await sounding
    for (let attempt = 0, periodMs = atMs; attempt < 3 && now() < deadline; attempt++) {
      const sentAt = now()
      const { keys, numbers, ids } = ask(periodMs)
      const notAfter = withinMs === forever ? forever : offset.toTheirs(lastMoment)
      const asked = script([questions.clockKey(side), ...keys], [packed(notAfter, numbers), ...ids])
      if (!offset.isKnown) sound(asked)
      reply = read(await asked)
      if (reply.outcome === 'period') periodMs = reply.redisMs
      else offset.learn(reply.redisMs, sentAt, now())
      if (reply.outcome !== 'period' && reply.outcome !== 'late') return reply
    }
    return reply
  }

  const reserveScript = redis.script(reserveLua(times))
  async function reserve(hold: Hold, withinMs: number): Promise<Verdict> {
    const reply = await run(reserveScript, hold.side, withinMs, probablyNow(), atMs => questions.reserve(hold, atMs))
    // Of one that runs already Redis knows better; one that had lapsed is counted anew, in the period of its second admission.
    if (reply.outcome === 'admitted' || (reply.outcome === 'running' && !reservedAt.has(hold))) {
      reservedAt.set(hold, reply.redisMs)
    }
    return verdictOf(reply, hold.reservations)
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
      questions.settle(hold, settlement, toldMs, atMs),
    )
    if (outcome !== 'settled') throw new Error('Redis did not settle a hold in time.')
  }

  const renewScript = redis.script(renewLua(times))
  async function renew(side: Side, holds: readonly Hold[]): Promise<void> {
    const nowMs = probablyNow()
    const told = holds.map(hold => [hold, reservedAt.get(hold) ?? 0] as const)
    const question = questions.renew(side, told, nowMs)
    await run(renewScript, side, redis.commandTimeoutMs, nowMs, () => question)
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

/** As the scripts read them: little-endian doubles. */
function packed(notAfter: number, numbers: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(8 * (1 + numbers.length))
  let at = bytes.writeDoubleLE(notAfter)
  for (const number of numbers) at = bytes.writeDoubleLE(number, at)
  return bytes
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
