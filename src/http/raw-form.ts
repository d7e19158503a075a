/**
 * Reads a form that may be passed on as it came: its bytes are kept and looked at. Only where it must be translated after all,
 * its files become base64 text.
 */
import type { FastifyRequest } from 'fastify'
import { type Bytes, bytesOf, isInMemory, join } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import type { Blocks } from '../memory/buffer-pool.ts'
import { holdsPicture, pictureListOf, type RelayedForm } from '../protocols/openai/index.ts'
import type { FormPartHead, WireDocument } from '../protocols/protocol.ts'
import { Upload } from '../protocols/upload.ts'
import { Base64Encoder } from '../streams/base64.ts'
import { hasPrototypeKey, refuseEncoding, takeChunks } from './body.ts'
import { takeBodyRoom } from './body-room.ts'
import {
  addField,
  boundaryOf,
  checkPart,
  emptyPicture,
  type FormBounds,
  malformed,
  maxTextBytes,
  mostParts,
  notUtf8,
  partTooLarge,
  textOf,
  tooManyParts,
} from './form.ts'
import { type PartHead, readHead } from './form-head.ts'
import { FormWatch } from './form-watch.ts'

export interface RawForm {
  readonly length: number
  /** Null: it is written so that another reader might understand it differently. */
  readonly passable: PassableForm | null
  /** Its fields and files. The bytes are given up for it. @throws GatewayError for what no form may hold. */
  document(): Promise<WireDocument>
  release(): void
}

export interface PassableForm {
  readonly form: RelayedForm
  readonly parts: readonly FormPartHead[]
  /** The model that it names; null: none. */
  readonly named: string | null
}

interface Part extends PartHead {
  /** Of its content. */
  readonly start: number
  readonly length: number
}

/** @throws GatewayError for a form that is cut, too large, or no form. */
export async function readRawForm(request: FastifyRequest, bounds: FormBounds): Promise<RawForm> {
  const boundary = boundaryOf(request.headers['content-type'] ?? '')
  refuseEncoding(request.raw)
  // Room for the text that its files may become, from the beginning: who waits for more while it holds some can wait for
  // others who do the same.
  const room = await takeBodyRoom(request.raw, bounds, 4 / 3)
  let releaseText = () => {}
  const release = () => {
    releaseText()
    room.release()
  }
  try {
    const watch = new FormWatch(boundary, bounds.maxBytes, () => {})
    const pieces: Buffer[] = []
    const most = mostParts(bounds)
    await takeChunks(request.raw, bounds.maxBytes, chunk => {
      pieces.push(chunk)
      watch.push(chunk)
      // A part may be nine bytes: each of the millions that a body has room for would be looked at.
      if (watch.parts > most.files + most.fields) throw tooManyParts(bounds)
      return room.grow(chunk.length)
    })
    const held = { bytes: bytesOf(...pieces) }
    if (!watch.isEnded) throw malformed()
    const parts = await partsOf(held.bytes, watch.starts, boundary.length)
    return {
      length: held.bytes.length,
      passable: await passable(held, parts, { boundary, start: watch.starts[0] }),
      async document() {
        const fileBytes = parts.reduce((sum, { isFile, length }) => sum + (isFile ? length : 0), 0)
        const blocks = bounds.buffers.blocksFor((fileBytes * 4) / 3)
        releaseText = () => blocks.release()
        const value = await fieldsOf(held.bytes, parts, blocks, bounds)
        pieces.length = 0
        held.bytes = bytesOf()
        return { value, bytesOf: () => bytesOf() }
      },
      release,
    }
  } catch (error) {
    release()
    throw error
  }
}

// As the usual parser bounds them.
const longestHead = 16 * 1024
const endOfHead = Buffer.from('\r\n\r\n')

