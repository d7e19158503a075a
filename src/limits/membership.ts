/** Which gateways live beside this one: told by heartbeats in Redis, and remembered while Redis is away. */
import { randomUUID } from 'node:crypto'
import type { RedisClient } from '../redis/client.ts'

export interface Membership {
  /** This gateway's part of a whole number: those of all gateways add up to it, and the rest goes to the lowest ids. */
  shareOf(whole: number): number
  /** As of the last heartbeat. */
  size(): number
  /** Beats once. Rejects where Redis does not answer. */
  beat(): Promise<void>
  close(): Promise<void>
}

/** How many gateways there are, and which of them this one is, from 0. */
export interface Standpoint {
  readonly size: number
  readonly place: number
}

export interface MembershipParts {
  readonly redis: RedisClient
  readonly tag?: string
  readonly id?: string
  readonly beatMs?: number
  /** What counts until the first heartbeat. Absent: alone. */
  readonly atFirst?: Standpoint
  /** After each beat: did it reach Redis? */
  readonly observe?: (reached: boolean) => void
}

/** A gateway that missed so many beats is not counted any more. */
const missedBeats = 5

/** KEYS: the ZSET of gateways by when they are last counted. ARGV: own id, for how long, in ms. */
const beatLua = `#!lua
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)
`

const leaveLua = `#!lua flags=allow-oom
return redis.call('ZREM', KEYS[1], ARGV[1])
`

/** One timer; it does not keep the process alive. The first beat is the maker's to await. */
export function createMembership(parts: MembershipParts): Membership {
  const { redis, tag = 'plantain', id = randomUUID(), beatMs = 2_000, observe = () => {}, atFirst } = parts
  const key = `{${tag}:gateways}:live`
  const beatScript = redis.script(beatLua)
  const leaveScript = redis.script(leaveLua)
  let { size, place } = atFirst ?? { size: 1, place: 0 }

  async function beat(): Promise<void> {
    try {
      const reply = await beatScript([key], [id, missedBeats * beatMs])
      const ids = (Array.isArray(reply) ? reply.map(String) : []).toSorted()
      size = Math.max(1, ids.length)
      place = Math.max(0, ids.indexOf(id))
      observe(true)
    } catch (error) {
      observe(false)
      throw error
    }
  }
  const timer = setInterval(() => void beat().catch(() => {}), beatMs)
  timer.unref()

  return {
    shareOf: whole => Math.floor(whole / size) + (place < whole % size ? 1 : 0),
    size: () => size,
    beat,
    async close() {
      clearInterval(timer)
      await leaveScript([key], [id]).catch(() => {})
    },
  }
}
