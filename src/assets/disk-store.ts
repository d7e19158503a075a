/**
 * Pictures as files in a folder that several processes may share:
 * `<ten minutes of expiry>/<expiry>-<id>.png`, and `tmp/` for what is being written.
 */
import { randomUUID } from 'node:crypto'
import { constants, mkdirSync } from 'node:fs'
import { access, mkdir, open, readdir, rename, rmdir, stat, statfs, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Bytes } from '../images/bytes.ts'
import { BufferPool } from '../memory/buffer-pool.ts'
import { createRoom, type Room } from '../memory/room.ts'
import { decodeBase64, decodingBlock } from '../streams/base64-decoder.ts'
import { DiskUsage } from './disk-usage.ts'
import { fileBytes } from './file-bytes.ts'
import { syncFolder, takesDirectWrites, writeWhole } from './file-writing.ts'
import {
  type AssetName,
  type AssetStore,
  type AssetStoreParams,
  cannotStore,
  keptName,
  type OpenAsset,
  parseKeptName,
  sweptAfterSeconds,
} from './store.ts'

export interface DiskStoreParams extends AssetStoreParams {
  readonly directory: string
  /** Of all pictures together. */
  readonly maxBytes: number
}

const folderSeconds = 600
// Written in one call. Each costs a change of threads there and back: of 8 MB, in blocks of 768 KB a tenth of the answer's CPU. A
// multiple of pages and of 3.
const blockBytes = 3 * 1024 * 1024
// Each may wait for the disk on one of the process's four file threads: the others are for reading.
const writersAtOnce = 3
// Nothing is being written for so long.
const leftoverSeconds = 3600
const leastFreeBytes = 64 * 1024 * 1024
// Whoever finds no room has the folder looked through, but not again and again.
const leastSecondsBetweenSweeps = 5

/** @throws the file system's error where the folder can't be made. */
export function createDiskStore(params: DiskStoreParams): AssetStore {
  mkdirSync(join(params.directory, 'tmp'), { recursive: true, mode: 0o700 })
  return new DiskStore(params)
}

class DiskStore implements AssetStore {
  readonly #directory: string
  readonly #temporary: string
  readonly #nowSeconds: () => number
  readonly #onFault: (error: unknown) => void
  readonly #direct: boolean
  readonly #usage: DiskUsage
  readonly #writers: Room = createRoom(writersAtOnce)
  // All from the start: later, slabs may have taken the addresses that they need.
  readonly #blocks = Array.from({ length: writersAtOnce }, () => decodingBlock(blockBytes))
  readonly #readBuffers = new BufferPool()
  /** The folder that pictures went to last. */
  #madeFolder = ''
  #checkedSeconds = Number.NEGATIVE_INFINITY
  #sweeping: Promise<void> | null = null
  #sweptSeconds = Number.NEGATIVE_INFINITY

  constructor({ directory, maxBytes, nowSeconds, onFault }: DiskStoreParams) {
    this.#directory = directory
    this.#temporary = join(directory, 'tmp')
    this.#nowSeconds = nowSeconds
    this.#onFault = onFault
    this.#direct = takesDirectWrites(this.#temporary)
    this.#usage = new DiskUsage(maxBytes)
  }

