/** Reads JSON bodies: bounded, held as they came, looked at by the same reader that reads upstreams' answers. */
import type { IncomingMessage } from 'node:http'
import { bytesOf, stretchesOf } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import { goOnWith } from '../net/turn.ts'
import type { WireDocument } from '../protocols/protocol.ts'
import { DocumentError, DocumentReader } from '../streams/document-reader.ts'
import { JsonText } from '../streams/json-text.ts'
import { Utf8Checker } from '../streams/utf8.ts'
import { type BodyRoomParts, takeBodyRoom, tooLarge } from './body-room.ts'

/** A JSON body that stays in memory until `release`. */
export interface JsonBody extends WireDocument {
  /** The body as it came, and a way to change single places of it. */
  readonly text: JsonText
  readonly length: number
  release(): void
}

// Beside their images, requests hold whole conversations: more than an answer does.
const skeletonBytes = 4 << 20

/** @throws GatewayError for what is too large, not JSON, or not what it says it is. */
export async function readJson(message: IncomingMessage, bounds: BodyRoomParts): Promise<JsonBody> {
  refuseEncoding(message)
  const room = await takeBodyRoom(message, bounds, 1)
  try {
    const reader = new DocumentReader({ maxSkeletonBytes: skeletonBytes })
    const utf8 = new Utf8Checker()
    const pieces: Buffer[] = []
    await takeChunks(message, bounds.maxBytes, chunk => {
      pieces.push(chunk)
      utf8.push(chunk)
      reader.push(chunk)
      return room.grow(chunk.length)
    })
    utf8.end()
    const { value, repeatedKeys, skeleton } = reader.finish()
    const [repeated] = repeatedKeys
    if (repeated !== undefined) throw unreadable(`The field '${repeated}' stands there twice.`)
    if (hasPrototypeKey(value)) throw unreadable("The key '__proto__' is not allowed.")
    const bytes = bytesOf(...pieces)
    const stretch = stretchesOf(pieces)
    return {
      value,
      text: new JsonText(bytes, skeleton),
      length: bytes.length,
      bytesOf: long => stretch(long.start, long.length),
      release: () => room.release(),
    }
  } catch (error) {
    room.release()
    throw error instanceof DocumentError ? unreadable(error.message) : error
  }
}

const unreadable = (why: string) =>
  new GatewayError('invalid-request', `We could not parse the JSON body of your request. ${why}`)

/** @throws GatewayError `unsupported-media` for a body that is compressed. */
export function refuseEncoding({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding']
  if (!encoding || encoding === 'identity') return
  throw new GatewayError(
    'unsupported-media',
    `Request bodies with content-encoding '${encoding}' are not read. Send them uncompressed.`,
  )
}

type TakeChunk = (chunk: Buffer) => Promise<void> | undefined

/** Hands on the body's chunks, and waits where it is told to. A connection that ends before the body does is the caller leaving. */
export function takeChunks(message: IncomingMessage, maxBytes: number, take: TakeChunk): Promise<void> {
  return new Promise((resolve, reject) => {
    let length = 0
    const fail = (error: unknown) => {
      message.off('data', onData)
      reject(error)
    }
    const onData = (chunk: Buffer) => {
      try {
        length += chunk.length
        if (length > maxBytes) throw tooLarge(maxBytes)
        const taken = take(chunk)
        if (!taken) return
        message.pause()
        taken.then(() => message.resume(), fail)
      } catch (error) {
        fail(error)
      }
    }
    message.on('data', onData)
    message.once('end', () => goOnWith(length, resolve))
    message.once('error', cause => fail(cutShort(cause)))
    message.once('close', () => {
      if (!message.complete) fail(cutShort())
    })
  })
}

const cutShort = (cause?: unknown) =>
  new GatewayError('caller-left', 'The connection ended before the request body did.', { cause })

/** @throws RangeError for what is nested deeper than the stack is: a reader bounds the depth, `JSON.parse` does not. */
export function hasPrototypeKey(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasPrototypeKey)
  if (typeof value !== 'object' || value === null) return false
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototypeKey)
}
