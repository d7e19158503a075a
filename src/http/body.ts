/** Reads JSON bodies: bounded, held as they came, looked at by the same reader that reads upstreams' answers. */
import type { IncomingMessage } from 'node:http'
import { bytesOf } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import type { Room } from '../memory/room.ts'
import type { WireDocument } from '../protocols/protocol.ts'
import { DocumentError, DocumentReader } from '../streams/document-reader.ts'
import { JsonText } from '../streams/json-text.ts'
import { Utf8Checker } from '../streams/utf8.ts'

export interface BodyBounds {
  readonly maxBytes: number
  readonly room: Room
  readonly signal: AbortSignal
}

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
export async function readJson(message: IncomingMessage, bounds: BodyBounds): Promise<JsonBody> {
  const release = await reserve(message, bounds, 1)
  try {
    const reader = new DocumentReader({ maxSkeletonBytes: skeletonBytes })
    const utf8 = new Utf8Checker()
    const pieces: Buffer[] = []
    await takeChunks(message, bounds.maxBytes, chunk => {
      pieces.push(chunk)
      utf8.push(chunk)
      reader.push(chunk)
    })
    utf8.end()
    const { value, repeatedKeys, skeleton } = reader.finish()
    const [repeated] = repeatedKeys
    if (repeated !== undefined) throw unreadable(`The field '${repeated}' stands there twice.`)
    if (hasPrototypeKey(value)) throw unreadable("The key '__proto__' is not allowed.")
    const bytes = bytesOf(...pieces)
    return {
      value,
      text: new JsonText(bytes, skeleton),
      length: bytes.length,
      bytesOf: long => bytes.slice(long.start, long.length),
      release,
    }
  } catch (error) {
    release()
    throw error instanceof DocumentError ? unreadable(error.message) : error
  }
}

const unreadable = (why: string) =>
  new GatewayError('invalid-request', `We could not parse the JSON body of your request. ${why}`)

/**
 * Waits for room for a body before it is read. The declared length is known before; a body without one takes what it may have.
 * @param growth how much larger than on the wire it is held: base64 text is a third larger than a file.
 */
export async function reserve(
  message: IncomingMessage,
  { maxBytes, room, signal }: BodyBounds,
  growth: number,
): Promise<() => void> {
  refuseEncoding(message)
  const declared = message.headers['content-length']
  const bytes = declared === undefined ? maxBytes : Number(declared)
  if (bytes > maxBytes) throw tooLarge(maxBytes)
  const held = Math.ceil(bytes * growth)
  const taken = room.tryTake(held)
  if (taken) return taken
  try {
    return await room.take(held, AbortSignal.any([signal, AbortSignal.timeout(longestWaitMs)]))
  } catch (error) {
    if (signal.aborted) throw error
    throw new GatewayError('overloaded', 'There is no room for another request body now. Try again soon.', {
      retryAfterMs: 1000,
    })
  }
}

const longestWaitMs = 10_000

export const tooLarge = (maxBytes: number) =>
  new GatewayError('too-large', `The request body is larger than the ${maxBytes} bytes this gateway takes.`)

function refuseEncoding({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding']
  if (!encoding || encoding === 'identity') return
  throw new GatewayError(
    'unsupported-media',
    `Request bodies with content-encoding '${encoding}' are not read. Send them uncompressed.`,
  )
}

/** Hands on the body's chunks. A connection that ends before the body does is the caller leaving. */
function takeChunks(message: IncomingMessage, maxBytes: number, take: (chunk: Buffer) => void): Promise<void> {
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
        take(chunk)
      } catch (error) {
        fail(error)
      }
    }
    message.on('data', onData)
    message.once('end', resolve)
    message.once('error', cause => fail(cutShort(cause)))
    message.once('close', () => {
      if (!message.complete) fail(cutShort())
    })
  })
}

const cutShort = (cause?: unknown) =>
  new GatewayError('caller-left', 'The connection ended before the request body did.', { cause })

// The reader has bounded the depth.
function hasPrototypeKey(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasPrototypeKey)
  if (typeof value !== 'object' || value === null) return false
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototypeKey)
}
