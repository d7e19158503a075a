/** Room for request bodies: a byte budget of the whole process, handed out first come, first served. */

export interface Room {
  /** So many bytes at once, or null where somebody has to wait. The function gives them back; it may be called again. */
  tryTake(bytes: number): (() => void) | null
  /**
   * Waits for so many bytes, at most until `signal` aborts.
   * @returns gives them back; may be called again. @throws the signal's reason.
   */
  take(bytes: number, signal: AbortSignal): Promise<() => void>
  readonly bytesInUse: number
}

export function createRoom(budgetBytes: number): Room {
  let bytesInUse = 0
  const line: { readonly bytes: number; readonly enter: () => void }[] = []

  // A body larger than the whole budget may enter an empty room: it would wait for ever otherwise.
  const fits = (bytes: number) => bytesInUse === 0 || bytesInUse + bytes <= budgetBytes

  function admitNext(): void {
    for (let [first] = line; first && fits(first.bytes); [first] = line) {
      line.shift()
      bytesInUse += first.bytes
      first.enter()
    }
  }

  function giveBack(bytes: number): () => void {
    let held = true
    return () => {
      if (!held) return
      held = false
      bytesInUse -= bytes
      admitNext()
    }
  }

  return {
    get bytesInUse() {
      return bytesInUse
    },
    tryTake: bytes => {
      if (line.length > 0 || !fits(bytes)) return null
      bytesInUse += bytes
      return giveBack(bytes)
    },
    take: (bytes, signal) =>
      new Promise((resolve, reject) => {
        const place = { bytes, enter: () => enter() }
        const leave = () => {
          line.splice(line.indexOf(place), 1)
          reject(signal.reason)
          admitNext()
        }
        const enter = () => {
          signal.removeEventListener('abort', leave)
          resolve(giveBack(bytes))
        }
        if (signal.aborted) {
          reject(signal.reason)
          return
        }
        signal.addEventListener('abort', leave, { once: true })
        line.push(place)
        admitNext()
      }),
  }
}
