/** Reads multipart forms: files become base64 text while they arrive, in the order of the form, mixed with text parts. */
import { once } from 'node:events'
import { addAbortSignal, type Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { FastifyRequest } from 'fastify'
import { bytesOf } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import type { Blocks, BufferPool } from '../memory/buffer-pool.ts'
import { goOnWith } from '../net/turn.ts'
import { holdsPicture, pictureListOf } from '../protocols/openai/index.ts'
import type { WireDocument } from '../protocols/protocol.ts'
import { Upload } from '../protocols/upload.ts'
import { Base64Encoder } from '../streams/base64.ts'
import { refuseEncoding } from './body.ts'
import { type BodyRoom, type BodyRoomParts, takeBodyRoom, tooLarge } from './body-room.ts'
import { isFilePart } from './form-head.ts'
import { FormWatch } from './form-watch.ts'

export interface FormBody extends WireDocument {
  /** On the wire, in bytes. */
  readonly length: number
  release(): void
}

export interface FormBounds extends BodyRoomParts {
  readonly maxImageBytes: number
  readonly maxImages: number
  /** What the base64 text of files is written to. */
  readonly buffers: BufferPool
  /** Gives text parts the type they would have in JSON. */
  readonly typed: (name: string, text: string) => unknown
}

const maxTextFields = 60

/** Of a text that is no picture. */
export const maxTextBytes = 256 * 1024
const longestName = 100

/** @throws GatewayError for a form that is cut, too large, or no form. */
export async function readForm(request: FastifyRequest, bounds: FormBounds): Promise<FormBody> {
  const boundary = boundaryOf(request.headers['content-type'] ?? '')
  refuseEncoding(request.raw)
  const room = await takeBodyRoom(request.raw, bounds, 4 / 3)
  const blocks = bounds.buffers.blocksFor((Number(request.headers['content-length'] ?? 0) * 4) / 3)
  const release = () => {
    blocks.release()
    room.release()
  }
  const tooMany = new AbortController()
  const watch = new FormWatch(boundary, bounds.maxBytes, () => tooMany.abort(tooLarge(bounds.maxBytes)))
  try {
    const value = await readParts(request, bounds, { watch, blocks, room, tooMany: tooMany.signal })
    await new Promise<void>(resolve => goOnWith(watch.length, resolve))
    return { value, length: watch.length, bytesOf: () => bytesOf(), release }
  } catch (error) {
    release()
    throw tooMany.signal.aborted ? tooMany.signal.reason : formError(error, bounds)
  } finally {
    request.raw.off('data', watch.push)
  }
}

/** @throws GatewayError where the content type names none. */
export function boundaryOf(contentType: string): string {
  const match = /;\s*boundary=(?:"([^"]*)"|([^;\s]*))/i.exec(contentType)
  const boundary = match?.[1] ?? match?.[2] ?? ''
  // RFC 2046, 5.1.1
  if (boundary.length >= 1 && boundary.length <= 70) return boundary
  throw new GatewayError(
    'invalid-request',
    'The multipart form has no boundary of 1 to 70 characters in its content type.',
  )
}

interface Reading {
  readonly room: BodyRoom
  readonly watch: FormWatch
  readonly blocks: Blocks
  /** Ends it wherever it is: what the parser leaves out of a part that is too large comes to no end of its own. */
  readonly tooMany: AbortSignal
}

async function readParts(request: FastifyRequest, bounds: FormBounds, reading: Reading): Promise<object> {
  const { watch, blocks, room, tooMany } = reading
  const fields = new Map<string, unknown>()
  const parts = request.parts({
    limits: parserLimits(bounds),
    highWaterMark: aheadBytes,
    fileHwm: aheadBytes,
    isPartAFile: (_name, type = '', fileName) => isFilePart(fileName !== undefined, type),
  })
  const ended = once(tooMany, 'abort').then(() => Promise.reject(tooMany.reason))
  let next = parts.next()
  // Behind the parser, which has begun to listen with that call: it tells the watch what it found nothing in.
  request.raw.on('data', watch.push)
  let count = 0
  for (;;) {
    const { value: part, done } = await Promise.race([next, ended])
    if (done) break
    count += 1
    const name = checkPart(part.fieldname, part.encoding)
    const list = pictureListOf(name)
    if (part.type === 'file') {
      const file = addAbortSignal(tooMany, part.file)
      addField(fields, list, name, await readFile(file, new Base64Encoder(blocks), reading, list ?? name, bounds))
      next = parts.next()
      continue
    }
    const isPicture = holdsPicture(name)
    const text = textOf(part.value)
    await room.grow(text.length)
    if (part.valueTruncated || (!isPicture && text.length > maxTextBytes)) {
      throw partTooLarge(name, isPicture ? bounds.maxImageBytes : maxTextBytes)
    }
    // The parser puts it for bytes that are no UTF-8: a prompt in another encoding would be painted as something else.
    if (text.includes('\ufffd')) throw notUtf8(name)
    // As in JSON, what is left empty was not given. But an edit is about its picture, and who named one meant it.
    if (text === '' && list === 'image') throw emptyPicture(list)
    if (text !== '') addField(fields, list, name, list ? text : bounds.typed(name, text))
    next = parts.next()
  }
  // The parser leaves out what it cannot make sense of: a reference picture among it would be missed only in the painting.
  if (watch.parts > count)
    throw new GatewayError('invalid-request', 'A part of the form has no head that says its name.')
  return Object.fromEntries(fields)
}

