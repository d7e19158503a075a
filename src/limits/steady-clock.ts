/** A clock that limits can be measured by, although the machine's own may be set back. */

/**
 * Whole milliseconds that never go back. Where the given clock does, time goes on from the highest value seen, at the
 * pace of the clock: nothing gets a negative age, no window is emptied early, and nobody waits for the lost hour.
 */
export function steadyClock(now: () => number): () => number {
  let highest = Number.NEGATIVE_INFINITY
  let shift = 0
  return () => {
    const wall = Math.floor(now())
    if (wall + shift < highest) shift = highest - wall
    highest = wall + shift
    return highest
  }
}
