/** What every store of pictures does, whatever it keeps them on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AssetName, type AssetStore, newName, sweptAfterSeconds } from '../../src/assets/store.ts'
import { bytesOf, join } from '../../src/images/bytes.ts'
import { NotBase64Error } from '../../src/streams/base64-decoder.ts'
import { chunksAt } from '../helpers/documents.ts'

export interface Opened {
  readonly store: AssetStore
  /** How many pictures lie in it. */
  count(): Promise<number>
}

/** Noise of so many bytes, always the same. */
export function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0, state = length + 1; at < length; at++) {
    state = (state * 1103515245 + 12345) % 2147483648
    bytes[at] = state >> 16
  }
  return bytes
}

/** As a held document gives it: in slices that no quadruple cares about. */
export const base64Of = (bytes: Buffer) => bytesOf(...chunksAt(Buffer.from(bytes.toString('base64')), [-65_530]))

export const never = new AbortController().signal

export async function contentOf(store: AssetStore, name: AssetName, part?: readonly [number, number]) {
  const found = await store.open(name)
  if (!found) return null
  try {
    return await join(part ? found.bytes.slice(...part) : found.bytes)
  } finally {
    await found.close()
  }
}

export const start = 1_790_000_000

export function storeContract(open: (nowSeconds: () => number) => Promise<Opened>): void {
  let now = start
  let opened: Opened
  let store: AssetStore
  beforeAll(async () => {
    opened = await open(() => now)
    store = opened.store
  })
  afterAll(() => store?.close())

  const png = (seconds = 3600) => newName('image/png', now + seconds)

  describe('a picture that was stored', () => {
    test.each([1, 2, 3, 1000, 4096, 70_001, 768 * 1024, 2_500_003])('of %i bytes comes back as it was', async size => {
      const [name, bytes] = [png(), noise(size)]
      const giveBack = await store.reserve(1)
      await store.put(name, base64Of(bytes), never)
      giveBack()
      const found = await store.open(name)
      expect(found?.bytes.length).toBe(size)
      await found?.close()
      expect((await contentOf(store, name))?.equals(bytes)).toBe(true)
      await store.remove(name)
      expect(await store.open(name)).toBeNull()
    })

    test('is read in parts', async () => {
      const [name, bytes] = [png(), noise(300_000)]
      await store.put(name, base64Of(bytes), never)
      for (const [from, size] of [
        [0, 1],
        [0, 300_000],
        [299_999, 1],
        [65_530, 70_000],
        [5, 0],
      ] as const) {
        const part = await contentOf(store, name, [from, size])
        expect(part?.equals(bytes.subarray(from, from + size)), `${from} ${size}`).toBe(true)
      }
      await store.remove(name)
    })

    test('and many at once do not mix', async () => {
      const stored = Array.from({ length: 8 }, (_, index) => ({ name: png(), bytes: noise(200_000 + index) }))
      await Promise.all(stored.map(({ name, bytes }) => store.put(name, base64Of(bytes), never)))
      for (const { name, bytes } of stored) expect((await contentOf(store, name))?.equals(bytes)).toBe(true)
      await Promise.all(stored.map(({ name }) => store.remove(name)))
      expect(await opened.count()).toBe(0)
    })

    test('is gone for good once it was removed, which can be done twice', async () => {
      const name = png()
      await store.put(name, base64Of(noise(10)), never)
      await store.remove(name)
      await store.remove(name)
      expect(await store.open(name)).toBeNull()
    })
  })

  test('what was never there is not found', async () => {
    expect(await store.open(png())).toBeNull()
  })

  describe('nothing is left of a picture', () => {
    test('that is no base64', async () => {
      const name = png()
      const text = noise(900_000).toString('base64')
      const broken = bytesOf(Buffer.from(`${text.slice(0, -40)}****${text.slice(-36)}`))
      await expect(store.put(name, broken, never)).rejects.toThrow(NotBase64Error)
      expect(await store.open(name)).toBeNull()
      expect(await opened.count()).toBe(0)
    })

    test('whose reading fails', async () => {
      const name = png()
      const base64 = base64Of(noise(900_000))
      const failing = {
        length: base64.length,
        slice: base64.slice.bind(base64),
        async *slices() {
          for await (const slice of base64.slice(0, 800_000).slices()) yield slice
          throw new Error('The spill file is gone.')
        },
      }
      await expect(store.put(name, failing, never)).rejects.toThrow('The spill file is gone.')
      expect(await opened.count()).toBe(0)
    })

    test('whose caller leaves', async () => {
      const name = png()
      const leaving = new AbortController()
      const base64 = base64Of(noise(2_500_000))
      const left = {
        length: base64.length,
        slice: base64.slice.bind(base64),
        async *slices() {
          let read = 0
          for await (const slice of base64.slices()) {
            read += slice.length
            if (read > 1_500_000) leaving.abort(new Error('The caller left.'))
            yield slice
          }
        },
      }
      await expect(store.put(name, left, leaving.signal)).rejects.toThrow('The caller left.')
      await expect(store.put(name, base64, leaving.signal)).rejects.toThrow('The caller left.')
      expect(await opened.count()).toBe(0)
    })
  })

  test('sweeping takes what has expired a while ago, and nothing else', async () => {
    const [soon, later] = [png(30), png(7200)]
    for (const name of [soon, later]) await store.put(name, base64Of(noise(1000)), never)
    await store.sweep()
    expect(await opened.count()).toBe(2)
    now += 30 + sweptAfterSeconds - 1
    await store.sweep()
    expect(await opened.count()).toBe(2)
    now += 1
    await store.sweep()
    expect(await store.open(soon)).toBeNull()
    expect((await contentOf(store, later))?.equals(noise(1000))).toBe(true)
    now += 7200
    await store.sweep()
    expect(await opened.count()).toBe(0)
  })
}
