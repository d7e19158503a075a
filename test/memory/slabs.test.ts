import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createPlainMemory } from '../../src/memory/answer-memory.ts'
import { type ReadWindows, SlabPool } from '../../src/memory/slabs.ts'

const smallBytes = 64 * 1024
const largeBytes = 256 * 1024

/** One read that fills so much of the next window, and is consumed before the next one comes. */
function read(windows: ReadWindows, bytes: number): Buffer {
  const chunk = windows.next().subarray(0, bytes)
  windows.filled(bytes, bytes)
  return chunk
}

/** A connection whose first, small read is behind it. */
function opened(pool: SlabPool): ReadWindows {
  const windows = pool.openWindows()
  read(windows, 200)
  return windows
}

describe.each([
  { where: 'an ample budget', budgetBytes: 64 * 2 ** 20, slabBytes: largeBytes },
  { where: 'a scarce one', budgetBytes: 256 * 1024, slabBytes: smallBytes },
])('what a socket reads into, out of $where', ({ budgetBytes, slabBytes }) => {
  test('before its first read it owns no slab, and its first window is small', () => {
    const pool = new SlabPool(budgetBytes)
    const windows = pool.openWindows()
    expect(windows.next().length).toBeLessThanOrEqual(4096)
    expect(pool.bytesInUse).toBe(0)
    windows.close()
    expect(pool.bytesInUse).toBe(0)
  })

  test('then it owns one slab, and gets what is left of it until less than 16 KB are', () => {
    const pool = new SlabPool(budgetBytes)
    const windows = opened(pool)
    expect(windows.next().length).toBe(slabBytes)
    read(windows, 10_000)
    expect(windows.next().length).toBe(slabBytes - 10_000)
    read(windows, slabBytes - 10_000 - 16 * 1024)
    expect(windows.next().length).toBe(16 * 1024)
    expect(pool.bytesInUse).toBe(slabBytes)
    read(windows, 1)
    expect(windows.next().length).toBe(slabBytes)
  })

  test('a full slab stays its own until all that it handed on was consumed', () => {
    const pool = new SlabPool(budgetBytes)
    const windows = opened(pool)
    windows.next()
    windows.filled(slabBytes, slabBytes)
    windows.next()
    windows.filled(100, slabBytes + 100)
    expect(pool.bytesInUse).toBe(2 * slabBytes)
    windows.next()
    windows.filled(100, 100)
    expect(pool.bytesInUse).toBe(slabBytes)
  })

  test('a socket that says that all was consumed owns nothing but what it reads into', () => {
    const pool = new SlabPool(budgetBytes)
    const windows = opened(pool)
    windows.next()
    expect(windows.filled(1000, 1000)).toBe(false)
    windows.next()
    expect(windows.filled(slabBytes - 1000, slabBytes)).toBe(true)
    windows.next()
    expect(windows.filled(1000, slabBytes + 1000)).toBe(true)
    windows.next()
    expect(pool.bytesInUse).toBe(2 * slabBytes)
    windows.consumed()
    windows.consumed()
    expect(pool.bytesInUse).toBe(slabBytes)
    expect(windows.filled(1000, 1000)).toBe(false)
    windows.close()
    windows.consumed()
    expect(pool.bytesInUse).toBe(0)
  })

  test('closing gives back everything but what is held', () => {
    const pool = new SlabPool(budgetBytes)
    const windows = opened(pool)
    const chunk = read(windows, slabBytes)
    pool.retain(chunk)
    windows.next()
    expect(pool.bytesInUse).toBe(2 * slabBytes)
    windows.close()
    expect(pool.bytesInUse).toBe(slabBytes)
    pool.release(chunk)
    expect(pool.bytesInUse).toBe(0)
  })
})

