/** How far another machine's clock is ahead of ours, learnt from its answers: for deadlines that hold over there. */

export interface ClockOffset {
  /** They have answered. */
  readonly isKnown: boolean
  /** A moment of our clock in theirs: never later than it truly is, earlier by one round trip at most. 0 while nothing is known. */
  toTheirs(ours: number): number
  /** They answered `theirs` to what we sent at `sentAt`, and we read it at `readAt`. */
  learn(theirs: number, sentAt: number, readAt: number): void
}

export function createClockOffset(): ClockOffset {
  let atLeast: number | null = null
  return {
    get isKnown() {
      return atLeast !== null
    },
    toTheirs: ours => (atLeast === null ? 0 : Math.floor(ours + atLeast)),
    learn(theirs, sentAt, readAt) {
      // The answer was made between sending and reading. A bound that this contradicts was learnt before a clock moved.
      const [low, high] = [theirs - readAt, theirs + 1 - sentAt]
      atLeast = atLeast === null || atLeast > high ? low : Math.max(atLeast, low)
    },
  }
}
