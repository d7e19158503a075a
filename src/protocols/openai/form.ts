/** Writes multipart forms (RFC 7578): files go out as they are decoded, and the length is known before. */
import { randomBytes } from 'node:crypto'
import { type Bytes, bytesOfText, concat } from '../../images/bytes.ts'
import type { InputMediaType } from '../../images/media-type.ts'

export type FormPart = TextPart | FilePart

export interface TextPart {
  readonly name: string
  readonly text: string
}

export interface FilePart {
  readonly name: string
  /** Without its ending, which the type says. */
  readonly title: string
  readonly mediaType: InputMediaType
  readonly bytes: Bytes
}

/** Names and titles are our own words, so none needs escaping. */
export function writeForm(parts: readonly FormPart[]): { readonly contentType: string; readonly body: Bytes } {
  // Drawn anew for each form: nothing a caller sends can hold it.
  const boundary = `plantain-${randomBytes(16).toString('hex')}`
  const pieces = parts.flatMap(part => [
    bytesOfText(`--${boundary}\r\n${headOf(part)}\r\n\r\n`),
    'text' in part ? bytesOfText(part.text) : part.bytes,
    bytesOfText('\r\n'),
  ])
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: concat([...pieces, bytesOfText(`--${boundary}--\r\n`)]),
  }
}

function headOf(part: FormPart): string {
  const disposition = `Content-Disposition: form-data; name="${part.name}"`
  if ('text' in part) return disposition
  const { title, mediaType } = part
  return `${disposition}; filename="${title}.${endings[mediaType]}"\r\nContent-Type: ${mediaType}`
}

// OpenAI refuses files of no type (`application/octet-stream`), and some vendors go by the name.
const endings: Readonly<Record<InputMediaType, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/heic': 'heic',
  'image/heif': 'heif',
}