describe('the pool', () => {
  test('counts whole slabs, however little of them is held, and each once', () => {
    const pool = new SlabPool(4 * smallBytes)
    const windows = opened(pool)
    const chunks = [read(windows, 10), read(windows, 20), read(windows, 30)]
    for (const chunk of chunks) pool.retain(chunk.subarray(1, 3))
    windows.close()
    expect(pool.bytesInUse).toBe(smallBytes)
    for (const chunk of chunks) {
      expect(pool.bytesInUse).toBe(smallBytes)
      pool.release(chunk)
    }
    expect(pool.bytesInUse).toBe(0)
  })

  test('counts buffers that are none of its slabs by their length', () => {
    const pool = new SlabPool(1000)
    const stray = Buffer.alloc(1000)
    pool.retain(stray.subarray(0, 999))
    expect([pool.bytesInUse, pool.full]).toEqual([999, false])
    pool.retain(stray.subarray(999))
    expect([pool.bytesInUse, pool.full]).toEqual([1000, true])
    pool.release(stray.subarray(0, 999))
    pool.release(stray.subarray(999))
    expect([pool.bytesInUse, pool.full]).toEqual([0, false])
  })

  test('is full when slabs of the whole budget are in use, sockets own ones included', () => {
    const pool = new SlabPool(3 * smallBytes)
    const sockets = [opened(pool), opened(pool), opened(pool)]
    for (const windows of sockets.slice(0, 2)) windows.next()
    expect(pool.full).toBe(false)
    sockets[2]?.next()
    expect(pool.full).toBe(true)
    sockets[0]?.close()
    expect(pool.full).toBe(false)
  })

  test('lends large slabs until half its budget is in use, then small ones, which pin less', () => {
    const pool = new SlabPool(4 * largeBytes)
    const sizes = Array.from({ length: 10 }, () => opened(pool).next().length)
    expect(sizes).toEqual([largeBytes, largeBytes, ...Array.from({ length: 8 }, () => smallBytes)])
    expect(pool.bytesInUse).toBe(4 * largeBytes)
    expect(pool.full).toBe(true)
  })

  const buffers: ArrayBufferLike[] = []
  /** Where a window begins: its buffer's number and the bytes before it. */
  function placeOf({ buffer, byteOffset }: Buffer): string {
    if (!buffers.includes(buffer)) buffers.push(buffer)
    return `${buffers.indexOf(buffer)}:${byteOffset}`
  }

  const bytesOf = (places: Map<string, number>) => [...places.values()].reduce((sum, bytes) => sum + bytes, 0)

  /** As many sockets as it takes, and then all closed. @returns the places they read into, and their sizes. */
  function lendAll(pool: SlabPool, bytes: number): Map<string, number> {
    const sockets: ReadWindows[] = []
    const places = new Map<string, number>()
    while (bytesOf(places) < bytes) {
      const windows = opened(pool)
      const window = windows.next()
      expect(places.has(placeOf(window))).toBe(false)
      places.set(placeOf(window), window.length)
      sockets.push(windows)
    }
    for (const windows of sockets) windows.close()
    return places
  }

  test('uses free slabs again, and keeps a warm few of them or a little more than its budget, all parts of a few regions', () => {
    for (const [budgetBytes, kept] of [
      [4 * smallBytes, 4 * 2 ** 20],
      [16 * 2 ** 20, 18 * 2 ** 20],
    ] as const) {
      const regions: Buffer[] = []
      const pool = new SlabPool(budgetBytes, bytes => {
        const region = Buffer.allocUnsafeSlow(bytes)
        regions.push(region)
        return region
      })
      const first = lendAll(pool, 20 * 2 ** 20)
      const second = lendAll(pool, 20 * 2 ** 20)
      const usedAgain = new Map([...second].filter(([place]) => first.has(place)))
      expect(bytesOf(usedAgain)).toBe(kept)
      expect(regions.reduce((sum, { length }) => sum + length, 0)).toBe(kept)
    }
  })

  test('an empty chunk at the end of a slab pins nothing, least of all the next slab', () => {
    const pool = new SlabPool(16 * 2 ** 20)
    const [first, second] = [opened(pool), opened(pool)]
    const [window, next] = [first.next(), second.next()]
    expect([window.buffer, window.byteOffset + window.length]).toEqual([next.buffer, next.byteOffset])
    second.close()
    pool.retain(window.subarray(window.length))
    pool.release(window.subarray(window.length))
    expect(pool.bytesInUse).toBe(largeBytes)
    const others = [opened(pool), opened(pool)].map(windows => windows.next().byteOffset)
    expect(new Set(others).size).toBe(2)
  })

  test('lends a free slab of the other size rather than a new one', () => {
    const pool = new SlabPool(16 * 2 ** 20)
    const first = lendAll(pool, 16 * 2 ** 20)
    expect(new Set(first.values())).toEqual(new Set([largeBytes, smallBytes]))
    expect(lendAll(pool, 16 * 2 ** 20)).toEqual(first)
    const stray = Buffer.alloc(16 * 2 ** 20)
    pool.retain(stray)
    expect(lendAll(pool, 16 * 2 ** 20)).toEqual(first)
    pool.release(stray)
    expect(lendAll(pool, 16 * 2 ** 20)).toEqual(first)
  })
})

