/** Where answers go that memory has no room for: unlinked temporary files, so that a crash leaves none behind. */
import { randomUUID } from 'node:crypto'
import { close, mkdirSync, openSync, read, unlinkSync, write, writev } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { BufferPool } from './buffer-pool.ts'
import { WaitingLine } from './waiting-line.ts'

const [writeAllAt, writeAt, readAt, closeFile] = [
  promisify(writev),
  promisify(write),
  promisify(read),
  promisify(close),
]

/** The spill folder and its budget, shared by all answers of the process. */
export class SpillSpace {
  /** Files are read into these, one for each answer on its way out. */
  readonly readBuffers = new BufferPool()
  readonly #directory: string
  readonly #budgetBytes: number
  /** Of those who hold answers, here or in memory. */
  readonly line = new WaitingLine()
  #bytesInUse = 0
  #bytesSpilled = 0

  /** Makes the folder where it is missing and needed. @throws the file system's error where it can't. */
  constructor(directory: string, budgetBytes: number) {
    if (budgetBytes > 0) mkdirSync(directory, { recursive: true, mode: 0o700 })
    this.#directory = directory
    this.#budgetBytes = budgetBytes
  }

  /** No file may be written at all. */
  get none(): boolean {
    return this.#budgetBytes === 0
  }

  /** No room until somebody gives some back. */
  get full(): boolean {
    return this.#bytesInUse >= this.#budgetBytes && this.line.moves
  }

  get bytesInUse(): number {
    return this.#bytesInUse
  }

  /** Bytes written since the start. */
  get bytesSpilled(): number {
    return this.#bytesSpilled
  }

  take(bytes: number): void {
    this.#bytesInUse += bytes
    this.#bytesSpilled += bytes
  }

  give(bytes: number): void {
    this.#bytesInUse -= bytes
    this.line.wake()
  }

  /** Settles when something was given back, or when `signal` aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return this.line.wait(signal)
  }

  open(): SpillFile {
    return new SpillFile(this, join(this.#directory, `answer-${randomUUID()}`))
  }
}

/** One answer's file. Nobody else can open it: its name is gone before the first byte is written. */
export class SpillFile {
  readonly #space: SpillSpace
  readonly #descriptor: number
  #length = 0
  #readers = 0
  #closed = false

  /** Between the two calls a crash would leave the name behind: so nothing comes between them. */
  constructor(space: SpillSpace, path: string) {
    this.#space = space
    this.#descriptor = openSync(path, 'wx+', 0o600)
    unlinkSync(path)
  }

  get length(): number {
    return this.#length
  }

  /** Appends the chunks; they may be used again when it returns. */
  async write(chunks: readonly Buffer[]): Promise<void> {
    const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const at = this.#length
    this.#length += size
    this.#space.take(size)
    const { bytesWritten } = await writeAllAt(this.#descriptor, chunks, at)
    if (bytesWritten < size) await this.#writeRest(Buffer.concat(chunks).subarray(bytesWritten), at + bytesWritten)
  }

  async #writeRest(rest: Buffer, position: number): Promise<void> {
    for (let at = 0; at < rest.length; ) {
      const { bytesWritten } = await writeAt(this.#descriptor, rest, at, rest.length - at, position + at)
      at += bytesWritten
    }
  }

  /** A stretch of the file; each buffer is valid until the next is asked for. */
  async *read(start: number, length: number): AsyncGenerator<Buffer> {
    if (this.#closed) throw new Error('The spill file was closed before it was read.')
    this.#readers += 1
    const buffer = this.#space.readBuffers.take()
    try {
      for (let at = 0; at < length; ) {
        if (this.#closed) throw new Error('The spill file was closed while it was read.')
        const { bytesRead } = await readAt(
          this.#descriptor,
          buffer,
          0,
          Math.min(buffer.length, length - at),
          start + at,
        )
        if (bytesRead === 0) throw new Error('The spill file is shorter than what was written to it.')
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    } finally {
      this.#space.readBuffers.give([buffer])
      this.#readers -= 1
      if (this.#closed && this.#readers === 0) await closeFile(this.#descriptor)
    }
  }

  /** Frees the disk space, once the last reader has ended. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#space.give(this.#length)
    if (this.#readers === 0) await closeFile(this.#descriptor)
  }
}
