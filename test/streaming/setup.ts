/** What the tests of streams share: an upstream's events byte by byte, and what a caller of OpenAI's protocol reads of them. */
import type { TestGateway } from '../helpers/gateway.ts'
import { type RawCall, rawChunk, rawHead } from '../helpers/raw-upstream.ts'

export const model = 'gemini-2.5-flash-image'

const pngHead = Buffer.from('89504e470d0a1a0a0000000d4948445200000040000000400806000000', 'hex')

/** Base64 of something that begins like a PNG of 64 × 64; the same `seed` gives the same. */
export function pictureText(bytes: number, seed: number): string {
  const noise = Buffer.alloc(bytes - pngHead.length, `${seed} `)
  return Buffer.concat([pngHead, noise]).toString('base64')
}

export const googlesHead = rawHead('200 OK', 'content-type: text/event-stream', 'transfer-encoding: chunked')
export const googlesEnd = '0\r\n\r\n'

/** One of Google's events. */
export const event = (document: object): Buffer => Buffer.from(`data: ${JSON.stringify(document)}\r\n\r\n`)

export const pictureEvent = (base64: string, thought = false): Buffer =>
  event({
    candidates: [
      {
        content: {
          role: 'model',
          parts: [{ inlineData: { mimeType: 'image/png', data: base64 }, ...(thought && { thought }) }],
        },
      },
    ],
  })

const tokens = (modality: string, tokenCount: number) => [{ modality, tokenCount }]

export const lastEvent = (finishReason = 'STOP'): Buffer =>
  event({
    candidates: [{ content: { role: 'model' }, finishReason }],
    usageMetadata: {
      promptTokenCount: 7,
      candidatesTokenCount: 1120,
      totalTokenCount: 1127,
      promptTokensDetails: tokens('TEXT', 7),
      candidatesTokensDetails: tokens('IMAGE', 1120),
    },
  })

export const errorEvent = event({ error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } })

/** Sends a whole stream in good order, each piece as a chunk of its own. */
export function sendStream({ socket }: RawCall, pieces: readonly Buffer[]): void {
  socket.write(googlesHead)
  for (const piece of pieces) if (piece.length > 0) socket.write(rawChunk(piece))
  socket.write(googlesEnd)
}

export interface CallersEvent {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of any shape
  readonly data: any
}

/** Events as OpenAI's SDKs see them: frames ended by a blank line, comments left out. */
export function eventsIn(body: string): readonly CallersEvent[] {
  if (body !== '' && !body.endsWith('\n\n') && !body.endsWith(': ping\n'))
    throw new Error('The last event is not whole.')
  return body
    .replaceAll(': ping\n', '')
    .split('\n\n')
    .filter(Boolean)
    .map(frame => {
      const [, name = '', data = ''] = /^event: (.+)\ndata: (.+)$/.exec(frame) ?? []
      return { name, data: JSON.parse(data) }
    })
}

/** Which picture each event is about: `draft 0 …`, `done …`, with the number that `pictureText` was given. */
export const told = (events: readonly CallersEvent[], pictures: readonly string[]): readonly string[] =>
  events.map(({ name, data }) => {
    if (name === 'error') return `error ${data.error.code}`
    const which = pictures.indexOf(data.b64_json)
    return name.endsWith('.completed') ? `done ${which}` : `draft ${data.partial_image_index} ${which}`
  })

export const streamBody = (more: object = {}): object => ({
  model,
  prompt: 'a kite',
  stream: true,
  partial_images: 3,
  ...more,
})

export const ask = (gateway: TestGateway, more: object = {}, headers: Record<string, string> = {}): Promise<Response> =>
  gateway.post('/v1/images/generations', streamBody(more), headers)
