/** The callers of the matrix: each asks for the same in its own protocol's words, and understands the answer. */

import { type FormPart, formBytes, formType, textParts } from '../helpers/forms.ts'
import { type Heard, hearGoogle, hearOpenai } from './heard.ts'
import type { UpstreamKind } from './upstreams.ts'
import { type File, partials, prompt, shape } from './wishes.ts'

export interface Wish {
  /** The model by the gateway's own name. */
  readonly model: string
  readonly references: readonly File[]
  readonly count: number
  readonly stream: boolean
  readonly byAddress: boolean
}

export interface Asked {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Which of the protocol's forms this is. */
  readonly form: 'json' | 'json-edit' | 'form' | 'generateContent' | 'streamGenerateContent' | 'predict'
}

export interface Caller {
  readonly name: string
  readonly protocol: UpstreamKind['protocol']
  /** It cannot ask without a picture. */
  readonly leastReferences: number
  /** How a stream comes; null: this form has none, and asks in vain. */
  readonly streams: 'events' | 'array' | null
  /** It differs from the caller before it in streams alone. */
  readonly streamsOnly?: true
  ask(wish: Wish): Asked
  hear(status: number, type: string, text: string): Heard
}

const json = { 'content-type': 'application/json' }
const bytesOf = (document: object) => Buffer.from(JSON.stringify(document))
const dataUrl = ({ type, bytes }: File) => `data:${type};base64,${bytes.toString('base64')}`

const streamed = (stream: boolean) => (stream ? { stream: true, partial_images: partials } : {})
const common = ({ count, stream, byAddress }: Wish) => ({
  prompt,
  size: shape.size,
  ...(byAddress && { response_format: 'url' }),
  ...(count > 1 && { n: count }),
  ...streamed(stream),
})

function formOf({ references, ...wish }: Wish, more: Readonly<Record<string, string>>): Buffer {
  const texts = Object.entries({ ...more, ...common({ references, ...wish }) }).map(([name, value]) => [
    name,
    String(value),
  ])
  const name = references.length > 1 ? 'image[]' : 'image'
  const files = references.map(({ type, bytes }, index): FormPart => {
    const ending = type === 'image/jpeg' ? 'jpg' : type.slice('image/'.length)
    return { name, value: bytes, fileName: `${index}.${ending}`, type }
  })
  return formBytes([...textParts(Object.fromEntries(texts)), ...files])
}

const openaiJson: Caller = {
  name: 'OpenAI (JSON)',
  protocol: 'openai',
  leastReferences: 0,
  streams: 'events',
  ask(wish) {
    const { model, references } = wish
    const images = references.map(file => ({ image_url: dataUrl(file) }))
    return references.length === 0
      ? { path: '/v1/images/generations', headers: json, body: bytesOf({ model, ...common(wish) }), form: 'json' }
      : {
          path: '/v1/images/edits',
          headers: json,
          body: bytesOf({ model, ...common(wish), images }),
          form: 'json-edit',
        }
  },
  hear: hearOpenai,
}

const openaiForm: Caller = {
  ...openaiJson,
  name: 'OpenAI (multipart)',
  leastReferences: 1,
  ask: wish => ({
    path: '/v1/images/edits',
    headers: { 'content-type': formType },
    body: formOf(wish, { model: wish.model }),
    form: 'form',
  }),
}

const azure: Caller = {
  ...openaiJson,
  name: 'Azure’s paths',
  ask(wish) {
    const { model, references } = wish
    const path = (operation: string) =>
      `/openai/deployments/${encodeURIComponent(model)}/images/${operation}?api-version=2025-04-01-preview`
    const headers = { 'api-key': 'any' }
    return references.length === 0
      ? { path: path('generations'), headers: { ...headers, ...json }, body: bytesOf(common(wish)), form: 'json' }
      : { path: path('edits'), headers: { ...headers, 'content-type': formType }, body: formOf(wish, {}), form: 'form' }
  },
}

function contentsOf({ references, count }: Wish): object {
  const pictures = references.map(({ type, bytes }) => ({
    inlineData: { mimeType: type, data: bytes.toString('base64') },
  }))
  return {
    contents: [{ role: 'user', parts: [{ text: prompt }, ...pictures] }],
    generationConfig: {
      responseModalities: ['IMAGE'],
      imageConfig: { aspectRatio: shape.ratio, imageSize: shape.tier },
      ...(count > 1 && { candidateCount: count }),
    },
  }
}

const google = (streams: 'events' | 'array'): Caller => ({
  name: streams === 'events' ? 'Gemini' : 'Gemini (streams as arrays)',
  ...(streams === 'array' && { streamsOnly: true }),
  protocol: 'gemini',
  leastReferences: 0,
  streams,
  ask(wish) {
    const form = wish.stream ? 'streamGenerateContent' : 'generateContent'
    const query = wish.stream && streams === 'events' ? '?alt=sse' : ''
    const path = `/v1beta/models/${wish.model}:${form}${query}`
    return { path, headers: { 'x-goog-api-key': 'any', ...json }, body: bytesOf(contentsOf(wish)), form }
  },
  hear: hearGoogle,
})

const predict: Caller = {
  name: 'Gemini (`:predict`)',
  protocol: 'gemini',
  leastReferences: 0,
  streams: null,
  ask({ model, references, count, stream }) {
    const referenceImages = references.map(({ type, bytes }, index) => ({
      referenceType: 'REFERENCE_TYPE_RAW',
      referenceId: index + 1,
      referenceImage: { bytesBase64Encoded: bytes.toString('base64'), mimeType: type },
    }))
    const body = {
      instances: [{ prompt, ...(references.length > 0 && { referenceImages }) }],
      parameters: { sampleCount: count, aspectRatio: shape.ratio, sampleImageSize: shape.tier },
    }
    const path = `/v1beta/models/${model}:predict${stream ? '?alt=sse' : ''}`
    return { path, headers: { 'x-goog-api-key': 'any', ...json }, body: bytesOf(body), form: 'predict' }
  },
  hear: hearGoogle,
}

export const callers: readonly Caller[] = [openaiJson, openaiForm, azure, google('events'), google('array'), predict]

/** The cells of a caller: those that it has words for, and that another caller has not tried already. */
export const canAsk = ({ protocol, streamsOnly }: Caller, { stream, byAddress }: Pick<Wish, 'stream' | 'byAddress'>) =>
  (stream || !streamsOnly) && (protocol === 'openai' || !byAddress)
