/** The upstreams of the matrix: every vendor, how the gateway is set up for it, and what its stand-in has seen. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { UpstreamConfig } from '../../src/config/config.ts'
import type { FakeUpstream, SeenRequest } from '../upstreams/contract.ts'
import { vendors } from '../upstreams/every.ts'
import { sha256 } from '../upstreams/form.ts'
import { readDataUrl } from '../upstreams/look.ts'
import { filesOf, jsonOf, textsOf } from '../upstreams/seen.ts'
import { type FakeVertex, vertexLocation, vertexProject } from '../upstreams/vertex.ts'
import type { Tokens } from './heard.ts'
import { prompt, shape } from './wishes.ts'

/** One call that went up, in the words of no vendor. */
export interface Sent {
  readonly model: string
  readonly prompt: string
  /** SHA-256 of each, in order. */
  readonly pictures: readonly string[]
  /** As the vendor is told it. */
  readonly shape: string
  readonly count: number
  readonly stream: 'none' | 'events' | 'array'
}

export interface UpstreamKind {
  readonly name: string
  /** For the table. */
  readonly label: string
  readonly protocol: FakeUpstream['protocol']
  start(): Promise<FakeUpstream>
  /** What callers ask for, by the gateway's own name. */
  readonly model: string
  /** The same by the vendor's. */
  readonly modelThere: string
  /** Its answers come as streams where they are asked for so. */
  readonly streams: boolean
  /** Pictures that one call can be asked for. */
  readonly mostPerCall: number
  /** Its own form is OpenAI's: such calls are passed on as they came. Edits as JSON only where it takes them. */
  readonly ownForm: 'with JSON edits' | 'without JSON edits' | null
  /** It tells how long to wait. */
  readonly tellsWait: boolean
  /** What it refuses: the prompt, whatever stage was ordered, or what it has painted. */
  readonly refuses: 'prompt' | 'picture'
  /** The shape of `wishes.ts` in its words. */
  readonly shape: string
  /** What its stand-in bills; null: it tells of no usage. */
  usage(references: number, pictures: number): Tokens | null
  configOf(fake: FakeUpstream, folder: string): Partial<UpstreamConfig>
  sent(request: SeenRequest): Sent
}

interface Traits extends Omit<UpstreamKind, 'name' | 'start' | 'modelThere' | 'streams' | 'configOf'> {
  readonly more?: (fake: FakeUpstream, folder: string) => Partial<UpstreamConfig>
}

function kind(name: string, { more, ...traits }: Traits): UpstreamKind {
  const vendor = vendors.find(one => one.name === name)
  if (!vendor) throw new Error(`There is no vendor ${name}.`)
  return {
    ...traits,
    name,
    start: vendor.start,
    modelThere: vendor.model,
    streams: vendor.streams,
    configOf: (fake, folder) => {
      const { protocol, dialect, baseUrl, key } = fake
      return { name: dialect, protocol, dialect, baseUrl, keys: [key], ...more?.(fake, folder) }
    },
  }
}

const textTokens = Math.ceil(prompt.length / 4)
const flash = 'gemini-3.1-flash-image'
const pro = 'gemini-3-pro-image'

/** As Google's stand-in bills 1K: 560 tokens a reference, and for each call a picture and its thoughts. */
const googleUsage = (references: number, pictures: number): Tokens => ({
  input: (textTokens + references * 560) * pictures,
  output: (1120 + 312) * pictures,
})

/** As OpenAI's stand-in bills what all pictures of a call cost together, at medium quality. */
const openaiUsage = (references: number, pictures: number): Tokens => ({
  input: textTokens + references * 323,
  output: 1056 * pictures,
})

const gemini = {
  protocol: 'gemini',
  model: flash,
  mostPerCall: 1,
  ownForm: null,
  tellsWait: true,
  refuses: 'picture',
  shape: `${shape.ratio} ${shape.tier}`,
  usage: googleUsage,
  sent: sentToGoogle,
} as const

const gpt = {
  protocol: 'openai',
  model: 'gpt-image-2',
  mostPerCall: 10,
  ownForm: 'with JSON edits',
  tellsWait: true,
  refuses: 'picture',
  shape: shape.size,
  usage: openaiUsage,
  sent: sentToOpenai,
} as const

const reseller = {
  protocol: 'openai',
  model: flash,
  mostPerCall: 1,
  ownForm: null,
  tellsWait: false,
  refuses: 'picture',
  shape: `${shape.ratio} ${shape.tier}`,
  usage: () => null,
} as const

const deployments = { models: new Map([[gpt.model, 'pictures-2']]) }

