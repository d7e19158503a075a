/**
 * The line of those who wait for room to hold more of an answer.
 *
 * Whoever holds something gives it back in the end, unless it waits for room itself. Where all who hold something wait,
 * nobody ever would: then the eldest of them may go beyond the budgets, alone, until it has let go.
 */
export class WaitingLine {
  readonly #wakers = new Set<() => void>()
  readonly #holders = new Set<object>()
  /** Holders that wait, eldest first. */
  readonly #waiting = new Set<object>()
  #beyond: object | null = null

  /** Somebody holds something, so it makes sense to wait. */
  get moves(): boolean {
    return this.#holders.size > 0
  }

  /** Holds something from now on. */
  enter(holder: object): void {
    this.#holders.add(holder)
  }

  /** Has given back everything. */
  leave(holder: object): void {
    this.#holders.delete(holder)
    if (this.#beyond === holder) this.#beyond = null
    this.wake()
  }

  mayGoBeyond(holder: object): boolean {
    return this.#beyond === holder
  }

  /** Settles when there may be room, or when `signal` aborts: look again then. `holder`: who waits, if it holds something. */
  wait(signal: AbortSignal, holder?: object): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        this.#wakers.delete(wake)
        if (holder) this.#waiting.delete(holder)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#wakers.add(wake)
      if (holder) this.#waiting.add(holder)
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
      else this.#unlock()
    })
  }

  wake(): void {
    for (const wake of this.#wakers) wake()
  }

  #unlock(): void {
    const [eldest] = this.#waiting
    if (!eldest || this.#beyond || this.#waiting.size < this.#holders.size) return
    this.#beyond = eldest
    this.wake()
  }
}
