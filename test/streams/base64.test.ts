import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Bytes, bytesOf, isInMemory, join } from '../../src/images/bytes.ts'
import { Base64Encoder, base64ReadAt, standardBase64 } from '../../src/streams/base64.ts'
import { textMemory } from '../../src/streams/base64-kernel.ts'
import { chunksAt, cuts } from '../helpers/documents.ts'

const binary = fc.uint8Array({ minLength: 1, maxLength: 400, size: 'max' }).map(bytes => Buffer.from(bytes))

const inMemory = (text: string, shares: readonly number[] = []): Bytes =>
  bytesOf(...chunksAt(Buffer.from(text, 'latin1'), shares))

/** Bytes as a spill file gives them: later, and each buffer used again for the next. */
function inFile(text: string, pieceBytes: number): Bytes {
  const all = Buffer.from(text, 'latin1')
  const stretch = (start: number, length: number): Bytes => ({
    length,
    slice: (from, size) => stretch(start + from, size),
    async *slices() {
      const buffer = Buffer.alloc(pieceBytes)
      for (let at = 0; at < length; at += pieceBytes) {
        const size = all.copy(buffer, 0, start + at, start + Math.min(length, at + pieceBytes))
        yield buffer.subarray(0, size)
        buffer.fill('?')
      }
    },
  })
  return stretch(0, all.length)
}

async function standard(bytes: Bytes, sample = false): Promise<string | null> {
  const result = await standardBase64(bytes, { sample })
  return result && (await join(result)).toString()
}

/** Piece after piece of it, and again from its beginning. */
function cutOf(memory: Buffer): (bytes: number) => Buffer {
  let end = 0
  return bytes => {
    if (end + bytes > memory.length) end = 0
    end += bytes
    return memory.subarray(end - bytes, end)
  }
}

test.each([
  { kind: 'plain', make: (bytes: number) => Buffer.alloc(bytes) },
  { kind: 'of memory that is written in place', make: cutOf(textMemory(64 * 1024)) },
])(
  'chunks of any sizes become the base64 of all of them together, in buffers that are handed in: $kind',
  async ({ make }) => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 400, size: 'max' }),
        cuts,
        fc.integer({ min: 1, max: 30 }),
        async (bytes, shares, quadruples) => {
          const taken: Buffer[] = []
          const take = () => {
            taken.push(make(quadruples * 4))
            return taken.at(-1) ?? Buffer.alloc(0)
          }
          const encoder = new Base64Encoder({ take })
          for (const chunk of chunksAt(Buffer.from(bytes), shares)) encoder.push(chunk)
          const text = encoder.end()
          const expected = Buffer.from(bytes).toString('base64')
          expect((await join(text)).toString()).toBe(expected)
          expect(text.length).toBe(expected.length)
          expect(taken).toHaveLength(Math.ceil(expected.length / (quadruples * 4)))
        },
      ),
      { numRuns: 1000 },
    )
  },
)

/** The same picture as other writers put it into JSON. */
const otherForms: Readonly<Record<string, (base64: string) => string>> = {
  'with its padding escaped, as Google does': text => text.replaceAll('=', '\\u003d'),
  'with its padding escaped in capitals': text => text.replaceAll('=', '\\u003D'),
  'with every slash escaped, as PHP does': text => text.replaceAll('/', '\\/'),
  'with everything escaped that can be': text =>
    text.replace(/[+/=]/g, sign => `\\u00${sign.charCodeAt(0).toString(16)}`),
  'without padding': text => text.replace(/=+$/, ''),
  'in the URL-safe alphabet': text => text.replaceAll('+', '-').replaceAll('/', '_'),
  'URL-safe and without padding': text => text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''),
  'in lines, as MIME has it': text => text.replace(/.{76}/g, '$&\r\n'),
  'in lines, escaped as JSON asks for': text => text.replace(/.{76}/g, '$&\\r\\n').replaceAll('=', '\\u003d'),
  'with spaces around it': text => `\t ${text}\n`,
  'padded too much': text => `${text}==`,
}

