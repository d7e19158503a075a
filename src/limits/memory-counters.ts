/** What the memory store counts with: one counter per key, of one of four kinds. Times are the store's, and never go back. */
import type { Period } from './calendar.ts'
import { MemoryWindow } from './memory-window.ts'
import { mostRefunded, type Reservation, type Wait } from './store.ts'

export interface Counter {
  /** To be asked before anything else at a new time. */
  used(nowMs: number): number
  /** Until there is room for the cost, while there is none. */
  wait(cost: number, limit: number, nowMs: number): Wait
  /** Until nothing is used if nobody comes; null: nobody knows. */
  resetMs(nowMs: number): number | null
  take(cost: number, nowMs: number): void
  /** A call that took `cost` at `atMs` came to `actual`. `failed`: what is given back has a bound. */
  settle(cost: number, actual: number, limit: number, failed: boolean, atMs: number, nowMs: number): void
  /** A call that took `cost` lets go of what it holds, or takes hold of it again. */
  release(cost: number): void
  revive(cost: number): void
  /** It counts nothing any more, and is not the one to count what comes. */
  isOver(nowMs: number): boolean
}

export function createCounter(reservation: Reservation, bucketMs: number, nowMs: number): Counter {
  switch (reservation.kind) {
    case 'window':
      return new WindowCounter(bucketMs, nowMs)
    case 'lease':
      return new LeaseCounter()
    case 'day':
      return new DayCounter(reservation.calendar(nowMs))
    case 'budget':
      return new BudgetCounter(reservation.calendar(nowMs))
  }
}

class WindowCounter implements Counter {
  readonly #bucketMs: number
  readonly #window: MemoryWindow
  #refunds: MemoryWindow | null = null

  constructor(bucketMs: number, nowMs: number) {
    this.#bucketMs = bucketMs
    this.#window = new MemoryWindow(this.#bucketOf(nowMs))
  }

  used(nowMs: number): number {
    return this.#window.used(this.#bucketOf(nowMs))
  }

  wait(cost: number, limit: number, nowMs: number): Wait {
    return cost > limit ? 'never' : this.#window.bucketOfUse(limit - cost) * this.#bucketMs - nowMs
  }

  resetMs(nowMs: number): number {
    return this.#window.sum === 0 ? 0 : this.#window.emptyFrom() * this.#bucketMs - nowMs
  }

  take(cost: number, nowMs: number): void {
    this.#window.add(this.#bucketOf(nowMs), cost)
  }

  settle(cost: number, actual: number, limit: number, failed: boolean, atMs: number, nowMs: number): void {
    const [bucket, now] = [this.#bucketOf(atMs), this.#bucketOf(nowMs)]
    this.#window.used(now)
    if (!failed || actual >= cost) {
      this.#window.correct(bucket, actual - cost)
      return
    }
    this.#refunds ??= new MemoryWindow(now)
    const room = Math.max(0, mostRefunded(limit) - this.#refunds.used(now))
    this.#refunds.add(now, -this.#window.correct(bucket, -Math.min(cost - actual, room)))
  }

  release(): void {}
  revive(): void {}

  isOver(nowMs: number): boolean {
    return this.#window.emptyFrom() * this.#bucketMs <= nowMs
  }

  #bucketOf(nowMs: number): number {
    return Math.floor(nowMs / this.#bucketMs)
  }
}

class LeaseCounter implements Counter {
  #running = 0

  used(): number {
    return this.#running
  }

  wait(cost: number, limit: number): Wait {
    return cost > limit ? 'never' : 'unknown'
  }

  resetMs(): null {
    return null
  }

  take(): void {
    this.#running += 1
  }

  settle(): void {}

  release(): void {
    this.#running -= 1
  }

  revive(): void {
    this.#running += 1
  }

  isOver(): boolean {
    return this.#running === 0
  }
}

class DayCounter implements Counter {
  readonly #period: Period
  #used = 0

  constructor(period: Period) {
    this.#period = period
  }

  used(): number {
    return this.#used
  }

  wait(cost: number, limit: number, nowMs: number): Wait {
    return cost > limit ? 'never' : this.#period.endsMs - nowMs
  }

  resetMs(nowMs: number): number {
    return this.#used === 0 ? 0 : this.#period.endsMs - nowMs
  }

  take(cost: number): void {
    this.#used += cost
  }

  settle(cost: number, actual: number): void {
    this.#used += actual - cost
  }

  release(): void {}
  revive(): void {}

  isOver(nowMs: number): boolean {
    return nowMs >= this.#period.endsMs
  }
}

class BudgetCounter implements Counter {
  readonly #period: Period
  #spent = 0
  #held = 0

  constructor(period: Period) {
    this.#period = period
  }

  used(): number {
    return this.#spent + this.#held
  }

  wait(cost: number, limit: number, nowMs: number): Wait {
    if (cost > limit) return 'never'
    return this.#spent + cost > limit ? this.#period.endsMs - nowMs : 'unknown'
  }

  resetMs(nowMs: number): number {
    return this.used() === 0 ? 0 : this.#period.endsMs - nowMs
  }

  take(cost: number): void {
    this.#held += cost
  }

  settle(_cost: number, actual: number): void {
    this.#spent += actual
  }

  release(cost: number): void {
    this.#held -= cost
  }

  revive(cost: number): void {
    this.#held += cost
  }

  isOver(nowMs: number): boolean {
    return nowMs >= this.#period.endsMs
  }
}
