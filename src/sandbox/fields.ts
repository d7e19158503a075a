/** Every field that Google's Generative Language API takes in these calls (protos of v1beta, and what its newest SDK sends), as data. */
import { mediaResolutions } from './model.ts'
import type { Enum, Fields, List, Message } from './proto-json.ts'

const message = <const F extends Fields>(name: string, fields: F): Message<F> => ({ message: name, fields })
const oneOf = <const Name extends string>(name: string, names: readonly Name[]): Enum<Name> => ({ enum: name, names })
const list = <const Item>(item: Item): List<Item> => ({ list: item })

const mediaResolution = oneOf('GenerationConfig.MediaResolution', mediaResolutions)

const part = {
  ...message('Part', {
    text: 'string',
    inlineData: message('Blob', { mimeType: 'string', data: 'bytes', displayName: 'string' }),
    fileData: message('FileData', { mimeType: 'string', fileUri: 'string', displayName: 'string' }),
    functionCall: 'any',
    functionResponse: 'any',
    executableCode: 'any',
    codeExecutionResult: 'any',
    toolCall: 'any',
    toolResponse: 'any',
    thought: 'bool',
    thoughtSignature: 'bytes',
    videoMetadata: message('VideoMetadata', { startOffset: 'string', endOffset: 'string', fps: 'float' }),
    mediaResolution: message('Part.MediaResolution', {
      level: oneOf('Part.MediaResolution.Level', [...mediaResolutions, 'MEDIA_RESOLUTION_ULTRA_HIGH']),
      numTokens: 'int32',
    }),
    partMetadata: 'any',
    mediaProcessing: 'any',
  }),
  oneof: {
    name: 'data',
    fields: [
      'text',
      'inlineData',
      'fileData',
      'functionCall',
      'functionResponse',
      'executableCode',
      'codeExecutionResult',
      'toolCall',
      'toolResponse',
    ],
  },
} as const

const content = message('Content', { role: 'string', parts: list(part) })

const tool = message('Tool', {
  googleSearch: message('Tool.GoogleSearch', {
    searchTypes: message('SearchTypes', {
      webSearch: message('WebSearch', {}),
      imageSearch: message('ImageSearch', {}),
    }),
    timeRangeFilter: message('Interval', { startTime: 'string', endTime: 'string' }),
  }),
  googleSearchRetrieval: 'any',
  functionDeclarations: list('any'),
  codeExecution: 'any',
  urlContext: 'any',
  computerUse: 'any',
  googleMaps: 'any',
  fileSearch: 'any',
  mcpServers: list('any'),
})

const safetySetting = message('SafetySetting', {
  category: oneOf('HarmCategory', [
    'HARM_CATEGORY_UNSPECIFIED',
    'HARM_CATEGORY_HARASSMENT',
    'HARM_CATEGORY_HATE_SPEECH',
    'HARM_CATEGORY_SEXUALLY_EXPLICIT',
    'HARM_CATEGORY_DANGEROUS_CONTENT',
    'HARM_CATEGORY_CIVIC_INTEGRITY',
  ]),
  threshold: oneOf('SafetySetting.HarmBlockThreshold', [
    'HARM_BLOCK_THRESHOLD_UNSPECIFIED',
    'BLOCK_LOW_AND_ABOVE',
    'BLOCK_MEDIUM_AND_ABOVE',
    'BLOCK_ONLY_HIGH',
    'BLOCK_NONE',
    'OFF',
  ]),
})

const generationConfig = message('GenerationConfig', {
  candidateCount: 'int32',
  stopSequences: list('string'),
  maxOutputTokens: 'int32',
  temperature: 'float',
  topP: 'float',
  topK: 'int32',
  seed: 'int32',
  presencePenalty: 'float',
  frequencyPenalty: 'float',
  responseLogprobs: 'bool',
  logprobs: 'int32',
  enableEnhancedCivicAnswers: 'bool',
  responseMimeType: 'string',
  responseSchema: 'any',
  responseJsonSchema: 'any',
  responseModalities: list(
    oneOf('GenerationConfig.Modality', ['MODALITY_UNSPECIFIED', 'TEXT', 'IMAGE', 'AUDIO', 'VIDEO']),
  ),
  speechConfig: 'any',
  audioTranscriptionConfig: 'any',
  thinkingConfig: message('ThinkingConfig', {
    includeThoughts: 'bool',
    thinkingBudget: 'int32',
    thinkingLevel: oneOf('ThinkingConfig.ThinkingLevel', [
      'THINKING_LEVEL_UNSPECIFIED',
      'LOW',
      'MEDIUM',
      'HIGH',
      'MINIMAL',
    ]),
  }),
  // personGeneration, prominentPeople and imageOutputOptions are Vertex AI's alone.
  imageConfig: message('ImageConfig', { aspectRatio: 'string', imageSize: 'string' }),
  mediaResolution,
  // Taken and without effect on the live service.
  responseFormat: list(
    message('ResponseFormat', {
      text: 'any',
      audio: 'any',
      image: message('ImageResponseFormat', {
        aspectRatio: 'string',
        imageSize: 'string',
        mimeType: 'string',
        delivery: 'string',
      }),
    }),
  ),
})

export const generateContentRequest = message('GenerateContentRequest', {
  model: 'string',
  contents: list(content),
  systemInstruction: content,
  tools: list(tool),
  toolConfig: 'any',
  safetySettings: list(safetySetting),
  generationConfig,
  cachedContent: 'string',
  serviceTier: 'string',
  store: 'bool',
  labels: 'any',
  continuationToken: 'string',
})

export const countTokensRequest = message('CountTokensRequest', {
  contents: list(content),
  generateContentRequest,
})
