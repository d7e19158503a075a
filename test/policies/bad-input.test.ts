/** Bad input on translated paths: whatever field of whatever protocol is wrong, its caller is told which, and nobody is called. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ExtraFields, ImageFields } from '../../src/protocols/openai/request-wire.ts'
import { ask, type Told, told } from '../helpers/callers.ts'
import { type FormPart, postForm } from '../helpers/forms.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { numberedPicture } from '../helpers/pictures.ts'
import { type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'

let upstream: ScriptedUpstream
/** A Gemini upstream: OpenAI's callers are translated, and so is `:predict`. */
let google: TestGateway
/** An OpenAI upstream: Google's callers are translated. */
let openai: TestGateway
let png = ''

beforeAll(async () => {
  png = (await numberedPicture('png')).toString('base64')
  upstream = await startUpstream((_request, response) => void response.writeHead(500).end())
  google = await startGateway({ upstream: upstream.url })
  const upstreamConfig = {
    name: 'openai',
    protocol: 'openai',
    dialect: 'openai',
    baseUrl: `${upstream.url}/v1`,
  } as const
  openai = await startGateway({ upstream: upstream.url, upstreamConfig })
})
afterAll(async () => {
  for (const each of [google, openai, upstream]) await each.close()
})
afterEach(() => {
  expect(upstream.seen.splice(0)).toEqual([])
})

