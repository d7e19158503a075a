/** V8 tuned for what this process does: hardly any start, then years of one wide path. None of it is an API of Node's. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Activity } from './http/serve.ts'

/** The settings and their figures are those of one version: others run as their makers meant it. */
const isMeasured = process.version.startsWith('v24.')

const callsUntilCompiled = 100

/**
 * V8 counts a function's calls before it compiles it well (400 and 3000 by itself), and an exchange's path is wide: hundreds of
 * functions that are called once or twice each, thousands of exchanges in slow code. To be called once the start is over: what
 * the start runs is never run again.
 */
export function optimiseSooner(memory: MemoryInUse): void {
  if (!isMeasured) return
  setFlagsFromString(`--invocation-count-for-maglev=${callsUntilCompiled}`)
  setFlagsFromString('--invocation-count-for-turbofan=1000')
  // Buffers of sockets count against the limit of all memory rather than against one of 64 MB of their own, whose passing marks
  // the whole heap: every fourth answer of 8 MB on plain sockets.
  setFlagsFromString('--external-memory-accounted-in-global-limit')
  keepLimitNear(memory)
  // Some seconds after a load V8 would collect all that it can, the shapes of objects included that no exchange has just then, and
  // with them all compiled code that knows them: hundreds of exchanges would run at twice their CPU after each pause.
  setFlagsFromString('--memory-reducer-gc-count=0')
}

export interface MemoryInUse {
  /** `answers.memory`. */
  readonly budgetBytes: number
  /** What answers and requests take now: most of what is alive. */
  heldBytes(): number
}

/**
 * So much may become garbage between two full collections, and what of the budget is not in use besides: so much memory is this
 * process's to take. Collections of the young generation free nearly all there is, if only they come first; where a full one does,
 * answers on plain sockets cost half as much again. V8 by itself would wait for several times what is alive, and uploads are read
 * into buffers that are garbage at once: they lay around by the hundreds of megabytes.
 */
const garbageBytes = 80 * 2 ** 20
const lookMs = 100
// The least that was used in the last second is what was alive then, with hardly any garbage.
const looksKept = 10
// However little is alive: it may be more by the time V8 takes them.
const mostPercent = 1000

/** V8 knows its limit as percents of what a collection left, so that is looked at. */
function keepLimitNear({ budgetBytes, heldBytes }: MemoryInUse): void {
  let last = 0
  const used: number[] = []
  const look = () => {
    const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
    used.push(heap + external)
    if (used.length > looksKept) used.shift()
    // A burst of pictures holds several times what was alive a second ago.
    const alive = Math.max(Math.min(...used), heap + heldBytes())
    const limit = Math.max(alive, budgetBytes) + garbageBytes
    const percent = Math.min(mostPercent, Math.max(10, Math.round(10 * (limit / alive - 1)) * 10))
    if (percent !== last) setFlagsFromString(`--heap-growing-percent=${percent}`)
    last = percent
  }
  look()
  setInterval(look, lookMs).unref()
}

// Long enough for whoever waited for the start to be served first, too short for anybody to look at what it left.
const afterStartMs = 1_000

/**
 * Gives back what only the start needed, some 20 MiB: by itself V8 keeps it for as long as there is little to do. It takes some
 * 50 ms, once, so it waits for a moment without callers. Not where their path was compiled by then: this collection would take
 * along what V8 has learnt, and with so much to do V8 soon collects by itself.
 */
export function forgetTheStart(activity: () => Activity): void {
  if (!isMeasured) return
  const timer = setInterval(() => {
    const { underWay, begun } = activity()
    const isCompiled = begun >= callsUntilCompiled
    if (underWay > 0 && !isCompiled) return
    clearInterval(timer)
    if (!isCompiled) collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }, afterStartMs).unref()
}

/**
 * Of buffers whose bytes were written to others, V8 by itself lets 64 MB lie: before that, a full collection mostly comes, which is
 * dearer than several of these. With half as many bytes as here, all of these together are as dear again.
 */
const uploadedBytes = 40 * 2 ** 20

/**
 * Pictures that callers send are read into fresh buffers and written to others, with hardly an object: so the young generation, which
 * those buffers are of, is long in filling up. @returns is to be told how many bytes were written, and collects it by the way.
 */
export function collectUploads(): (bytes: number) => void {
  if (!isMeasured) return () => {}
  let written = 0
  return bytes => {
    written += bytes
    if (written < uploadedBytes) return
    written = 0
    collect({ type: 'minor', execution: 'sync' })
  }
}

// For less memory than this it isn't worth it.
const peakBytes = 32 * 2 ** 20
// With the shapes of objects a full collection takes the code that knows them: thousands of exchanges at up to twice their CPU.
const usualLullMs = 60_000

/**
 * What a peak of uploads added and was let go is V8's to give back, by a full collection, which an idle process has none of: it would
 * hold the memory of its worst minute for good. @returns is to be told how many bytes were let go; when nobody has called for
 * `lullMs` after that, they are collected.
 */
export function collectPeaks(activity: () => Activity, lullMs = usualLullMs): (bytes: number) => void {
  if (!isMeasured) return () => {}
  let letGo = 0
  let timer: NodeJS.Timeout | null = null
  const waitForLull = () => {
    const { begun } = activity()
    timer = setTimeout(() => {
      const now = activity()
      if (now.underWay > 0 || now.begun > begun) return waitForLull()
      timer = null
      letGo = 0
      collect({ type: 'major', execution: 'sync' })
    }, lullMs).unref()
  }
  return bytes => {
    letGo += bytes
    if (letGo >= peakBytes && !timer) waitForLull()
  }
}

interface Collection {
  readonly type: 'minor' | 'major'
  readonly execution: 'sync'
  /** `last-resort`: code that is no longer used too. */
  readonly flavor?: 'last-resort'
}

let collector: ((how: Collection) => void) | null = null

function collect(how: Collection): void {
  collector ??= exposeCollector()
  collector(how)
}

/** New contexts alone see what was exposed since the start. */
function exposeCollector(): (how: Collection) => void {
  setFlagsFromString('--expose-gc')
  const exposed = runInNewContext('gc') as (how: Collection) => void
  setFlagsFromString('--no-expose-gc')
  return exposed
}
