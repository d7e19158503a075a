/**
 * Those who wait for a limit instead of being refused, in the order in which they came. They hold nothing while they wait.
 *
 * There is a lane for each thing that ran out, and only the first of a lane asks the store: when something is given back in
 * this process, when the wait that the store told is over, and now and then, since another gateway may have given back.
 */
import type { Admitted, Refused } from './decision.ts'
import { type InLane, Lanes } from './lanes.ts'
import type { Crowd, Patience } from './patience.ts'
import { type Refusal, standing } from './refusal.ts'

/** A question to the store, and who puts it. */
export interface Step<Granted extends Admitted> {
  /** What is asked for, by name: who needs something comes behind those who wait for it. */
  readonly needs: readonly string[]
  /** Null: does not wait, and overtakes nobody either. */
  readonly patience: Patience | null
  ask(): Promise<Granted | Refused>
  /** Which of the needs was refused. */
  needOf(refused: Refused): string
  /** Of an exchange that ended while it was asked. Never rejects. */
  giveBack(granted: Granted): Promise<void>
}

export interface LimitQueue<Granted extends Admitted> {
  /** Nobody waits, and nobody who might is being answered. */
  readonly isEmpty: boolean
  /**
   * The store's answer, or the refusal of the first in line where there is no place in it. After a wait that was in vain: the
   * refusal as it stands by then. Rejects as `ask` does, and with the signal's reason when the exchange ends meanwhile.
   */
  pass(step: Step<Granted>): Promise<Granted | Refused>
  /** Something of these is being given back: what is answered meanwhile may be out of date. */
  freeing(needs: readonly string[]): void
  /** Something of these was given back. */
  freed(needs: readonly string[]): void
}

export interface LimitQueueParts {
  readonly now: () => number
  readonly crowd: Crowd
}

/** What another gateway gave back is noticed after so long: sooner by those who have not waited for long. */
const [soonestPollMs, latestPollMs] = [100, 1000]

/** Puts a question. `again`: something is given back meanwhile, so the answer may be out of date. */
interface Asker<Granted extends Admitted> {
  readonly step: Step<Granted>
  readonly patience: Patience
  readonly arrival: number
  again: boolean
}

interface Newcomer<Granted extends Admitted> extends Asker<Granted> {
  /** Settles when it has passed, is refused, or stands in a lane. */
  readonly placed: PromiseWithResolvers<void>
}

interface Waiter<Granted extends Admitted> extends Asker<Granted>, InLane {
  refusal: Refusal
  isAsking: boolean
  /** Its time ran out while it asked. */
  isLate: boolean
  timer: NodeJS.Timeout | undefined
  finish(settle: () => void): void
  resolve(decision: Granted | Refused): void
  reject(reason: unknown): void
}

