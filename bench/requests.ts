/** The requests of the load, as the SDKs would send them, ready made: head and body in one buffer. */
import { jpegOf } from './documents.ts'
import { printWish, type Wish } from './wishes.ts'

/** `translated`: OpenAI in. `url`: the same, answered by URL. `relayed`: Gemini in. `edit`: OpenAI multipart with one file of 4 MB. */
export type Kind = 'translated' | 'url' | 'relayed' | 'edit'

const model = 'gemini-3.1-flash-image'
const uploadBytes = 4_000_000

export async function requestOf(kind: Kind, wish: Wish): Promise<Buffer> {
  const prompt = `A pear on a blue plate ${printWish(wish)}`
  switch (kind) {
    case 'translated':
      return post('/v1/images/generations', 'application/json', JSON.stringify({ model, prompt, n: 1 }))
    case 'url': {
      const body = JSON.stringify({ model, prompt, n: 1, response_format: 'url' })
      return post('/v1/images/generations', 'application/json', body)
    }
    case 'relayed': {
      const contents = [{ role: 'user', parts: [{ text: prompt }] }]
      const body = JSON.stringify({ contents, generationConfig: { responseModalities: ['TEXT', 'IMAGE'] } })
      return post(`/v1beta/models/${model}:generateContent`, 'application/json', body)
    }
    case 'edit': {
      const boundary = 'plantain-bench-boundary'
      const body = multipart(boundary, { model, prompt }, await jpegOf(uploadBytes, 'upload'))
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

function multipart(boundary: string, fields: Readonly<Record<string, string>>, file: Buffer): Buffer {
  const texts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  const fileHead = `--${boundary}\r\ncontent-disposition: form-data; name="image"; filename="pear.jpg"\r\ncontent-type: image/jpeg\r\n\r\n`
  return Buffer.concat([Buffer.from(texts.join('') + fileHead), file, Buffer.from(`\r\n--${boundary}--\r\n`)])
}
