/** Bad input on translated paths: whatever field of whatever protocol is wrong, its caller is told which, and nobody is called. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ask, told } from '../helpers/callers.ts'
import { type FormPart, postForm } from '../helpers/forms.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'
import {
  expectGoogle,
  expectOpenai,
  png,
  wrongExtras,
  wrongGenerations,
  wrongPaintings,
  wrongPredictions,
} from './wrong-calls.ts'

let upstream: ScriptedUpstream
/** A Gemini upstream: OpenAI's callers are translated, and so is `:predict`. */
let google: TestGateway
/** An OpenAI upstream: Google's callers are translated. */
let openai: TestGateway

beforeAll(async () => {
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

describe('OpenAI’s fields', () => {
  test.each(wrongPaintings('gemini-3.1-flash-image'))('$title', async ({ path, body, field }) => {
    expectOpenai(await ask(google, path, body), field)
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
    [{ image: { image_url: `data:image/png;base64,${png}`, file_id: 'file-1' } }, 'image'],
    [{ output_format: 'png', output_compression: 50 }, 'output_compression'],
  ])('two that exclude each other: %j', async (body, field) => {
    expectOpenai(await ask(google, '/v1/images/generations', { prompt: 'A kite', ...body }), field)
  })

  test.each(['image', 'images', 'image_urls', 'inputReferences'])(
    'an edit of a list without any picture: %s',
    async field => {
      const body = { prompt: 'A kite', [field]: [] }
      expectOpenai(await ask(google, '/v1/images/edits', body), field)
    },
  )

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
    [{ name: 'image[]', value: '' }, 'image'],
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

  test('a count that JSON can write and no number holds', async () => {
    expectOpenai(await ask(google, '/v1/images/generations', '{"prompt":"A kite","n":1e400}'), 'n')
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
  test.each(wrongExtras('gemini-3.1-flash-image'))('$title', async ({ path, body, field }) => {
    expectOpenai(await ask(google, path, body), field)
    expectOpenai(await ask(openai, path, { ...body, model: 'gpt-image-2' }), field)
  })

  test('a safety setting is told what it should be', async () => {
    for (const [setting, why] of [
      [{ category: 7, threshold: 'OFF' }, "'safety_settings[0].category': it must be a string."],
      [
        { category: 'HARASSMENT', threshold: 'OFF' },
        "'safety_settings[0].category': it must begin with HARM_CATEGORY_.",
      ],
      ['strict', "'safety_settings[0]': it must be { category, threshold }."],
    ] as const) {
      const { json } = await ask(google, '/v1/images/generations', { prompt: 'A kite', safety_settings: [setting] })
      expect(json.error.message).toBe(`Invalid value for ${why}`)
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

describe('Google’s fields', () => {
  test.each(wrongGenerations('gpt-image-2'))('$title', async ({ path, body, field }) => {
    expectGoogle(await ask(openai, path, body), field)
  })

  const path = '/v1beta/models/gpt-image-2:generateContent'
  const contents = [{ role: 'user', parts: [{ text: 'A kite' }] }]
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
  test.each(wrongPredictions('nano-banana-2'))('$title', async ({ path, body, field }) => {
    expectGoogle(await ask(google, path, body), field)
  })

  const path = '/v1beta/models/nano-banana-2:predict'
  test('a picture and the address of one', async () => {
    const image = { bytesBase64Encoded: png, gcsUri: 'gs://bucket/a.png' }
    const body = { instances: { prompt: 'A kite', image } }
    expectGoogle(await ask(google, path, body), 'instances[0].image.gcs_uri')
  })

  test('a file that is no picture', async () => {
    for (const image of [
      { gcsUri: 'gs://bucket/a', mimeType: 'application/pdf' },
      { gcsUri: 'https://example.com/a.mp4', mimeType: 'video/mp4' },
    ]) {
      expectGoogle(await ask(google, path, { instances: { prompt: 'A kite', image } }), 'instances[0].image.mime_type')
    }
  })

  test('too many pictures are told of the field they stood in', async () => {
    const referenceImages = Array.from({ length: 15 }, () => ({ referenceImage: { bytesBase64Encoded: png } }))
    const instances = { prompt: 'A kite', referenceImages }
    expectGoogle(await ask(google, path, { instances }), 'instances[0].reference_images')
  })

  test('two sizes that differ', async () => {
    const parameters = { sampleImageSize: '1K', imageSize: '2K' }
    expectGoogle(await ask(google, path, { instances: { prompt: 'A kite' }, parameters }), 'parameters.image_size')
  })
})
