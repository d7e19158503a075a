/** Neutral requests for tests, and what the OpenAI half makes of them for a vendor: as the vendor would read it. */
import type { OpenAiDialect } from '../../../src/dialects/openai-form.ts'
import { bytesOfText, join } from '../../../src/images/bytes.ts'
import { mediaTypeOf } from '../../../src/images/media-type.ts'
import type { Extras, ImageInput, ImageRequest } from '../../../src/images/request.ts'
import { createOutbound } from '../../../src/protocols/openai/index.ts'
import type { Target } from '../../../src/protocols/protocol.ts'

export const requestOf = (given: Partial<ImageRequest> = {}): ImageRequest => ({
  model: null,
  prompt: 'A red kite',
  images: [],
  turns: [],
  count: 1,
  shape: {},
  search: false,
  spelling: new Map(),
  extras: extrasOf({}),
  ...given,
})

export const extrasOf = (
  fields: Readonly<Record<string, unknown>>,
  protocol: Extras['protocol'] = 'openai',
): Extras => ({
  protocol,
  fields: new Map(Object.entries(fields)),
})

export function inputOf(file: Buffer): ImageInput {
  const mediaType = mediaTypeOf(file)
  if (!mediaType || mediaType === 'image/gif') throw new Error('No picture that upstreams take.')
  return { mediaType, base64: bytesOfText(file.toString('base64')) }
}

export interface SentFile {
  readonly name: string
  readonly fileName: string
  readonly type: string
  readonly bytes: Buffer
}

export interface Sent {
  readonly path: string
  /** Text parts of a form, or the JSON body. */
  readonly fields: Readonly<Record<string, unknown>>
  /** Of a form; null: the body is JSON. */
  readonly files: readonly SentFile[] | null
  readonly ignored: readonly string[]
}

export async function send(dialect: OpenAiDialect, request: ImageRequest, target: Partial<Target> = {}): Promise<Sent> {
  const encoded = createOutbound(dialect).encodeRequest(request, { model: 'some-model', count: 1, ...target })
  const { method, path, body, contentType = 'application/json', ignored } = encoded
  if (method !== 'POST' || !body) throw new Error('Nothing is posted.')
  const bytes = await join(body)
  if (bytes.length !== body.length) throw new Error(`${body.length} bytes were announced, ${bytes.length} came.`)
  if (contentType === 'application/json') {
    return { path, fields: JSON.parse(bytes.toString()), files: null, ignored }
  }
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': contentType } }).formData()
  const files: SentFile[] = []
  const fields: Record<string, unknown> = {}
  for (const [name, value] of form) {
    if (typeof value === 'string') fields[name] = value
    else {
      const content = Buffer.from(await value.arrayBuffer())
      files.push({ name, fileName: value.name, type: value.type, bytes: content })
    }
  }
  return { path, fields, files, ignored }
}
