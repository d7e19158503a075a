/** Tells whether chunks, put together, are valid UTF-8: natively, without making strings of them. */
import { isUtf8 } from 'node:buffer'
import { DocumentError } from './document-reader.ts'

const nothing: Buffer = Buffer.alloc(0)

export class Utf8Checker {
  #carry = nothing

  /** @throws DocumentError at the first chunk that can't be part of valid UTF-8. */
  push(chunk: Buffer): void {
    const joint = this.#carry.length > 0 ? Buffer.concat([this.#carry, chunk]) : chunk
    const cut = cutCharacter(joint)
    if (!isUtf8(cut === 0 ? joint : joint.subarray(0, -cut))) {
      throw new DocumentError('The document is not valid UTF-8.')
    }
    this.#carry = cut === 0 ? nothing : Buffer.from(joint.subarray(-cut))
  }

  end(): void {
    if (this.#carry.length > 0) throw new DocumentError('The document is not valid UTF-8.')
  }
}

/** How many bytes at the end begin a character that they do not finish. */
function cutCharacter(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return 0
    if (byte < 0xc0) continue
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return needed > back ? back : 0
  }
  return 0
}
