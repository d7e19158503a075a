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

/** At once where there is room. @throws GatewayError `overloaded` where none came in time. */
export function takeRoom(parts: GrowingRoomParts): GrowingRoom | Promise<GrowingRoom> {
  const room = new TakenRoom(parts)
  const waiting = room.take(Math.ceil((parts.declaredBytes ?? stepBytes) * parts.growth))
  return waiting ? waiting.then(() => room) : room
}

class TakenRoom implements GrowingRoom {
  readonly #parts: GrowingRoomParts
  readonly #releases: (() => void)[] = []
  #taken = 0
  #arrived = 0
  #over = false

  constructor(parts: GrowingRoomParts) {
    this.#parts = parts
  }

  take(bytes: number): Promise<void> | undefined {
    const { room, signal } = this.#parts
    const release = room.tryTake(bytes)
    if (!release) return waitForRoom(bytes, room, signal).then(late => this.#keep(bytes, late))
    this.#keep(bytes, release)
    return undefined
  }

  grow(bytes: number): Promise<void> | undefined {
    if (this.#parts.declaredBytes !== undefined) return undefined
    this.#arrived += Math.ceil(bytes * this.#parts.growth)
    const missing = this.#arrived - this.#taken
    return missing > 0 ? this.take(Math.max(stepBytes, missing)) : undefined
  }

  release(): void {
    this.#over = true
    for (const release of this.#releases.splice(0)) release()
  }

  #keep(bytes: number, release: () => void): void {
    this.#taken += bytes
    // Given up while it waited.
    if (this.#over) release()
    else this.#releases.push(release)
  }
}

/** @throws GatewayError `overloaded` where none came in time, or the signal's reason. */
export async function waitForRoom(bytes: number, room: Room, signal: AbortSignal): Promise<() => void> {
  try {
    return await room.take(bytes, AbortSignal.any([signal, AbortSignal.timeout(longestWaitMs)]))
  } catch (error) {
    if (signal.aborted) throw error
    throw noRoom()
  }
}

/** For whoever found none in time. */
export const noRoom = () =>
  new GatewayError('overloaded', 'There is no room for more request data now. Try again soon.', { retryAfterMs: 1000 })
