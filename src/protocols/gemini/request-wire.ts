/** What callers send in Google's forms, read as ProtoJSON is at Google: https://protobuf.dev/programming-guides/json/ */
import { z } from 'zod'
import { LongString } from '../../streams/document-reader.ts'
import { snakeCase } from '../snake-case.ts'

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof LongString)

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

/** Of members that exclude each other (a `oneof`) at most one stands there. */
const atMostOneOf =
  <const Names extends readonly string[]>(names: Names) =>
  (value: { readonly [Name in Names[number]]?: unknown }, context: z.RefinementCtx): void => {
    const [first, second] = names.filter(name => value[name as Names[number]] !== undefined)
    if (first === undefined || second === undefined) return
    const message = `(oneof), '${snakeCase(first)}' is already set. Cannot set '${snakeCase(second)}'`
    context.addIssue({ code: 'custom', path: [second], message })
  }

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
}).superRefine(atMostOneOf(['text', 'inlineData', 'fileData']))

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
  // Vertex' own: it has no request inside.
  systemInstruction: Content.optional(),
  generateContentRequest: GenerateContentRequest.optional(),
})

const Picture = message('Image', {
  bytesBase64Encoded: Words.optional(),
  gcsUri: Words.optional(),
  mimeType: Name.optional(),
}).superRefine(atMostOneOf(['bytesBase64Encoded', 'gcsUri']))

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
