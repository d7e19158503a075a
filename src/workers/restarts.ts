/** How long to wait before a worker is started again: the longer, the more often it ended soon after its start. */

export interface Restarts {
  started(): void
  /** To be asked once each time it has ended. */
  waitMs(): number
}

const firstMs = 200
const mostMs = 30_000
/** Who lived for so long did not fail at its start. */
const wellMs = 60_000

/** `now`: milliseconds of any steady clock. */
export function createRestarts(now: () => number): Restarts {
  let startedMs = now()
  let failures = 0
  return {
    started() {
      startedMs = now()
    },
    waitMs() {
      failures = now() - startedMs >= wellMs ? 0 : failures + 1
      return Math.min(mostMs, firstMs * 2 ** Math.max(0, failures - 1))
    },
  }
}
