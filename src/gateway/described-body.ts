/** A request's body for people to read: its fields as they are, its pictures in a few words. */
import { createHash } from 'node:crypto'
import { join } from '../images/bytes.ts'
import { mediaTypeOf } from '../images/media-type.ts'
import type { UpstreamCall } from '../upstreams/upstream.ts'
import { readMultipart } from './multipart-parts.ts'

/** Texts that stand for a picture, and the address where it is. */
export type StandIns = ReadonlyMap<string, string>

/** Of a body that the gateway wrote itself, so that it is well-formed. */
export async function describeBody(
  { body, contentType = 'application/json' }: UpstreamCall,
  standIns: StandIns,
): Promise<unknown> {
  if (!body) return null
  const bytes = await join(body)
  if (contentType.startsWith('multipart/')) {
    return readMultipart(bytes, contentType).map(({ content, ...part }) => ({
      ...part,
      value: describeContent(content, standIns),
    }))
  }
  return JSON.parse(bytes.toString(), (_key, value: unknown) =>
    typeof value === 'string' ? describeText(value, standIns) : value,
  )
}

function describeContent(content: Buffer, standIns: StandIns): unknown {
  const type = mediaTypeOf(content.subarray(0, 32))
  if (type !== null) return describePicture(type, content)
  const text = content.toString()
  return standIns.has(text) ? { picture_at: standIns.get(text) } : text
}

// Shorter than any picture, longer than any name.
const shortest = 40

function describeText(text: string, standIns: StandIns): unknown {
  if (standIns.has(text)) return { picture_at: standIns.get(text) }
  if (text.length < shortest) return text
  const base64 = text.startsWith('data:') ? text.slice(text.indexOf(',') + 1) : text
  const type = mediaTypeOf(Buffer.from(base64.slice(0, 44), 'base64'))
  return type === null ? text : describePicture(type, Buffer.from(base64, 'base64'))
}

const describePicture = (type: string, content: Buffer) => ({
  picture: type,
  bytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
})
