/** The requests of the load, as the SDKs would send them, ready made: head and body in one buffer. */
import { uploadBytes, uploadOf } from './documents.ts'
import { printWish, type Wish } from './wishes.ts'

/**
 * `translated`: OpenAI in. `url`: the same, answered by URL. `relayed`: Gemini in. `reversed`: Gemini in, for an upstream of
 * OpenAI's form. `edit`: OpenAI multipart with one file of 4 MB; `edit-of-3`: with three; `small-edit`: with one of 70 KB.
 */
export type Kind = 'translated' | 'url' | 'relayed' | 'reversed' | Edit
type Edit = keyof typeof uploads

const model = 'gemini-3.1-flash-image'
const openAiModel = 'gpt-image-2'
/** What the edits send. */
export const uploads = {
  edit: { files: 1, bytes: uploadBytes },
  'edit-of-3': { files: 3, bytes: uploadBytes },
  'small-edit': { files: 1, bytes: 70_000 },
} as const

/** The wish, for the upstream that requests of this kind go to. */
export const formed = (kind: Kind, wish: Wish): Wish => (kind === 'reversed' ? { ...wish, form: 'openai' } : wish)

export async function requestOf(kind: Kind, wish: Wish): Promise<Buffer> {
  const prompt = `A pear on a blue plate ${printWish(formed(kind, wish))}`
  switch (kind) {
    case 'translated':
      return post('/v1/images/generations', 'application/json', JSON.stringify({ model, prompt, n: 1 }))
    case 'url': {
      const body = JSON.stringify({ model, prompt, n: 1, response_format: 'url' })
      return post('/v1/images/generations', 'application/json', body)
    }
    case 'relayed':
    case 'reversed': {
      const contents = [{ role: 'user', parts: [{ text: prompt }] }]
      const body = JSON.stringify({ contents, generationConfig: { responseModalities: ['TEXT', 'IMAGE'] } })
      const asked = kind === 'relayed' ? model : openAiModel
      return post(`/v1beta/models/${asked}:generateContent`, 'application/json', body)
    }
    default: {
      // As long as that of the SDK for JavaScript: the shorter, the dearer to look for.
      const boundary = '----formdata-plantain-0123456789'
      const { files, bytes } = uploads[kind]
      const pictures = await Promise.all(Array.from({ length: files }, (_, index) => uploadOf(bytes, index)))
      const body = multipart(boundary, { model, prompt }, pictures)
      return post('/v1/images/edits', `multipart/form-data; boundary=${boundary}`, body)
    }
  }
}

function post(path: string, contentType: string, body: string | Buffer): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    'accept: application/json',
    'user-agent: plantain-bench',
    `content-type: ${contentType}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), Buffer.from(body)])
}

function multipart(boundary: string, fields: Readonly<Record<string, string>>, files: readonly Buffer[]): Buffer {
  const texts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  const name = files.length > 1 ? 'image[]' : 'image'
  const fileHead = `--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="pear.jpg"\r\ncontent-type: image/jpeg\r\n\r\n`
  const pictures = files.flatMap(file => [Buffer.from(fileHead), file, Buffer.from('\r\n')])
  return Buffer.concat([Buffer.from(texts.join('')), ...pictures, Buffer.from(`--${boundary}--\r\n`)])
}
