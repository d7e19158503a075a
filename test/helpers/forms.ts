/** Multipart forms, byte by byte: in any order, with any headers, whole or cut. */

export interface FormPart {
  readonly name?: string
  readonly value: string | Buffer
  readonly fileName?: string
  readonly type?: string
  /** More lines of the part's head. */
  readonly headers?: readonly string[]
}

export const boundary = '----plantain-test-7MA4YWxkTrZu0gW'
export const formType = `multipart/form-data; boundary=${boundary}`

export const formBytes = (parts: readonly FormPart[]): Buffer =>
  Buffer.concat([...parts.flatMap(partBytes), Buffer.from(`--${boundary}--\r\n`)])

function partBytes({ name, value, fileName, type, headers = [] }: FormPart): readonly Buffer[] {
  const disposition = [
    'form-data',
    ...(name === undefined ? [] : [`name="${name}"`]),
    ...(fileName === undefined ? [] : [`filename="${fileName}"`]),
  ].join('; ')
  const head = [
    `--${boundary}`,
    `Content-Disposition: ${disposition}`,
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
    ...headers,
  ]
  return [Buffer.from(`${head.join('\r\n')}\r\n\r\n`), Buffer.from(value), Buffer.from('\r\n')]
}

/** The usual parts: text fields by name. */
export const textParts = (fields: Readonly<Record<string, string>>): readonly FormPart[] =>
  Object.entries(fields).map(([name, value]) => ({ name, value }))

/** Sends a form. `chunked`: without a content-length, as streams are sent. */
export function postForm(
  url: string,
  parts: readonly FormPart[],
  { chunked = false, headers = {} }: { readonly chunked?: boolean; readonly headers?: Record<string, string> } = {},
): Promise<Response> {
  const bytes = formBytes(parts)
  const half = Math.floor(bytes.length / 2)
  const body = chunked ? streamOf([bytes.subarray(0, half), bytes.subarray(half)]) : new Uint8Array(bytes)
  return fetch(url, { method: 'POST', headers: { 'content-type': formType, ...headers }, body, duplex: 'half' })
}

export function streamOf(chunks: readonly Buffer[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new Uint8Array(chunk))
      controller.close()
    },
  })
}
