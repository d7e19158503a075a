/** Usage of all gateways on one Redis: added up here for a second, written in one command, and kept here while Redis is away. */
import { randomUUID } from 'node:crypto'
import type { RedisClient } from '../redis/client.ts'
import { daysBetween } from './days.ts'
import { addLua, callersLua, countsLua } from './redis-scripts.ts'
import { requestsIn, Tally } from './tally.ts'
import {
  type Counts,
  type Measure,
  measures,
  noCounts,
  sorted,
  TooManyRows,
  type UsageKeeper,
  type UsageQuestion,
  type UsageRow,
} from './usage.ts'

export interface RedisKeeperParts {
  readonly redis: RedisClient
  /** Begins the hash tag of all keys: two installations can share a Redis. */
  readonly tag?: string
  readonly flushMs?: number
  /** Rows that are kept while Redis is away. */
  readonly mostUnwritten?: number
  /** Once per change: usage can't be written, or can again (null). */
  readonly observe?: (trouble: string | null) => void
}

/** For so many days usage is kept. */
export const daysInRedis = 400

const dayMs = 86_400_000
/** A batch is tried again for less than that, unless Redis is away for so long: then it has forgotten everything else too. */
const toldMemoryMs = 7 * dayMs
/** So no command holds Redis up: some tenths of a millisecond each. */
const rowsAtOnce = 100
const keysAtOnce = 50

/**
 * All keys begin with `{tag:usage}:`, so that one script may touch them on a cluster too:
 * - `told:<gateway>`: the number of the last batch that a process wrote
 * - `2026-11-21`: SET of the callers of a day
 * - `2026-11-21:<caller>`: HASH with a number for each model and measure: `gemini-3-pro-image images`
 */
export function createRedisKeeper(parts: RedisKeeperParts): UsageKeeper {
  const { redis, tag = 'plantain', flushMs = 1_000, mostUnwritten = 20_000, observe = () => {} } = parts
  const [add, readCallers, readCounts] = [redis.script(addLua), redis.script(callersLua), redis.script(countsLua)]
  const keyOf = (...rest: readonly string[]) => `{${tag}:usage}:${rest.join(':')}`
  const toldKey = keyOf('told', randomUUID())

  const waiting = new Tally(mostUnwritten)
  let waitingRequests = 0
  let sending: Batch | null = null
  let number = 0
  let lost = 0
  let inTrouble = false
  let flushing: Promise<void> | null = null
  let timer: NodeJS.Timeout | null = null
  let closed = false

  function flushSoon(): void {
    if (timer !== null || closed) return
    timer = setTimeout(() => {
      timer = null
      void flush()
    }, flushMs)
    timer.unref()
  }

  function flush(): Promise<void> {
    flushing ??= writeAll().finally(() => {
      flushing = null
      if (sending || waiting.size > 0) flushSoon()
    })
    return flushing
  }

  /** What is there now: of what comes meanwhile the next takes care, else it might never end. Never rejects. */
  async function writeAll(): Promise<void> {
    let batches = Math.ceil(waiting.size / rowsAtOnce)
    while (sending || batches > 0) {
      if (!sending) batches -= 1
      // Whether a batch arrived may be unknown. It stays as it is, so that it can be told again under its number.
      sending ??= nextBatch()
      try {
        await add([toldKey, ...sending.keys], [sending.number, toldMemoryMs, daysInRedis * dayMs, ...sending.args])
        sending = null
      } catch (error) {
        if (!inTrouble) observe(error instanceof Error ? error.message : String(error))
        inTrouble = true
        return
      }
    }
    if (inTrouble) observe(null)
    inTrouble = false
  }

  function nextBatch(): Batch {
    const rows = waiting.take(rowsAtOnce)
    const requests = requestsIn(rows)
    waitingRequests -= requests
    number += 1
    const ofCallers = Map.groupBy(rows, ({ day, caller }) => keyOf(day, caller))
    const keys: string[] = []
    const args: (string | number)[] = []
    for (const [key, its] of ofCallers) {
      const { day = '', caller = '' } = its[0] ?? {}
      const fields = its.flatMap(fieldsOf)
      keys.push(keyOf(day), key)
      args.push(caller, fields.length / 2, ...fields)
    }
    return { number, requests, keys, args }
  }

  async function read({ from, to, caller, model, mostRows }: UsageQuestion): Promise<readonly UsageRow[]> {
    const days = daysBetween(from, to)
    const wanted = caller === undefined ? await callersOf(days) : days.map(day => ({ day, caller }))
    const rows: UsageRow[] = []
    for (const some of inPieces(wanted)) {
      const lists = listsIn(
        await readCounts(
          some.map(its => keyOf(its.day, its.caller)),
          [],
        ),
      )
      for (const [index, its] of some.entries()) {
        const all = rowsOf(its.day, its.caller, lists[index] ?? [])
        rows.push(...all.filter(row => (model ?? row.model) === row.model))
      }
      if (rows.length > mostRows) throw new TooManyRows(mostRows)
    }
    return sorted(rows)
  }

  async function callersOf(days: readonly string[]) {
    const found: { readonly day: string; readonly caller: string }[] = []
    for (const some of inPieces(days)) {
      const lists = listsIn(
        await readCallers(
          some.map(day => keyOf(day)),
          [],
        ),
      )
      found.push(...some.flatMap((day, index) => (lists[index] ?? []).map(caller => ({ day, caller }))))
    }
    return found
  }

  return {
    add(row) {
      if (!waiting.add(row)) {
        lost += row.counts.requests
        return
      }
      waitingRequests += row.counts.requests
      flushSoon()
    },
    async read(question) {
      // What this gateway just did is to be seen. A flush that is under way may have begun before.
      await flushing
      await flush()
      return read(question)
    },
    unwritten: () => waitingRequests + (sending?.requests ?? 0),
    lost: () => lost,
    async close() {
      closed = true
      if (timer) clearTimeout(timer)
      await flush()
      // One that was under way may have begun before the last rows came.
      if (sending || waiting.size > 0) await flush()
    },
  }
}

interface Batch {
  readonly number: number
  readonly requests: number
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
}

function fieldsOf({ model, counts }: UsageRow): readonly (string | number)[] {
  return measures.flatMap(measure => (counts[measure] === 0 ? [] : [`${model} ${measure}`, counts[measure]]))
}

function rowsOf(day: string, caller: string, fields: readonly string[]): readonly UsageRow[] {
  const models = new Map<string, Record<Measure, number>>()
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [model = '', measure = ''] = (fields[at] ?? '').split(' ')
    const counts = models.get(model) ?? { ...noCounts }
    models.set(model, counts)
    // What a later version counts beside it is its own matter.
    if (isMeasure(measure)) counts[measure] = Number(fields[at + 1])
  }
  return [...models].map(([model, counts]: [string, Counts]) => ({ day, caller, model, counts }))
}

const isMeasure = (text: string): text is Measure => (measures as readonly string[]).includes(text)

function inPieces<T>(all: readonly T[]): readonly (readonly T[])[] {
  const pieces: (readonly T[])[] = []
  for (let start = 0; start < all.length; start += keysAtOnce) pieces.push(all.slice(start, start + keysAtOnce))
  return pieces
}

function listsIn(reply: unknown): readonly (readonly string[])[] {
  if (!Array.isArray(reply))
    throw new TypeError('Redis answered a question about usage with something that is no list.')
  return reply.map(list => (Array.isArray(list) ? list.map(String) : []))
}
