/** The answers of the fake upstream and the upload of the edits: real JPEGs, padded to size, the same in every process. */
import { createCipheriv, createHash } from 'node:crypto'
import sharp from 'sharp'

/** Bytes of the upstream's whole document. */
export const sizes = { '70KB': 70_000, '2MB': 2_000_000, '8MB': 8_000_000, '16MB': 16_000_000 } as const
export type Size = keyof typeof sizes

/** Whose form an answer has. */
export type Form = 'gemini' | 'openai'

export interface AnswerDocument {
  readonly bytes: Buffer
  /** Of the decoded image. */
  readonly imageSha256: string
}

export interface DocumentWish {
  readonly size: Size
  readonly variant?: number
  readonly form?: Form
}

const documents = new Map<string, Promise<AnswerDocument>>()

/**
 * A whole answer as Google or OpenAI prints it: one JPEG and its usage. Two variants of one size differ in every
 * byte of the padding, so that an answer made of another's bytes has the wrong hash.
 */
export function documentOf({ size, variant = 0, form = 'gemini' }: DocumentWish): Promise<AnswerDocument> {
  const name = `${size} ${variant} ${form}`
  const made = documents.get(name) ?? makeDocument(size, form, name)
  documents.set(name, made)
  return made
}

/** A JPEG that decodes, followed by noise up to `length` bytes, as files with trailing data are. */
export async function jpegOf(length: number, seed: string): Promise<Buffer> {
  const picture = await sharp({ create: { width: 1024, height: 1024, channels: 3, background: '#d8b13c' } })
    .jpeg()
    .toBuffer()
  return Buffer.concat([picture, noise(length - picture.length, seed)])
}

export const uploadBytes = 4_000_000

/** One of the pictures that edits send. */
export const uploadOf = (bytes: number, index: number) => jpegOf(bytes, `upload ${index}`)

async function makeDocument(size: Size, form: Form, seed: string): Promise<AnswerDocument> {
  const print = { gemini: printGemini, openai: printOpenAi }[form]
  const frame = Buffer.byteLength(print(''))
  const imageBytes = Math.floor((sizes[size] - frame) / 4) * 3
  const image = await jpegOf(imageBytes, seed)
  return {
    bytes: Buffer.from(print(image.toString('base64'))),
    imageSha256: createHash('sha256').update(image).digest('hex'),
  }
}

/** https://platform.openai.com/docs/api-reference/images/create */
function printOpenAi(data: string): string {
  const document = {
    created: 1_770_000_000,
    background: 'opaque',
    data: [{ b64_json: data }],
    output_format: 'jpeg',
    quality: 'high',
    size: '1024x1024',
    usage: {
      input_tokens: 12,
      input_tokens_details: { image_tokens: 0, text_tokens: 12 },
      output_tokens: 1120,
      total_tokens: 1132,
    },
  }
  return JSON.stringify(document, null, 2)
}

function printGemini(data: string): string {
  const document = {
    candidates: [
      {
        content: { parts: [{ inlineData: { mimeType: 'image/jpeg', data } }], role: 'model' },
        finishReason: 'STOP',
        index: 0,
      },
    ],
    usageMetadata: {
      promptTokenCount: 12,
      candidatesTokenCount: 1120,
      totalTokenCount: 1132,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: 12 }],
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1120 }],
    },
    modelVersion: 'gemini-3.1-flash-image',
    responseId: 'fake-upstream-answer',
  }
  return JSON.stringify(document, null, 2)
}

/** Bytes without pattern that every process derives alike from the seed. */
function noise(length: number, seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16)
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
}
