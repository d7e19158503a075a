/** What Google refuses, the sandbox refuses in the same words. */
import { expect, test } from 'vitest'
import { picture } from '../helpers/pictures.ts'
import { ask, fixedModel, flashModel, proModel, readAnswer, request, startSandbox } from './setup.ts'

const fixed = fixedModel.id
const hello = { parts: [{ text: 'a hill' }] }
const withConfig = (generationConfig: object) => ({ contents: [hello], generationConfig })
const withPart = (part: unknown) => ({ contents: [{ parts: [{ text: 'a hill' }, part] }] })
const withTool = (tool: object) => ({ contents: [hello], tools: [tool] })
const withRatio = (aspectRatio: string) => withConfig({ imageConfig: { aspectRatio } })
const withSize = (imageSize: string) => withConfig({ imageConfig: { imageSize } })
const png = (await picture('png')).toString('base64')
const inline = (mimeType: string, data: string) => withPart({ inlineData: { mimeType, data } })
const type = 'type.googleapis.com/google.ai.generativelanguage.v1beta'
const received = 'Invalid JSON payload received.'

interface Refusal {
  readonly what: string
  readonly body: unknown
  readonly model?: string
  readonly says: string
}

const refusals: readonly Refusal[] = [
  {
    what: 'an unknown field',
    body: { contents: [hello], colour: 'red' },
    says: `${received} Unknown name "colour": Cannot find field.`,
  },
  {
    what: 'an unknown field of a part',
    body: { contents: [{ parts: [{ text: 'a', image_url: 'x' }] }] },
    says: `${received} Unknown name "image_url" at 'contents[0].parts[0]': Cannot find field.`,
  },
  {
    what: "Vertex AI's personGeneration",
    body: withConfig({ imageConfig: { personGeneration: 'ALLOW_ALL' } }),
    says: `${received} Unknown name "personGeneration" at 'generation_config.image_config': Cannot find field.`,
  },
  {
    what: "Vertex AI's imageOutputOptions",
    body: {
      contents: [hello],
      generation_config: { image_config: { image_output_options: { mime_type: 'image/png' } } },
    },
    says: `${received} Unknown name "image_output_options" at 'generation_config.image_config': Cannot find field.`,
  },
  {
    what: 'a field named __proto__',
    body: '{"__proto__":{}}',
    says: `${received} Unknown name "__proto__": Cannot find field.`,
  },
  { what: 'a body that is a list', body: '[]', says: `${received} Unknown name "": Root element must be a message.` },
  { what: 'a body that is null', body: 'null', says: `${received} Unknown name "": Root element must be a message.` },
  { what: 'broken JSON', body: '{"contents":[}', says: `${received} Unexpected token.` },
  { what: 'JSON that ends too early', body: '{"contents":[', says: `${received} Unexpected end of string.` },
  {
    what: 'bytes that are no UTF-8',
    body: Buffer.from([0x7b, 0xff, 0x7d]),
    says: `${received} Encountered non UTF-8 code points.`,
  },
  {
    what: 'a number as text',
    body: withPart({ text: 5 }),
    says: "Invalid value at 'contents[0].parts[1].text' (TYPE_STRING), 5",
  },
  {
    what: 'a word as number',
    body: withConfig({ temperature: 'hot' }),
    says: `Invalid value at 'generation_config.temperature' (TYPE_FLOAT), "hot"`,
  },
  {
    what: 'half a seed',
    body: withConfig({ seed: 1.5 }),
    says: "Invalid value at 'generation_config.seed' (TYPE_INT32), 1.5",
  },
  {
    what: 'a number as switch',
    body: withPart({ text: 'a', thought: 1 }),
    says: "Invalid value at 'contents[0].parts[1].thought' (TYPE_BOOL), 1",
  },
  {
    what: 'a word as message',
    body: { contents: 'a hill' },
    says: `Invalid value at 'contents[0]' (${type}.Content), "a hill"`,
  },
  {
    what: 'a list where one is due',
    body: { contents: [hello], generationConfig: [] },
    says: `${received} Unknown name "generationConfig": Proto field is not repeating, cannot start list.`,
  },
  {
    what: 'a modality nobody has',
    body: withConfig({ responseModalities: ['SMELL'] }),
    says: `Invalid value at 'generation_config.response_modalities[0]' (${type}.GenerationConfig.Modality), "SMELL"`,
  },
  {
    what: "Vertex AI's harm categories",
    body: { contents: [hello], safetySettings: { category: 'HARM_CATEGORY_IMAGE_HATE', threshold: 'OFF' } },
    says: `Invalid value at 'safety_settings[0].category' (${type}.HarmCategory), "HARM_CATEGORY_IMAGE_HATE"`,
  },
  {
    what: 'text and picture in one part',
    body: withPart({ text: 'a', inlineData: { mimeType: 'image/png', data: png } }),
    says: "oneof field 'data' is already set. Cannot set 'inlineData'",
  },
  { what: 'no contents', body: {}, says: '* GenerateContentRequest.contents: contents is not specified' },
  { what: 'an empty body', body: '', says: '* GenerateContentRequest.contents: contents is not specified' },
  {
    what: 'empty contents',
    body: { contents: [] },
    says: '* GenerateContentRequest.contents: contents is not specified',
  },
  {
    what: 'contents without parts',
    body: { contents: [{ role: 'user', parts: [] }] },
    says: 'Request has empty input.',
  },
  {
    what: 'a turn without parts',
    body: { contents: [hello, { parts: [] }] },
    says: 'contents[1].parts: contents.parts must not be empty',
  },
  {
    what: 'a part without data',
    body: withPart({}),
    says: "parts[1].data: required oneof field 'data' must have one initialized field",
  },
  {
    what: 'the role assistant',
    body: { contents: [{ role: 'assistant', parts: [{ text: 'a' }] }] },
    says: 'Please use a valid role: user, model.',
  },
  { what: 'a ratio nobody has', body: withRatio('7:3'), says: "aspect_ratio must be one of '1:1', '1:4'" },
  {
    what: 'a ratio the model lacks',
    body: withRatio('1:8'),
    model: fixed,
    says: 'Aspect ratio 1:8 is not supported for this model',
  },
  {
    what: 'a size nobody has',
    body: withSize('8K'),
    says: "Unsupported image_size '8K'. Supported values are: 1K, 2K, 4K, 512, 512P, 512PX.",
  },
  { what: 'a size in small letters', body: withSize('2k'), says: "Unsupported image_size '2k'." },
  {
    what: 'a size the model lacks',
    body: withSize('512'),
    model: proModel.id,
    says: 'Image size 512 is not supported for this model',
  },
  {
    what: '2K from a model of one size',
    body: withSize('2K'),
    model: fixed,
    says: 'Image size 2K is not supported for this model',
  },
  {
    what: 'two candidates',
    body: withConfig({ candidateCount: 2 }),
    says: 'Multiple candidates is not enabled for this model',
  },
  {
    what: 'no candidates',
    body: withConfig({ candidateCount: 0 }),
    says: 'candidate_count must be in the range [1, 8].',
  },
  {
    what: 'too much temperature',
    body: withConfig({ temperature: 2.5 }),
    says: 'temperature must be in the range [0, 2].',
  },
  {
    what: 'text alone',
    body: withConfig({ responseModalities: ['TEXT'] }),
    says: 'requested combination of response modalities (TEXT) is not supported',
  },
  {
    what: 'sound',
    body: withConfig({ responseModalities: ['IMAGE', 'AUDIO'] }),
    says: 'response modalities (IMAGE, AUDIO) is not supported',
  },
  {
    what: 'JSON as answer',
    body: withConfig({ responseMimeType: 'application/json' }),
    says: 'JSON mode is not enabled for this model',
  },
  {
    what: 'a thinking budget beside a level',
    body: withConfig({ thinkingConfig: { thinkingBudget: 100, thinkingLevel: 'HIGH' } }),
    says: 'You can only set only one of thinking budget and thinking level.',
  },
  {
    what: 'thought of a model without',
    body: withConfig({ thinkingConfig: { includeThoughts: true } }),
    model: fixed,
    says: 'Thinking is not enabled for this model',
  },
  {
    what: 'a level the model lacks',
    body: withConfig({ thinkingConfig: { thinkingLevel: 'LOW' } }),
    says: 'Thinking level LOW is not supported for this model',
  },
  {
    what: 'search of a model without',
    body: withTool({ googleSearch: {} }),
    model: fixed,
    says: 'Search as tool is not enabled for this model',
  },
  {
    what: 'functions',
    body: withTool({ functionDeclarations: [{ name: 'f' }] }),
    says: 'Function calling is not enabled for this model',
  },
  { what: 'code', body: withTool({ codeExecution: {} }), says: 'Tool codeExecution is not enabled for this model' },
  { what: 'a GIF', body: inline('image/gif', png), says: 'Unsupported MIME type: image/gif' },
  {
    what: 'image/jpg, which is no media type',
    body: inline('image/jpg', png),
    says: 'Unsupported MIME type: image/jpg',
  },
  { what: 'a picture without type', body: withPart({ inlineData: { data: png } }), says: 'Unsupported MIME type: ' },
  {
    what: 'a picture that is no base64',
    body: inline('image/png', 'data:image/png;base64,aaaa'),
    says: "Invalid value at 'contents[0].parts[1].inline_data.data' (TYPE_BYTES), Base64 decoding failed",
  },
  {
    what: 'a picture that is none',
    body: inline('image/png', Buffer.from('no picture at all').toString('base64')),
    says: 'Unable to process input image',
  },
  {
    what: 'half a picture',
    body: inline('image/png', png.slice(0, Math.floor(png.length / 8) * 4)),
    says: 'Unable to process input image',
  },
  { what: 'an empty picture', body: inline('image/png', ''), says: 'Unable to process input image' },
  {
    what: 'a drawing as reference',
    body: inline(
      'image/png',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>').toString('base64'),
    ),
    says: 'Unable to process input image',
  },
  {
    what: 'an address',
    body: withPart({ fileData: { fileUri: 'https://example.com/a.png' } }),
    says: 'Cannot fetch content from the provided URL.',
  },
  {
    what: 'more references than the model takes',
    body: {
      contents: [{ parts: Array.from({ length: 4 }, () => ({ inlineData: { mimeType: 'image/png', data: png } })) }],
    },
    says: 'At most 3 images are supported for this model.',
  },
  {
    what: 'a thought signature that was altered',
    body: { contents: [hello, { role: 'model', parts: [{ text: 'b', thoughtSignature: 'AAAA' }] }, hello] },
    says: 'invalid thought signature for content at index 1',
  },
  {
    what: 'delivery by address',
    body: withConfig({ responseFormat: { image: { delivery: 'URI' } } }),
    says: 'URI delivery is not supported',
  },
]

