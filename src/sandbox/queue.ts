/** A few at a time, first come first served: what is painted holds tens of megabytes, what waits holds its request. */

/** Runs `work` when its turn comes. Who leaves before that is never begun: rejects with the signal's reason. */
export type Queue = <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>

export function createQueue(atOnce: number): Queue {
  const waiting = new Set<() => void>()
  let running = 0

  const turn = (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const leave = () => {
        waiting.delete(enter)
        reject(signal.reason)
      }
      const enter = () => {
        waiting.delete(enter)
        signal.removeEventListener('abort', leave)
        running++
        resolve()
      }
      if (running < atOnce) return enter()
      waiting.add(enter)
      signal.addEventListener('abort', leave, { once: true })
    })

  return async (signal, work) => {
    signal.throwIfAborted()
    await turn(signal)
    try {
      return await work()
    } finally {
      running--
      const [next] = waiting
      next?.()
    }
  }
}
