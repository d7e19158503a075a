/** What callers send in Google's forms. */
import { z } from 'zod'
import { atMostOneOf, list, message, Name, oneOf, Real, Switch, Whole, Words } from './proto-schema.ts'

// https://ai.google.dev/api/caching#Part
const WirePart = message('Part', {
  text: Words,
  inlineData: message('Blob', { mimeType: Name, data: Words }),
  fileData: message('FileData', { mimeType: Name, fileUri: Words }),
  thought: Switch,
  thoughtSignature: Words,
  videoMetadata: z.unknown(),
  mediaResolution: z.unknown(),
  partMetadata: z.unknown(),
}).superRefine(atMostOneOf(['text', 'inlineData', 'fileData']))

const Content = message('Content', { role: Name, parts: list(WirePart) })

const ImageConfig = message('ImageConfig', {
  aspectRatio: Name,
  imageSize: Name,
  personGeneration: Name,
  prominentPeople: Name,
  imageOutputOptions: message('ImageOutputOptions', {
    mimeType: Name,
    compressionQuality: Whole,
  }),
})

const ResponseFormat = message('ResponseFormat', {
  image: message('ImageResponseFormat', {
    aspectRatio: Name,
    imageSize: Name,
    mimeType: Name,
    delivery: Name,
  }),
})

// https://ai.google.dev/api/generate-content#v1beta.GenerationConfig
const GenerationConfig = message('GenerationConfig', {
  candidateCount: Whole,
  responseModalities: list(oneOf('Modality', ['TEXT', 'IMAGE', 'AUDIO', 'VIDEO', 'MODALITY_UNSPECIFIED'])),
  imageConfig: ImageConfig,
  responseFormat: list(ResponseFormat),
  seed: Whole,
  mediaResolution: oneOf('MediaResolution', [
    'MEDIA_RESOLUTION_UNSPECIFIED',
    'MEDIA_RESOLUTION_LOW',
    'MEDIA_RESOLUTION_MEDIUM',
    'MEDIA_RESOLUTION_HIGH',
  ]),
  thinkingConfig: message('ThinkingConfig', {
    includeThoughts: Switch,
    thinkingBudget: Whole,
    thinkingLevel: Name,
  }),
  temperature: Real,
  topP: Real,
  topK: Real,
  maxOutputTokens: Whole,
  stopSequences: list(Name),
  presencePenalty: Real,
  frequencyPenalty: Real,
  responseLogprobs: Switch,
  logprobs: Whole,
  responseMimeType: Name,
  responseSchema: z.unknown(),
  responseJsonSchema: z.unknown(),
  speechConfig: z.unknown(),
  enableEnhancedCivicAnswers: Switch,
})

const Tool = message('Tool', { googleSearch: z.unknown(), googleSearchRetrieval: z.unknown() })

// https://ai.google.dev/api/generate-content#request-body
export const GenerateContentRequest = message('GenerateContentRequest', {
  model: Name,
  contents: list(Content),
  systemInstruction: Content,
  tools: list(Tool),
  toolConfig: z.unknown(),
  safetySettings: list(message('SafetySetting', { category: Name, threshold: Name })),
  generationConfig: GenerationConfig,
  cachedContent: Name,
  serviceTier: z.unknown(),
})

// https://ai.google.dev/api/tokens#request-body
export const CountTokensRequest = message('CountTokensRequest', {
  contents: list(Content),
  // Vertex' own: it has no request inside.
  systemInstruction: Content,
  generateContentRequest: GenerateContentRequest,
})

const Picture = message('Image', {
  bytesBase64Encoded: Words,
  gcsUri: Words,
  mimeType: Name,
}).superRefine(atMostOneOf(['bytesBase64Encoded', 'gcsUri']))

// https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api
export const PredictRequest = message('PredictRequest', {
  instances: list(
    message('Instance', {
      prompt: Words,
      image: Picture,
      referenceImages: list(message('ReferenceImage', { referenceType: Name, referenceImage: Picture })),
      mask: z.unknown(),
    }),
  ),
  parameters: message('Parameters', {
    sampleCount: Whole,
    aspectRatio: Name,
    sampleImageSize: Name,
    imageSize: Name,
    outputOptions: message('OutputOptions', {
      mimeType: Name,
      compressionQuality: Whole,
    }),
    seed: Whole,
    negativePrompt: Words,
  }),
})

export type GenerateContentRequest = z.infer<typeof GenerateContentRequest>
export type CountTokensRequest = z.infer<typeof CountTokensRequest>
export type PredictRequest = z.infer<typeof PredictRequest>
export type WireContent = z.infer<typeof Content>
export type WirePart = z.infer<typeof WirePart>
export type WirePicture = z.infer<typeof Picture>
export type GenerationConfig = z.infer<typeof GenerationConfig>