describe('base64 in its standard form', () => {
  test('stays the very same object, in memory or in a file, whatever its pieces', async () => {
    await fc.assert(
      fc.asyncProperty(binary, cuts, fc.integer({ min: 1, max: 50 }), async (bytes, shares, pieceBytes) => {
        const text = bytes.toString('base64')
        for (const base64 of [inMemory(text, shares), inFile(text, pieceBytes)]) {
          expect(await standardBase64(base64, { sample: false })).toBe(base64)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('of 15 MB stays it too', async () => {
    const text = randomBytes(15_000_001).toString('base64')
    const base64 = inMemory(text, [0.1, 0.1000001, 0.33, 0.7])
    expect(await standardBase64(base64, { sample: false })).toBe(base64)
  })

  test('but for escaped padding is not copied either, but for the padding', async () => {
    const text = randomBytes(100_000).toString('base64')
    const pieces = chunksAt(Buffer.from(text.replaceAll('=', '\\u003d')), [0.2, 0.5])
    const result = await standardBase64(bytesOf(...pieces), { sample: false })
    const slices = result?.slices() ?? []
    if (!isInMemory(slices)) throw new Error('It lay in memory and should have stayed there.')
    const [first, second, third, padding, ...more] = slices
    expect([first?.buffer, second?.buffer, third?.buffer]).toEqual(pieces.map(({ buffer }) => buffer))
    expect(padding?.toString()).toBe('==')
    expect(more).toEqual([])
  })
})

describe('base64 in another form comes out in the standard one', () => {
  test.each(Object.entries(otherForms))('%s', async (_form, write) => {
    await fc.assert(
      fc.asyncProperty(binary, cuts, fc.integer({ min: 1, max: 50 }), async (bytes, shares, pieceBytes) => {
        const text = write(bytes.toString('base64'))
        expect(await standard(inMemory(text, shares))).toBe(bytes.toString('base64'))
        expect(await standard(inFile(text, pieceBytes))).toBe(bytes.toString('base64'))
      }),
      { numRuns: 150 },
    )
  })

  test('a picture of 12 MB with every slash escaped', async () => {
    const text = randomBytes(12_000_000).toString('base64')
    expect(await standard(inMemory(text.replaceAll('/', '\\/'), [0.3, 0.6]))).toBe(text)
  })
})

describe('a large picture of which only the ends are looked at', () => {
  const picture = randomBytes(90_001)
  const base64 = picture.toString('base64')

  test('stays the very same object, and only its ends are read', async () => {
    const bytes = inMemory(base64)
    expect(await standardBase64(bytes, { sample: true })).toBe(bytes)
    const unread = Buffer.from(base64)
    unread.fill('*', 40_000, 80_000)
    expect(await standard(bytesOf(unread), true)).toBe(unread.toString())
  })

  test.each(Object.entries(otherForms))('comes out in the standard form: %s', async (_form, write) => {
    expect(await standard(inMemory(write(base64), [0.1, 0.5]), true)).toBe(base64)
    expect(await standard(inFile(write(base64), 60_000), true)).toBe(base64)
  })

  test.each([`!${base64.slice(1)}`, `${base64.slice(0, -1)}!`])(
    'is told from what is none at its ends: case %#',
    async text => {
      expect(await standard(inMemory(text), true)).toBeNull()
    },
  )

  test('and a small one is looked at whole', async () => {
    const text = `${base64.slice(0, 1_000)}!${base64.slice(0, 999)}`
    expect(await standard(inMemory(text), true)).toBeNull()
  })
})

describe('what is no base64', () => {
  test.each([
    '',
    '=',
    '====',
    'A',
    'AAAAA',
    'AA=A',
    'A===A',
    'QUJD=QUJD',
    'QQ==QUJD',
    'QUJ*',
    'QUJD.',
    'data:image/png;base64,QUJD',
    'QU\u00c4D',
    'QUJD\\',
    'QUJD\\u00',
    'QUJD\\x3d',
    'QUJD\\"',
    'QUJ\\u0000',
    '{"a":1}',
  ])('is told from what is: %j', async text => {
    expect(await standard(inMemory(text))).toBeNull()
    expect(await standard(inFile(text, 3))).toBeNull()
  })

  test('any text gives null or standard base64 that says the same, whatever its pieces', async () => {
    const text = fc.oneof(
      fc.string({
        unit: fc.constantFrom('A', 'b', '9', '+', '/', '-', '_', '=', ' ', '\n', '!'),
        maxLength: 24,
        size: 'max',
      }),
      fc.string({ unit: fc.constantFrom('QUJD', '=', '\\u003d', '\\/', '\\', '\n', '.'), maxLength: 12, size: 'max' }),
    )
    await fc.assert(
      fc.asyncProperty(text, cuts, async (text, shares) => {
        expect(await standard(inMemory(text, shares))).toBe(reference(text))
      }),
      { numRuns: 2000 },
    )
  })

  test('is told in no time, however much padding there is', async () => {
    const text = `QQ${'='.repeat(4_000_000)}A`
    expect(await standard(inMemory(text))).toBeNull()
  })
})

/** What `standardBase64` promises, said again in the slow and simple way. */
function reference(text: string): string | null {
  let plain = text
  if (text.includes('\\')) {
    try {
      plain = String(JSON.parse(`"${text}"`))
    } catch {
      return null
    }
  }
  const clean = plain
    .replace(/[\r\n\t ]/g, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/')
  const data = /^([A-Za-z0-9+/]+)=*$/.exec(clean)?.[1]
  if (data === undefined || data.length % 4 === 1) return null
  return data + '='.repeat((4 - (data.length % 4)) % 4)
}

test('any stretches of what base64 says can be read without the rest, and end where that ends', async () => {
  const stretches = fc.array(fc.tuple(fc.nat(6000), fc.nat(2000)), { minLength: 1, maxLength: 6, size: 'max' })
  const binary = fc.uint8Array({ maxLength: 6000, size: 'max' }).map(bytes => Buffer.from(bytes))
  await fc.assert(
    fc.asyncProperty(binary, cuts, stretches, async (bytes, shares, stretches) => {
      const text = bytes.toString('base64')
      for (const base64 of [inMemory(text, shares), inFile(text, 700)]) {
        const readAt = base64ReadAt(base64)
        for (const [offset, length] of stretches) {
          const read = await readAt(offset, length)
          expect(read.equals(bytes.subarray(offset, offset + length))).toBe(true)
        }
      }
    }),
    { numRuns: 200 },
  )
})
