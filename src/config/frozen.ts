/** Values that nobody can change any more. */

/** A Map that refuses to change: Object.freeze alone leaves `set` working. */
export class FrozenMap<K, V> extends Map<K, V> {
  constructor(entries: Iterable<readonly [K, V]>) {
    super()
    for (const [key, value] of entries) super.set(key, value)
  }

  override set(): never {
    throw new TypeError('This map is frozen.')
  }

  override delete(): never {
    throw new TypeError('This map is frozen.')
  }

  override clear(): never {
    throw new TypeError('This map is frozen.')
  }
}

/** Freezes the value and everything it holds. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}