  async reserve(pictures: number): Promise<() => void> {
    try {
      if (this.#sweptSeconds === Number.NEGATIVE_INFINITY) await this.sweep()
      if (this.#usage.full && this.#nowSeconds() - this.#sweptSeconds >= leastSecondsBetweenSweeps) await this.sweep()
      await this.#checkDisk()
    } catch (error) {
      this.#onFault(error)
      throw cannotStore(error)
    }
    if (this.#usage.full) throw this.#usage.refusal(this.#nowSeconds())
    return this.#usage.reserve(pictures)
  }

  async put(name: AssetName, base64: Bytes, signal: AbortSignal): Promise<void> {
    const leave = await this.#writers.take(1, signal)
    const block = this.#blocks.pop() ?? decodingBlock(blockBytes)
    const draft = join(this.#temporary, randomUUID())
    try {
      const written = await writeWhole(
        draft,
        decodeBase64(base64, () => block),
        { direct: this.#direct, signal },
      )
      await this.#publish(draft, this.#pathOf(name))
      this.#usage.add(written)
    } catch (error) {
      await unlink(draft).catch(() => {})
      throw error
    } finally {
      this.#blocks.push(block)
      leave()
    }
  }

  async open(name: AssetName): Promise<OpenAsset | null> {
    const handle = await nullWhereAbsent(open(this.#pathOf(name), constants.O_RDONLY | constants.O_NOFOLLOW))
    if (!handle) return null
    try {
      const { size } = await handle.stat()
      return { bytes: fileBytes(handle, this.#readBuffers, size), close: () => handle.close() }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async remove(name: AssetName): Promise<void> {
    const path = this.#pathOf(name)
    const found = await nullWhereAbsent(stat(path))
    if (!found) return
    await nullWhereAbsent(unlink(path))
    this.#usage.remove(found.size)
  }

  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweepAll().finally(() => {
      this.#sweeping = null
    })
    return this.#sweeping
  }

  async close(): Promise<void> {
    await this.#sweeping?.catch(() => {})
  }

  #pathOf(name: AssetName): string {
    return join(this.#directory, String(Math.floor(name.expiresSeconds / folderSeconds)), keptName(name))
  }

  /** The picture's name appears with the whole picture behind it, also after a power cut. */
  async #publish(draft: string, path: string): Promise<void> {
    const folder = dirname(path)
    if (folder !== this.#madeFolder) await this.#makeFolder(folder)
    const isGone = (await nullWhereAbsent(rename(draft, path))) === null
    if (isGone) {
      await this.#makeFolder(folder)
      await rename(draft, path)
    }
    try {
      await syncFolder(folder)
    } catch (error) {
      await unlink(path).catch(() => {})
      throw error
    }
  }

  async #makeFolder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await syncFolder(this.#directory)
    this.#madeFolder = folder
  }

  /** At most once a second: what it asks costs more than a small picture. */
  async #checkDisk(): Promise<void> {
    const nowSeconds = this.#nowSeconds()
    if (Math.abs(nowSeconds - this.#checkedSeconds) < 1) return
    await access(this.#temporary, constants.W_OK | constants.X_OK)
    const { blocks, bavail, bsize } = await statfs(this.#temporary)
    // Some file systems don't say how large they are.
    if (blocks > 0 && bavail * bsize < leastFreeBytes + this.#usage.reservedBytes) throw new Error('The disk is full.')
    this.#checkedSeconds = nowSeconds
  }

  async #sweepAll(): Promise<void> {
    const nowSeconds = this.#nowSeconds()
    this.#usage.startCount()
    let bytes = 0
    let earliest = Number.POSITIVE_INFINITY
    for (const folder of await readdir(this.#directory)) {
      if (!/^\d+$/.test(folder)) continue
      const path = join(this.#directory, folder)
      // Another process that sweeps may have removed it meanwhile.
      for (const file of (await nullWhereAbsent(readdir(path))) ?? []) {
        const name = parseKeptName(file)
        if (!name) continue
        if (name.expiresSeconds + sweptAfterSeconds <= nowSeconds) {
          await nullWhereAbsent(unlink(join(path, file)))
          continue
        }
        bytes += (await nullWhereAbsent(stat(join(path, file))))?.size ?? 0
        earliest = Math.min(earliest, name.expiresSeconds)
      }
      // Nobody writes there any more. It stays where somebody put something of their own into it.
      if ((Number(folder) + 1) * folderSeconds + sweptAfterSeconds <= nowSeconds) await rmdir(path).catch(() => {})
    }
    await this.#sweepLeftovers(nowSeconds)
    this.#usage.counted(bytes, earliest)
    this.#sweptSeconds = nowSeconds
  }

  /** What a process wrote that did not live to finish it. */
  async #sweepLeftovers(nowSeconds: number): Promise<void> {
    for (const file of await readdir(this.#temporary)) {
      const path = join(this.#temporary, file)
      const found = await nullWhereAbsent(stat(path))
      if (found && found.mtimeMs / 1000 + leftoverSeconds <= nowSeconds) await nullWhereAbsent(unlink(path))
    }
  }
}

async function nullWhereAbsent<Value>(found: Promise<Value>): Promise<Value | null> {
  try {
    return await found
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ELOOP')) return null
    throw error
  }
}
