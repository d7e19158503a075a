/** What callers send in Google's form. */
import type { z } from 'zod'
import { harmCategoryStart, harmThresholds } from '../harm.ts'
import { GenerationConfig, mediaResolutions } from './config-wire.ts'
import {
  atMostOneOf,
  beginningWith,
  list,
  message,
  Name,
  oneOf,
  Switch,
  structure,
  Whole,
  Words,
} from './proto-schema.ts'

// https://ai.google.dev/api/caching#Part
const WirePart = message('Part', {
  text: Words,
  inlineData: message('Blob', { mimeType: Name, data: Words, displayName: Name }),
  fileData: message('FileData', { mimeType: Name, fileUri: Words, displayName: Name }),
  thought: Switch,
  thoughtSignature: Words,
  videoMetadata: structure('VideoMetadata'),
  mediaResolution: message('MediaResolution', {
    level: oneOf('Level', [...mediaResolutions, 'MEDIA_RESOLUTION_ULTRA_HIGH']),
    numTokens: Whole,
  }),
  partMetadata: structure('Struct'),
  functionCall: structure('FunctionCall'),
  functionResponse: structure('FunctionResponse'),
  executableCode: structure('ExecutableCode'),
  codeExecutionResult: structure('CodeExecutionResult'),
}).superRefine(atMostOneOf(['text', 'inlineData', 'fileData']))

const Content = message('Content', { role: Name, parts: list(WirePart) })

const Tool = message('Tool', {
  googleSearch: structure('GoogleSearch'),
  googleSearchRetrieval: structure('GoogleSearchRetrieval'),
  functionDeclarations: list(structure('FunctionDeclaration')),
  codeExecution: structure('CodeExecution'),
  urlContext: structure('UrlContext'),
  googleMaps: structure('GoogleMaps'),
})

const SafetySetting = message('SafetySetting', {
  category: beginningWith('HarmCategory', harmCategoryStart),
  threshold: oneOf('HarmBlockThreshold', harmThresholds),
  // Vertex AI's own.
  method: oneOf('HarmBlockMethod', ['HARM_BLOCK_METHOD_UNSPECIFIED', 'SEVERITY', 'PROBABILITY']),
})

// https://ai.google.dev/api/generate-content#request-body
export const GenerateContentRequest = message('GenerateContentRequest', {
  model: Name,
  contents: list(Content),
  systemInstruction: Content,
  tools: list(Tool),
  toolConfig: structure('ToolConfig'),
  safetySettings: list(SafetySetting),
  generationConfig: GenerationConfig,
  cachedContent: Name,
  serviceTier: Name,
  labels: structure('LabelsEntry'),
  store: Switch,
})

// https://ai.google.dev/api/tokens#request-body
export const CountTokensRequest = message('CountTokensRequest', {
  contents: list(Content),
  // Vertex' own: it has no request inside.
  systemInstruction: Content,
  tools: list(Tool),
  safetySettings: list(SafetySetting),
  generationConfig: GenerationConfig,
  generateContentRequest: GenerateContentRequest,
})
  .superRefine(atMostOneOf(['contents', 'generateContentRequest']))
  .superRefine(atMostOneOf(['systemInstruction', 'generateContentRequest']))

export type GenerateContentRequest = z.infer<typeof GenerateContentRequest>
export type CountTokensRequest = z.infer<typeof CountTokensRequest>
export type WireContent = z.infer<typeof Content>
export type WirePart = z.infer<typeof WirePart>
