/** Puts documents on the wire: at the reader's pace or slower, whole or cut. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Document } from './google-json.ts'

export interface Line {
  readonly response: ServerResponse
  /** Aborts when the caller has left. */
  readonly signal: AbortSignal
  /** Null: as fast as the caller reads. */
  readonly bytesPerSecond: number | null
}

/** A whole answer with its length said before. `cut`: half of it, then the connection breaks. */
export async function sendWhole(line: Line, status: number, document: Document, cut = false): Promise<void> {
  const { response } = line
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', 'content-length': document.length })
  if (cut) return await sendHalf(line, document)
  await sendPiece(line, document)
  response.end()
}

/** One piece of a longer answer. */
export async function sendPiece(line: Line, document: Document): Promise<void> {
  for (const chunk of document.chunks()) await write(line, chunk)
}

/** Half of the document, and then nothing ever: what a caller sees when the other side dies. */
export async function sendHalf(line: Line, document: Document): Promise<void> {
  let left = Math.floor(document.length / 2)
  for (const chunk of document.chunks()) {
    await write(line, chunk.subarray(0, left))
    left -= chunk.length
    if (left <= 0) break
  }
  // Headers and bytes are to arrive before the end does.
  await new Promise<void>(resolve => line.response.write('', () => resolve()))
  line.response.destroy()
}

async function write({ response, signal, bytesPerSecond }: Line, chunk: Buffer): Promise<void> {
  if (bytesPerSecond === null) {
    signal.throwIfAborted()
    if (!response.write(chunk)) await once(response, 'drain', { signal })
    return
  }
  const step = Math.max(1, Math.floor(bytesPerSecond / ticksPerSecond))
  for (let from = 0; from < chunk.length; from += step) {
    response.write(chunk.subarray(from, from + step))
    await sleep(1000 / ticksPerSecond, undefined, { signal })
  }
}

const ticksPerSecond = 20
