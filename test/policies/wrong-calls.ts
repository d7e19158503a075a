/** Calls with one field that is wrong, for every field that callers of each protocol have, in either spelling. */
import { expect } from 'vitest'
import type { ExtraFields, ImageFields } from '../../src/protocols/openai/request-wire.ts'
import type { Told } from '../helpers/callers.ts'
import { numberedPicture } from '../helpers/pictures.ts'

export interface WrongCall {
  readonly title: string
  readonly path: string
  readonly body: object
  /** The one at fault, as errors name it. */
  readonly field: string
}

/** A picture that is one. */
export const png = (await numberedPicture('png')).toString('base64')

const long = 'x'.repeat(5000)
const noText = [7, true, ['x'], { a: 1 }]
const noName = [...noText, 'x'.repeat(300), long]
const noWhole = ['x', '7', 1.5, true, [1], { a: 1 }, long]
const noSwitch = ['yes', 'true', 1, [true], { a: 1 }, long]
const noneOf = ['other', 7, true, ['png'], { a: 1 }, long]
const noPicture = [
  'no picture',
  '%%%',
  7,
  true,
  { a: 1 },
  { image_url: 7 },
  { url: {} },
  'data:image/png;base64,%%%',
  long,
]
const noPictures = [...noPicture, [7], [[1]], ['no picture'], [{ image_url: 'no picture' }], [{ file_id: 'file-1' }]]

const inPainting: Readonly<Record<keyof typeof ImageFields.shape, readonly unknown[]>> = {
  model: noName,
  prompt: [...noText, ' ', 'x'.repeat(32_001)],
  n: [...noWhole, 0, -1, 11],
  size: [...noName, 'huge', '1024', '0x0', '1024x', 'x1024', '-1x5', '70000x10', '0:1', '9K'],
  width: [...noWhole, 0, -1, 65_536],
  height: [...noWhole, 0, -1, 65_536],
  aspect_ratio: [...noName, 'wide', '7:5', '0:1', '16:', '-1:1'],
  image_size: [...noName, '3K', 'big'],
  resolution: [...noName, '3K', 'big'],
  media_resolution: [...noName, 'sharp'],
  enable_web_search: noSwitch,
  seed: noWhole,
  response_format: noneOf,
  background: [...noneOf, 'transparent'],
  output_format: [...noneOf, 'gif', 'svg'],
  output_compression: [...noWhole, -1, 101],
  stream: noSwitch,
  partial_images: [...noWhole, -1, 4],
  image: noPictures,
  images: noPictures,
  image_urls: noPictures,
  input_references: noPictures,
  mask: noPicture,
  markup: ['x', {}, 7],
  frame_count: [1, 'x'],
  frame_duration_ms: [1, 'x'],
  svg: [{}, 'x'],
}

