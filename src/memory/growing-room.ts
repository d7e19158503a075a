/** Room for data that comes from outside: all of it before it is read where its length is declared, else step by step as it comes. */
import { GatewayError } from '../images/error.ts'
import type { Room } from './room.ts'

export interface GrowingRoomParts {
  readonly room: Room
  /** Ends the wait: the caller left, or the deadline passed. */
  readonly signal: AbortSignal
  /** Absent: the sender did not say. */
  readonly declaredBytes?: number | undefined
  /** How much larger it is held than it comes: base64 text is a third larger than a file. */
  readonly growth: number
}

export interface GrowingRoom {
  /** So many bytes more have come. Where it returns a promise, reading waits for it. @throws GatewayError `overloaded`. */
  grow(bytes: number): Promise<void> | undefined
  /** May be called again. */
  release(): void
}

const longestWaitMs = 10_000
// Most of what comes without a declared length is a picture or two.
const stepBytes = 4 << 20

/** @throws GatewayError `overloaded` where no room came in time. */
export async function takeRoom({ room, signal, declaredBytes, growth }: GrowingRoomParts): Promise<GrowingRoom> {
  const releases: (() => void)[] = []
  let [taken, arrived, over] = [0, 0, false]

  const keep = (bytes: number, release: () => void) => {
    taken += bytes
    // Given up while it waited.
    if (over) release()
    else releases.push(release)
  }
  const takeMore = (bytes: number): Promise<void> | undefined => {
    const release = room.tryTake(bytes)
    if (!release) return waitForRoom(bytes, room, signal).then(late => keep(bytes, late))
    keep(bytes, release)
    return undefined
  }
  await takeMore(Math.ceil((declaredBytes ?? stepBytes) * growth))
  return {
    grow(bytes) {
      arrived += Math.ceil(bytes * growth)
      return declaredBytes !== undefined || arrived <= taken
        ? undefined
        : takeMore(Math.max(stepBytes, arrived - taken))
    },
    release() {
      over = true
      for (const release of releases.splice(0)) release()
    },
  }
}

async function waitForRoom(bytes: number, room: Room, signal: AbortSignal): Promise<() => void> {
  try {
    return await room.take(bytes, AbortSignal.any([signal, AbortSignal.timeout(longestWaitMs)]))
  } catch (error) {
    if (signal.aborted) throw error
    throw noRoom()
  }
}

export const noRoom = () =>
  new GatewayError('overloaded', 'There is no room for more request data now. Try again soon.', { retryAfterMs: 1000 })
