/** Values that nobody can change any more. */

/** A Map that refuses to change: Object.freeze alone leaves `set` working. */
export function frozenMap<K, V>(entries: Iterable<readonly [K, V]>): ReadonlyMap<K, V> {
  const map = new Map(entries)
  for (const method of ['set', 'delete', 'clear']) Object.defineProperty(map, method, { value: refuse })
  return Object.freeze(map)
}

function refuse(): never {
  throw new TypeError('This map is frozen.')
}

/** Freezes the value and everything it holds. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}
