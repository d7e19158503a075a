import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import wabt from 'wabt'
import { binary, byteStep, characterStep, Kernel, mostBytes, textMemory } from '../../src/streams/base64-kernel.ts'

const source = new URL('../../src/streams/base64-kernel.wat', import.meta.url)

test('the binary is what its source says', async () => {
  const features = { relaxed_simd: true, multi_memory: true }
  const module = (await wabt()).parseWat('base64-kernel.wat', readFileSync(source, 'utf8'), features)
  expect(binary).toBe(Buffer.from(module.toBinary({}).buffer).toString('base64'))
})

const kernelBytes = 300_000

describe.each([
  { where: 'where kernels can read it', memory: textMemory(500_000), isCopied: false },
  { where: 'elsewhere', memory: Buffer.alloc(500_000), isCopied: true },
])('text that lies $where', ({ memory, isCopied }) => {
  const kernel = new Kernel(kernelBytes)
  const place = (text: Buffer) => memory.fill(' ').subarray(3, 3 + text.copy(memory, 3))
  const binaries = fc
    .uint8Array({ maxLength: 600, size: 'max' })
    .map(bytes => Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % byteStep))))

  test('becomes the bytes that Node makes of it, wherever they are to lie, and nothing before them changes', () => {
    fc.assert(
      fc.property(binaries, fc.nat(50), fc.nat(50), (bytes, before, to) => {
        const text = place(Buffer.from(`${' '.repeat(before)}${bytes.toString('base64')} `))
        kernel.bytes.fill(7)
        expect(kernel.decode(text, before, text.length - before - 1, to)).toBe(true)
        expect(kernel.bytes.subarray(to, to + bytes.length).equals(bytes)).toBe(true)
        expect(kernel.bytes.subarray(0, to).every(byte => byte === 7)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('may fill all of the output', () => {
    const bytes = Buffer.from(Array.from({ length: kernelBytes }, (_, at) => (at * 31) % 251))
    const text = place(Buffer.from(bytes.toString('base64')))
    expect(kernel.decode(text, 0, text.length, 0)).toBe(true)
    expect(kernel.bytes.equals(bytes)).toBe(true)
  })

  test(isCopied ? 'is copied before' : 'is read there', () => {
    const fresh = new Kernel(kernelBytes)
    expect(fresh.decode(place(Buffer.alloc(characterStep, 'A')), 0, characterStep, 0)).toBe(true)
    const before = Buffer.from(fresh.bytes.buffer, 0, fresh.bytes.byteOffset)
    expect(before.includes('A'.repeat(characterStep))).toBe(isCopied)
  })

  test('is made of bytes as Node makes it, and nothing around it changes', () => {
    fc.assert(
      fc.property(binaries, fc.nat(20), fc.nat(50), (bytes, before, to) => {
        memory.fill(' ')
        const text = memory.subarray(3)
        kernel.encode(Buffer.concat([Buffer.alloc(before, 7), bytes]), before, bytes.length, text, to)
        const expected = `${' '.repeat(3 + to)}${bytes.toString('base64')} `
        expect(memory.toString('latin1', 0, expected.length)).toBe(expected)
      }),
      { numRuns: 300 },
    )
  })

  test('may be of more bytes than are encoded at once', () => {
    const bytes = Buffer.from(Array.from({ length: 2 * mostBytes + byteStep }, (_, at) => (at * 31) % 251))
    kernel.encode(bytes, 0, bytes.length, memory, 0)
    expect(memory.toString('latin1', 0, (bytes.length / 3) * 4)).toBe(bytes.toString('base64'))
  })

  test('is found to hold a byte of no base64, wherever that stands', () => {
    const alphabet = /^[A-Za-z0-9+/]$/
    for (let byte = 0; byte < 256; byte++) {
      for (let at = 0; at < characterStep; at++) {
        const text = place(Buffer.alloc(characterStep, 'A'))
        text[at] = byte
        const isText = alphabet.test(String.fromCharCode(byte))
        expect(kernel.decode(text, 0, characterStep, 0)).toBe(isText)
        const wanted = Buffer.from(text.toString('latin1'), 'base64')
        if (isText) expect(kernel.bytes.subarray(0, byteStep).equals(wanted)).toBe(true)
      }
    }
  })
})

test('where the system has no more addresses to give, memory is plain, and its text is decoded all the same', async () => {
  const program = `
    import { Kernel, textMemory } from '${new URL('../../src/streams/base64-kernel.ts', import.meta.url)}'
    const kernel = new Kernel(3000)
    const memories = Array.from({ length: 8 }, () => textMemory(1 << 20))
    const texts = memories.map(memory => {
      memory.write('QUJD'.repeat(1000))
      return kernel.decode(memory, 0, 4000, 0) && kernel.bytes.toString()
    })
    const kinds = memories.map(({ buffer }) => {
      try {
        return buffer.transfer() && 'plain'
      } catch {
        return 'of WebAssembly'
      }
    })
    console.log(JSON.stringify({ texts: [...new Set(texts)], kinds: [...new Set(kinds)] }))`
  const limited = ['-c', 'ulimit -v 60000000 && exec "$0" --input-type=module --eval "$1"', process.execPath, program]
  const { stdout } = await promisify(execFile)('sh', limited)
  expect(JSON.parse(stdout)).toEqual({ texts: ['ABC'.repeat(1000)], kinds: ['of WebAssembly', 'plain'] })
})
