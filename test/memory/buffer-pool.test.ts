/** What bodies are held in, whose length is known before or is not. */
import { afterEach, expect, test, vi } from 'vitest'
import { BufferPool } from '../../src/memory/buffer-pool.ts'

afterEach(() => void vi.useRealTimers())

const lengths = (buffers: readonly Buffer[]) => buffers.map(({ length }) => length / 1024)

test('a large body gets large blocks, and small ones for its end', () => {
  const blocks = new BufferPool().blocksFor(2.1 * 1024 * 1024)
  const taken = Array.from({ length: 5 }, blocks.take)
  expect(lengths(taken)).toEqual([1024, 1024, 64, 64, 64])
})

test('a body of unknown length gets small blocks', () => {
  const blocks = new BufferPool().blocksFor(0)
  expect(lengths([blocks.take(), blocks.take()])).toEqual([64, 64])
})

test('what one picture of a body leaves of a block, the next one gets', () => {
  const pool = new BufferPool()
  const blocks = pool.blocksFor(1024 * 1024)
  const first = blocks.take()
  const rest = first.subarray(1000)
  blocks.giveRest(rest)
  expect(blocks.take()).toBe(rest)
  blocks.giveRest(rest.subarray(rest.length))
  expect(blocks.take().buffer).not.toBe(first.buffer)
})

test('blocks that are released are used again, whole, and given back once', () => {
  const pool = new BufferPool()
  const blocks = pool.blocksFor(1024 * 1024)
  const [large, small] = [blocks.take(), blocks.take()]
  blocks.giveRest(small.subarray(100))
  blocks.release()
  blocks.release()
  const again = pool.blocksFor(1024 * 1024)
  expect([again.take(), again.take()]).toEqual([large, small])
  const others = pool.blocksFor(1024 * 1024)
  expect(others.take()).not.toBe(large)
  expect(others.take()).not.toBe(small)
})

test('buffers that are given back are handed out again, each to one taker', () => {
  const pool = new BufferPool()
  const first = Array.from({ length: 100 }, () => pool.take())
  pool.give(first)
  const second = Array.from({ length: 100 }, () => pool.take())
  expect(new Set(second)).toEqual(new Set(first))
  expect(new Set(second).size).toBe(100)
})

test('what a load has in use again and again is kept, what a peak added is let go when it is over', () => {
  vi.useFakeTimers()
  const made: Buffer[] = []
  const makeLarge = (bytes: number) => made[made.push(Buffer.alloc(bytes)) - 1] ?? Buffer.alloc(0)
  let letGo = 0
  const onLetGo = (bytes: number) => {
    letGo += bytes
  }
  const pool = new BufferPool({ makeLarge, onLetGo })
  const useAtOnce = (megabytes: number) => {
    const blocks = pool.blocksFor(megabytes * 1024 * 1024)
    for (let taken = 0; taken < megabytes; taken++) blocks.take()
    blocks.release()
  }
  const madeFor = (megabytes: number) => {
    const before = made.length
    useAtOnce(megabytes)
    return made.length - before
  }
  expect(madeFor(100)).toBe(100)
  for (let seconds = 0; seconds < 60; seconds += 6) {
    expect(madeFor(100)).toBe(0)
    vi.advanceTimersByTime(6000)
  }
  expect(madeFor(150)).toBe(50)
  for (let seconds = 0; seconds < 24; seconds += 6) {
    useAtOnce(100)
    vi.advanceTimersByTime(6000)
  }
  expect(madeFor(150)).toBe(50)
  vi.advanceTimersByTime(60_000)
  // 64 MB are kept for whatever comes.
  expect(madeFor(100)).toBe(36)
  vi.advanceTimersByTime(60_000)
  expect(vi.getTimerCount()).toBe(0)
  // All that were made but those that are kept.
  expect(letGo).toBe((made.length - 64) * 1024 * 1024)
})
