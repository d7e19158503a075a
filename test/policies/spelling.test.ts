/** How fields may be spelt, and what counts as not given. */
import { describe, expect, test } from 'vitest'
import { ask, told } from '../helpers/callers.ts'
import { postForm, textParts } from '../helpers/forms.ts'
import { numberedPicture } from '../helpers/pictures.ts'
import { startGoogle } from '../upstreams/google.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { jsonOf } from '../upstreams/seen.ts'
import { generate, ignoredIn, paint, placeFor, refused } from './setup.ts'

const google = await placeFor(startGoogle)
const openai = await placeFor(startOpenAI)

const imageConfigOf = async (body: object) => (await paint(google, body)).sent[0]?.generationConfig.imageConfig

test('spelling is snake_case or camelCase on every route', async () => {
  const one = await imageConfigOf({ aspect_ratio: '16:9', image_size: '2K' })
  expect(await imageConfigOf({ aspectRatio: '16:9', imageSize: '2K' })).toEqual(one)
  const snake = await generate(openai, 'gpt-image-2', {
    generation_config: { response_modalities: ['image'], image_config: { aspect_ratio: '16:9', image_size: '2K' } },
  })
  const camel = await generate(openai, 'gpt-image-2', {
    generationConfig: { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '16:9', imageSize: '2K' } },
  })
  expect(snake.status).toBe(200)
  expect(snake.sent).toEqual(camel.sent)
})

test('every field has a twin in camelCase', async () => {
  const body = { aspectRatio: '16:9', imageSize: '2K', responseFormat: 'b64_json', enableWebSearch: true }
  const asked = await paint(google, { ...body, mediaResolution: 'MEDIA_RESOLUTION_HIGH' })
  expect([asked.status, ignoredIn(asked)]).toEqual([200, []])
  const [{ generationConfig, tools }] = asked.sent
  expect(generationConfig).toMatchObject({
    imageConfig: { aspectRatio: '16:9', imageSize: '2K' },
    mediaResolution: 'MEDIA_RESOLUTION_HIGH',
  })
  expect(tools).toEqual([{ googleSearch: {} }])
})

test('twins that agree are one', async () => {
  expect(await imageConfigOf({ aspect_ratio: '16:9', aspectRatio: '16:9' })).toEqual({ aspectRatio: '16:9' })
})

test('twins that differ are refused, naming both', async () => {
  const message = await refused(google, { aspect_ratio: '16:9', aspectRatio: '1:1' }, 'aspectRatio')
  expect(message).toMatch(/'aspect_ratio'.*'aspectRatio'/)
})

test.each([
  [{ responseFormat: 'html' }, 'responseFormat', 'invalid_value'],
  [{ outputFormat: 'gif' }, 'outputFormat', 'invalid_value'],
  [{ outputFormat: 'png', outputCompression: 50 }, 'outputCompression', 'invalid_png_output_compression'],
  [{ mediaResolution: 'EXTREME' }, 'mediaResolution', 'invalid_value'],
  [{ frameCount: 4 }, 'frameCount', 'invalid_value'],
  [{ imageSize: '1K', resolution: '2K' }, 'imageSize', 'invalid_value'],
  [{ model: 'nano-banana', enableWebSearch: true }, 'enableWebSearch', 'invalid_value'],
  [{ imageUrls: ['https://127.0.0.1/a.png'] }, 'imageUrls[0]', 'invalid_image'],
])('an error names the field as its caller spelt it: %j', async (body, param, code) => {
  expect(await refused(google, body, param, code)).not.toBe('')
})

test('twins of lists that agree are one', async () => {
  const image = (await numberedPicture('png')).toString('base64')
  const { status, sent } = await paint(google, { image_urls: [image], imageUrls: [image] })
  expect([status, sent[0]?.contents[0].parts.length]).toEqual([200, 2])
})

test('files under two spellings of a name are refused, not one of them lost', async () => {
  const file = { value: await numberedPicture('png'), fileName: 'a.png', type: 'image/png' }
  const parts = [
    ...textParts({ prompt: 'A red kite' }),
    { name: 'image_urls', ...file },
    { name: 'imageUrls', ...file, value: await numberedPicture('png', 64, 64, 2) },
  ]
  const response = await postForm(`${google.gateway.url}/v1/images/edits`, parts)
  expect(response.status).toBe(400)
  expect(await response.text()).toMatch(/'image_urls' and 'imageUrls'/)
})

test.each([
  { imageConfig: { aspectRatio: '', imageSize: '1K', personGeneration: '' } },
  { imageConfig: { imageSize: '1K', imageOutputOptions: '' }, seed: '', candidateCount: 1 },
  {
    image_config: { image_size: '1K' },
    thinkingConfig: { thinkingLevel: '' },
    mediaResolution: '',
    candidateCount: '1',
  },
])('what is empty was not said by Google’s callers either: %j', async generationConfig => {
  const told = await generate(openai, 'gpt-image-2', { generationConfig })
  expect([told.status, told.sent[0]?.size]).toEqual([200, '1024x1024'])
  const own = await generate(google, 'gemini-3.1-flash-image', {
    generationConfig: { ...generationConfig, candidateCount: 2 },
  })
  expect([own.status, own.headers.get('x-plantain-ignored-params')]).toEqual([200, null])
})

test('what is empty was not said by Imagen’s callers', async () => {
  const body = {
    instances: {
      prompt: 'A kite',
      image: { bytesBase64Encoded: (await numberedPicture('png')).toString('base64'), gcsUri: '' },
    },
    parameters: { personGeneration: '', safetySetting: '', aspectRatio: '' },
  }
  const { status, headers } = await ask(google.gateway, '/v1beta/models/gemini-3.1-flash-image:predict', body)
  expect([status, headers.get('x-plantain-ignored-params')]).toEqual([200, null])
})

describe('null and the empty string', () => {
  const every = ['model', 'n', 'size', 'quality', 'background', 'moderation', 'output_format', 'output_compression']
  const more = [
    'partial_images',
    'stream',
    'response_format',
    'style',
    'user',
    'safety_identifier',
    'complexity',
    'svg',
  ]
  const all = [
    ...every,
    ...more,
    'frame_count',
    'aspect_ratio',
    'image_size',
    'image',
    'images',
    'mask',
    'seed',
    'markup',
  ]

  test('null means not given, for every field, and is not named as ignored', async () => {
    const told = await paint(google, Object.fromEntries(all.map(name => [name, null])))
    expect([told.status, ignoredIn(told)]).toEqual([200, []])
    expect(told.sent[0]?.generationConfig).toEqual({ responseModalities: ['IMAGE'] })
  })

  test('an empty string in a form means not given, but for the picture to edit', async () => {
    const { gateway, fake } = google
    fake.reset()
    const names = all.filter(name => name !== 'image')
    const parts = textParts({ prompt: 'A red kite', ...Object.fromEntries(names.map(name => [name, ''])) })
    const asked = await told(gateway, await postForm(`${gateway.url}/v1/images/edits`, parts))
    expect([asked.status, ignoredIn(asked)]).toEqual([200, []])
    expect(fake.requests.map(jsonOf)).toMatchObject([{ generationConfig: { responseModalities: ['IMAGE'] } }])
    const lost = await postForm(`${gateway.url}/v1/images/edits`, [...parts, ...textParts({ image: '' })])
    expect([lost.status, fake.requests.length]).toEqual([400, 1])
  })
})