export function createLimitQueue<Granted extends Admitted>({ now, crowd }: LimitQueueParts): LimitQueue<Granted> {
  type Decision = Granted | Refused
  const lanes = new Lanes<Waiter<Granted>>()
  /** Those who ask for the first time. */
  const newcomers = new Set<Newcomer<Granted>>()
  /** Waiters who ask. */
  const askers = new Set<Waiter<Granted>>()
  let arrivals = 0

  function leave(waiter: Waiter<Granted>): void {
    const next = lanes.leave(waiter)
    if (next) advance(next)
  }

  /** @returns who is the first now in the lane that was left. */
  function move(waiter: Waiter<Granted>, need: string): Waiter<Granted> | undefined {
    if (need === waiter.need) return undefined
    const next = lanes.leave(waiter)
    waiter.need = need
    lanes.enter(waiter)
    return next
  }

  /** In a loop, for where one changes lanes, all behind it may: there can be thousands. */
  function advance(due: Waiter<Granted>): void {
    let waiter: Waiter<Granted> | undefined = due
    while (waiter) {
      if (waiter.isAsking) {
        waiter.again = true
        return
      }
      clearTimeout(waiter.timer)
      const first = lanes.ahead(waiter.step.needs, waiter.arrival)
      if (!first) {
        void askAgain(waiter)
        return
      }
      waiter = move(waiter, first.need)
    }
  }

  async function askAgain(waiter: Waiter<Granted>): Promise<void> {
    const { step, patience } = waiter
    waiter.isAsking = true
    askers.add(waiter)
    let decision: Decision
    try {
      do {
        waiter.again = false
        decision = await step.ask()
      } while (!decision.admitted && waiter.again && !waiter.isLate && !patience.signal.aborted)
    } catch (error) {
      return waiter.finish(() => waiter.reject(error))
    } finally {
      waiter.isAsking = false
      askers.delete(waiter)
    }
    if (patience.signal.aborted) {
      waiter.finish(() => waiter.reject(patience.signal.reason))
      if (decision.admitted) void step.giveBack(decision)
      return
    }
    if (decision.admitted) return waiter.finish(() => waiter.resolve(decision))
    waiter.refusal = { refused: decision, atMs: now() }
    if (waiter.isLate || !canPass(waiter.refusal, patience)) return waiter.finish(() => waiter.resolve(decision))
    // In its place in the other lane before anybody behind it asks.
    const next = move(waiter, step.needOf(decision))
    pause(waiter)
    if (next) advance(next)
  }

  /** The first of a lane asks again after a while, though it hears of nothing. */
  function pause(waiter: Waiter<Granted>): void {
    if (lanes.first(waiter.need) !== waiter) return
    const { wait } = standing(waiter.refusal, now())
    const pollMs = Math.min(latestPollMs, Math.max(soonestPollMs, waiter.patience.waitedMs / 4))
    clearTimeout(waiter.timer)
    waiter.timer = setTimeout(() => advance(waiter), typeof wait === 'number' ? wait : pollMs)
  }

  /** The first in line knows best how things stand. */
  function giveUp(waiter: Waiter<Granted>): void {
    const { refusal } = lanes.first(waiter.need) ?? waiter
    waiter.finish(() => waiter.resolve(standing(refusal, now())))
  }

  function canPass(refusal: Refusal, { leftMs }: Patience): boolean {
    const { wait } = standing(refusal, now())
    return leftMs > 0 && wait !== 'never' && (wait === 'unknown' || wait <= leftMs)
  }

  function wait(asker: Asker<Granted>, need: string, refusal: Refusal): Promise<Decision> {
    const { patience, again } = asker
    if (!canPass(refusal, patience) || !patience.begin(crowd)) return Promise.resolve(standing(refusal, now()))
    return new Promise<Decision>((resolve, reject) => {
      const { signal } = patience
      let isOver = false
      const waiter: Waiter<Granted> = {
        ...asker,
        need,
        refusal,
        isAsking: false,
        isLate: false,
        timer: undefined,
        resolve,
        reject,
        finish(settle) {
          if (isOver) return
          isOver = true
          clearTimeout(waiter.timer)
          clearTimeout(lateTimer)
          signal.removeEventListener('abort', onAbort)
          patience.end(crowd)
          leave(waiter)
          settle()
        },
      }
      // Who is being answered hears the answer first: what it grants is to be given back.
      const onAbort = () => {
        if (!waiter.isAsking) waiter.finish(() => reject(signal.reason))
      }
      const onLate = () => {
        if (waiter.isAsking) waiter.isLate = true
        else giveUp(waiter)
      }
      const lateTimer = setTimeout(onLate, patience.leftMs)
      signal.addEventListener('abort', onAbort)
      lanes.enter(waiter)
      if (again) advance(waiter)
      else pause(waiter)
    })
  }

  /** Somebody asked before, and something that both need is given back since: who asks now would overtake. */
  function overtaken(needs: readonly string[]): Newcomer<Granted> | undefined {
    for (const newcomer of newcomers) {
      if (newcomer.again && newcomer.step.needs.some(need => needs.includes(need))) return newcomer
    }
    return undefined
  }

  async function pass(step: Step<Granted>): Promise<Decision> {
    const { needs, patience } = step
    if (!patience) {
      const first = lanes.ahead(needs, Number.POSITIVE_INFINITY)
      return first ? standing(first.refusal, now()) : step.ask()
    }
    const arrival = arrivals++
    for (let before = overtaken(needs); before; before = overtaken(needs)) await before.placed.promise
    patience.signal.throwIfAborted()
    const newcomer = { step, patience, arrival, again: false, placed: Promise.withResolvers<void>() }
    const first = lanes.ahead(needs, arrival)
    if (first) return wait(newcomer, first.need, first.refusal)
    newcomers.add(newcomer)
    try {
      const decision = await step.ask()
      if (decision.admitted) return decision
      patience.signal.throwIfAborted()
      return wait(newcomer, step.needOf(decision), { refused: decision, atMs: now() })
    } finally {
      newcomers.delete(newcomer)
      newcomer.placed.resolve()
    }
  }

  return {
    get isEmpty() {
      return lanes.areEmpty && newcomers.size === 0
    },
    pass,
    freeing(needs) {
      for (const asker of [...newcomers, ...askers]) {
        asker.again ||= asker.step.needs.some(need => needs.includes(need))
      }
    },
    freed(needs) {
      const firsts = new Set(needs.flatMap(need => lanes.first(need) ?? []))
      for (const first of [...firsts].toSorted((a, b) => a.arrival - b.arrival)) advance(first)
    },
  }
}
