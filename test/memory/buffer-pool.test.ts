/** What bodies are held in, whose length is known before or is not. */
import { expect, test } from 'vitest'
import { BufferPool } from '../../src/memory/buffer-pool.ts'

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
