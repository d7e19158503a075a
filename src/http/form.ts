/** Reads multipart forms: files become base64 text while they arrive, in the order of the form, mixed with text parts. */
import type { FastifyRequest } from 'fastify'
import { bytesOf } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import type { BufferPool } from '../memory/buffer-pool.ts'
import type { WireDocument } from '../protocols/protocol.ts'
import { Upload } from '../protocols/upload.ts'
import { Base64Encoder } from '../streams/base64.ts'
import { type BodyBounds, reserve, tooLarge } from './body.ts'

export interface FormBody extends WireDocument {
  release(): void
}

export interface FormBounds extends BodyBounds {
  readonly maxImageBytes: number
  readonly maxImages: number
  /** What the base64 text of files is written to. */
  readonly buffers: BufferPool
  /** Gives text parts the type they would have in JSON. */
  readonly typed: (name: string, text: string) => unknown
}

const maxTextFields = 60
const maxTextBytes = 256 * 1024
const longestName = 100
// `image`, `image[]` and `image[0]` are three spellings of one list.
const listName = /^(image|images|image_urls|imageUrls|input_references)(?:\[\d*\])?$/

/** @throws GatewayError for a form that is cut, too large, or no form. */
export async function readForm(request: FastifyRequest, bounds: FormBounds): Promise<FormBody> {
  checkBoundary(request.headers['content-type'] ?? '')
  const leaveRoom = await reserve(request.raw, bounds, 4 / 3)
  const taken: Buffer[] = []
  const take = () => {
    const buffer = bounds.buffers.take()
    taken.push(buffer)
    return buffer
  }
  const release = () => {
    bounds.buffers.give(taken.splice(0))
    leaveRoom()
  }
  try {
    const value = await readParts(request, bounds, take)
    return { value, bytesOf: () => bytesOf(), release }
  } catch (error) {
    release()
    throw formError(error, bounds)
  }
}

function checkBoundary(contentType: string): void {
  const boundary = /;\s*boundary=(?:"([^"]*)"|([^;\s]*))/i.exec(contentType)
  const length = (boundary?.[1] ?? boundary?.[2] ?? '').length
  // RFC 2046, 5.1.1
  if (length >= 1 && length <= 70) return
  throw new GatewayError(
    'invalid-request',
    'The multipart form has no boundary of 1 to 70 characters in its content type.',
  )
}

async function readParts(request: FastifyRequest, bounds: FormBounds, take: () => Buffer): Promise<object> {
  const fields = new Map<string, unknown>()
  let left = bounds.maxBytes
  const spend = (bytes: number) => {
    left -= bytes
    if (left < 0) throw tooLarge(bounds.maxBytes)
  }
  const limits = {
    fields: maxTextFields,
    files: bounds.maxImages + 2,
    parts: maxTextFields + bounds.maxImages + 2,
    fileSize: bounds.maxImageBytes,
    fieldSize: Math.max(maxTextBytes, Math.ceil((bounds.maxImageBytes * 4) / 3) + 64),
    headerPairs: 50,
  }
  for await (const part of request.parts({ limits })) {
    const name = checkPart(part.fieldname, part.encoding)
    const list = listName.exec(name)?.[1]
    if (part.type === 'file') {
      const upload = await readFile(part.file, new Base64Encoder(take), spend)
      if (part.file.truncated) throw partTooLarge(part.filename ?? name, bounds.maxImageBytes)
      if (upload.base64.length === 0) throw emptyFile(list ?? name)
      add(fields, list, name, upload)
      continue
    }
    const text = textOf(part.value)
    spend(text.length)
    if (part.valueTruncated || (!list && text.length > maxTextBytes)) {
      throw partTooLarge(name, list ? bounds.maxImageBytes : maxTextBytes)
    }
    // The parser puts it for bytes that are no UTF-8: a prompt in another encoding would be painted as something else.
    if (text.includes('\ufffd')) throw notUtf8(name)
    if (text !== '') add(fields, list, name, list ? text : bounds.typed(name, text))
  }
  return Object.fromEntries(fields)
}

/** A part that says it is JSON comes parsed. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return value === null || value === undefined ? '' : JSON.stringify(value)
}

const notUtf8 = (name: string) =>
  new GatewayError('invalid-request', `The text of '${name}' is not valid UTF-8.`, { param: name })

function checkPart(name: string | null | undefined, encoding: string): string {
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

function add(fields: Map<string, unknown>, list: string | undefined, name: string, value: unknown): void {
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
  file: AsyncIterable<Buffer>,
  encoder: Base64Encoder,
  spend: (bytes: number) => void,
): Promise<Upload> {
  for await (const chunk of file) {
    spend(chunk.length)
    encoder.push(chunk)
  }
  return new Upload(encoder.end())
}

const emptyFile = (param: string) =>
  new GatewayError('invalid-request', `The file in '${param}' is empty.`, { param, code: 'invalid_image' })

const partTooLarge = (name: string, bytes: number) =>
  new GatewayError('too-large', `The part '${name}' is larger than ${bytes} bytes.`, { param: name })

/** What the form parser throws for a caller's mistakes would be a 500 otherwise. */
function formError(error: unknown, { signal, maxBytes, maxImageBytes }: FormBounds): unknown {
  if (error instanceof GatewayError) return error
  if (signal.aborted) return signal.reason
  const { code, statusCode } = Object(error) as { readonly code?: unknown; readonly statusCode?: unknown }
  if (code === 'FST_REQ_FILE_TOO_LARGE') {
    return new GatewayError(
      'too-large',
      `A file of the form is larger than the ${maxImageBytes} bytes a picture may have.`,
    )
  }
  if (statusCode === 413) {
    return new GatewayError(
      'too-large',
      `The form has more or larger parts than this gateway takes (${maxBytes} bytes in all).`,
      {
        cause: error,
      },
    )
  }
  return new GatewayError('invalid-request', 'The multipart form could not be read: it is cut or malformed.', {
    cause: error,
  })
}
