/**
 * Decodes base64 with the processor's vector instructions: base64-kernel.wat, assembled. Node's own decoder takes strings alone, and
 * to make them of a picture that lies in buffers costs more than to decode them: in garbage, and in two copies of the text.
 */

/** base64-kernel.wat in binary, as base64. A test assembles it anew, and tells what should stand here. */
export const binary =
  'AGFzbQEAAAABCAFgA39/fwF/AhUBBmtlcm5lbAZtZW1vcnkCAQGAgAQDAgEABwoBBmRlY29kZQAACtABAc0BAQt7QQD9AAQAIQNBAP0ABBAhBEEA/QAE' +
  'ICEFQQD9AAQwIQZBAP0ABEAhB0EA/QAEUCEIQQD9AARgIQlBAP0ABHAhCgJAA0AgACABTw0BIAD9AAAAIQsgC0EE/a0BIAb9TiEMIA0gAyALIAb9Tv0O' +
  'IAQgDP0O/U79UCENIAsgBSAMIAsgB/0j/W79Dv1uIQsgCyAI/U5BBv2LASALQQj9jQH9UCAJ/boBIQsgAiALIAr9Dv0LAAAgAEEQaiEAIAJBDGohAgwA' +
  'CwsgDf1TCwuHAQEAQQALgAEVERERERERERERExobGxsaEBABAgQIBAgQEBAQEBAQEAAQEwS/v7m5AAAAAAAAAAAPDw8PDw8PDw8PDw8PDw8PLy8vLy8v' +
  'Ly8vLy8vLy8vLz8APwA/AD8APwA/AD8APwAAEAEAABABAAAQAQAAEAEAAgEABgUECgkIDg0MgICAgA=='

/** Characters that are decoded at once: what comes of them, and they themselves, stay in the processor's caches. */
const mostCharacters = 64 * 1024
/** The kernel takes so many, or a multiple of it. */
export const characterStep = 16

const pageBytes = 64 * 1024
// The first page is the kernel's tables', the second the text's.
const textStart = pageBytes
const outputStart = 2 * pageBytes
// Where the last bytes are stored, four more are.
const overhangBytes = 4

/** The kernel with memory of its own. What is decoded at its place need not be copied from there. */
export class Kernel {
  /** Where decoded bytes go. It begins where a page of memory does. */
  readonly output: Buffer
  readonly #text: Buffer
  readonly #decode: Decode

  /** `outputBytes`: so much the output can take. Of the system's memory it has what was written to. */
  constructor(outputBytes: number) {
    const pages = Math.ceil((outputStart + outputBytes + overhangBytes) / pageBytes)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    this.output = Buffer.from(memory.buffer, outputStart, outputBytes)
    this.#text = Buffer.from(memory.buffer, textStart, mostCharacters)
    compiled ??= new WebAssembly.Module(Buffer.from(binary, 'base64'))
    this.#decode = new WebAssembly.Instance(compiled, { kernel: { memory } }).exports.decode
  }

  /**
   * Decodes `text[from … from + characters]`, a multiple of `characterStep`, into the output from `to` on, where there is room for
   * what comes of it. @returns all of them are of the standard alphabet: else what came of them is worthless.
   */
  decode(text: Buffer, from: number, characters: number, to: number): boolean {
    const end = from + characters
    for (let at = from; at < end; at += mostCharacters) {
      const size = text.copy(this.#text, 0, at, Math.min(end, at + mostCharacters))
      const output = outputStart + to + ((at - from) / 4) * 3
      if (this.#decode(textStart, textStart + size, output) !== 0) return false
    }
    return true
  }
}

type Decode = (from: number, end: number, to: number) => number

let compiled: object | undefined

// TypeScript knows it from browsers' types only.
declare const WebAssembly: {
  readonly Memory: new (size: {
    readonly initial: number
    readonly maximum: number
  }) => { readonly buffer: ArrayBuffer }
  readonly Module: new (binary: Buffer) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: { readonly decode: Decode } }
}
