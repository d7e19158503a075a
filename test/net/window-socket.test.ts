import { expect, test } from 'vitest'
import { SlabPool } from '../../src/memory/slabs.ts'
import { type Windows, windowsWork } from '../../src/net/window-socket.ts'
import { eventually, openSockets } from '../helpers/descriptors.ts'

/** Windows that are as they should be: a fresh buffer for every read. */
const fresh = (): Windows => ({
  next: () => Buffer.alloc(65_536),
  filled: () => false,
  consumed: () => {},
  close: () => {},
})

test('this Node lets sockets read into slabs, and the check leaves nothing behind', async () => {
  const sockets = openSockets()
  const pool = new SlabPool(1 << 20)
  expect(await windowsWork(() => pool.openWindows())).toBe(true)
  expect(pool.bytesInUse).toBe(0)
  expect(await eventually(() => openSockets() <= sockets)).toBe(true)
})

const broken: Readonly<Record<string, () => Windows>> = {
  'are written to before they were read from': () => {
    let last = Buffer.alloc(0)
    const next = () => {
      last = Buffer.alloc(65_536)
      return last
    }
    return { ...fresh(), next, filled: () => last.fill(0, 0, 1).length === 0 }
  },
  'lie across each other': () => {
    const shared = Buffer.alloc(66_000)
    let turn = 0
    const next = () => shared.subarray(turn++ % 2, 65_536)
    // The second read is let in before the first was taken out.
    return { ...fresh(), next, filled: () => shared.copy(shared, 1, 0, 1000) === 0 }
  },
  'have no room': () => ({ ...fresh(), next: () => Buffer.alloc(0) }),
  'are no buffers': () => ({ ...fresh(), next: () => undefined as unknown as Buffer }),
  'become none': () => {
    let turns = 3
    return { ...fresh(), next: () => (turns-- > 0 ? Buffer.alloc(1000) : (null as unknown as Buffer)) }
  },
  'cannot be had': () => {
    throw new Error('no windows')
  },
  'throw when they are asked for': () => ({
    ...fresh(),
    next: () => {
      throw new Error('no window')
    },
  }),
  'throw when they are filled': () => ({
    ...fresh(),
    filled: () => {
      throw new Error('not filled')
    },
  }),
}

test('windows that are as they should be pass the check', async () => {
  expect(await windowsWork(fresh)).toBe(true)
})

test.each(Object.entries(broken))('windows that %s do not', async (_how, openWindows) => {
  const sockets = openSockets()
  expect(await windowsWork(openWindows)).toBe(false)
  expect(await eventually(() => openSockets() <= sockets)).toBe(true)
})
