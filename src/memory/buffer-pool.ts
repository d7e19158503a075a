/** Buffers of one size that are used again: fresh ones are what large bodies cost most, in page clearing and garbage collection. */

const bufferBytes = 64 * 1024
// What an ordinary load has in use; what a peak added is left to the garbage collector.
const mostFree = 1024

export class BufferPool {
  readonly #free: Buffer[] = []

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(bufferBytes)
  }

  /** Nobody reads them any more. */
  give(buffers: readonly Buffer[]): void {
    this.#free.push(...buffers.slice(0, Math.max(0, mostFree - this.#free.length)))
  }
}
