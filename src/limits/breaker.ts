/** Stops asking a store that fails again and again, and tries now and then whether it is back. */

export interface Breaker {
  /** May it be asked now? While it is open, one question a period is let through, to see. */
  allows(): boolean
  succeeded(): void
  /** It answered, though to a question that it may answer while it refuses others: no proof, and no reason to wait with the next. */
  answered(): void
  failed(): void
  isOpen(): boolean
}

export interface BreakerParts {
  readonly now: () => number
  /** Failures in a row that open it. */
  readonly failures?: number
  readonly openMs?: number
}

export function createBreaker({ now, failures = 5, openMs = 1_000 }: BreakerParts): Breaker {
  let inARow = 0
  let nextTryMs = 0
  const isOpen = () => inARow >= failures
  return {
    allows() {
      if (!isOpen()) return true
      if (now() < nextTryMs) return false
      nextTryMs = now() + openMs
      return true
    },
    succeeded() {
      inARow = 0
    },
    answered() {
      nextTryMs = 0
    },
    failed() {
      inARow += 1
      nextTryMs = now() + openMs
    },
    isOpen,
  }
}
