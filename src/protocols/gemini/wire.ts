/**
 * Google's wire types, as far as the gateway reads them. Answers forgivingly (null, absent and unknown everywhere), so that only
 * nonsense fails; requests as ProtoJSON is read at Google: https://protobuf.dev/programming-guides/json/
 */
import { z } from 'zod'
import { LongString } from '../../streams/document-reader.ts'

const Text = z.union([z.string(), z.instanceof(LongString)])
const Count = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER).nullish().catch(null)

// https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
const Part = z.object({
  text: Text.nullish(),
  thought: z.boolean().nullish(),
  inlineData: z.object({ mimeType: z.string().nullish(), data: Text.nullish() }).nullish(),
  // Relays in front of Google answer so where they keep the pictures themselves.
  fileData: z.object({ mimeType: z.string().nullish(), fileUri: Text.nullish() }).nullish(),
  thoughtSignature: Text.nullish().catch(null),
})

const Candidate = z.object({
  content: z.object({ parts: z.array(Part).nullish() }).nullish(),
  finishReason: z.string().nullish(),
  finishMessage: Text.nullish(),
})

const ModalityTokens = z
  .array(z.object({ modality: z.string().nullish(), tokenCount: Count }))
  .nullish()
  .catch(null)

const UsageMetadata = z.object({
  promptTokenCount: Count,
  candidatesTokenCount: Count,
  thoughtsTokenCount: Count,
  toolUsePromptTokenCount: Count,
  totalTokenCount: Count,
  promptTokensDetails: ModalityTokens,
  candidatesTokensDetails: ModalityTokens,
})

export const GenerateContentResponse = z.object({
  candidates: z.array(Candidate).nullish(),
  promptFeedback: z.object({ blockReason: z.string().nullish(), blockReasonMessage: Text.nullish() }).nullish(),
  usageMetadata: UsageMetadata.nullish().catch(null),
})

export type GenerateContentResponse = z.infer<typeof GenerateContentResponse>
export type Candidate = z.infer<typeof Candidate>
export type UsageMetadata = z.infer<typeof UsageMetadata>
export type WireText = z.infer<typeof Text>

const Detail = z.looseObject({
  reason: z.string().nullish().catch(null),
  retryDelay: z.string().nullish().catch(null),
  violations: z
    .array(z.object({ quotaId: z.string().nullish(), quotaValue: z.string().nullish() }))
    .nullish()
    .catch(null),
})

const ErrorBody = z.object({
  error: z.object({
    message: z.string().nullish().catch(null),
    status: z.string().nullish().catch(null),
    details: z.array(Detail).nullish().catch(null),
  }),
})

const InnerError = z.object({ error: z.looseObject({ code: z.int().nullish().catch(null) }) })

/** The status told by an error inside a 200, alone or in an array, as some of Google's layers send it; null where there is none. */
export function innerErrorStatus(value: unknown): number | null {
  const inner: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value
  // Asked of every good answer, so it is cheap to say no.
  if (typeof inner !== 'object' || inner === null || !('error' in inner)) return null
  const { success, data } = InnerError.safeParse(inner)
  return success ? (data.error.code ?? 500) : null
}

/** What matters of a google.rpc.Status. */
export interface ErrorStatus {
  readonly message: string
  readonly status: string
  /** Of its ErrorInfo details. */
  readonly reasons: readonly string[]
  /** Seconds, as RetryInfo has them. */
  readonly retryDelay: string | undefined
  readonly quotas: readonly { readonly quotaId: string; readonly quotaValue: string }[]
}

/** Reads an error body: also one in an array (as streams and some of Google's layers send it), and HTML or nothing as no reason. */
export function readErrorStatus(body: Buffer): ErrorStatus {
  const parsed = ErrorBody.safeParse(unwrapped(body))
  const { message, status, details } = parsed.success ? parsed.data.error : {}
  const all = details ?? []
  return {
    message: message ?? '',
    status: status ?? '',
    reasons: all.flatMap(detail => detail.reason ?? []),
    retryDelay: all
      .map(detail => /^(\d+(?:\.\d+)?)s$/.exec(detail.retryDelay ?? '')?.[1])
      .find(delay => delay !== undefined),
    quotas: all.flatMap(detail =>
      (detail.violations ?? []).map(({ quotaId, quotaValue }) => ({
        quotaId: quotaId ?? '',
        quotaValue: quotaValue ?? '',
      })),
    ),
  }
}

