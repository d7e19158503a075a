import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Bytes, join } from '../../src/images/bytes.ts'
import { createPlainMemory } from '../../src/memory/answer-memory.ts'
import { HeldDocument, type HoldingPlaces } from '../../src/memory/held-document.ts'
import { SpillSpace } from '../../src/memory/spill.ts'
import { eventually, openFilesIn } from '../helpers/descriptors.ts'
import { chunksAt, cuts } from '../helpers/documents.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(joinPath(tmpdir(), 'held-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const placesOf = (memoryBytes: number, spillBytes: number): HoldingPlaces => ({
  memory: createPlainMemory(memoryBytes),
  spill: new SpillSpace(directory, spillBytes),
})

const never = new AbortController().signal

async function hold(document: HeldDocument, chunks: Iterable<Buffer>): Promise<void> {
  for (const chunk of chunks) await document.append(chunk)
  await document.complete()
}

const whole = (document: HeldDocument): Bytes => document.slice(0, document.length)

async function expectNothingLeft({ memory, spill }: HoldingPlaces): Promise<void> {
  expect(await eventually(() => spill.bytesInUse === 0 && openFilesIn(directory).length === 0)).toBe(true)
  expect(memory.bytesInUse).toBe(0)
  expect(readdirSync(directory)).toEqual([])
}

/** Has a promise settled by now? */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  await new Promise(resolve => setTimeout(resolve, 20))
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending
}

