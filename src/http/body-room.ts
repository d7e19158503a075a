/** Room for one request body, in the budget that all of them share. */
import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../images/error.ts'
import { type GrowingRoom, takeRoom } from '../memory/growing-room.ts'
import type { Room } from '../memory/room.ts'

export interface BodyRoomParts {
  readonly maxBytes: number
  readonly room: Room
  /** Ends the wait: the caller left, or the deadline passed. */
  readonly signal: AbortSignal
}

export type BodyRoom = GrowingRoom

/**
 * At once where there is room.
 * @param growth how much larger than on the wire the body is held.
 * @throws GatewayError `too-large` where the declared length is, `overloaded` where no room came in time.
 */
export function takeBodyRoom(
  { headers }: IncomingMessage,
  { maxBytes, room, signal }: BodyRoomParts,
  growth: number,
): BodyRoom | Promise<BodyRoom> {
  const declared = headers['content-length']
  const declaredBytes = declared === undefined ? undefined : Number(declared)
  if (declaredBytes !== undefined && declaredBytes > maxBytes) throw tooLarge(maxBytes)
  return takeRoom({ room, signal, declaredBytes, growth })
}

export const tooLarge = (maxBytes: number) =>
  new GatewayError('too-large', `The request body is larger than the ${maxBytes} bytes this gateway takes.`)
