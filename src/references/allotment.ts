/**
 * The memory of the pictures of one request, taken out of what all share. Where it is not enough, nothing waits for more while it
 * holds some, or two requests would wait for each other: what was fetched is given back, and all is waited for at once.
 */
import { waitForRoom } from '../memory/growing-room.ts'
import type { Room } from '../memory/room.ts'

export interface Allotment extends Room {
  /** What would have been enough so far; null: it was. */
  readonly missedBytes: number | null
  /** Gives back what was waited for. What was taken of it must be read no more. May be called again. */
  release(): void
}

/**
 * Waits for so many bytes, and for none where that is 0. `isAlone`: one picture is all that there is to fetch, so its connection
 * may wait for room, as nothing is held then.
 * @throws GatewayError `overloaded` where they were not there in time, or the signal's reason.
 */
export async function allot(room: Room, bytes: number, isAlone: boolean, signal: AbortSignal): Promise<Allotment> {
  return new OwnRoom(room, bytes, isAlone, bytes === 0 ? () => {} : await waitForRoom(bytes, room, signal))
}

class OwnRoom implements Allotment {
  readonly #room: Room
  readonly #isAlone: boolean
  readonly release: () => void
  #freeBytes: number
  #heldBytes = 0
  #missedBytes: number | null = null

  constructor(room: Room, bytes: number, isAlone: boolean, release: () => void) {
    this.#room = room
    this.#freeBytes = bytes
    this.#isAlone = isAlone
    this.release = release
  }

  get missedBytes(): number | null {
    return this.#missedBytes
  }

  get bytesInUse(): number {
    return this.#heldBytes
  }

  tryTake(bytes: number): (() => void) | null {
    const isOurs = bytes <= this.#freeBytes
    const giveBack = isOurs ? () => {} : this.#room.tryTake(bytes)
    if (!giveBack) return null
    if (isOurs) this.#freeBytes -= bytes
    this.#heldBytes += bytes
    return giveBack
  }

  async take(bytes: number, signal: AbortSignal): Promise<() => void> {
    if (!this.#isAlone || this.#heldBytes > 0) {
      this.#missedBytes ??= this.#heldBytes + bytes
      throw new Error('There is no room beside what this request holds.')
    }
    const giveBack = await this.#room.take(bytes, signal)
    this.#heldBytes += bytes
    return giveBack
  }
}