/** `starts`: of the delimiters `\r\n--boundary`, the closing one included. */
async function partsOf(bytes: Bytes, starts: readonly number[], boundaryLength: number): Promise<readonly Part[]> {
  const parts: Part[] = []
  for (const [index, delimiter] of starts.slice(0, -1).entries()) {
    const start = delimiter + 4 + boundaryLength
    const length = (starts[index + 1] ?? 0) - start
    // With the line's end behind the delimiter, so that a part without a head has an end of it too.
    const head = await join(bytes.slice(start, Math.min(longestHead, length)))
    const end = head.indexOf(endOfHead)
    if (end === -1 || head[0] !== 0x0d || head[1] !== 0x0a) throw malformed()
    const lines = head.toString('utf8', 2, end)
    if (!/^(?:[^\s:][^:\r\n]*:[^\r\n]*(?:\r\n|$))*$/.test(lines)) throw malformed()
    const content = end + endOfHead.length
    parts.push({ ...readHead(lines), start: start + content, length: length - content })
  }
  return parts
}

interface Frame {
  readonly boundary: string
  /** Of the first delimiter. */
  readonly start: number | undefined
}

async function passable(
  held: { readonly bytes: Bytes },
  parts: readonly Part[],
  { boundary, start }: Frame,
): Promise<PassableForm | null> {
  const hasPreamble = start !== -2
  if (hasPreamble || !plainBoundary.test(boundary) || !parts.every(({ isPlain }) => isPlain)) return null
  const model = parts.find(({ name }) => name === 'model')
  if (model && (model.isFile || model.length > maxTextBytes)) return null
  const modelAt = model ? { start: model.start, length: model.length } : null
  const form: RelayedForm = {
    kind: 'form',
    boundary,
    modelAt,
    // Once they are given up, nobody holds them through this.
    get bytes() {
      return held.bytes
    },
  }
  return {
    form,
    parts: await Promise.all(parts.map(part => seenPart(held.bytes, part))),
    named: modelAt && (await join(held.bytes.slice(modelAt.start, modelAt.length))).toString(),
  }
}

const shortText = 64

async function seenPart(bytes: Bytes, { name, isFile, mediaType, start, length }: Part): Promise<FormPartHead> {
  if (isFile) return { name, mediaType, length }
  const text = length <= shortText ? (await join(bytes.slice(start, length))).toString() : undefined
  return { name, mediaType: null, length, ...(text !== undefined && { text }) }
}

// RFC 2046, 5.1.1, without the space.
const plainBoundary = /^[\w'()+,./:=?-]+$/

async function fieldsOf(bytes: Bytes, parts: readonly Part[], blocks: Blocks, bounds: FormBounds): Promise<object> {
  const fields = new Map<string, unknown>()
  const most = mostParts(bounds)
  const files = parts.filter(({ isFile }) => isFile).length
  if (files > most.files || parts.length - files > most.fields) {
    throw tooManyParts(bounds)
  }
  for (const part of parts) {
    const name = checkPart(part.name, part.encoding)
    const list = pictureListOf(name)
    const content = bytes.slice(part.start, part.length)
    if (part.isFile) {
      if (part.length > bounds.maxImageBytes) throw partTooLarge(list ?? name, bounds.maxImageBytes)
      if (part.length === 0) throw emptyPicture(list ?? name)
      addField(fields, list, name, encode(content, blocks))
      continue
    }
    const isPicture = holdsPicture(name)
    const longest = isPicture ? Math.ceil((bounds.maxImageBytes * 4) / 3) + 64 : maxTextBytes
    if (part.length > longest) throw partTooLarge(name, isPicture ? bounds.maxImageBytes : maxTextBytes)
    const raw = decode(await join(content), part.charset, name)
    const text = part.mediaType === 'application/json' ? textOfJson(raw) : raw
    if (text === '' && list === 'image') throw emptyPicture(list)
    if (text !== '') addField(fields, list, name, list ? text : bounds.typed(name, text))
  }
  return Object.fromEntries(fields)
}

function encode(content: Bytes, blocks: Blocks): Upload {
  const encoder = new Base64Encoder(blocks)
  const slices = content.slices()
  if (!isInMemory(slices)) throw new Error('Requests are held in memory.')
  for (const slice of slices) encoder.push(slice)
  return new Upload(encoder.end())
}

function textOfJson(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    if (hasPrototypeKey(value)) throw malformed()
    return textOf(value)
  } catch (error) {
    // What is nested very deep can be parsed, and is more than the stack holds for all who look at it then.
    throw error instanceof GatewayError ? error : malformed(error)
  }
}

function decode(text: Buffer, charset: string, name: string): string {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(text)
  } catch {
    throw notUtf8(name)
  }
}