/** For titles. */
const shown = (value: unknown) => {
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}… (${text.length})` : text
}

const rowsOf = (wrong: Readonly<Record<string, readonly unknown[]>>) =>
  Object.entries(wrong).flatMap(([field, values]) => values.map(value => ({ field, value, title: shown(value) })))

/** `field`, or a place below it. */
const placeIn = (field: string) =>
  expect.stringMatching(new RegExp(`^${field.replaceAll(/[[\].]/g, '\\$&')}(?:$|[[.])`))

function expectOpenai({ status, json }: Told, field: string): void {
  expect(json.error).toMatchObject({ type: 'invalid_request_error', param: placeIn(field) })
  expect([400, 413]).toContain(status)
  expect(json.error.message.length).toBeLessThan(500)
}

function expectGoogle({ status, json }: Told, field: string): void {
  expect(json.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' })
  expect(json.error.details?.[0].fieldViolations[0].field).toEqual(placeIn(field))
  expect(status).toBe(400)
  expect(json.error.message.length).toBeLessThan(500)
}

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

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

describe('OpenAI’s fields', () => {
  const wrong: Readonly<Record<keyof typeof ImageFields.shape, readonly unknown[]>> = {
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
  const sides = { width: { height: 64 }, height: { width: 64 } } as const
  const rows = rowsOf(wrong)
  test.each(rows)('$field: $title', async ({ field, value }) => {
    const others = {
      ...(field in sides && sides[field as keyof typeof sides]),
      ...(field === 'mask' && { image: png }),
    }
    for (const spelt of new Set([field, camel(field)])) {
      const body = { model: 'gemini-3.1-flash-image', prompt: 'A kite', ...others, [spelt]: value }
      expectOpenai(await ask(google, '/v1/images/generations', body), spelt)
    }
  })

  test.each([
    [{ size: '1024x1024', width: 512, height: 512 }, 'size'],
    [{ size: '16:9', width: 512, height: 512 }, 'size'],
    [{ image_size: '1K', resolution: '2K' }, 'image_size'],
    [{ aspect_ratio: '1:1', aspectRatio: '16:9' }, 'aspectRatio'],
    [{ n: 1, N: 2, output_format: 'png', outputFormat: 'webp' }, 'outputFormat'],
    [{ width: 512 }, 'height'],
    [{ height: 512 }, 'width'],
    [{ mask: 'x' }, 'mask'],
    [{ output_format: 'png', output_compression: 50 }, 'output_compression'],
  ])('two that exclude each other: %j', async (body, field) => {
    expectOpenai(await ask(google, '/v1/images/generations', { prompt: 'A kite', ...body }), field)
  })

  test('more pictures than there may be, in one field or in several', async () => {
    const some = (count: number) => Array.from({ length: count }, () => png)
    for (const [body, field] of [
      [{ image: some(17) }, 'image'],
      [{ images: some(10), image_urls: some(7) }, 'image_urls'],
      [{ image: some(15) }, 'image'],
    ] as const) {
      expectOpenai(await ask(google, '/v1/images/edits', { prompt: 'A kite', ...body }), field)
    }
  })

  test.each([
    [{ name: 'n', value: 'two' }, 'n'],
    [{ name: 'n', value: '11' }, 'n'],
    [{ name: 'stream', value: 'yes' }, 'stream'],
    [{ name: 'output_format', value: 'gif' }, 'output_format'],
    [{ name: 'output_compression', value: '1e2' }, 'output_compression'],
    [{ name: 'size', value: 'huge' }, 'size'],
    [{ name: 'image', value: 'no picture', fileName: 'a.png', type: 'image/png' }, 'image'],
    [{ name: 'image', value: '', fileName: 'a.png', type: 'image/png' }, 'image'],
    [{ name: 'image', value: 'no picture' }, 'image'],
    [{ name: 'image', value: '' }, 'image'],
    [{ name: 'input_references[]', value: '' }, 'input_references'],
    [{ name: 'mask', value: 'no picture', fileName: 'a.png', type: 'image/png' }, 'mask'],
    [{ name: 'prompt', value: 'A', fileName: 'a.png', type: 'image/png' }, 'prompt'],
    [{ name: 'size', value: 'A', fileName: 'a.png', type: 'image/png' }, 'size'],
  ] satisfies readonly (readonly [FormPart, string])[])('in a form: %j', async (part, field) => {
    const image = { name: 'image', value: Buffer.from(png, 'base64'), fileName: 'b.png', type: 'image/png' }
    const parts = [
      ...(field === 'prompt' ? [] : [{ name: 'prompt', value: 'A kite' }]),
      ...(field === 'image' ? [] : [image]),
      part,
    ]
    expectOpenai(await told(google, await postForm(`${google.url}/v1/images/edits`, parts)), field)
    // Read as one that may be passed on; the ratio is another vendor's word, so that it is not.
    const translated = [...parts, { name: 'model', value: 'gpt-image-2' }, { name: 'aspect_ratio', value: '1:1' }]
    expectOpenai(await told(openai, await postForm(`${openai.url}/v1/images/edits`, translated)), field)
  })

  test.each(['[]', '"text"', '7', 'null', '', '{', '{"prompt":"A","prompt":"B"'])(
    'no object at all: %s',
    async body => {
      const { status, json } = await ask(google, '/v1/images/generations', body)
      expect([status, json.error.type]).toEqual([400, 'invalid_request_error'])
    },
  )
})

describe('OpenAI’s fields that only some upstream has, wherever the call goes', () => {
  const noLabel = [7, true, ['me'], { a: 1 }, long]
  const wrong: Readonly<Record<keyof typeof ExtraFields.shape, readonly unknown[]>> = {
    quality: ['best', 7, ['low'], { a: 1 }, long],
    moderation: ['none', 7, true],
    complexity: ['huge', 7, true],
    user: noLabel,
    safety_identifier: noLabel,
    input_fidelity: ['exact', 7, true],
    style: noLabel,
    negative_prompt: [7, true, ['rain'], { a: 1 }],
    steps: [...noWhole, 0, -1],
    cfg: ['x', true, [1], { a: 1 }, -1],
    safety_settings: [
      'x',
      7,
      {},
      ['x'],
      [{ category: 7 }],
      [{ threshold: ['OFF'] }],
      [{ level: 'x' }],
      Array.from({ length: 33 }, () => ({ category: 'x' })),
    ],
  }
  const rows = rowsOf(wrong)

  // The ratio is another vendor's word, so that the call is translated.
  test.each(rows)('$field: $title', async ({ field, value }) => {
    for (const spelt of new Set([field, camel(field)])) {
      const body = { prompt: 'A kite', aspect_ratio: '1:1', image: png, [spelt]: value }
      const path = '/v1/images/generations'
      expectOpenai(await ask(openai, path, { model: 'gpt-image-2', ...body }), spelt)
      expectOpenai(await ask(google, path, { model: 'gemini-3.1-flash-image', ...body }), spelt)
    }
  })

  test.each([
    [{ safety_identifier: 'me', safetyIdentifier: 'you' }, 'safetyIdentifier'],
    [{ input_fidelity: 'low', inputFidelity: 'high' }, 'inputFidelity'],
  ])('two that differ: %j', async (fields, field) => {
    expectOpenai(await ask(google, '/v1/images/generations', { prompt: 'A kite', ...fields }), field)
  })

  test.each([
    ['steps', 'many'],
    ['cfg', '1e2'],
    ['quality', 'best'],
  ])('in a form: %s', async (field, value) => {
    const parts = [
      { name: 'prompt', value: 'A kite' },
      { name: 'image', value: Buffer.from(png, 'base64'), fileName: 'b.png', type: 'image/png' },
      { name: field, value },
    ]
    expectOpenai(await told(google, await postForm(`${google.url}/v1/images/edits`, parts)), field)
  })
})

describe('what a vendor lacks', () => {
  const flash = 'gemini-3.1-flash-image'
  const cases = [
    [{ protocol: 'openai', dialect: 'aimlapi' }, { model: flash, aspect_ratio: '3:2' }, 'aspect_ratio'],
    [{ protocol: 'openai', dialect: 'aimlapi' }, { model: flash, resolution: '512' }, 'resolution'],
    [{ protocol: 'openai', dialect: 'aimlapi' }, { model: flash, image: 6 }, 'image'],
    [{ protocol: 'openai', dialect: 'nano-banana' }, { model: flash, aspect_ratio: '1:8' }, 'aspect_ratio'],
    [{ protocol: 'openai', dialect: 'nano-banana' }, { model: 'nano-banana-pro', image_size: '2K' }, 'image_size'],
    [{ protocol: 'openai', dialect: 'nano-banana' }, { model: flash, enable_web_search: true }, 'enable_web_search'],
    [{ protocol: 'openai', dialect: 'zenlayer' }, { model: flash, aspect_ratio: '1:4' }, 'aspect_ratio'],
    [{ protocol: 'openai', dialect: 'zenlayer' }, { model: flash, image_size: '512' }, 'image_size'],
    [{ protocol: 'openai', dialect: 'zenlayer' }, { model: flash, image: 1 }, 'image'],
    [{ protocol: 'openai', dialect: 'zenlayer' }, { model: 'nano-banana', image: 4 }, 'image'],
    [{ protocol: 'gemini', dialect: 'zenlayer' }, { model: flash, aspect_ratio: '4:5' }, 'aspect_ratio'],
    [{ protocol: 'gemini', dialect: 'zenlayer' }, { model: 'nano-banana', image: 4 }, 'image'],
    [{ protocol: 'gemini', dialect: 'vertex' }, { model: 'nano-banana', image: 4 }, 'image'],
    [{ protocol: 'gemini', dialect: 'google' }, { model: flash, image: 15 }, 'image'],
    [{ protocol: 'openai', dialect: 'openai' }, { model: 'gpt-image-2', aspect_ratio: '1:4' }, 'aspect_ratio'],
    [{ protocol: 'openai', dialect: 'openai' }, { model: 'gpt-image-1.5', aspect_ratio: '16:9' }, 'aspect_ratio'],
    [{ protocol: 'openai', dialect: 'openai' }, { model: 'gpt-image-2', image: 17 }, 'image'],
    [{ protocol: 'openai', dialect: 'azure' }, { model: 'gpt-image-2', enableWebSearch: true }, 'enableWebSearch'],
  ] as const
  test.each(cases)('%j: %j', async ({ protocol, dialect }, { ...body }, field) => {
    const baseUrl = `${upstream.url}${protocol === 'openai' ? '/v1' : ''}`
    const own = await startGateway({ upstream: baseUrl, upstreamConfig: { name: dialect, protocol, dialect, baseUrl } })
    const image = 'image' in body ? { image: Array.from({ length: body.image }, () => png) } : {}
    expectOpenai(await ask(own, '/v1/images/generations', { prompt: 'A kite', ...body, ...image }), field)
    await own.close()
  })
})

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

describe('Google’s fields', () => {
  const config = 'generationConfig'
  const wrong: Readonly<Record<string, readonly unknown[]>> = {
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
    [`${config}.responseFormat[0].image.delivery`]: [...googleName, 'URI'],
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
  const rows = rowsOf(wrong)
  const path = '/v1beta/models/gpt-image-2:generateContent'
  const contents = [{ role: 'user', parts: [{ text: 'A kite' }] }]

  test.each(rows)('$field: $title', async ({ field, value }) => {
    for (const spelt of new Set([field, camelToSnake(field)])) {
      const body = nested(spelt, value)
      const [first] = Array.isArray(body.contents) ? body.contents : []
      // Something to paint, so that the field at fault is all that is wrong.
      if (Array.isArray(first?.parts)) first.parts.push({ text: 'A kite' })
      expectGoogle(await ask(openai, path, { contents, ...body }), camelToSnake(field))
    }
  })

  const withFormat = (imageConfig: object, image: object) => ({
    contents,
    generationConfig: { imageConfig, responseFormat: [{ image }] },
  })
  const inlineData = () => ({ mimeType: 'image/png', data: png })
  test.each([
    [
      () => ({
        contents: [{ parts: [{ inlineData: inlineData(), fileData: { fileUri: 'https://example.com/a.png' } }] }],
      }),
      'contents[0].parts[0]',
    ],
    [() => ({ contents: [{ parts: [{ text: 'A', inlineData: inlineData() }] }] }), 'contents[0].parts[0]'],
    [() => ({ contents, generationConfig: { seed: 1 }, generation_config: { seed: 2 } }), 'generation_config'],
    [
      () => ({ contents, generationConfig: { imageConfig: { imageSize: '1K', image_size: '2K' } } }),
      'generation_config.image_config.image_size',
    ],
    [
      () => ({ contents, generationConfig: { thinkingConfig: { thinkingBudget: 1, thinkingLevel: 'LOW' } } }),
      'generation_config.thinking_config.thinking_level',
    ],
    [
      () => withFormat({ aspectRatio: '1:1' }, { aspectRatio: '16:9' }),
      'generation_config.response_format[0].image.aspect_ratio',
    ],
    [
      () => withFormat({ imageSize: '1K' }, { imageSize: 'IMAGE_SIZE_TWO_K' }),
      'generation_config.response_format[0].image.image_size',
    ],
    [
      () => withFormat({ imageOutputOptions: { mimeType: 'image/png' } }, { mimeType: 'image/webp' }),
      'generation_config.response_format[0].image.mime_type',
    ],
    [
      () => ({ contents, generationConfig: { responseFormat: [{ image: {} }, { text: {} }, { image: {} }] } }),
      'generation_config.response_format[2].image',
    ],
  ] as const)('two that exclude each other: %#', async (body, field) => {
    expectGoogle(await ask(openai, path, body()), field)
  })

  test('more pictures than there may be', async () => {
    const parts = [{ text: 'A kite' }, ...Array.from({ length: 17 }, () => ({ inlineData: inlineData() }))]
    expectGoogle(await ask(openai, path, { contents: [{ parts }] }), 'contents')
  })

  test.each(['{}', '{"contents":[]}', '{"contents":[{"role":"model","parts":[{"text":"A"}]}]}'])(
    'nothing asked: %s',
    async body => expectGoogle(await ask(openai, path, body), 'contents'),
  )
})

describe('Imagen’s fields', () => {
  const wrong: Readonly<Record<string, readonly unknown[]>> = {
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
  const rows = rowsOf(wrong)
  const path = '/v1beta/models/nano-banana-2:predict'

  test.each(rows)('$field: $title', async ({ field, value }) => {
    for (const spelt of new Set([field, camelToSnake(field)])) {
      const body = nested(spelt, value)
      const [instance = {}] = Array.isArray(body.instances) ? body.instances : []
      const isInside = field.startsWith('instances[0].') && typeof instance === 'object'
      const instances = isInside ? [{ prompt: 'A kite', ...instance }] : [{ prompt: 'A kite' }]
      expectGoogle(await ask(google, path, { instances, ...body, ...(isInside && { instances }) }), camelToSnake(field))
    }
  })

  test('a picture and the address of one', async () => {
    const image = { bytesBase64Encoded: png, gcsUri: 'gs://bucket/a.png' }
    const body = { instances: { prompt: 'A kite', image } }
    expectGoogle(await ask(google, path, body), 'instances[0].image.gcs_uri')
  })

  test('two sizes that differ', async () => {
    const parameters = { sampleImageSize: '1K', imageSize: '2K' }
    expectGoogle(await ask(google, path, { instances: { prompt: 'A kite' }, parameters }), 'parameters.image_size')
  })
})