test.for(refusals)('$what is refused', async ({ body, model, says }) => {
  const url = await startSandbox()
  const response = await ask(url, body, model ? { model } : {})
  const { error } = await readAnswer(response)
  expect(error?.message).toContain(says)
  expect(error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' })
  expect(response.status).toBe(400)
})

test('all mistakes of form are told at once, each with its place', async () => {
  const url = await startSandbox()
  const body = { contents: [hello], generationConfig: { imageConfig: { quality: 1 }, topK: 'x' }, n: 2 }
  const { error } = await readAnswer(await ask(url, body))
  const places = ['generation_config.image_config', 'generation_config.top_k', undefined]
  expect(error?.details).toMatchObject([{ '@type': 'type.googleapis.com/google.rpc.BadRequest' }])
  const [detail] = error?.details ?? []
  const { fieldViolations } = detail as { fieldViolations: { field?: string; description: string }[] }
  expect(fieldViolations.map(({ field }) => field)).toEqual(places)
  expect(error?.message).toBe(fieldViolations.map(({ description }) => description).join('\n'))
})

const accepted: readonly (readonly [string, object])[] = [
  [
    'one thing where a list is due',
    { contents: { parts: { text: 'a hill' } }, generationConfig: { imageConfig: { imageSize: '512' } } },
  ],
  [
    'snake_case',
    { contents: [hello], generation_config: { image_config: { image_size: '512', aspect_ratio: '1:1' } } },
  ],
  [
    'both spellings mixed',
    {
      contents: [hello],
      generationConfig: { image_config: { imageSize: '512' }, thinkingConfig: { include_thoughts: false } },
    },
  ],
  ['null for what is absent', { ...request('a hill'), systemInstruction: null, tools: null }],
  ['numbers in quotes', request('a hill', { seed: '7', temperature: '1.0', candidateCount: 1 })],
  ['modalities in any case', request('a hill', { responseModalities: ['Text', 'image'] })],
  ['512P', request('a hill', {}, { imageSize: '512P' })],
  ['an upper-case role', { ...request('a hill'), contents: [{ role: 'USER', parts: [{ text: 'a hill' }] }] }],
  [
    'search on a model that has it',
    { ...request('a hill'), tools: [{ google_search: { searchTypes: { webSearch: {} } } }] },
  ],
  [
    'responseFormat, without effect',
    request('a hill', { responseFormat: { image: { aspectRatio: '9:16', imageSize: '2K' } } }),
  ],
  [
    'safety settings',
    { ...request('a hill'), safetySettings: { category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' } },
  ],
]

test.for(accepted)('%s is taken', async ([, body]) => {
  const url = await startSandbox()
  const response = await ask(url, body)
  expect((await readAnswer(response)).error).toBeUndefined()
  expect(response.status).toBe(200)
})

test('on a model of one size, 1K is taken and changes nothing', async () => {
  const url = await startSandbox()
  const response = await ask(url, withSize('1K'), { model: fixed })
  expect(response.status).toBe(200)
})

test('base64 may be of either alphabet, padded or not', async () => {
  const url = await startSandbox()
  const reference = await picture('jpeg', { width: 67, height: 31 })
  for (const data of [reference.toString('base64'), reference.toString('base64url')]) {
    const body = {
      ...request('x'),
      contents: [{ parts: [{ text: 'x' }, { inline_data: { mime_type: 'image/jpeg', data } }] }],
    }
    expect((await ask(url, body, { model: flashModel.id })).status).toBe(200)
  }
})
