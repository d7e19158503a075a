/** What callers are told, whichever protocol told it: the pictures, what they cost, why there are none. */
import { sha256 } from '../upstreams/form.ts'

export interface Heard {
  readonly status: number
  /** Of each picture, drafts among them, in order. */
  readonly pictures: readonly string[]
  /** Where pictures are that are not in the answer. */
  readonly addresses: readonly string[]
  readonly usage: Tokens | null
  /** `moderation_blocked`, `IMAGE_SAFETY`, `SAFETY` of a prompt, `RESOURCE_EXHAUSTED`: the protocol's own word for why there is no picture; `STOP` where Google's says that all is well. */
  readonly reason: string | null
  /** The wait as the body tells it, where the protocol has a place for it there. */
  readonly waitInBody: string | null
  /** Names of the events, or how else the answer is framed. */
  readonly frames: readonly string[]
}

export interface Tokens {
  readonly input: number
  readonly output: number
}

const document = ['a document']

const sumOf = (counts: readonly Tokens[]): Tokens | null =>
  counts.length === 0
    ? null
    : counts.reduce((sum, { input, output }) => ({ input: sum.input + input, output: sum.output + output }))

const shaOf = (base64: string) => sha256(Buffer.from(base64, 'base64'))

interface OpenAIDocument {
  readonly data?: readonly { readonly b64_json?: string; readonly url?: string }[]
  readonly b64_json?: string
  readonly usage?: { readonly input_tokens: number; readonly output_tokens: number }
  readonly error?: { readonly code: string | null; readonly type: string; readonly message: string }
}

/** An answer of OpenAI's form, whole or as events. Throws where it is none. */
export function hearOpenai(status: number, type: string, text: string): Heard {
  const isStream = type.startsWith('text/event-stream')
  const events = isStream ? eventsIn(text) : [{ name: 'a document', document: JSON.parse(text) as OpenAIDocument }]
  const documents = events.map(({ document }) => document)
  const error = documents.find(one => one.error)?.error
  const pictures: NonNullable<OpenAIDocument['data']> = documents.flatMap(one => one.data ?? [one])
  return {
    status,
    pictures: pictures.flatMap(({ b64_json }) => b64_json ?? []).map(shaOf),
    addresses: pictures.flatMap(({ url }) => url ?? []),
    usage: sumOf(
      documents.flatMap(({ usage }) => (usage ? [{ input: usage.input_tokens, output: usage.output_tokens }] : [])),
    ),
    reason: error ? (error.code ?? error.type) : null,
    waitInBody: null,
    frames: events.map(({ name }) => name),
  }
}

function eventsIn(text: string): readonly { readonly name: string; readonly document: OpenAIDocument }[] {
  return framesIn(text).map(frame => {
    const [, name = '', data = ''] = /^event: (.+)\ndata: (.+)$/.exec(frame) ?? []
    return { name, document: JSON.parse(data) }
  })
}

function framesIn(text: string): readonly string[] {
  const frames = text.replaceAll('\r\n', '\n').split('\n\n')
  if (frames.pop() !== '') throw new Error('The last event is not whole.')
  return frames
}

interface GoogleDocument {
  readonly candidates?: readonly {
    readonly content?: { readonly parts?: readonly { readonly inlineData?: { readonly data: string } }[] }
    readonly finishReason?: string
  }[]
  readonly usageMetadata?: { readonly promptTokenCount: number; readonly totalTokenCount: number }
  readonly promptFeedback?: { readonly blockReason: string }
  readonly predictions?: readonly { readonly bytesBase64Encoded?: string; readonly raiFilteredReason?: string }[]
  readonly error?: {
    readonly status: string
    readonly details?: readonly { readonly retryDelay?: string }[]
  }
}

/** An answer of Google's form, or of Imagen's: a document, an array of them or events. Throws where it is none. */
export function hearGoogle(status: number, type: string, text: string): Heard {
  const isStream = type.startsWith('text/event-stream')
  const whole = isStream ? framesIn(text).map(frame => JSON.parse(frame.replace(/^data: /, ''))) : JSON.parse(text)
  const documents: readonly GoogleDocument[] = [whole].flat()
  const candidates = documents.flatMap(one => one.candidates ?? [])
  const predictions = documents.flatMap(one => one.predictions ?? [])
  const last = documents.findLast(({ usageMetadata }) => usageMetadata)?.usageMetadata
  const error = documents.find(one => one.error)?.error
  const reasons = [
    error?.status,
    ...predictions.map(({ raiFilteredReason }) => raiFilteredReason && 'raiFilteredReason'),
    ...documents.map(({ promptFeedback }) => promptFeedback?.blockReason),
    candidates.findLast(({ finishReason }) => finishReason)?.finishReason,
  ]
  return {
    status,
    pictures: [
      ...candidates.flatMap(({ content }) => content?.parts ?? []).flatMap(({ inlineData }) => inlineData?.data ?? []),
      ...predictions.flatMap(({ bytesBase64Encoded }) => bytesBase64Encoded ?? []),
    ].map(shaOf),
    addresses: [],
    usage: last ? { input: last.promptTokenCount, output: last.totalTokenCount - last.promptTokenCount } : null,
    reason: reasons.find(reason => reason !== undefined) ?? null,
    waitInBody: error?.details?.find(({ retryDelay }) => retryDelay)?.retryDelay ?? null,
    frames: isStream ? documents.map(() => 'an event') : Array.isArray(whole) ? ['an array'] : document,
  }
}
