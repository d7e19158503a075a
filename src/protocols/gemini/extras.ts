/** Which fields of a call no other protocol has a word for, by their places in it. */
import { type Fields, unknownFields } from './fields.ts'
import type { GenerateContentRequest, WireContent } from './request-wire.ts'

const inRequest = new Set(['model', 'contents', 'systemInstruction', 'tools', 'generationConfig'])
const inTool = new Set(['googleSearch', 'googleSearchRetrieval'])
const inImageConfig = new Set(['aspectRatio', 'imageSize', 'imageOutputOptions'])
const inOutputOptions = new Set(['mimeType', 'compressionQuality'])
const inResponseFormat = new Set(['image'])
const none: ReadonlySet<string> = new Set()
// How long a signature is kept, what a part is about, how closely it is looked at: hints for Google's own models.
const inPart = new Set([
  'text',
  'inlineData',
  'fileData',
  'thought',
  'thoughtSignature',
  'videoMetadata',
  'mediaResolution',
  'partMetadata',
])
const inConfig = new Set([
  'candidateCount',
  'responseModalities',
  'imageConfig',
  'responseFormat',
  'seed',
  'mediaResolution',
])

export function namedExtras(request: GenerateContentRequest): ReadonlyMap<string, unknown> {
  const { contents = [], systemInstruction, tools = [], generationConfig } = request
  const each = (items: readonly Fields[] | undefined, known: ReadonlySet<string>, place: readonly PropertyKey[]) =>
    (items ?? []).flatMap((item, index) => unknownFields(item, known, [...place, index]))
  const ofContent = ({ parts }: WireContent, place: readonly PropertyKey[]) => each(parts, inPart, [...place, 'parts'])
  // Searching is said by a word that is there. How, other protocols don't say.
  const ofSearch = (tool: Fields, index: number) =>
    [...inTool].flatMap(name => unknownFields(fieldsOf(tool[name]), none, ['tools', index, name]))
  const { imageConfig, responseFormat } = generationConfig ?? {}
  return new Map([
    ...unknownFields(request, inRequest),
    ...contents.flatMap((content, index) => ofContent(content, ['contents', index])),
    ...(systemInstruction ? ofContent(systemInstruction, ['systemInstruction']) : []),
    ...each(tools, inTool, ['tools']),
    ...tools.flatMap(ofSearch),
    ...unknownFields(generationConfig, inConfig, ['generationConfig']),
    ...each(responseFormat, inResponseFormat, ['generationConfig', 'responseFormat']),
    ...unknownFields(imageConfig, inImageConfig, ['generationConfig', 'imageConfig']),
    ...unknownFields(imageConfig?.imageOutputOptions, inOutputOptions, [
      'generationConfig',
      'imageConfig',
      'imageOutputOptions',
    ]),
  ])
}

const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null ? (value as Fields) : undefined