test('plain memory counts what is held by its length', () => {
  const memory = createPlainMemory(100)
  const chunk = Buffer.alloc(60)
  memory.retain(chunk)
  expect([memory.bytesInUse, memory.full]).toEqual([60, false])
  memory.retain(chunk)
  expect([memory.bytesInUse, memory.full]).toEqual([120, true])
  memory.release(chunk)
  memory.release(chunk)
  expect([memory.bytesInUse, memory.full]).toEqual([0, false])
})

/** A socket as Node and undici treat it: what it read waits in it, is read from it later, and may be put back in part. */
class FakeSocket {
  readonly windows: ReadWindows
  readonly unread: Buffer[] = []
  readonly written: number[] = []
  #filler: number
  #window: Buffer

  constructor(pool: SlabPool, filler: number) {
    this.windows = pool.openWindows()
    this.#window = this.windows.next()
    this.#filler = filler
  }

  /** The kernel fills the window; the chunk is pushed; the next window is asked for at once. */
  receive(bytes: number): void {
    const size = Math.min(bytes, this.#window.length)
    this.#filler = (this.#filler + 7) % 251
    const chunk = this.#window.subarray(0, size).fill(this.#filler)
    this.written.push(this.#filler)
    this.unread.push(chunk)
    this.windows.filled(
      size,
      this.unread.reduce((sum, { length }) => sum + length, 0),
    )
    this.#window = this.windows.next()
  }

  /** The parser takes what waits; a part of the last chunk may go back into the socket. */
  consume(keepBytes: number): Buffer[] {
    const taken = this.unread.splice(0)
    const last = taken.at(-1)
    if (last && keepBytes > 0 && keepBytes < last.length) {
      taken[taken.length - 1] = last.subarray(0, last.length - keepBytes)
      this.unread.push(last.subarray(last.length - keepBytes))
    }
    return taken
  }
}

test('whatever sockets read, hold and give back: held bytes stay as they are, and at the end no slab is in use', () => {
  const step = fc.record({
    socket: fc.nat(3),
    what: fc.constantFrom('receive', 'receive', 'consume', 'consume', 'release', 'look', 'reopen'),
    bytes: fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: largeBytes })),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), steps => {
      const pool = new SlabPool(2 * 2 ** 20)
      const sockets = Array.from({ length: 4 }, (_, index) => new FakeSocket(pool, index * 60))
      const held: { readonly chunk: Buffer; readonly filler: number }[] = []
      const release = (count: number) => {
        for (const { chunk, filler } of held.splice(0, count)) {
          expect(chunk.every(byte => byte === filler)).toBe(true)
          pool.release(chunk)
        }
      }
      for (const { socket: index, what, bytes } of steps) {
        const socket = sockets[index]
        if (!socket) continue
        if (what === 'receive') socket.receive(bytes)
        if (what === 'release') release(1 + (bytes % 4))
        if (what === 'consume') {
          // What waits was written by the last reads, in their order.
          for (const chunk of socket.consume(bytes % 2 ? bytes : 0)) {
            const [filler = 0] = chunk
            expect(chunk.every(byte => byte === filler)).toBe(true)
            expect(socket.written).toContain(filler)
            // Every third chunk is of no interest to anybody.
            if (bytes % 3 === 0) continue
            pool.retain(chunk)
            held.push({ chunk, filler })
          }
        }
        if (what === 'look' && socket.unread.length === 0) socket.windows.consumed()
        if (what === 'reopen') {
          socket.unread.length = 0
          socket.windows.close()
          sockets[index] = new FakeSocket(pool, bytes % 251)
        }
      }
      release(held.length)
      for (const { windows } of sockets) windows.close()
      expect(pool.bytesInUse).toBe(0)
    }),
    { numRuns: 300 },
  )
})
