/** Chance that can be repeated: the same seed gives the same row of numbers, on every machine and in every version. */

export interface Random {
  /** 0 ≤ x < 1 */
  next(): number
  between(least: number, most: number): number
  /** Both ends are possible. */
  integer(least: number, most: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly [T, ...T[]]): T
}

/** The generator sfc32 (PractRand), started with the first 12 bytes of the seed. */
export function createRandom(seed: Buffer): Random {
  let [a, b, c, counter] = [seed.readUInt32LE(0), seed.readUInt32LE(4), seed.readUInt32LE(8), 1]
  const next = () => {
    const sum = (a + b + counter) >>> 0
    counter = (counter + 1) >>> 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) >>> 0
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0
    return sum / 2 ** 32
  }
  // Seeds that differ in one bit give like numbers at first.
  for (let round = 0; round < 15; round++) next()
  const between = (least: number, most: number) => least + (most - least) * next()
  const integer = (least: number, most: number) => Math.floor(between(least, most + 1))
  return {
    next,
    between,
    integer,
    chance: probability => next() < probability,
    pick: list => list[integer(0, list.length - 1)] ?? list[0],
  }
}