function unwrapped(body: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(body.toString())
    return Array.isArray(value) ? value[0] : value
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof LongString)

/** `imageConfig` → `image_config`: the other spelling of every name, and the one in errors. */
export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

/** What follows «Invalid value at '…'» in Google's own errors. */
const wrong = (type: string) => ({
  error: ({ input }: { readonly input?: unknown }) => `(${type}), ${shown(input)}`,
})

const longestShown = 40

function shown(value: unknown): string {
  if (value instanceof LongString) return 'a long text'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[…]' : '{…}'
  if (typeof value !== 'string' || value.length <= longestShown) return JSON.stringify(value) ?? 'nothing'
  return JSON.stringify(`${value.slice(0, longestShown)}…`)
}

/** An object whose names may be spelt either way, at this level. null means absent. Unknown members stay as they are. */
function message<const Shape extends z.ZodRawShape>(type: string, shape: Shape) {
  const names = new Map(Object.keys(shape).flatMap(name => [name, snakeCase(name)].map(spelt => [spelt, name])))
  return z.preprocess(
    (value, context) => {
      if (!isObject(value)) return value
      const read: Record<string, unknown> = {}
      for (const [spelt, item] of Object.entries(value)) {
        const name = names.get(spelt) ?? spelt
        if (item === null) continue
        if (Object.hasOwn(read, name))
          context.addIssue({ code: 'custom', path: [name], message: '(oneof), it stands there twice' })
        read[name] = item
      }
      return read
    },
    z.looseObject(shape, wrong(type)),
  )
}

/** One thing where a list is due is a list of one. */
const list = <Item extends z.ZodType>(item: Item) =>
  z.preprocess(value => (Array.isArray(value) ? value : [value]), z.array(item))

const numeric = (value: unknown) =>
  typeof value === 'string' && /^-?\d[\d.eE+-]*$/.test(value) ? Number(value) : value
const longestName = 1024
const Words = z.union([z.string(), z.instanceof(LongString)], wrong('TYPE_STRING'))
const Name = z.string(wrong('TYPE_STRING')).max(longestName, wrong('TYPE_STRING'))
const Whole = z.preprocess(numeric, z.int32(wrong('TYPE_INT32')))
const Real = z.preprocess(numeric, z.number(wrong('TYPE_FLOAT')))
const Switch = z.preprocess(
  value => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean(wrong('TYPE_BOOL')),
)
const oneOf = <const Names extends readonly string[]>(type: string, names: Names) =>
  z.preprocess(
    value => (typeof value === 'string' ? value.toUpperCase() : value),
    z.enum(names, { error: ({ input }) => `(${type}), ${shown(input)}. It is one of ${names.join(', ')}` }),
  )

// https://ai.google.dev/api/caching#Part
const WirePart = message('Part', {
  text: Words.optional(),
  inlineData: message('Blob', { mimeType: Name.optional(), data: Words.optional() }).optional(),
  fileData: message('FileData', { mimeType: Name.optional(), fileUri: Words.optional() }).optional(),
  thought: Switch.optional(),
  thoughtSignature: Words.optional(),
  videoMetadata: z.unknown().optional(),
  mediaResolution: z.unknown().optional(),
  partMetadata: z.unknown().optional(),
})

const Content = message('Content', { role: Name.optional(), parts: list(WirePart).optional() })

const ImageConfig = message('ImageConfig', {
  aspectRatio: Name.optional(),
  imageSize: Name.optional(),
  personGeneration: Name.optional(),
  prominentPeople: Name.optional(),
  imageOutputOptions: message('ImageOutputOptions', {
    mimeType: Name.optional(),
    compressionQuality: Whole.optional(),
  }).optional(),
})