export const upstreams: readonly UpstreamKind[] = [
  kind('google', { ...gemini, label: 'Google' }),
  kind('vertex, express', { ...gemini, label: 'Vertex AI' }),
  kind('vertex, project', {
    ...gemini,
    label: 'Vertex AI',
    more(fake, folder) {
      const credentialsFile = join(folder, 'service-account.json')
      writeFileSync(credentialsFile, JSON.stringify((fake as FakeVertex).serviceAccount))
      return { keys: [], project: vertexProject, location: vertexLocation, credentialsFile }
    },
  }),
  kind('zenlayer, Gemini form', { ...gemini, label: 'Zenlayer (Gemini form)', model: pro }),
  kind('openai', { ...gpt, label: 'OpenAI' }),
  kind('azure, deployments', {
    ...gpt,
    label: 'Azure OpenAI',
    ownForm: 'without JSON edits',
    more: () => ({ ...deployments, apiVersion: '2025-04-01-preview' }),
  }),
  kind('azure, v1', { ...gpt, label: 'Azure OpenAI', ownForm: 'without JSON edits', more: () => deployments }),
  kind('zenlayer, OpenAI form', {
    ...reseller,
    label: 'Zenlayer (OpenAI form)',
    model: pro,
    tellsWait: true,
    sent: sentToZenlayer,
  }),
  kind('nano-banana', { ...reseller, label: 'nano-banana API', refuses: 'prompt', sent: sentToNanoBanana }),
  kind('aimlapi', { ...reseller, label: 'AI/ML API', sent: sentToAimlapi }),
]

interface GooglePart {
  readonly text?: string
  readonly inlineData?: { readonly data: string }
}

const shaOf = (base64: string) => sha256(Buffer.from(base64, 'base64'))

function sentToGoogle(request: SeenRequest): Sent {
  const { contents, generationConfig } = jsonOf(request)
  const parts: readonly GooglePart[] = contents.at(-1).parts
  const [, model = '', method = ''] = /models\/([^/:]+):(\w+)$/.exec(request.path) ?? []
  const form = request.query.get('alt') === 'sse' ? 'events' : 'array'
  return {
    model,
    prompt: parts.flatMap(({ text }) => text ?? []).join('\n'),
    pictures: parts.flatMap(({ inlineData }) => inlineData?.data ?? []).map(shaOf),
    shape: `${generationConfig.imageConfig.aspectRatio} ${generationConfig.imageConfig.imageSize}`,
    count: generationConfig.candidateCount ?? 1,
    stream: method === 'streamGenerateContent' ? form : 'none',
  }
}

/** Azure's deployments stand in the path. */
function sentToOpenai(request: SeenRequest): Sent {
  const fields = request.body.kind === 'form' ? textsOf(request) : jsonOf(request)
  const deployment = /\/deployments\/([^/]+)\//.exec(request.path)?.[1]
  const isEdit = request.path.endsWith('/edits')
  return {
    model: deployment ?? fields.model,
    prompt: fields.prompt,
    pictures: isEdit ? picturesOf(request) : [],
    shape: fields.size,
    count: Number(fields.n ?? 1),
    stream: String(fields.stream) === 'true' ? 'events' : 'none',
  }
}

const picturesOf = (request: SeenRequest): readonly string[] =>
  request.body.kind === 'form'
    ? filesOf(request).map(file => file.sha256)
    : jsonOf(request).images.map((image: { image_url: string }) => shaOfDataUrl(image.image_url))

const shaOfDataUrl = (text: string) => sha256(readDataUrl(text)?.bytes ?? Buffer.alloc(0))

function sentToZenlayer(request: SeenRequest): Sent {
  const isForm = request.body.kind === 'form'
  const fields = isForm ? textsOf(request) : jsonOf(request)
  return {
    ...sentToReseller(fields, `${fields.aspect_ratio} ${fields.image_size}`),
    pictures: isForm ? filesOf(request).map(file => file.sha256) : [],
  }
}

function sentToNanoBanana(request: SeenRequest): Sent {
  const fields = jsonOf(request)
  return {
    ...sentToReseller(fields, `${fields.aspect_ratio} ${fields.image_size}`),
    pictures: (fields.image ?? []).map(shaOf),
  }
}

function sentToAimlapi(request: SeenRequest): Sent {
  const fields = jsonOf(request)
  return {
    ...sentToReseller(fields, `${fields.aspect_ratio} ${fields.resolution}`),
    pictures: (fields.image_urls ?? []).map(shaOfDataUrl),
  }
}

const sentToReseller = ({ model, prompt: said, n }: Readonly<Record<string, string>>, told: string) =>
  ({ model: model ?? '', prompt: said ?? '', shape: told, count: Number(n ?? 1), stream: 'none' }) as const