describe('a held document', () => {
  test('gives any stretch as it came, in memory, spilled, and across the border of the two', async () => {
    const stretches = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 600, size: 'max' }),
        cuts,
        fc.nat(700),
        stretches,
        async (bytes, shares, memoryBytes, stretches) => {
          const all = Buffer.from(bytes)
          const places = placesOf(memoryBytes, 1 << 20)
          const document = new HeldDocument(places, never)
          await hold(document, chunksAt(all, shares))
          expect((await join(whole(document))).equals(all)).toBe(true)
          for (const [start, length, inside] of stretches) {
            const from = start % (all.length + 1)
            const size = length % (all.length - from + 1)
            const stretch = document.slice(from, size)
            expect(stretch.length).toBe(size)
            expect((await join(stretch)).equals(all.subarray(from, from + size))).toBe(true)
            const within = inside % (size + 1)
            const rest = stretch.slice(within, size - within)
            expect((await join(rest)).equals(all.subarray(from + within, from + size))).toBe(true)
          }
          document.release()
          await expectNothingLeft(places)
        },
      ),
      { numRuns: 150 },
    )
  })

  test('is no copy while memory has room', () => {
    const document = new HeldDocument(placesOf(1 << 20, 0), never)
    const chunk = Buffer.from('a picture')
    expect(document.append(chunk)).toBeUndefined()
    const [slice] = document.slice(2, 7).slices() as Iterable<Buffer>
    expect(slice?.buffer).toBe(chunk.buffer)
  })

  test('spills what comes once memory is full, into a file that has no name', async () => {
    const places = placesOf(10, 1 << 20)
    const document = new HeldDocument(places, never)
    await hold(document, [Buffer.from('0123456789'), Buffer.from('abc'), Buffer.from('def')])
    expect(places.memory.bytesInUse).toBe(10)
    expect([places.spill.bytesInUse, places.spill.bytesSpilled]).toEqual([6, 6])
    expect(openFilesIn(directory)).toEqual([expect.stringContaining(' (deleted)')])
    expect(readdirSync(directory)).toEqual([])
    expect((await join(whole(document))).toString()).toBe('0123456789abcdef')
    document.release()
    await expectNothingLeft(places)
    expect(places.spill.bytesSpilled).toBe(6)
  })

  test('goes on in its file when memory has room again', async () => {
    const places = placesOf(4, 1 << 20)
    const [first, second] = [new HeldDocument(places, never), new HeldDocument(places, never)]
    await hold(first, [Buffer.from('full')])
    await hold(second, [Buffer.from('one ')])
    first.release()
    await hold(second, [Buffer.from('two')])
    expect(places.memory.bytesInUse).toBe(0)
    expect((await join(whole(second))).toString()).toBe('one two')
    second.release()
    await expectNothingLeft(places)
  })

  test('takes chunks that come while others are written, in their order', async () => {
    const places = placesOf(0, 1 << 20)
    const document = new HeldDocument(places, never)
    const chunks = Array.from({ length: 3000 }, (_, index) => Buffer.from(`${index},`))
    for (const chunk of chunks) void document.append(chunk)
    await document.complete()
    expect((await join(whole(document))).equals(Buffer.concat(chunks))).toBe(true)
    expect(places.memory.bytesInUse).toBe(0)
    document.release()
    await expectNothingLeft(places)
  })

  test('may be released more than once, and takes nothing after', async () => {
    const places = placesOf(4, 1 << 20)
    const document = new HeldDocument(places, never)
    await hold(document, [Buffer.from('in memory'), Buffer.from('and in a file')])
    document.release()
    document.release()
    expect(document.append(Buffer.from('more'))).toBeUndefined()
    await expectNothingLeft(places)
    document.release()
    await expectNothingLeft(places)
  })

  test('may be released while it is written', async () => {
    const places = placesOf(0, 1 << 20)
    for (let round = 0; round < 50; round++) {
      const document = new HeldDocument(places, never)
      const written = document.append(Buffer.alloc(100_000))
      if (round % 2) await new Promise(setImmediate)
      document.release()
      await written
    }
    await expectNothingLeft(places)
  })

  test('that was released while its file is read ends the reading, and only then the file', async () => {
    const places = placesOf(0, 2 << 20)
    const document = new HeldDocument(places, never)
    await hold(document, [Buffer.alloc(1 << 20)])
    const reading = (whole(document).slices() as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
    expect((await reading.next()).value?.length).toBeGreaterThan(0)
    document.release()
    expect(await eventually(() => places.spill.bytesInUse === 0)).toBe(true)
    expect(openFilesIn(directory)).toHaveLength(1)
    await expect(reading.next()).rejects.toThrow('closed while it was read')
    await expectNothingLeft(places)
  })

  test('frees what lies in memory of a stretch that nobody will read, once, and nothing beside it', async () => {
    const places = placesOf(18, 1 << 20)
    const document = new HeldDocument(places, never)
    await hold(
      document,
      ['aaaa', 'bbbb', 'cccc', 'dddd', 'eeee', 'ffff'].map(text => Buffer.from(text)),
    )
    expect([places.memory.bytesInUse, places.spill.bytesInUse]).toEqual([20, 4])
    document.discard(3, 15)
    document.discard(3, 15)
    expect(places.memory.bytesInUse).toBe(20 - 3 * 4)
    expect((await join(document.slice(0, 4))).toString()).toBe('aaaa')
    expect((await join(document.slice(16, 8))).toString()).toBe('eeeeffff')
    expect(whole(document).length).toBe(24)
    document.release()
    document.discard(0, 24)
    await expectNothingLeft(places)
  })

  test('that parts were freed of still gives every other part as it came', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12, size: 'max' }),
        fc.nat(300),
        fc.array(fc.tuple(fc.nat(300), fc.nat(100)), { maxLength: 3 }),
        async (lengths, memoryBytes, discards) => {
          const places = placesOf(memoryBytes, 1 << 20)
          const document = new HeldDocument(places, never)
          const chunks = lengths.map((length, index) => Buffer.alloc(length, index + 1))
          await hold(document, chunks)
          for (const [start, length] of discards) document.discard(start, length)
          const all = Buffer.concat(chunks)
          const left = await join(whole(document))
          const isDiscarded = (at: number) => discards.some(([start, length]) => at >= start && at < start + length)
          expect(left.every((byte, at) => byte === all[at] || isDiscarded(at))).toBe(true)
          document.release()
          await expectNothingLeft(places)
        },
      ),
      { numRuns: 150 },
    )
  })

  test('whose file cannot be made tells so, and leaves nothing behind', async () => {
    const places = placesOf(4, 1 << 20)
    const document = new HeldDocument(places, never)
    await hold(document, [Buffer.from('full')])
    rmSync(directory, { recursive: true })
    await expect(document.append(Buffer.from('more'))).rejects.toThrow('ENOENT')
    await expect(document.append(Buffer.from('more'))).rejects.toThrow('ENOENT')
    document.release()
    expect(await eventually(() => !places.spill.line.moves)).toBe(true)
    expect(places.memory.bytesInUse).toBe(0)
  })
})

