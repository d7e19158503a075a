/** A file that is open, as bytes: read when they are asked for, in buffers that are used again. */
import type { FileHandle } from 'node:fs/promises'
import type { Bytes } from '../images/bytes.ts'
import type { BufferPool } from '../memory/buffer-pool.ts'

/** A stretch of the file, from `start`. It must stay open until the last slice was read. */
export function fileBytes(handle: FileHandle, buffers: BufferPool, length: number, start = 0): Bytes {
  return {
    length,
    slices: () => read(handle, buffers, length, start),
    slice: (from, size) => fileBytes(handle, buffers, size, start + from),
  }
}

async function* read(handle: FileHandle, buffers: BufferPool, length: number, start: number): AsyncGenerator<Buffer> {
  const buffer = buffers.take()
  try {
    for (let at = 0; at < length; ) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, length - at), start + at)
      if (bytesRead === 0) throw new Error('The file is shorter than it was.')
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    buffers.give([buffer])
  }
}
