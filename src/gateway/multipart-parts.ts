/** The parts of a form that the gateway itself has written (RFC 7578), for those who want to see it. */

export interface FormPart {
  readonly name: string
  readonly filename?: string
  readonly type?: string
  readonly content: Buffer
}

/** Of a whole body in memory, which must be well-formed. */
export function readMultipart(body: Buffer, contentType: string): readonly FormPart[] {
  const boundary = /boundary="?([^";]+)/.exec(contentType)?.[1] ?? ''
  const delimiter = Buffer.from(`--${boundary}`)
  const parts: FormPart[] = []
  let start = body.indexOf(delimiter)
  while (start !== -1) {
    const end = body.indexOf(delimiter, start + delimiter.length)
    // Each part stands between line breaks of its delimiters.
    if (end !== -1) parts.push(readPart(body.subarray(start + delimiter.length + 2, end - 2)))
    start = end
  }
  return parts
}

function readPart(part: Buffer): FormPart {
  const headEnd = part.indexOf('\r\n\r\n')
  const head = part.toString('utf8', 0, headEnd)
  const [name, filename, type] = [/[; ]name="([^"]*)"/, /filename="([^"]*)"/, /content-type: *(\S+)/i].map(
    pattern => pattern.exec(head)?.[1],
  )
  return { name: name ?? '', ...(filename && { filename }), ...(type && { type }), content: part.subarray(headEnd + 4) }
}
