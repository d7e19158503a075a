import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Bytes, bytesOf } from '../../src/images/bytes.ts'
import { decodeBase64, decodedLength, NotBase64Error } from '../../src/streams/base64-decoder.ts'
import { chunksAt, cuts } from '../helpers/documents.ts'

const inMemory = (text: string, shares: readonly number[] = []): Bytes =>
  bytesOf(...chunksAt(Buffer.from(text, 'latin1'), shares))

/** As a spill file gives them: later, and each buffer used again for the next. */
function inFile(text: string, shares: readonly number[]): Bytes {
  const plain = inMemory(text, shares)
  return {
    length: plain.length,
    slice: plain.slice.bind(plain),
    async *slices() {
      const buffer = Buffer.alloc(text.length)
      for (const piece of plain.slices() as Iterable<Buffer>) {
        piece.copy(buffer)
        yield buffer.subarray(0, piece.length)
        buffer.fill('?')
      }
    },
  }
}

/** Everything that comes out, and the lengths of the blocks. The one block is used again each time. */
async function decoded(base64: Bytes, blockBytes: number): Promise<{ bytes: Buffer; lengths: number[] }> {
  const block = Buffer.alloc(blockBytes)
  const copies: Buffer[] = []
  for await (const full of decodeBase64(base64, () => block)) copies.push(Buffer.from(full))
  return { bytes: Buffer.concat(copies), lengths: copies.map(({ length }) => length) }
}

const binary = fc.uint8Array({ maxLength: 600, size: 'max' }).map(bytes => Buffer.from(bytes))

test('any bytes come out as they went in, however their text is cut, wherever it lies, in blocks of any size', async () => {
  await fc.assert(
    fc.asyncProperty(binary, cuts, fc.integer({ min: 3, max: 200 }), async (bytes, shares, blockBytes) => {
      const text = bytes.toString('base64')
      for (const base64 of [inMemory(text, shares), inFile(text, shares)]) {
        const { bytes: got, lengths } = await decoded(base64, blockBytes)
        expect(got.equals(bytes)).toBe(true)
        expect(await decodedLength(base64)).toBe(bytes.length)
        // All but the last are as full as whole triples can make them.
        expect(lengths.slice(0, -1).every(length => length === blockBytes - (blockBytes % 3))).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})

test('a picture of several megabytes comes out whole, in blocks that are larger than its slices and smaller', async () => {
  const bytes = Buffer.from(Array.from({ length: 3_000_001 }, (_, at) => (at * 31) % 251))
  const base64 = inMemory(bytes.toString('base64'), [0.1, 0.100001, 0.5])
  for (const blockBytes of [50_000, 768 * 1024]) {
    expect((await decoded(base64, blockBytes)).bytes.equals(bytes)).toBe(true)
  }
})

describe('what is no standard base64 is found out', () => {
  const text = Buffer.alloc(300, 'picture').toString('base64')

  test.each([
    ['no whole number of quadruples', text.slice(0, -1)],
    ['a character of no alphabet', `${text.slice(0, 100)}*${text.slice(101)}`],
    ['white space', `${text.slice(0, 100)}\n   ${text.slice(100)}`],
    ['padding in the middle', `${text.slice(0, 98)}==${text.slice(100)}`],
    ['an escape of JSON', `${text.slice(0, 100)}\\/  ${text.slice(104)}`],
    ['too much padding', `${text.slice(0, -4)}A===`],
  ])('%s', async (_, wrong) => {
    for (const shares of [[], [0.3, 0.7]]) {
      await expect(decoded(inMemory(wrong, shares), 60)).rejects.toThrow(NotBase64Error)
    }
  })

  test('slices that are fewer than was said', async () => {
    const cut = inMemory(text.slice(0, -8))
    const short = { length: text.length, slices: () => cut.slices(), slice: cut.slice.bind(cut) }
    await expect(decoded(short, 60)).rejects.toThrow(NotBase64Error)
  })
})
