/**
 * Base64 with the processor's vector instructions: base64-kernel.wat, assembled. Node's own takes and makes strings alone, and to make
 * them of a picture that lies in buffers costs more than to decode or to encode it: in garbage, and in two copies of the text.
 */

/** base64-kernel.wat in binary, as base64. A test assembles it anew, and tells what should stand here. */
export const binary =
  'AGFzbQEAAAABDgJgA39/fwF/YAN/f38AAiYCBmtlcm5lbAVieXRlcwIBAYCABAZrZXJuZWwEdGV4dAIBAYCABAMDAgABBxMCBmRlY29kZQAABmVuY29kZQAB' +
  'Cv0CAsUBAQt7QQD9AAQAIQNBAP0ABBAhBEEA/QAEICEFQQD9AAQwIQZBAP0ABEAhB0EA/QAEUCEIQQD9AARgIQlBAP0ABHAhCgJAA0AgACABTw0BIAD9AEAB' +
  'ACELIAtBBP2tASAG/U4hDCANIAMgCyAG/U79gAIgBCAM/YAC/U79UCENIAsgBSAMIAsgB/0j/W79gAL9biELIAggC/2SAiAJ/boBIQsgAiALIAr9gAL9CwAA' +
  'IABBEGohACACQQxqIQIMAAsLIA39UwuzAQEKe0EA/QAEgAEhA0EA/QAEkAEhBEEA/QAEoAEhBUEA/QAEsAEhBkEA/QAEwAEhB0EA/QAE0AEhCEEA/QAE4AEh' +
  'CUEA/QAE8AEhCgJAA0AgACABTw0BIAD9AAAAIAP9gAIhCyALQQH9jQEgBP1OIAX9kQIgCyAG/U4gB/2VAf1QIQwgAiAMIAogDCAJ/XMgDCAI/Sj9cf2AAv1u' +
  '/QtAAQAgAEEMaiEAIAJBEGohAgwACwsLC4cCAQBBAAuAAhURERERERERERETGhsbGxoQEAECBAgECBAQEBAQEBAQABATBL+/ubkAAAAAAAAAAA8PDw8PDw8P' +
  'Dw8PDw8PDw8vLy8vLy8vLy8vLy8vLy8vQAFAAUABQAFAAUABQAFAAQAQAQAAEAEAABABAAAQAQACAQAGBQQKCQgODQyAgICAAQACAQQDBQQHBggHCgkLCgB+' +
  '4AcAfuAHAH7gBwB+4AdAAAAEQAAABEAAAARAAAAE8AM/APADPwDwAz8A8AM/ABAAAAEQAAABEAAAARAAAAEZGRkZGRkZGRkZGRkZGRkZMzMzMzMzMzMzMzMz' +
  'MzMzM0FH/Pz8/Pz8/Pz8/O3wAAA='

/** Characters that are copied at once: they, and what comes of them, stay in the processor's caches. */
const mostCharacters = 64 * 1024
/** What they say. */
export const mostBytes = (mostCharacters / 4) * 3
/** The kernel decodes so many, or a multiple of it. */
export const characterStep = 16
/** The kernel encodes so many, or a multiple of it. */
export const byteStep = (characterStep / 4) * 3

const pageBytes = 64 * 1024
// The first page of a kernel's own memory is its tables', the second is for text that lies elsewhere.
const textStart = pageBytes
const bytesStart = 2 * pageBytes
// Where the last bytes are stored or loaded, four more are.
const overhangBytes = 4

/** What kernels can read and write, by its bytes. */
const memories = new WeakMap<ArrayBufferLike, Memory>()

/**
 * Bytes whose text kernels read and write where it lies; all other text they copy. They begin where a page of memory does. Of the
 * system's memory they have what was written to, but V8 sets 8 GiB of addresses aside for them: where the system refuses that, they
 * are plain.
 */
export function textMemory(bytes: number): Buffer {
  try {
    return Buffer.from(createMemory(bytes).buffer, 0, bytes)
  } catch {
    return Buffer.allocUnsafeSlow(bytes)
  }
}

/** @throws RangeError where the system has no room for it. */
function createMemory(bytes: number): Memory {
  const pages = Math.ceil(bytes / pageBytes)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  memories.set(memory.buffer, memory)
  return memory
}

/** The kernel with memory of its own. */
export class Kernel {
  /** Where decoded bytes go, and bytes to be encoded. It begins where a page of memory does, and may be used in place. */
  readonly bytes: Buffer
  readonly #memory: Memory
  readonly #text: Buffer
  /** By the memory that text lies in. */
  readonly #functions = new WeakMap<Memory, Functions>()

  /** `bytes`: so many the kernel can hold. Of the system's memory it has what was written to. */
  constructor(bytes: number) {
    this.#memory = createMemory(bytesStart + bytes + overhangBytes)
    this.bytes = Buffer.from(this.#memory.buffer, bytesStart, bytes)
    this.#text = Buffer.from(this.#memory.buffer, textStart, mostCharacters)
  }

  /**
   * Decodes `text[from … from + characters]`, a multiple of `characterStep`, into `bytes` from `to` on, where there is room for
   * what comes of it. @returns all of them are of the standard alphabet: else what came of them is worthless.
   */
  decode(text: Buffer, from: number, characters: number, to: number): boolean {
    const memory = memories.get(text.buffer)
    if (memory) return this.#decodeThere(memory, text.byteOffset + from, characters, to)
    const end = from + characters
    for (let at = from; at < end; at += mostCharacters) {
      const size = text.copy(this.#text, 0, at, Math.min(end, at + mostCharacters))
      if (!this.#decodeThere(this.#memory, textStart, size, to + ((at - from) / 4) * 3)) return false
    }
    return true
  }

  /**
   * Encodes `bytes[from … from + count]`, a multiple of `byteStep`, into `text` from `to` on, where there is room for what comes of it.
   */
  encode(bytes: Buffer, from: number, count: number, text: Buffer, to: number): void {
    const memory = memories.get(text.buffer)
    const { encode } = this.#functionsOf(memory ?? this.#memory)
    const end = from + count
    const most = Math.min(this.bytes.length, mostBytes)
    const step = most - (most % byteStep)
    for (let at = from; at < end; at += step) {
      const size = bytes.copy(this.bytes, 0, at, Math.min(end, at + step))
      const start = to + ((at - from) / 3) * 4
      encode(bytesStart, bytesStart + size, memory ? text.byteOffset + start : textStart)
      if (!memory) this.#text.copy(text, start, 0, (size / 3) * 4)
    }
  }

  #decodeThere(memory: Memory, from: number, characters: number, to: number): boolean {
    return this.#functionsOf(memory).decode(from, from + characters, bytesStart + to) === 0
  }

  #functionsOf(text: Memory): Functions {
    const there = this.#functions.get(text)
    if (there) return there
    compiled ??= new WebAssembly.Module(Buffer.from(binary, 'base64'))
    const { exports } = new WebAssembly.Instance(compiled, { kernel: { bytes: this.#memory, text } })
    this.#functions.set(text, exports)
    return exports
  }
}

interface Functions {
  decode(from: number, end: number, to: number): number
  encode(from: number, end: number, to: number): void
}

interface Memory {
  readonly buffer: ArrayBuffer
}

let compiled: object | undefined

// TypeScript knows it from browsers' types only.
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => Memory
  readonly Module: new (binary: Buffer) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Functions }
}
