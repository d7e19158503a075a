/** Room for one request body: all of it before it is read where its length is declared, else step by step as it comes. */
import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../images/error.ts'
import type { Room } from '../memory/room.ts'

export interface BodyRoomParts {
  readonly maxBytes: number
  readonly room: Room
  /** Ends the wait: the caller left, or the deadline passed. */
  readonly signal: AbortSignal
}

export interface BodyRoom {
  /** So many bytes more have come. Where it returns a promise, reading waits for it. @throws GatewayError `overloaded`. */
  grow(bytes: number): Promise<void> | undefined
  /** May be called again. */
  release(): void
}

const longestWaitMs = 10_000
// Most requests without a declared length (streamed uploads) are a picture or two.
const stepBytes = 4 << 20

/**
 * @param growth how much larger than on the wire the body is held: base64 text is a third larger than a file.
 * @throws GatewayError `too-large` where the declared length is, `overloaded` where no room came in time.
 */
export async function takeBodyRoom(message: IncomingMessage, parts: BodyRoomParts, growth: number): Promise<BodyRoom> {
  const declared = message.headers['content-length']
  const first = declared === undefined ? stepBytes : Number(declared)
  if (first > parts.maxBytes && declared !== undefined) throw tooLarge(parts.maxBytes)
  const releases: (() => void)[] = []
  let [taken, arrived, over] = [0, 0, false]

  const keep = (bytes: number, release: () => void) => {
    taken += bytes
    // A body that was given up while it waited.
    if (over) release()
    else releases.push(release)
  }
  const takeMore = (bytes: number): Promise<void> | undefined => {
    const release = parts.room.tryTake(bytes)
    if (!release) return waitForRoom(bytes, parts).then(late => keep(bytes, late))
    keep(bytes, release)
    return undefined
  }
  await takeMore(Math.ceil(first * growth))
  return {
    grow(bytes) {
      arrived += Math.ceil(bytes * growth)
      return declared !== undefined || arrived <= taken ? undefined : takeMore(Math.max(stepBytes, arrived - taken))
    },
    release() {
      over = true
      for (const release of releases.splice(0)) release()
    },
  }
}

async function waitForRoom(bytes: number, { room, signal }: BodyRoomParts): Promise<() => void> {
  try {
    return await room.take(bytes, AbortSignal.any([signal, AbortSignal.timeout(longestWaitMs)]))
  } catch (error) {
    if (signal.aborted) throw error
    throw new GatewayError('overloaded', 'There is no room for another request body now. Try again soon.', {
      retryAfterMs: 1000,
    })
  }
}

export const tooLarge = (maxBytes: number) =>
  new GatewayError('too-large', `The request body is larger than the ${maxBytes} bytes this gateway takes.`)
