import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createDiskStore, type DiskStoreParams } from '../../src/assets/disk-store.ts'
import { takesDirectWrites, writeWhole } from '../../src/assets/file-writing.ts'
import { keptName, newName } from '../../src/assets/store.ts'
import { GatewayError } from '../../src/images/error.ts'
import { decodingBlock } from '../../src/streams/base64-decoder.ts'
import { base64Of, contentOf, never, noise, start, storeContract } from './store.contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'plantain-disk-store-'))
afterAll(() => rmSync(folder, { recursive: true }))

const files = (directory: string) =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ name }) => name)

function open(options: Partial<DiskStoreParams> = {}) {
  const directory = options.directory ?? mkdtempSync(join(folder, 'store-'))
  const faults: unknown[] = []
  const params = {
    directory,
    maxBytes: 1 << 30,
    nowSeconds: () => start,
    onFault: (error: unknown) => void faults.push(error),
  }
  return { directory, faults, store: createDiskStore({ ...params, ...options }) }
}

const png = (seconds = 3600) => newName('image/png', start + seconds)

describe('a store on the disk', () => {
  storeContract(async nowSeconds => {
    const { store, directory } = open({ nowSeconds })
    return { store, count: async () => files(directory).length }
  })
})

test('files and folders are for the owner’s eyes only', async () => {
  const { store, directory } = open()
  await store.put(png(), base64Of(noise(10)), never)
  const entries = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  expect(entries).toHaveLength(3)
  for (const entry of entries) {
    const found = statSync(join(directory, entry))
    expect(found.mode & 0o777).toBe(found.isDirectory() ? 0o700 : 0o600)
  }
})

test('two stores share a folder: what one stores the other finds, counts and sweeps', async () => {
  let now = start
  const one = open({ nowSeconds: () => now })
  const other = open({ directory: one.directory, nowSeconds: () => now, maxBytes: 1000 })
  const name = png(60)
  await one.store.put(name, base64Of(noise(950)), never)
  expect((await contentOf(other.store, name))?.equals(noise(950))).toBe(true)
  await expect(other.store.reserve(1)).rejects.toThrow(/no room/)
  now += 120
  await other.store.sweep()
  expect(await one.store.open(name)).toBeNull()
  ;(await other.store.reserve(1))()
})

test('stores that sweep one folder at the same moment don’t fail by each other', async () => {
  const { directory } = open()
  for (let number = 0; number < 100; number++) mkdirSync(join(directory, String(1000 + number)))
  const stores = [1, 2, 3, 4].map(() => open({ directory }).store)
  const swept = await Promise.allSettled(stores.map(store => store.sweep()))
  expect(swept.filter(({ status }) => status === 'rejected')).toEqual([])
  expect(readdirSync(directory)).toEqual(['tmp'])
})

test('a picture that is swept while it is read is read to its end', async () => {
  let now = start
  const { store } = open({ nowSeconds: () => now })
  const [name, bytes] = [png(60), noise(1_000_000)]
  await store.put(name, base64Of(bytes), never)
  const found = await store.open(name)
  const read: Buffer[] = []
  for await (const slice of found?.bytes.slices() ?? []) {
    if (read.length === 0) {
      now += 1000
      await store.sweep()
      expect(await store.open(name)).toBeNull()
    }
    read.push(Buffer.from(slice))
  }
  await found?.close()
  expect(Buffer.concat(read).equals(bytes)).toBe(true)
})

test('a link that somebody put there leads nowhere', async () => {
  const { store, directory } = open()
  const [real, name] = [png(), png()]
  await store.put(real, base64Of(noise(10)), never)
  const shelf = readdirSync(directory).find(entry => /^\d+$/.test(entry)) ?? ''
  symlinkSync('/etc/hostname', join(directory, shelf, keptName(name)))
  expect(await store.open(name)).toBeNull()
})