// More than a chunk of the socket: with less, the parser stops it at each, only to start it again.
const aheadBytes = 256 * 1024

/** How many text parts and files a form may have. */
export const mostParts = ({ maxImages }: Pick<FormBounds, 'maxImages'>) => ({
  fields: maxTextFields,
  files: maxImages + 2,
})

const parserLimits = ({ maxImages, maxImageBytes }: FormBounds) => ({
  ...mostParts({ maxImages }),
  parts: maxTextFields + maxImages + 2,
  // One more than is taken: so it is seen here, at once, that a file is larger.
  fileSize: maxImageBytes + 1,
  fieldSize: Math.max(maxTextBytes, Math.ceil((maxImageBytes * 4) / 3) + 64),
  headerPairs: 50,
})

/** Of a part that says it is JSON: it comes parsed. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return value === null || value === undefined ? '' : JSON.stringify(value)
}

export const notUtf8 = (name: string) =>
  new GatewayError('invalid-request', `The text of '${name}' is not valid UTF-8.`, { param: name })

/** The name of a part. @throws GatewayError where it has none, or its content is not sent as it is. */
export function checkPart(name: string | null | undefined, encoding: string): string {
  if (!name) throw new GatewayError('invalid-request', 'A part of the form has no name.')
  if (name.length > longestName) {
    throw new GatewayError('invalid-request', `A part of the form has a name of more than ${longestName} characters.`)
  }
  if (name === '__proto__') throw new GatewayError('invalid-request', "The field name '__proto__' is not allowed.")
  if (/^(base64|quoted-printable)$/i.test(encoding)) {
    throw new GatewayError(
      'invalid-request',
      `The part '${name}' is encoded as ${encoding}. Send its bytes as they are.`,
      { param: name },
    )
  }
  return name
}

/** `list`: the field in whose list the value stands. @throws GatewayError for any other field that stands there twice. */
export function addField(fields: Map<string, unknown>, list: string | undefined, name: string, value: unknown): void {
  if (list) {
    const all = fields.get(list)
    if (Array.isArray(all)) all.push(value)
    else fields.set(list, [value])
    return
  }
  if (fields.has(name))
    throw new GatewayError('invalid-request', `The field '${name}' stands there twice.`, { param: name })
  fields.set(name, value)
}

async function readFile(
  file: Readable,
  encoder: Base64Encoder,
  { room, watch }: Pick<Reading, 'room' | 'watch'>,
  param: string,
  { maxImageBytes }: FormBounds,
): Promise<Upload> {
  let length = 0
  const take = (chunk: Buffer) => {
    length += chunk.length
    if (length > maxImageBytes) throw partTooLarge(param, maxImageBytes)
    watch.passed(chunk)
    encoder.push(chunk)
    return room.grow(chunk.length)
  }
  // Iterating over it would cost a dozen promises for each chunk.
  file.on('data', (chunk: Buffer) => {
    try {
      const waiting = take(chunk)
      if (!waiting) return
      file.pause()
      waiting.then(
        () => file.resume(),
        error => file.destroy(error),
      )
    } catch (error) {
      file.destroy(error as Error)
    }
  })
  await finished(file)
  if (length === 0) throw emptyPicture(param)
  return new Upload(encoder.end())
}

export const emptyPicture = (param: string) =>
  new GatewayError('invalid-request', `The picture in '${param}' is empty.`, { param, code: 'invalid_image' })

export const partTooLarge = (name: string, bytes: number) =>
  new GatewayError('too-large', `The part '${name}' is larger than ${bytes} bytes.`, { param: name })

/** What the form parser throws for a caller's mistakes would be a 500 otherwise. */
function formError(error: unknown, bounds: FormBounds): unknown {
  if (error instanceof GatewayError) return error
  if (bounds.signal.aborted) return bounds.signal.reason
  const { statusCode } = Object(error) as { readonly statusCode?: unknown }
  return statusCode === 413 ? tooManyParts(bounds, error) : malformed(error)
}

export function tooManyParts(bounds: Pick<FormBounds, 'maxImages'>, cause?: unknown): GatewayError {
  const { files, fields } = mostParts(bounds)
  const message = `The form has more than ${files} files or more than ${fields} text fields.`
  return new GatewayError('too-large', message, { cause })
}

export const malformed = (cause?: unknown) =>
  new GatewayError('invalid-request', 'The multipart form could not be read: it is cut or malformed.', { cause })
