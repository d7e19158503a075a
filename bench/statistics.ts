/** Medians and ratios of rounds that ran interleaved. */

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  if (low === undefined || high === undefined) throw new Error('Nothing was measured.')
  return (low + high) / 2
}

/** Each round's own ratio: what slows a round of a shared machine slows both of its sides. */
export function ratios(values: readonly number[], yardstick: readonly number[]): number[] {
  return values.map((value, round) => value / (yardstick[round] ?? Number.NaN))
}