describe('room', () => {
  const refusal = async (asked: Promise<unknown>) => {
    const error = await asked.catch(reason => reason)
    expect(error).toBeInstanceOf(GatewayError)
    return error as GatewayError
  }

  test('is refused from nine tenths of the quota on, and told when the first picture expires', async () => {
    const { store } = open({ maxBytes: 1000 })
    await store.put(png(20), base64Of(noise(600)), never)
    await store.put(png(900), base64Of(noise(299)), never)
    ;(await store.reserve(1))()
    await store.put(png(900), base64Of(noise(1)), never)
    // The expiry is known since the folder was looked through.
    await store.sweep()
    const { kind, facts } = await refusal(store.reserve(1))
    expect(kind).toBe('overloaded')
    expect(facts.retryAfterMs).toBe(20_000)
  })

  test('never waits longer than SDKs do', async () => {
    const { store } = open({ maxBytes: 1000 })
    await store.put(png(3600), base64Of(noise(950)), never)
    expect((await refusal(store.reserve(1))).facts.retryAfterMs).toBe(60_000)
  })

  test('is kept for those who were let in, until they give it back', async () => {
    const { store } = open({ maxBytes: 10 << 20 })
    const giveBack = await store.reserve(3)
    await refusal(store.reserve(1))
    giveBack()
    giveBack()
    ;(await store.reserve(1))()
  })

  test('is found where a picture has expired, though nobody has swept', async () => {
    let now = start
    const { store, directory } = open({ maxBytes: 1000, nowSeconds: () => now })
    await store.put(png(60), base64Of(noise(950)), never)
    await refusal(store.reserve(1))
    now += 120
    ;(await store.reserve(1))()
    expect(files(directory)).toEqual([])
  })

  test('is what a store finds that was started anew', async () => {
    const { store, directory } = open()
    await store.put(png(), base64Of(noise(950)), never)
    await refusal(open({ directory, maxBytes: 1000 }).store.reserve(1))
  })

  test('comes back when a picture is taken away', async () => {
    const { store } = open({ maxBytes: 1000 })
    const name = png()
    await store.put(name, base64Of(noise(950)), never)
    await refusal(store.reserve(1))
    await store.remove(name)
    ;(await store.reserve(1))()
  })
})

describe('a folder that cannot be written', () => {
  test('is told before money is spent, and the operator hears why', async () => {
    const { store, directory, faults } = open()
    rmSync(directory, { recursive: true })
    writeFileSync(directory, 'a file in its place')
    await expect(store.reserve(1)).rejects.toMatchObject({ kind: 'overloaded', facts: { retryAfterMs: 10_000 } })
    expect(faults).toHaveLength(1)
    await expect(store.put(png(), base64Of(noise(10)), never)).rejects.toThrow(/ENOTDIR/)
  })

  test('and comes back serves again', async () => {
    let now = start
    const { store, directory } = open({ nowSeconds: () => now })
    ;(await store.reserve(1))()
    renameSync(directory, `${directory}-away`)
    now += 2
    await expect(store.reserve(1)).rejects.toThrow(/cannot be stored/)
    renameSync(`${directory}-away`, directory)
    ;(await store.reserve(1))()
    const name = png()
    await store.put(name, base64Of(noise(10)), never)
    expect(await contentOf(store, name)).toEqual(noise(10))
  })

  test('a shelf that was deleted by hand is made again', async () => {
    const { store, directory } = open()
    const [first, second] = [png(), png()]
    await store.put(first, base64Of(noise(10)), never)
    for (const entry of readdirSync(directory))
      if (/^\d+$/.test(entry)) rmSync(join(directory, entry), { recursive: true })
    await store.put(second, base64Of(noise(10)), never)
    expect(await contentOf(store, second)).toEqual(noise(10))
    expect(await store.open(first)).toBeNull()
  })
})

test('what a crashed process left half written is swept after an hour, what is being written is not', async () => {
  const { store, directory } = open({ nowSeconds: () => Date.now() / 1000 })
  const [old, fresh] = [join(directory, 'tmp', 'old'), join(directory, 'tmp', 'fresh')]
  for (const path of [old, fresh]) writeFileSync(path, 'half a picture')
  utimesSync(old, Date.now() / 1000 - 3700, Date.now() / 1000 - 3700)
  await store.sweep()
  expect([existsSync(old), existsSync(fresh)]).toEqual([false, true])
})

test('what somebody else put there is left alone', async () => {
  const { store, directory } = open()
  const old = join(directory, '1000')
  mkdirSync(old)
  for (const path of [join(old, 'notes.txt'), join(directory, 'notes.txt')]) writeFileSync(path, 'mine')
  await store.sweep()
  expect(files(directory)).toEqual(['notes.txt', 'notes.txt'])
})

describe('a file', () => {
  const blocksOf = async function* (bytes: Buffer, blockBytes: number) {
    const block = decodingBlock(blockBytes)
    for (let at = 0; at < bytes.length; at += blockBytes) {
      yield block.subarray(0, bytes.copy(block, 0, at, Math.min(bytes.length, at + blockBytes)))
    }
  }

  test.each([0, 1, 4095, 4096, 4097, 20_480, 100_001])(
    'of %i bytes is the same written directly and through the cache',
    async size => {
      const directory = mkdtempSync(join(folder, 'file-'))
      for (const direct of new Set([false, takesDirectWrites(directory)])) {
        const path = join(directory, `direct-${direct}`)
        expect(await writeWhole(path, blocksOf(noise(size), 8192), { direct, signal: never })).toBe(size)
        expect(statSync(path).size).toBe(size)
      }
      expect(readdirSync(directory).filter(name => name.startsWith('probe'))).toEqual([])
    },
  )
})
