/** A strict reader of multipart/form-data (RFC 7578): takes what real form readers all take, and refuses what only some of them forgive. */
import { createHash } from 'node:crypto'

export interface FormPart {
  readonly name: string
  /** Null: a text field. */
  readonly fileName: string | null
  readonly contentType: string | null
  readonly bytes: Buffer
  readonly sha256: string
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Throws an Error whose message says what is wrong. */
export function readForm(contentType: string, bytes: Buffer): readonly FormPart[] {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))\s*$/i.exec(contentType)
  const name = boundary?.[1] ?? boundary?.[2]
  if (name === undefined || !/^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/.test(name)) {
    throw new Error('The boundary is missing or is none.')
  }
  const first = Buffer.from(`--${name}`)
  const next = Buffer.from(`\r\n--${name}`)
  if (!bytes.subarray(0, first.length).equals(first)) throw new Error('The form does not begin with its boundary.')

  const parts: FormPart[] = []
  let at = first.length
  while (bytes.toString('latin1', at, at + 2) !== '--') {
    if (bytes.toString('latin1', at, at + 2) !== '\r\n')
      throw new Error('A boundary is followed by neither CR LF nor --.')
    const end = bytes.indexOf(next, at)
    if (end === -1) throw new Error('The form ends in the middle of a part.')
    parts.push(readPart(bytes.subarray(at + 2, end)))
    at = end + next.length
  }
  const rest = bytes.toString('latin1', at + 2)
  if (rest !== '' && rest !== '\r\n') throw new Error('Something stands behind the form.')
  return parts
}

function readPart(part: Buffer): FormPart {
  const end = part.indexOf('\r\n\r\n')
  if (end === -1) throw new Error('A part has no end of its head.')
  const headers = readHeaders(part.toString('utf8', 0, end))
  const disposition = headers.get('content-disposition')
  const match = /^form-data; name="([^"\r\n]+)"(?:; filename="([^"\r\n]*)")?$/i.exec(disposition ?? '')
  const name = match?.[1]
  if (name === undefined) throw new Error(`A part is named by '${disposition ?? 'nothing'}'.`)
  const bytes = Buffer.from(part.subarray(end + 4))
  return {
    name,
    fileName: match?.[2] ?? null,
    contentType: headers.get('content-type') ?? null,
    bytes,
    sha256: sha256(bytes),
  }
}

function readHeaders(head: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const line of head.split('\r\n')) {
    const [, name, value] = /^([A-Za-z-]+): ?(.+)$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw new Error(`A part's head has the line '${line}'.`)
    const key = name.toLowerCase()
    // RFC 7578, 4.8: other headers must not be sent (and Content-Transfer-Encoding is not understood by many).
    if (key !== 'content-disposition' && key !== 'content-type') throw new Error(`A part has the header '${name}'.`)
    if (headers.has(key)) throw new Error(`A part has the header '${name}' twice.`)
    headers.set(key, value)
  }
  return headers
}
