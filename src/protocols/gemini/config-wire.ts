/** What callers set in `generationConfig`. */
import { z } from 'zod'
import { atMostOneOf, between, list, message, Name, oneOf, Real, Switch, structure, Whole } from './proto-schema.ts'

const largestWhole = 2 ** 31 - 1
export const mediaResolutions = [
  'MEDIA_RESOLUTION_UNSPECIFIED',
  'MEDIA_RESOLUTION_LOW',
  'MEDIA_RESOLUTION_MEDIUM',
  'MEDIA_RESOLUTION_HIGH',
] as const

const ImageConfig = message('ImageConfig', {
  aspectRatio: Name,
  imageSize: Name,
  personGeneration: oneOf('PersonGeneration', [
    'PERSON_GENERATION_UNSPECIFIED',
    'ALLOW_ALL',
    'ALLOW_ADULT',
    'ALLOW_NONE',
  ]),
  prominentPeople: oneOf('ProminentPeople', [
    'PROMINENT_PEOPLE_UNSPECIFIED',
    'ALLOW_PROMINENT_PEOPLE',
    'BLOCK_PROMINENT_PEOPLE',
  ]),
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
  text: structure('TextResponseFormat'),
  audio: structure('AudioResponseFormat'),
})

const ThinkingConfig = message('ThinkingConfig', {
  includeThoughts: Switch,
  // -1: as the model sees fit.
  thinkingBudget: between(Whole, -1, largestWhole),
  thinkingLevel: oneOf('ThinkingLevel', ['THINKING_LEVEL_UNSPECIFIED', 'MINIMAL', 'LOW', 'MEDIUM', 'HIGH']),
}).superRefine(atMostOneOf(['thinkingBudget', 'thinkingLevel']))

// https://ai.google.dev/api/generate-content#v1beta.GenerationConfig
export const GenerationConfig = message('GenerationConfig', {
  candidateCount: Whole,
  responseModalities: list(oneOf('Modality', ['TEXT', 'IMAGE', 'AUDIO', 'VIDEO', 'MODALITY_UNSPECIFIED'])),
  imageConfig: ImageConfig,
  responseFormat: list(ResponseFormat),
  seed: Whole,
  mediaResolution: oneOf('MediaResolution', mediaResolutions),
  thinkingConfig: ThinkingConfig,
  temperature: between(Real, 0, 2),
  topP: between(Real, 0, 1),
  topK: between(Real, 0, largestWhole),
  maxOutputTokens: between(Whole, 0, largestWhole),
  stopSequences: list(Name),
  presencePenalty: between(Real, -2, 2),
  frequencyPenalty: between(Real, -2, 2),
  responseLogprobs: Switch,
  logprobs: between(Whole, 0, 20),
  responseMimeType: Name,
  responseSchema: structure('Schema'),
  // Any JSON: `true` is a schema too.
  responseJsonSchema: z.unknown(),
  speechConfig: structure('SpeechConfig'),
  enableEnhancedCivicAnswers: Switch,
})

export type GenerationConfig = z.infer<typeof GenerationConfig>
