import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Bytes, bytesOf, isInMemory, join } from '../../src/images/bytes.ts'
import { Base64Encoder, base64ReadAt, standardBase64 } from '../../src/streams/base64.ts'
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

async function standard(bytes: Bytes): Promise<string | null> {
  const result = await standardBase64(bytes, { sample: false })
  return result && (await join(result)).toString()
}

test('chunks of any sizes become the base64 of all of them together', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400, size: 'max' }), cuts, (bytes, shares) => {
      const encoder = new Base64Encoder(() => Buffer.alloc(64))
      for (const chunk of chunksAt(Buffer.from(bytes), shares)) encoder.push(chunk)
      const text = Buffer.concat([...(encoder.end().slices() as Iterable<Buffer>)]).toString()
      expect(text).toBe(Buffer.from(bytes).toString('base64'))
    }),
    { numRuns: 1000 },
  )
})

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

test('any stretch of what base64 says can be read without the rest, and ends where that ends', async () => {
  await fc.assert(
    fc.asyncProperty(binary, cuts, fc.nat(450), fc.nat(450), async (bytes, shares, offset, length) => {
      const text = bytes.toString('base64')
      for (const base64 of [inMemory(text, shares), inFile(text, 7)]) {
        const read = await base64ReadAt(base64)(offset, length)
        expect(read.equals(bytes.subarray(offset, offset + length))).toBe(true)
      }
    }),
    { numRuns: 800 },
  )
})
