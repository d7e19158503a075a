/** Which fields of a call no other protocol has a word for, by their places in it. */
import type { GenerationConfig } from './config-wire.ts'
import { type Fields, unknownFields } from './fields.ts'
import type { GenerateContentRequest, WireContent, WirePart } from './request-wire.ts'

const inRequest = new Set(['model', 'contents', 'systemInstruction', 'tools', 'generationConfig'])
const inTool = new Set(['googleSearch', 'googleSearchRetrieval'])
const inImageConfig = new Set(['aspectRatio', 'imageSize', 'imageOutputOptions'])
const inOutputOptions = new Set(['mimeType', 'compressionQuality'])
const inResponseFormat = new Set(['image'])
const inFormatImage = new Set(['aspectRatio', 'imageSize', 'mimeType', 'delivery'])
const none: ReadonlySet<string> = new Set()
const inContent = new Set(['role', 'parts'])
// Thoughts and their signatures are the model's own affair.
const inPart = new Set(['text', 'inlineData', 'fileData', 'thought', 'thoughtSignature'])
const inInlineData = new Set(['mimeType', 'data'])
const inFileData = new Set(['mimeType', 'fileUri'])
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
  const ofPart = (part: WirePart, place: readonly PropertyKey[]) => [
    ...unknownFields(part, inPart, place),
    ...unknownFields(part.inlineData, inInlineData, [...place, 'inlineData']),
    ...unknownFields(part.fileData, inFileData, [...place, 'fileData']),
  ]
  const ofContent = (content: WireContent, place: readonly PropertyKey[]) => [
    ...unknownFields(content, inContent, place),
    ...(content.parts ?? []).flatMap((part, index) => ofPart(part, [...place, 'parts', index])),
  ]
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
    ...outputExtras(generationConfig),
  ])
}

/** Of what says how pictures come: that is settled here, so an upstream of the same form hears nothing of it either. */
export function outputExtras(config: GenerationConfig | undefined): readonly (readonly [string, unknown])[] {
  const { imageConfig, responseFormat = [] } = config ?? {}
  const place = ['generationConfig', 'imageConfig', 'imageOutputOptions']
  return [
    ...unknownFields(imageConfig?.imageOutputOptions, inOutputOptions, place),
    ...responseFormat.flatMap(({ image }, index) =>
      unknownFields(image, inFormatImage, ['generationConfig', 'responseFormat', index, 'image']),
    ),
  ]
}

const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null ? (value as Fields) : undefined
