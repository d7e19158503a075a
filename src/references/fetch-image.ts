/** Fetches one picture: through the guard, hop by hop, known by its first bytes, turned into base64 while it arrives. */
import type { Bytes } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import { type MediaType, mediaTypeOf } from '../images/media-type.ts'
import type { BufferPool } from '../memory/buffer-pool.ts'
import { noRoom, takeRoom } from '../memory/growing-room.ts'
import type { Room } from '../memory/room.ts'
import { type GuardedConnectOptions, RefusedAddressError } from '../net/guarded-connector.ts'
import { type GuardedAnswer, guardedGet } from '../net/guarded-get.ts'
import { Base64Encoder } from '../streams/base64.ts'

export interface FetchedImage {
  readonly mediaType: MediaType
  readonly base64: Bytes
  /** Its bytes are read no more. May be called again. */
  release(): void
}

export interface FetchBounds extends GuardedConnectOptions {
  readonly maxBytes: number
  /** Its memory, and what it is written to. */
  readonly room: Room
  readonly buffers: BufferPool
  readonly userAgent: string
}

/** Why a picture did not come. Callers are told as little of it as they may know (references.ts). */
export class FetchError extends Error {
  override readonly name = 'FetchError'
  readonly why: 'refused' | 'unreachable' | 'timeout' | 'too-large' | 'no-picture'

  constructor(why: FetchError['why'], message: string, cause?: unknown) {
    super(message, { cause })
    this.why = why
  }
}

const mostRedirects = 3
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/**
 * `signal` limits all of it; its reason is a FetchError where time ran out.
 * @throws FetchError, GatewayError `overloaded` where there is no room for it, or the signal's reason.
 */
export async function fetchImage(text: string, bounds: FetchBounds): Promise<FetchedImage> {
  let url = parseAddress(text)
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const answer = await ask(url, bounds)
    if (!(answer instanceof URL)) return answer
    url = answer
  }
  throw new FetchError('unreachable', `It was redirected more than ${mostRedirects} times.`)
}

/** The picture, or where it is said to be. */
async function ask(url: URL, bounds: FetchBounds): Promise<FetchedImage | URL> {
  // Nothing of the caller's request is in it.
  const headers = { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': bounds.userAgent }
  try {
    return await guardedGet(url, headers, bounds, async answer => {
      const { location } = answer.headers
      if (redirects.has(answer.status) && location) return parseAddress(location, url.href)
      return await take(answer, bounds)
    })
  } catch (error) {
    if (error instanceof FetchError || error instanceof GatewayError) throw error
    if (bounds.signal.aborted) throw bounds.signal.reason
    if (error instanceof RefusedAddressError) throw new FetchError('refused', error.message)
    throw new FetchError('unreachable', 'It could not be reached.', error)
  }
}

// What a signed address of a storage service takes, with its session's token.
const longestAddress = 4096

/** The parser folds every spelling of a host into one, so it is what it made that is checked, never the text. */
function parseAddress(text: string, base?: string): URL {
  if (text.length > longestAddress || !URL.canParse(text, base)) throw new FetchError('refused', 'It is no address.')
  const url = new URL(text, base)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new FetchError('refused', 'It is no web address.')
  if (url.username !== '' || url.password !== '') throw new FetchError('refused', 'It holds a user or a password.')
  return url
}

// As many as mediaTypeOf looks at.
const headBytes = 32

async function take({ status, headers, body }: GuardedAnswer, bounds: FetchBounds): Promise<FetchedImage> {
  const { maxBytes, buffers } = bounds
  if (status !== 200) throw new FetchError('unreachable', `It answered with status ${status}.`)
  const { 'content-encoding': encoding = 'identity', 'content-length': length } = headers
  // Never inflated: a few bytes of it can be terabytes.
  if (encoding !== 'identity')
    throw new FetchError('no-picture', 'its server sends it compressed, though it was asked not to')
  const declaredBytes = length === undefined ? undefined : Number(length)
  if (declaredBytes !== undefined && declaredBytes > maxBytes) throw tooLarge(maxBytes)
  const room = await roomInTime(Promise.resolve(takeRoom({ ...bounds, declaredBytes, growth: 4 / 3 })))
  const blocks = buffers.blocksFor(((declaredBytes ?? 0) * 4) / 3)
  const release = () => {
    blocks.release()
    room.release()
  }
  try {
    const encoder = new Base64Encoder(blocks)
    let [received, head]: [number, Buffer] = [0, Buffer.alloc(0)]
    let mediaType: MediaType | null = null
    for await (const chunk of body) {
      received += chunk.length
      if (received > maxBytes) throw tooLarge(maxBytes)
      if (!mediaType) {
        head = Buffer.concat([head, chunk.subarray(0, headBytes - head.length)])
        // Whatever else it is, it is not read to its end.
        if (head.length === headBytes) mediaType = typeOf(head)
      }
      encoder.push(chunk)
      const growing = room.grow(chunk.length)
      if (growing) await roomInTime(growing)
    }
    return { mediaType: mediaType ?? typeOf(head), base64: encoder.end(), release }
  } catch (error) {
    release()
    throw error
  }
}

function typeOf(head: Buffer): MediaType {
  const mediaType = mediaTypeOf(head)
  if (!mediaType) throw new FetchError('no-picture', 'its bytes are no png, jpeg, webp, heic or heif')
  return mediaType
}

const tooLarge = (maxBytes: number) => new FetchError('too-large', `It is larger than ${maxBytes} bytes.`)

/** Time that ran out while there was no room for a picture is the gateway's fault, not that of the picture's host. */
export async function roomInTime<Result>(wait: Result | Promise<Result>): Promise<Result> {
  try {
    return await wait
  } catch (error) {
    throw error instanceof FetchError ? noRoom() : error
  }
}
