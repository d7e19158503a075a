/** `GET /v1/assets/…`: the pictures of answers by URL. No key is asked for: who has the address may see the picture. */
import type { IncomingMessage } from 'node:http'
import type { Assets, FoundAsset } from '../assets/assets.ts'
import { publicName } from '../assets/store.ts'
import { type Bytes, bytesOf } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import { errorReply, splitUrl, withHeaders } from './envelope.ts'
import { type Part, partOf } from './range.ts'
import type { Reply } from './send.ts'

export interface AssetReply {
  readonly reply: Reply
  /** How much of a picture it carries. */
  readonly pictureBytes: number
  /** To be called once the reply is out, or will not go out. */
  release(): Promise<void>
}

export type AnswerAsset = (message: IncomingMessage) => Promise<AssetReply>

export function createAnswerAsset(assets: Pick<Assets, 'find'>): AnswerAsset {
  return async message => {
    const { path, query } = splitUrl(message.url ?? '/')
    const found = await assets.find(path, query)
    if (!found) return { reply: absent(), pictureBytes: 0, release: async () => {} }
    const reply = replyFor(message, found)
    const hasPicture = message.method === 'GET' && reply.status < 300
    return { reply, pictureBytes: hasPicture ? reply.body.length : 0, release: () => found.close() }
  }
}

/** The same for all that is wrong with an address, so that nobody learns which pictures there are. */
function absent(): Reply {
  const message = 'There is no picture at this address: it has expired, or the address is not complete.'
  const error = new GatewayError('route-unknown', message, { code: 'asset_not_found' })
  return withHeaders(errorReply(error, 'openai'), { 'cache-control': 'no-store' })
}

function replyFor({ method, headers }: IncomingMessage, found: FoundAsset): Reply {
  const { bytes } = found
  // What lies behind a name never changes.
  const tag = `"${found.name.id}"`
  const known = knownHeaders(found, tag)
  if (isListed(tag, headers['if-none-match'])) return { status: 304, headers: known, body: bytesOf() }
  const part =
    method === 'GET' && isSame(tag, headers['if-range']?.toString()) ? partOf(headers.range, bytes.length) : 'whole'
  if (part === 'none') return unsatisfiable(bytes.length)
  const body = part === 'whole' ? bytes : bytes.slice(part.start, part.length)
  return {
    status: part === 'whole' ? 200 : 206,
    headers: { ...known, 'content-type': found.name.mediaType, ...rangeHeader(part, bytes.length) },
    body: method === 'HEAD' ? emptyOf(body.length) : body,
  }
}

/** What a HEAD is answered with: no byte, and the length of all of them. */
const emptyOf = (length: number): Bytes => ({ length, slices: () => [], slice: (_start, size) => emptyOf(size) })

function knownHeaders({ name, secondsLeft }: FoundAsset, tag: string): Record<string, string> {
  return {
    etag: tag,
    'accept-ranges': 'bytes',
    'cache-control': `private, max-age=${Math.max(0, secondsLeft)}, immutable`,
    'content-disposition': `inline; filename="${publicName(name)}"`,
    // Pictures come from a model that strangers talk to: nothing in them may run, whatever a browser takes them for.
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    // Pages of any origin may show it: who has the address was meant to.
    'cross-origin-resource-policy': 'cross-origin',
  }
}

function unsatisfiable(length: number): Reply {
  const error = new GatewayError('invalid-request', `The picture has ${length} bytes, and none of those asked for.`, {
    code: 'range_not_satisfiable',
  })
  return { ...withHeaders(errorReply(error, 'openai'), { 'content-range': `bytes */${length}` }), status: 416 }
}

const rangeHeader = (part: Exclude<Part, 'none'>, length: number): Record<string, string> =>
  part === 'whole' ? {} : { 'content-range': `bytes ${part.start}-${part.start + part.length - 1}/${length}` }

/** RFC 9110, 13.1.2: compared weakly. */
const isListed = (tag: string, header: string | undefined) =>
  header !== undefined &&
  (header.trim() === '*' || header.split(',').some(each => each.trim().replace(/^W\//, '') === tag))

/** RFC 9110, 13.1.5: compared strongly; a date is never that of a picture, which has none. */
const isSame = (tag: string, header: string | undefined) => header === undefined || header.trim() === tag
