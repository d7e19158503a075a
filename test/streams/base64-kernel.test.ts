import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import wabt from 'wabt'
import { binary, characterStep, Kernel } from '../../src/streams/base64-kernel.ts'

const source = new URL('../../src/streams/base64-kernel.wat', import.meta.url)

test('the binary is what its source says', async () => {
  const module = (await wabt()).parseWat('base64-kernel.wat', readFileSync(source, 'utf8'), { simd: true })
  module.resolveNames()
  module.validate()
  expect(binary).toBe(Buffer.from(module.toBinary({}).buffer).toString('base64'))
})

describe('text of the standard alphabet', () => {
  const kernel = new Kernel(300_000)
  // Whole steps of the kernel.
  const stepBytes = (characterStep / 4) * 3
  const binaries = fc
    .uint8Array({ maxLength: 600, size: 'max' })
    .map(bytes => Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % stepBytes))))

  test('becomes the bytes that Node makes of it, wherever it lies and wherever they are to lie, and nothing before them changes', () => {
    fc.assert(
      fc.property(binaries, fc.nat(50), fc.nat(50), (bytes, before, to) => {
        const text = Buffer.from(`${' '.repeat(before)}${bytes.toString('base64')} `)
        kernel.output.fill(7)
        expect(kernel.decode(text, before, text.length - before - 1, to)).toBe(true)
        expect(kernel.output.subarray(to, to + bytes.length).equals(bytes)).toBe(true)
        expect(kernel.output.subarray(0, to).every(byte => byte === 7)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('of more than the kernel takes at once fills all of its output', () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31) % 251))
    expect(kernel.decode(Buffer.from(bytes.toString('base64')), 0, 400_000, 0)).toBe(true)
    expect(kernel.output.equals(bytes)).toBe(true)
  })
})

test('any other byte is found, wherever it stands', () => {
  const kernel = new Kernel(100)
  const alphabet = /^[A-Za-z0-9+/]$/
  for (let byte = 0; byte < 256; byte++) {
    for (let place = 0; place < characterStep; place++) {
      const text = Buffer.alloc(characterStep, 'A')
      text[place] = byte
      const isText = alphabet.test(String.fromCharCode(byte))
      expect(kernel.decode(text, 0, characterStep, 0)).toBe(isText)
      const wanted = Buffer.from(text.toString('latin1'), 'base64')
      if (isText) expect(kernel.output.subarray(0, 12).equals(wanted)).toBe(true)
    }
  }
})
