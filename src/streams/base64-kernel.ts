/**
 * Decodes base64 with the processor's vector instructions: base64-kernel.wat, assembled. Node's own decoder takes strings alone, and
 * to make them of a picture that lies in buffers costs more than to decode them: in garbage, and in two copies of the text.
 */

/** base64-kernel.wat in binary, as base64. A test assembles it anew, and tells what should stand here. */
export const binary =
  'AGFzbQEAAAABCAFgA39/fwF/AicCBmtlcm5lbAZvdXRwdXQCAQGAgAQGa2VybmVsBHRleHQCAQGAgAQDAgEABwoBBmRlY29kZQAACsgBAcUBAQt7QQD9AAQA' +
  'IQNBAP0ABBAhBEEA/QAEICEFQQD9AAQwIQZBAP0ABEAhB0EA/QAEUCEIQQD9AARgIQlBAP0ABHAhCgJAA0AgACABTw0BIAD9AEABACELIAtBBP2tASAG/U4h' +
  'DCANIAMgCyAG/U79gAIgBCAM/YAC/U79UCENIAsgBSAMIAsgB/0j/W79gAL9biELIAggC/2SAiAJ/boBIQsgAiALIAr9gAL9CwAAIABBEGohACACQQxqIQIM' +
  'AAsLIA39UwsLhwEBAEEAC4ABFRERERERERERERMaGxsbGhAQAQIECAQIEBAQEBAQEBAAEBMEv7+5uQAAAAAAAAAADw8PDw8PDw8PDw8PDw8PDy8vLy8vLy8v' +
  'Ly8vLy8vLy9AAUABQAFAAUABQAFAAUABABABAAAQAQAAEAEAABABAAIBAAYFBAoJCA4NDICAgIA='

/** Characters that are copied at once: they, and what comes of them, stay in the processor's caches. */
const mostCharacters = 64 * 1024
/** The kernel takes so many, or a multiple of it. */
export const characterStep = 16

const pageBytes = 64 * 1024
// The first page of a kernel's own memory is its tables', the second is for text that lies elsewhere.
const textStart = pageBytes
const outputStart = 2 * pageBytes
// Where the last bytes are stored, four more are.
const overhangBytes = 4

/** What kernels can read, by its bytes. */
const memories = new WeakMap<ArrayBufferLike, Memory>()

/**
 * Bytes whose text kernels read where it lies; all other text they copy first. They begin where a page of memory does. Of the system's
 * memory they have what was written to, but V8 sets 8 GiB of addresses aside for them: where the system refuses that, they are plain.
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

/** The kernel with memory of its own. The bytes may be used where they were put. */
export class Kernel {
  /** Where decoded bytes go. It begins where a page of memory does. */
  readonly output: Buffer
  readonly #memory: Memory
  readonly #text: Buffer
  /** By what they read. */
  readonly #decoders = new WeakMap<Memory, Decode>()

  /** `outputBytes`: so much the output can take. Of the system's memory it has what was written to. */
  constructor(outputBytes: number) {
    this.#memory = createMemory(outputStart + outputBytes + overhangBytes)
    this.output = Buffer.from(this.#memory.buffer, outputStart, outputBytes)
    this.#text = Buffer.from(this.#memory.buffer, textStart, mostCharacters)
  }

  /**
   * Decodes `text[from … from + characters]`, a multiple of `characterStep`, into the output from `to` on, where there is room for
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

  #decodeThere(memory: Memory, from: number, characters: number, to: number): boolean {
    return this.#decoderOf(memory)(from, from + characters, outputStart + to) === 0
  }

  #decoderOf(text: Memory): Decode {
    const there = this.#decoders.get(text)
    if (there) return there
    compiled ??= new WebAssembly.Module(Buffer.from(binary, 'base64'))
    const { decode } = new WebAssembly.Instance(compiled, { kernel: { output: this.#memory, text } }).exports
    this.#decoders.set(text, decode)
    return decode
  }
}

type Decode = (from: number, end: number, to: number) => number

interface Memory {
  readonly buffer: ArrayBuffer
}

let compiled: object | undefined

// TypeScript knows it from browsers' types only.
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => Memory
  readonly Module: new (binary: Buffer) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: { readonly decode: Decode } }
}
