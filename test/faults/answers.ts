/** A Gemini answer with one picture, whose places a test can cut it at. */
import { createHash, randomBytes } from 'node:crypto'

export interface PictureAnswer {
  readonly bytes: Buffer
  /** The picture's base64. */
  readonly base64: string
  readonly sha256: string
  /** Offsets into `bytes`: in the middle of the picture, and behind its closing quote. */
  readonly midImage: number
  readonly afterImage: number
}

/** `imageBytes`: the size of the picture, before base64. Its headers are a PNG's of 64 × 64, the rest is noise. */
export function pictureAnswer(imageBytes: number): PictureAnswer {
  const header = Buffer.from('89504e470d0a1a0a0000000d4948445200000040000000400806000000', 'hex')
  const image = Buffer.concat([header, randomBytes(imageBytes - header.length)])
  const base64 = image.toString('base64')
  const before = '{"candidates":[{"content":{"role":"model","parts":[{"inlineData":{"mimeType":"image/png","data":"'
  const after = `"}}]},"finishReason":"STOP"}],"usageMetadata":${JSON.stringify(usage)},"modelVersion":"m"}`
  return {
    bytes: Buffer.from(before + base64 + after),
    base64,
    sha256: sha256(base64),
    midImage: before.length + Math.floor(base64.length / 2),
    afterImage: before.length + base64.length + 1,
  }
}

const usage = { promptTokenCount: 7, candidatesTokenCount: 1120, totalTokenCount: 1127 }

export const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')