const noLabel = [7, true, ['me'], { a: 1 }, long]
const inExtras: Readonly<Record<keyof typeof ExtraFields.shape, readonly unknown[]>> = {
  quality: ['best', 7, ['low'], { a: 1 }, long],
  moderation: ['none', 7, true],
  complexity: ['huge', 7, true],
  user: noLabel,
  safety_identifier: noLabel,
  input_fidelity: ['exact', 7, true],
  style: noLabel,
  negative_prompt: [7, true, ['rain'], { a: 1 }],
  steps: [...noWhole, -1],
  cfg: ['x', true, [1], { a: 1 }],
  safety_settings: [
    'x',
    7,
    {},
    ['x'],
    [{ category: 7 }],
    [{ threshold: ['OFF'] }],
    [{ level: 'x' }],
    [{ category: 'HARASSMENT', threshold: 'OFF' }],
    [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_SOME' }],
    [{ category: 'HARM_CATEGORY_HARASSMENT' }],
  ],
}

const camelToSnake = (path: string) => path.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

/** `{ a: { b: value } }` for `a.b`; `a[0]` is a list. */
function nested(path: string, value: unknown): Record<string, unknown> {
  const [head = '', ...rest] = path.split('.')
  const inside = rest.length > 0 ? nested(rest.join('.'), value) : value
  const [, name = head, listed] = /^(\w+)(\[0\])?$/.exec(head) ?? []
  return { [name]: listed ? [inside] : inside }
}

const googleText = [7, true, ['x'], { a: 1 }]
const googleName = [...googleText, 'x'.repeat(1025)]
const googleWhole = ['x', 1.5, true, [1], { a: 1 }, 2 ** 31]
const googleNumber = ['x', true, [1], { a: 1 }]
const googleSwitch = ['yes', 1, [true], { a: 1 }]
const noEnum = [...googleName, 'SOMETHING']
const noObject = ['x', 7, true, [1]]

const config = 'generationConfig'
const inGeneration: Readonly<Record<string, readonly unknown[]>> = {
  contents: ['x', 7, true, ['x'], [7]],
  'contents[0].role': [...googleName, 'robot'],
  'contents[0].parts': ['x', 7, ['x']],
  'contents[0].parts[0].text': googleText,
  'contents[0].parts[0].inlineData': noObject,
  'contents[0].parts[0].inlineData.mimeType': googleName,
  'contents[0].parts[0].inlineData.data': [...googleText, '%%%', 'AAAA', ''],
  'contents[0].parts[0].fileData': noObject,
  'contents[0].parts[0].fileData.mimeType': googleName,
  'contents[0].parts[0].fileData.fileUri': [
    ...googleText,
    '',
    'ftp://example.com/a.png',
    'gs://bucket/a.png',
    'no address',
  ],
  'contents[0].parts[0].inlineData.displayName': googleName,
  'contents[0].parts[0].fileData.displayName': googleName,
  'contents[0].parts[0].videoMetadata': noObject,
  'contents[0].parts[0].mediaResolution': noObject,
  'contents[0].parts[0].mediaResolution.level': noEnum,
  'contents[0].parts[0].mediaResolution.numTokens': googleWhole,
  'contents[0].parts[0].partMetadata': noObject,
  'contents[0].parts[0].functionCall': noObject,
  'contents[0].parts[0].functionResponse': noObject,
  'contents[0].parts[0].executableCode': noObject,
  'contents[0].parts[0].codeExecutionResult': noObject,
  'contents[0].parts[0].thought': googleSwitch,
  'contents[0].parts[0].thoughtSignature': googleText,
  systemInstruction: noObject,
  'systemInstruction.parts[0].text': googleText,
  tools: ['x', 7, [7], { googleSearch: {} }],
  'tools[0].googleSearch': noObject,
  'tools[0].googleSearchRetrieval': noObject,
  'tools[0].functionDeclarations': ['x', 7, [7]],
  'tools[0].codeExecution': noObject,
  'tools[0].urlContext': noObject,
  'tools[0].googleMaps': noObject,
  toolConfig: noObject,
  safetySettings: ['x', 7, ['x']],
  'safetySettings[0].category': [...noEnum, 'HARASSMENT'],
  'safetySettings[0].threshold': [...noEnum, 'BLOCK_SOME'],
  'safetySettings[0].method': noEnum,
  cachedContent: googleName,
  serviceTier: googleName,
  labels: noObject,
  store: googleSwitch,
  generationConfig: noObject,
  [`${config}.candidateCount`]: [...googleWhole, -1, 11],
  [`${config}.responseModalities`]: ['SMELL', 7, ['SMELL'], ['AUDIO'], ['TEXT'], [7]],
  [`${config}.imageConfig`]: noObject,
  [`${config}.imageConfig.aspectRatio`]: [...googleName, 'wide', '1:8', '0:1'],
  [`${config}.imageConfig.imageSize`]: [...googleName, '3K', 'big'],
  [`${config}.imageConfig.personGeneration`]: [...noEnum, 'ALLOW_SOME'],
  [`${config}.imageConfig.prominentPeople`]: noEnum,
  [`${config}.imageConfig.imageOutputOptions`]: noObject,
  [`${config}.imageConfig.imageOutputOptions.mimeType`]: [...googleName, 'image/gif', 'png'],
  [`${config}.imageConfig.imageOutputOptions.compressionQuality`]: [...googleWhole, -1, 101],
  [`${config}.responseFormat`]: ['x', 7, ['x']],
  [`${config}.responseFormat[0].image`]: noObject,
  [`${config}.responseFormat[0].image.aspectRatio`]: [...googleName, 'wide'],
  [`${config}.responseFormat[0].image.imageSize`]: [...googleName, '3K', 'IMAGE_SIZE_EIGHT_K'],
  [`${config}.responseFormat[0].image.mimeType`]: [...googleName, 'image/gif'],
  [`${config}.responseFormat[0].image.delivery`]: [...googleName, 'URI', 'SOMETHING'],
  [`${config}.seed`]: googleWhole,
  [`${config}.mediaResolution`]: ['sharp', 7, true, ['x']],
  [`${config}.thinkingConfig`]: noObject,
  [`${config}.thinkingConfig.includeThoughts`]: googleSwitch,
  [`${config}.thinkingConfig.thinkingBudget`]: [...googleWhole, -2],
  [`${config}.thinkingConfig.thinkingLevel`]: [...noEnum, 'HIGHEST'],
  [`${config}.temperature`]: [...googleNumber, -0.1, 2.1],
  [`${config}.topP`]: [...googleNumber, -0.1, 1.1],
  [`${config}.topK`]: [...googleNumber, -1],
  [`${config}.maxOutputTokens`]: [...googleWhole, -1],
  [`${config}.stopSequences`]: [7, [7], { a: 1 }],
  [`${config}.presencePenalty`]: [...googleNumber, -2.1, 2.1],
  [`${config}.frequencyPenalty`]: [...googleNumber, -2.1, 2.1],
  [`${config}.responseLogprobs`]: googleSwitch,
  [`${config}.logprobs`]: [...googleWhole, -1, 21],
  [`${config}.responseSchema`]: noObject,
  [`${config}.speechConfig`]: noObject,
  [`${config}.enableEnhancedCivicAnswers`]: googleSwitch,
  [`${config}.responseFormat[0].text`]: noObject,
  [`${config}.responseFormat[0].audio`]: noObject,
  [`${config}.responseMimeType`]: googleName,
}

const inPrediction: Readonly<Record<string, readonly unknown[]>> = {
  instances: ['x', 7, ['x'], [], [{ prompt: 'A' }, { prompt: 'B' }]],
  'instances[0].prompt': [...googleText, '', ' ', 'x'.repeat(32_001)],
  'instances[0].image': noObject,
  'instances[0].image.bytesBase64Encoded': [...googleText, '%%%', 'AAAA'],
  'instances[0].image.gcsUri': [...googleText, 'bucket/a.png', 'gs://'],
  'instances[0].image.mimeType': googleName,
  'instances[0].referenceImages': ['x', 7, ['x']],
  'instances[0].referenceImages[0].referenceType': [...googleName, 'REFERENCE_TYPE_MASK'],
  'instances[0].referenceImages[0].referenceId': googleWhole,
  'instances[0].referenceImages[0].referenceImage': noObject,
  'instances[0].mask': [{}, 'x'],
  parameters: noObject,
  'parameters.sampleCount': [...googleWhole, -1, 11],
  'parameters.aspectRatio': [...googleName, 'wide', '7:5'],
  'parameters.sampleImageSize': [...googleName, '3K'],
  'parameters.imageSize': [...googleName, '3K'],
  'parameters.outputOptions': noObject,
  'parameters.outputOptions.mimeType': [...googleName, 'image/gif'],
  'parameters.outputOptions.compressionQuality': [...googleWhole, -1, 101],
  'parameters.seed': googleWhole,
  'parameters.negativePrompt': googleText,
  'parameters.personGeneration': [...noEnum, 'ALLOW_NONE'],
  'parameters.safetySetting': googleName,
  'parameters.safetyFilterLevel': googleName,
  'parameters.addWatermark': googleSwitch,
  'parameters.enhancePrompt': googleSwitch,
  'parameters.includeRaiReason': googleSwitch,
  'parameters.includeSafetyAttributes': googleSwitch,
  'parameters.language': googleName,
  'parameters.storageUri': googleName,
  'parameters.guidanceScale': googleNumber,
}

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** For titles. */
function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}… (${text.length})` : text
}

/** A call for each wrong value in each spelling. */
const callsOf = (
  wrong: Readonly<Record<string, readonly unknown[]>>,
  respelt: (field: string) => string,
  callOf: (field: string, value: unknown) => Omit<WrongCall, 'title'>,
): readonly WrongCall[] =>
  Object.entries(wrong).flatMap(([field, values]) =>
    values.flatMap(value =>
      [...new Set([field, respelt(field)])].map(spelt => ({
        ...callOf(spelt, value),
        title: `${spelt}: ${shown(value)}`,
      })),
    ),
  )

const imagesPath = '/v1/images/generations'

const beside = (field: string) => {
  if (field === 'mask') return { image: png }
  return field === 'width' ? { height: 64 } : field === 'height' ? { width: 64 } : {}
}

/** OpenAI's fields and its resellers'. */
export const wrongPaintings = (model: string): readonly WrongCall[] =>
  callsOf(inPainting, camel, (field, value) => ({
    path: imagesPath,
    body: { model, prompt: 'A kite', ...beside(field), [field]: value },
    field,
  }))

/** Its fields that only some upstream has. The ratio is another vendor's word, so that the call is translated everywhere. */
export const wrongExtras = (model: string): readonly WrongCall[] =>
  callsOf(inExtras, camel, (field, value) => ({
    path: imagesPath,
    body: { model, prompt: 'A kite', aspect_ratio: '1:1', image: png, [field]: value },
    field,
  }))

/** Google's fields. */
export const wrongGenerations = (model: string): readonly WrongCall[] =>
  callsOf(inGeneration, camelToSnake, (field, value) => {
    const body = nested(field, value)
    const [first] = Array.isArray(body.contents) ? body.contents : []
    // Something to paint, so that the field at fault is all that is wrong.
    if (Array.isArray(first?.parts)) first.parts.push({ text: 'A kite' })
    const contents = [{ role: 'user', parts: [{ text: 'A kite' }] }]
    return {
      path: `/v1beta/models/${model}:generateContent`,
      body: { contents, ...body },
      field: camelToSnake(field),
    }
  })

/** Imagen's. */
export const wrongPredictions = (model: string): readonly WrongCall[] =>
  callsOf(inPrediction, camelToSnake, (field, value) => {
    const body = nested(field, value)
    const [instance = {}] = Array.isArray(body.instances) ? body.instances : []
    const isInside = field.startsWith('instances[0].') && typeof instance === 'object'
    const instances = isInside ? [{ prompt: 'A kite', ...instance }] : [{ prompt: 'A kite' }]
    return {
      path: `/v1beta/models/${model}:predict`,
      body: { instances, ...body, ...(isInside && { instances }) },
      field: camelToSnake(field),
    }
  })

/** `field`, or a place below it. */
const placeIn = (field: string) =>
  expect.stringMatching(new RegExp(`^${field.replaceAll(/[[\].]/g, '\\$&')}(?:$|[[.])`))

/** A refusal in OpenAI's envelope, for this field. */
export function expectOpenai({ status, json }: Told, field: string): void {
  expect(json.error).toMatchObject({ type: 'invalid_request_error', param: placeIn(field) })
  expect([400, 413]).toContain(status)
  expect(json.error.message.length).toBeLessThan(500)
}

/** And in Google's. */
export function expectGoogle({ status, json }: Told, field: string): void {
  expect(json.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' })
  expect(json.error.details?.[0].fieldViolations[0].field).toEqual(placeIn(field))
  expect(status).toBe(400)
  expect(json.error.message.length).toBeLessThan(500)
}
