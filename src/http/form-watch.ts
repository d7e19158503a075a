/** Looks at a form's bytes as they pass its parser: how many there are, and how many parts they begin. */

export class FormWatch {
  /** `\r\n--boundary`, RFC 2046, 5.1.1. */
  readonly #delimiter: Buffer
  readonly #maxBytes: number
  readonly #onTooMany: () => void
  // The last bytes so far, in which a delimiter may have begun. The first one has no line before it.
  #tail: Buffer = Buffer.from('\r\n')
  #isEnded = false
  #length = 0
  /** A chunk that the parser found no delimiter in. */
  #passed: Buffer | null = null
  readonly #starts: number[] = []

  /** `onTooMany`: called once, at the chunk with which the form is larger than `maxBytes`. */
  constructor(boundary: string, maxBytes: number, onTooMany: () => void) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
    this.#maxBytes = maxBytes
    this.#onTooMany = onTooMany
  }

  /** In bytes, so far. */
  get length(): number {
    return this.#length
  }

  /** Delimiters so far that a part follows, up to the one that closes the form. */
  get parts(): number {
    return this.#starts.length - (this.#isEnded ? 1 : 0)
  }

  /** Where each delimiter begins, the one that closes the form included; -2 for one at the very start, which has no line before it. */
  get starts(): readonly number[] {
    return this.#starts
  }

  /** The form is closed. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /**
   * What the parser took to be a file's content. Where it is the whole of the chunk that is pushed next, no delimiter begins or
   * ends in that, and it need not be looked for again: a twentieth of an edit's CPU.
   */
  passed(content: Buffer): void {
    this.#passed = content
  }

  readonly push = (chunk: Buffer): void => {
    const before = this.#length
    this.#length += chunk.length
    if (before <= this.#maxBytes && this.#length > this.#maxBytes) this.#onTooMany()
    // With the two bytes behind a delimiter, which tell whether it is the last.
    const needed = this.#delimiter.length + 2
    if (chunk.length >= needed && this.#passed !== null && isSame(chunk, this.#passed)) {
      this.#tail = chunk.subarray(chunk.length - (needed - 1))
      return
    }
    const seam = Buffer.concat([this.#tail, chunk.subarray(0, needed - 1)])
    this.#find(seam, this.#tail.length, before - this.#tail.length)
    this.#find(chunk, chunk.length, before)
    const last = chunk.length >= needed - 1 ? chunk : seam
    this.#tail = Buffer.from(last.subarray(Math.max(0, last.length - (needed - 1))))
  }

  /** Notes the delimiters that begin before `end` and are there in full. `offset`: of these bytes in the form. */
  #find(bytes: Buffer, end: number, offset: number): void {
    let at = bytes.indexOf(this.#delimiter)
    while (!this.#isEnded && at !== -1 && at < end && at + this.#delimiter.length + 2 <= bytes.length) {
      const behind = at + this.#delimiter.length
      if (bytes[behind] === dash && bytes[behind + 1] === dash) this.#isEnded = true
      this.#starts.push(offset + at)
      at = bytes.indexOf(this.#delimiter, behind)
    }
  }
}

/** The same bytes of the same memory. */
const isSame = (one: Buffer, other: Buffer) =>
  one.buffer === other.buffer && one.byteOffset === other.byteOffset && one.length === other.length

const dash = 0x2d