const ResponseFormat = message('ResponseFormat', {
  image: message('ImageResponseFormat', {
    aspectRatio: Name.optional(),
    imageSize: Name.optional(),
    mimeType: Name.optional(),
    delivery: Name.optional(),
  }).optional(),
})

// https://ai.google.dev/api/generate-content#v1beta.GenerationConfig
const GenerationConfig = message('GenerationConfig', {
  candidateCount: Whole.optional(),
  responseModalities: list(oneOf('Modality', ['TEXT', 'IMAGE', 'AUDIO', 'VIDEO', 'MODALITY_UNSPECIFIED'])).optional(),
  imageConfig: ImageConfig.optional(),
  responseFormat: list(ResponseFormat).optional(),
  seed: Whole.optional(),
  mediaResolution: oneOf('MediaResolution', [
    'MEDIA_RESOLUTION_UNSPECIFIED',
    'MEDIA_RESOLUTION_LOW',
    'MEDIA_RESOLUTION_MEDIUM',
    'MEDIA_RESOLUTION_HIGH',
  ]).optional(),
  thinkingConfig: message('ThinkingConfig', {
    includeThoughts: Switch.optional(),
    thinkingBudget: Whole.optional(),
    thinkingLevel: Name.optional(),
  }).optional(),
  temperature: Real.optional(),
  topP: Real.optional(),
  topK: Real.optional(),
  maxOutputTokens: Whole.optional(),
  stopSequences: list(Name).optional(),
  presencePenalty: Real.optional(),
  frequencyPenalty: Real.optional(),
  responseLogprobs: Switch.optional(),
  logprobs: Whole.optional(),
  responseMimeType: Name.optional(),
  responseSchema: z.unknown().optional(),
  responseJsonSchema: z.unknown().optional(),
  speechConfig: z.unknown().optional(),
  enableEnhancedCivicAnswers: Switch.optional(),
})

const Tool = message('Tool', { googleSearch: z.unknown().optional(), googleSearchRetrieval: z.unknown().optional() })

// https://ai.google.dev/api/generate-content#request-body
export const GenerateContentRequest = message('GenerateContentRequest', {
  model: Name.optional(),
  contents: list(Content).optional(),
  systemInstruction: Content.optional(),
  tools: list(Tool).optional(),
  toolConfig: z.unknown().optional(),
  safetySettings: list(message('SafetySetting', { category: Name.optional(), threshold: Name.optional() })).optional(),
  generationConfig: GenerationConfig.optional(),
  cachedContent: Name.optional(),
  serviceTier: z.unknown().optional(),
})

// https://ai.google.dev/api/tokens#request-body
export const CountTokensRequest = message('CountTokensRequest', {
  contents: list(Content).optional(),
  generateContentRequest: GenerateContentRequest.optional(),
})

const Picture = message('Image', {
  bytesBase64Encoded: Words.optional(),
  gcsUri: Words.optional(),
  mimeType: Name.optional(),
})

// https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api
export const PredictRequest = message('PredictRequest', {
  instances: list(
    message('Instance', {
      prompt: Words.optional(),
      image: Picture.optional(),
      referenceImages: list(
        message('ReferenceImage', { referenceType: Name.optional(), referenceImage: Picture.optional() }),
      ).optional(),
      mask: z.unknown().optional(),
    }),
  ).optional(),
  parameters: message('Parameters', {
    sampleCount: Whole.optional(),
    aspectRatio: Name.optional(),
    sampleImageSize: Name.optional(),
    imageSize: Name.optional(),
    outputOptions: message('OutputOptions', {
      mimeType: Name.optional(),
      compressionQuality: Whole.optional(),
    }).optional(),
    seed: Whole.optional(),
    negativePrompt: Words.optional(),
  }).optional(),
})

export type GenerateContentRequest = z.infer<typeof GenerateContentRequest>
export type CountTokensRequest = z.infer<typeof CountTokensRequest>
export type PredictRequest = z.infer<typeof PredictRequest>
export type WireContent = z.infer<typeof Content>
export type WirePart = z.infer<typeof WirePart>
export type WirePicture = z.infer<typeof Picture>
export type GenerationConfig = z.infer<typeof GenerationConfig>
