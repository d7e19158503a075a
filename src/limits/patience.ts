/** How long an exchange may wait for limits, all its waits together, and how many of a caller's exchanges do so at once. */
import type { CallerQueue } from '../config/config.ts'

export interface PatienceParts {
  /** By its id. */
  readonly caller: string
  readonly queue: CallerQueue
  /** Aborts when the caller leaves. */
  readonly signal: AbortSignal
  /** In milliseconds of `now`. */
  readonly deadlineMs: number
  readonly now: () => number
  /** Is told what all waits came to, each time one has ended. */
  readonly onWaited?: (waitedMs: number) => void
}

/** A refusal at the very deadline would come too late to be read. */
const answerMs = 100

/** Of one exchange. Waits side by side, as those of its calls for several pictures, count once. */
export class Patience {
  readonly signal: AbortSignal
  readonly #parts: PatienceParts
  #waits = 0
  #sinceMs = 0
  #endedMs = 0

  constructor(parts: PatienceParts) {
    this.signal = parts.signal
    this.#parts = parts
  }

  get waitedMs(): number {
    return this.#endedMs + (this.#waits > 0 ? this.#parts.now() - this.#sinceMs : 0)
  }

  /** Nothing or less: it has waited for long enough. */
  get leftMs(): number {
    const { queue, deadlineMs, now } = this.#parts
    return Math.min(queue.waitSeconds * 1000 - this.waitedMs, deadlineMs - answerMs - now())
  }

  /** @returns false where as many of the caller's exchanges wait as may. Else `end` is to follow. */
  begin(crowd: Crowd): boolean {
    const { caller, queue, now } = this.#parts
    if (this.#waits === 0) {
      if (!crowd.enter(caller, queue.max)) return false
      this.#sinceMs = now()
    }
    this.#waits += 1
    return true
  }

  end(crowd: Crowd): void {
    const { caller, onWaited } = this.#parts
    if (this.#waits === 1) {
      this.#endedMs = this.waitedMs
      crowd.leave(caller)
    }
    this.#waits -= 1
    onWaited?.(this.waitedMs)
  }
}

/** Exchanges that wait, by caller. */
export class Crowd {
  readonly #waiting = new Map<string, number>()

  enter(caller: string, max: number): boolean {
    const waiting = this.#waiting.get(caller) ?? 0
    if (waiting >= max) return false
    this.#waiting.set(caller, waiting + 1)
    return true
  }

  leave(caller: string): void {
    const left = (this.#waiting.get(caller) ?? 0) - 1
    if (left > 0) this.#waiting.set(caller, left)
    else this.#waiting.delete(caller)
  }

  /** Of those callers of whom any wait. */
  counts(): Iterable<readonly [caller: string, exchanges: number]> {
    return this.#waiting
  }
}
