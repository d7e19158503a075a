/** What somebody who mistyped a name meant. */

/** The nearest of the candidates, or null where none is near enough to be worth saying. Case, `_`, `-` and `.` do not count. */
export function nearest(name: string, candidates: readonly string[]): string | null {
  const plainName = plain(name)
  let best: { candidate: string; distance: number } | null = null
  for (const candidate of candidates) {
    const distance = distanceBetween(plainName, plain(candidate))
    if (distance <= reach(plainName, plain(candidate)) && (best === null || distance < best.distance)) {
      best = { candidate, distance }
    }
  }
  return best?.candidate ?? null
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[_.-]/g, '')
}

/** A third of the letters may differ; where one name holds the other (`api_keys`, `keys`) all that is around it. */
function reach(a: string, b: string): number {
  const [short, long] = a.length < b.length ? [a, b] : [b, a]
  if (short.length >= 3 && long.includes(short)) return long.length - short.length
  return Math.floor(long.length / 3)
}

/** Letters added, dropped, changed or swapped with their neighbour (optimal string alignment). */
function distanceBetween(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const changed = a[row - 1] === b[column - 1] ? 0 : 1
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + changed,
        swapped ? (beforeLast[column - 2] ?? 0) + 1 : Infinity,
      )
    }
    beforeLast = last
    last = current
  }
  return last[b.length] ?? 0
}
