/**
 * What is there at once where it lies in memory, and later where it is read from a file. Waiting for what is there already costs a
 * promise and a turn of the microtask queue, and an exchange would wait so some sixty times.
 */
export type Soon<Value> = Value | Promise<Value>

/** Goes on with a value: at once where it is there. */
export function whenThere<Value, Next>(value: Soon<Value>, goOn: (value: Value) => Soon<Next>): Soon<Next> {
  return value instanceof Promise ? value.then(goOn) : goOn(value)
}

/** For where much lies between: `const value = isThere(soon) ? soon : await soon`. */
export const isThere = <Value>(value: Soon<Value>): value is Value => !(value instanceof Promise)