describe('where there is no room', () => {
  /** One document that fills both places, and is complete: it waits for nothing. */
  async function filled(places: HoldingPlaces): Promise<HeldDocument> {
    const document = new HeldDocument(places, never)
    await hold(document, [Buffer.alloc(100), Buffer.alloc(100)])
    return document
  }

  test('a document waits, and goes on when room comes', async () => {
    const places = placesOf(100, 100)
    const first = await filled(places)
    const second = new HeldDocument(places, never)
    const appended = second.append(Buffer.from('second')) ?? Promise.resolve()
    expect(await isPending(appended)).toBe(true)
    first.release()
    await appended
    expect((await join(whole(second))).toString()).toBe('second')
    second.release()
    await expectNothingLeft(places)
  })

  test('a document that has no file yet goes on in memory when room comes there first', async () => {
    const places = placesOf(100, 100)
    const inMemory = new HeldDocument(places, never)
    await hold(inMemory, [Buffer.alloc(100)])
    const inFile = new HeldDocument(places, never)
    await hold(inFile, [Buffer.alloc(100)])
    const waiting = new HeldDocument(places, never)
    const appended = waiting.append(Buffer.from('one '))
    void waiting.append(Buffer.from('two '))
    inMemory.release()
    await appended
    await hold(waiting, [Buffer.from('three')])
    expect(places.spill.bytesInUse).toBe(100)
    expect((await join(whole(waiting))).toString()).toBe('one two three')
    waiting.release()
    inFile.release()
    await expectNothingLeft(places)
  })

  test('waiting ends with the exchange, for its own reason', async () => {
    const places = placesOf(100, 100)
    const first = await filled(places)
    const exchange = new AbortController()
    const second = new HeldDocument(places, exchange.signal)
    const appended = second.append(Buffer.from('second'))
    setTimeout(() => exchange.abort(new Error('the caller left')), 10)
    await expect(appended).rejects.toThrow('the caller left')
    second.release()
    first.release()
    await expectNothingLeft(places)
  })

  test('waiting ends when the document is released', async () => {
    const places = placesOf(100, 100)
    const first = await filled(places)
    const second = new HeldDocument(places, never)
    const appended = second.append(Buffer.from('second')) ?? Promise.resolve()
    expect(await isPending(appended)).toBe(true)
    second.release()
    await appended
    first.release()
    await expectNothingLeft(places)
  })

  test('documents that all wait for each other go on one after the other, beyond the budget', async () => {
    const places = placesOf(100, 100)
    const documents = [1, 2, 3].map(() => new HeldDocument(places, never))
    const chunks = Array.from({ length: 6 }, (_, index) => Buffer.alloc(50, index + 1))
    const ends: number[] = []
    await Promise.all(
      documents.map(async (document, index) => {
        await hold(document, chunks)
        expect((await join(whole(document))).equals(Buffer.concat(chunks))).toBe(true)
        ends.push(index)
        document.release()
      }),
    )
    expect(ends.toSorted()).toEqual([0, 1, 2])
    await expectNothingLeft(places)
  })

  test('a wait that is given up harms nobody, though whoever waited listens no more', async () => {
    const unheard: unknown[] = []
    const hear = (error: unknown) => void unheard.push(error)
    process.on('unhandledRejection', hear)
    const places = placesOf(10, 0)
    places.spill.line.enter({})
    const exchange = new AbortController()
    const document = new HeldDocument(places, exchange.signal)
    await document.append(Buffer.alloc(10))
    const waits = document.append(Buffer.alloc(10)) !== undefined
    exchange.abort(new Error('left'))
    await new Promise(resolve => setTimeout(resolve, 20))
    process.off('unhandledRejection', hear)
    expect([waits, unheard]).toEqual([true, []])
    document.release()
    expect(places.memory.bytesInUse).toBe(0)
  })

  test('and no file may be written, they go on in memory, and the folder is not even made', async () => {
    const missing = joinPath(directory, 'missing')
    const places = { memory: createPlainMemory(100), spill: new SpillSpace(missing, 0) }
    await Promise.all(
      [1, 2, 3, 4].map(async filler => {
        const document = new HeldDocument(places, never)
        const chunks = Array.from({ length: 5 }, () => Buffer.alloc(40, filler))
        await hold(document, chunks)
        expect((await join(whole(document))).equals(Buffer.concat(chunks))).toBe(true)
        document.release()
      }),
    )
    await expectNothingLeft(places)
  })

  test('no set of documents ever stands still, and none is mixed up with another', async () => {
    const document = fc.record({
      chunks: fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8, size: 'max' }),
      leavesAfter: fc.option(fc.nat(8), { freq: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(document, { minLength: 1, maxLength: 8, size: 'max' }),
        fc.nat(300),
        fc.oneof(fc.constant(0), fc.nat(300)),
        async (plans, memoryBytes, spillBytes) => {
          const places = placesOf(memoryBytes, spillBytes)
          await Promise.all(
            plans.map(async ({ chunks, leavesAfter }, filler) => {
              const exchange = new AbortController()
              const document = new HeldDocument(places, exchange.signal)
              const bytes = chunks.map(length => Buffer.alloc(length, filler))
              try {
                for (const [index, chunk] of bytes.entries()) {
                  const appended = document.append(chunk)
                  if (index === leavesAfter) exchange.abort(new Error('left'))
                  await appended
                }
                await document.complete()
                expect((await join(whole(document))).equals(Buffer.concat(bytes))).toBe(true)
              } catch (error) {
                if (!exchange.signal.aborted) throw error
              } finally {
                document.release()
              }
            }),
          )
          await expectNothingLeft(places)
        },
      ),
      { numRuns: 200 },
    )
  })
})
