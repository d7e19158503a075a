/** Between base64 text and the file that decoders want: in pieces, so that nobody waits for a whole picture. */
import { setImmediate } from 'node:timers/promises'
import { type Bytes, bytesOf } from '../images/bytes.ts'

// A millisecond's or two's work. A multiple of 3, as base64 has it.
const stepBytes = 3 * 512 * 1024

// Longer texts cost several times the CPU.
const stepCharacters = 64 * 1024

/** The file that standard padded base64 says. */
export async function decodeBase64(base64: Bytes): Promise<Buffer> {
  const file = Buffer.allocUnsafeSlow(Math.ceil(base64.length / 4) * 3)
  let length = 0
  // Up to three characters that wait for the rest of their quadruple.
  let carry = ''
  let pause = stepBytes
  for await (const slice of base64.slices()) {
    if (length > pause) {
      pause = length + stepBytes
      await setImmediate()
    }
    for (let at = 0; at < slice.length; at += stepCharacters) {
      const text = carry + slice.toString('latin1', at, at + stepCharacters)
      const whole = text.length - (text.length % 4)
      length += file.write(text.slice(0, whole), length, 'base64')
      carry = text.slice(whole)
    }
  }
  return file.subarray(0, length)
}

/** A file as standard padded base64. */
export async function encodeBase64(file: Buffer): Promise<Bytes> {
  const pieces: Buffer[] = []
  for (let at = 0; at < file.length; at += stepBytes) {
    if (at > 0) await setImmediate()
    pieces.push(encodeStep(file.subarray(at, at + stepBytes)))
  }
  return bytesOf(...pieces)
}

function encodeStep(bytes: Buffer): Buffer {
  const text = Buffer.allocUnsafeSlow(Math.ceil(bytes.length / 3) * 4)
  const step = (stepCharacters / 4) * 3
  let length = 0
  for (let at = 0; at < bytes.length; at += step) {
    length += text.write(bytes.toString('base64', at, at + step), length, 'latin1')
  }
  return text
}
