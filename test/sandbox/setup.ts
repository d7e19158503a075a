/** A sandbox on a free port, and ways to ask it. */
import { onTestFinished } from 'vitest'
import type { SandboxModel } from '../../src/sandbox/model.ts'
import { createPainter } from '../../src/sandbox/painter.ts'
import { createSandbox, type SandboxParams } from '../../src/sandbox/server.ts'

const ten = ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9']

export const fixedModel: SandboxModel = {
  id: 'gemini-2.5-flash-image',
  displayName: 'Nano Banana',
  ratios: ten,
  tiers: [],
  mediaType: 'image/png',
  maxReferences: null,
  search: false,
  thinking: false,
  thinkingLevels: [],
  tokensPerImage: 1290,
}

export const flashModel: SandboxModel = {
  id: 'gemini-3.1-flash-image',
  displayName: 'Nano Banana 2',
  ratios: [...ten, '1:4', '4:1', '1:8', '8:1'],
  tiers: ['512', '1K', '2K', '4K'],
  mediaType: 'image/jpeg',
  maxReferences: 3,
  search: true,
  thinking: true,
  thinkingLevels: ['minimal', 'high'],
  tokensPerImage: { '512': 747, '1K': 1120, '2K': 1680, '4K': 2520 },
}

export const proModel: SandboxModel = {
  ...flashModel,
  id: 'gemini-3-pro-image',
  displayName: 'Nano Banana Pro',
  ratios: ten,
  tiers: ['1K', '2K', '4K'],
  thinkingLevels: [],
  tokensPerImage: { '1K': 1120, '2K': 1120, '4K': 2000 },
}

/** The base URL of a sandbox that lives as long as the test. */
export async function startSandbox(params: Partial<SandboxParams> = {}): Promise<string> {
  const models = [fixedModel, flashModel, proModel]
  const unexpected: unknown[] = []
  const sandbox = createSandbox({
    models,
    painter: createPainter(),
    onFault: error => unexpected.push(error),
    ...params,
  })
  const { url, close } = await sandbox.listen(0)
  onTestFinished(async () => {
    await close()
    if (unexpected.length > 0) throw new AggregateError(unexpected, 'The sandbox met errors of its own.')
  })
  return url
}

export interface Question {
  readonly model?: string
  readonly method?: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** POSTs a body (an object as JSON, a text as it is) with a good key. */
export async function ask(url: string, body: unknown, question: Question = {}): Promise<Response> {
  const { model = flashModel.id, method = 'generateContent', query = '', headers = {}, signal } = question
  return await fetch(`${url}/v1beta/models/${model}:${method}${query}`, {
    method: 'POST',
    headers: { 'x-goog-api-key': 'any', 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
    ...(signal && { signal }),
  })
}

/** The smallest request there is, for the smallest picture; `config` goes into generationConfig. */
export function request(prompt: string, config: object = {}, imageConfig: object = {}): object {
  return {
    contents: [{ parts: [{ text: prompt }] }],
    generationConfig: { imageConfig: { imageSize: '512', ...imageConfig }, ...config },
  }
}

export interface Part {
  readonly text?: string
  readonly thought?: boolean
  readonly thoughtSignature?: string
  readonly inlineData?: { readonly mimeType: string; readonly data: string }
}

/** Google's answer, as far as tests look at it. */
export interface Answer {
  readonly candidates?: readonly {
    readonly content?: { readonly role?: string; readonly parts?: readonly Part[] }
    readonly finishReason?: string
    readonly finishMessage?: string
    readonly index: number
  }[]
  readonly promptFeedback?: object
  readonly usageMetadata: Readonly<Record<string, unknown>>
  readonly modelVersion: string
  readonly responseId: string
  readonly createTime: string
  readonly error?: {
    readonly code: number
    readonly status: string
    readonly message: string
    readonly details?: readonly object[]
  }
}

export const readAnswer = async (response: Response): Promise<Answer> => (await response.json()) as Answer

export const partsOf = ({ candidates }: Answer): readonly Part[] => candidates?.[0]?.content?.parts ?? []

/** The picture files of an answer, in order. */
export const picturesOf = (answer: Answer): Buffer[] =>
  partsOf(answer).flatMap(({ inlineData }) => (inlineData ? [Buffer.from(inlineData.data, 'base64')] : []))

/** Asks and takes the one picture out. */
export async function paintOne(url: string, body: unknown, question: Question = {}): Promise<Buffer> {
  const answer = await readAnswer(await ask(url, body, question))
  const [file] = picturesOf(answer)
  if (!file) throw new Error(`No picture came: ${JSON.stringify(answer).slice(0, 500)}`)
  return file
}
