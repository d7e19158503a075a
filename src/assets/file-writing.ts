/** Files that are whole and on the disk before anybody knows of them. */
import { randomUUID } from 'node:crypto'
import { closeSync, constants, fdatasync, fsync, ftruncate, openSync, unlinkSync, write, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { decodingBlock } from '../streams/base64-decoder.ts'

// Descriptors rather than handles, and opening at once: each step on another thread costs more than opening a file does.
const [writeAt, truncate, syncData, sync] = [
  promisify(write),
  promisify(ftruncate),
  promisify(fdatasync),
  promisify(fsync),
]

/** What a write past the system's cache must be a multiple of, in memory and in the file. */
const alignmentBytes = 4096

/**
 * May files in this folder be written past the system's cache? A picture that is copied there first costs three times the CPU,
 * and it takes memory from others. Some file systems can't do without. @throws where nothing can be written at all.
 */
export function takesDirectWrites(directory: string): boolean {
  // Processes in containers have the same ids, and may begin in the same moment in the same folder.
  const path = join(directory, `probe-${randomUUID()}`)
  const descriptor = openSync(path, 'w', 0o600)
  try {
    return writesDirectly(path)
  } finally {
    closeSync(descriptor)
    unlinkSync(path)
  }
}

function writesDirectly(path: string): boolean {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, constants.O_WRONLY | directFlag)
    return directFlag !== 0 && writeSync(descriptor, decodingBlock(alignmentBytes)) === alignmentBytes
  } catch {
    return false
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

// Linux alone has it.
const directFlag = (constants as Partial<typeof constants>).O_DIRECT ?? 0

export interface WriteOptions {
  /** Past the system's cache: then every block begins where a page does, and all but the last are whole pages. */
  readonly direct: boolean
  readonly signal: AbortSignal
}

/** Writes a new file. @returns its length. Its bytes are on the disk then, and not only on their way to it. */
export async function writeWhole(
  path: string,
  blocks: AsyncIterable<Buffer>,
  { direct, signal }: WriteOptions,
): Promise<number> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (direct ? directFlag : 0)
  const descriptor = openSync(path, flags, 0o600)
  let [length, written] = [0, 0]
  try {
    for await (const block of blocks) {
      signal.throwIfAborted()
      const bytes = direct ? wholePages(block) : block
      await writeAll(descriptor, bytes, length)
      length += block.length
      written += bytes.length
    }
    if (written > length) await truncate(descriptor, length)
    await syncData(descriptor)
  } finally {
    // Nothing is left to be written: a step on another thread would cost more.
    closeSync(descriptor)
  }
  return length
}

/** The block, and what lies behind it in its last page. */
function wholePages({ buffer, byteOffset, length }: Buffer): Buffer {
  return Buffer.from(buffer, byteOffset, Math.ceil(length / alignmentBytes) * alignmentBytes)
}

async function writeAll(descriptor: number, block: Buffer, position: number): Promise<void> {
  for (let at = 0; at < block.length; ) {
    const { bytesWritten } = await writeAt(descriptor, block, at, block.length - at, position + at)
    at += bytesWritten
  }
}

/** The folder's list of names is on the disk. */
export async function syncFolder(path: string): Promise<void> {
  const descriptor = openSync(path, 'r')
  try {
    await sync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
