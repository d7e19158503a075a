/** Size, ratio and resolution: what goes up for them, and what is refused. */
import { expect, test } from 'vitest'
import { startGoogle } from '../upstreams/google.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { generate, paint, placeFor, refusalOf, refused } from './setup.ts'

const google = await placeFor(startGoogle)
const openai = await placeFor(startOpenAI)

const flash31 = 'gemini-3.1-flash-image'
const flash25 = 'gemini-2.5-flash-image'

async function imageConfigOf(body: object): Promise<unknown> {
  const { status, sent } = await paint(google, body)
  expect(status).toBe(200)
  return sent[0]?.generationConfig.imageConfig
}

test.each([
  ['1024x1024', '1:1', '1K'],
  ['1536x1024', '3:2', '1K'],
  ['1024x1536', '2:3', '1K'],
  ['1792x1024', '16:9', '1K'],
  ['1024x1792', '9:16', '1K'],
  ['3840x2160', '16:9', '4K'],
  ['2048x2048', '1:1', '2K'],
  ['4096x4096', '1:1', '4K'],
  ['512x512', '1:1', '512'],
  ['256x256', '1:1', '512'],
  ['1000X3000', '1:4', '2K'],
  ['1365x1024', '4:3', '1K'],
])('size %s is the nearest ratio and tier the model has: %s at %s', async (size, aspectRatio, imageSize) => {
  expect(await imageConfigOf({ model: flash31, size })).toEqual({ aspectRatio, imageSize })
})

test.each([
  [767, '512'],
  [768, '1K'],
  [1535, '1K'],
  [1536, '2K'],
  [2799, '2K'],
  [2800, '4K'],
])('%i pixels squared are %s', async (side, imageSize) => {
  const size = `${side}x${side}`
  expect(await imageConfigOf({ model: flash31, size })).toEqual({ aspectRatio: '1:1', imageSize })
})

test.each([[{}], [{ size: 'auto' }], [{ size: null }], [{ aspect_ratio: 'auto' }]])(
  '%j leaves the shape to the model',
  async body => expect(await imageConfigOf(body)).toBeUndefined(),
)

test.each([
  [{ size: '16:9' }, { aspectRatio: '16:9' }],
  [{ size: '2K' }, { imageSize: '2K' }],
  [{ size: '2k' }, { imageSize: '2K' }],
  [{ image_size: '4k' }, { imageSize: '4K' }],
  [{ image_size: '0.5K' }, { imageSize: '512' }],
  [{ image_size: '512px' }, { imageSize: '512' }],
  [{ resolution: '512P' }, { imageSize: '512' }],
  [
    { width: 1920, height: 1080 },
    { aspectRatio: '16:9', imageSize: '1K' },
  ],
])('%j is %j', async (body, config) => expect(await imageConfigOf(body)).toEqual(config))

test.each([
  [{ size: '1024x1536', aspect_ratio: '16:9' }, '16:9', '1K'],
  [{ size: '1024x1536', image_size: '4K' }, '2:3', '4K'],
  [{ size: '1024x1536', resolution: '2k', aspect_ratio: '21:9' }, '21:9', '2K'],
  [{ size: '16:9', resolution: '2K' }, '16:9', '2K'],
  [{ size: '4K', aspect_ratio: '1:1' }, '1:1', '4K'],
  [{ image_size: '2k', resolution: '2K' }, undefined, '2K'],
])('each half that is named replaces its half of size: %j', async (body, aspectRatio, imageSize) => {
  const expected = { ...(aspectRatio && { aspectRatio }), ...(imageSize && { imageSize }) }
  expect(await imageConfigOf({ model: flash31, ...body })).toEqual(expected)
})

test('image_size and resolution that differ are refused, naming both', async () => {
  const message = await refused(google, { image_size: '1K', resolution: '2K' }, 'image_size')
  expect(message).toMatch(/'image_size'.*'resolution'/)
})

test('a size and a width and height that differ are refused, naming both', async () => {
  const message = await refused(google, { size: '1024x1024', width: 512, height: 512 }, 'size')
  expect(message).toMatch(/'size'.*'width'/)
  expect(await imageConfigOf({ size: '1024x1024', width: 1024, height: 1024 })).toBeDefined()
})

test('a width alone is half a size', async () => {
  await refused(google, { width: 512 }, 'height')
  await refused(google, { height: 512 }, 'width')
})

test.each([
  [{ model: flash25, aspect_ratio: '1:8' }, 'aspect_ratio', /has: 1:1, 2:3/],
  [{ model: flash25, aspectRatio: '1:8' }, 'aspectRatio', /has: 1:1/],
  [{ model: flash31, image_size: '8K' }, 'image_size', /has: 512, 1K, 2K, 4K/],
  [{ model: flash31, imageSize: '8K' }, 'imageSize', /has: 512/],
  [{ model: flash31, resolution: '3K' }, 'resolution', /has: 512/],
  [{ model: 'nano-banana-pro', image_size: '512' }, 'image_size', /has: 1K, 2K, 4K/],
  [{ model: flash25, image_size: '2K' }, 'image_size', /one size/],
  [{ model: flash31, size: '8:9' }, 'size', /has: 1:1/],
])('what the model does not have is refused, with what it has: %j', async (body, param, says) => {
  expect(await refused(google, body, param)).toMatch(says)
})

test.each([
  ['aspect_ratio', '16:9\n'],
  ['aspect_ratio', '１６:９'],
  ['aspect_ratio', '0:0'],
  ['aspect_ratio', '1e9:1'],
  ['aspect_ratio', 'wide'],
  ['aspectRatio', 'wide'],
  ['size', '1024'],
  ['size', '0x0'],
  ['size', '1024x'],
  ['size', '999999x1'],
  ['size', 'huge'],
])('%s %j is none', async (field, value) => void (await refused(google, { [field]: value }, field)))

test.each([
  ['512x512', 'gemini-3-pro-image', '1K', /^1024x1024$/],
  ['512x512', flash25, undefined, /^1024x1024$/],
  ['4096x4096', 'nano-banana-2-lite', '1K', /^1024x1024$/],
  ['4096x4096', flash25, undefined, /^1024x1024$/],
])('a size in pixels never fails for its tier: %s on %s', async (size, model, imageSize, truth) => {
  const { status, sent, json } = await paint(google, { model, size })
  expect([status, sent[0]?.generationConfig.imageConfig.imageSize]).toEqual([200, imageSize])
  expect(json.size).toMatch(truth)
})

test('a tier asked for by name that the model lacks is refused, and the only one it has is not sent', async () => {
  expect(refusalOf(await paint(google, { model: flash25, image_size: '4K' }), google)).toEqual([
    400,
    'image_size',
    true,
  ])
  expect(await imageConfigOf({ model: flash25, image_size: '1K' })).toBeUndefined()
})

test.each([
  ['image_size', { image_size: '3K' }],
  ['resolution', { resolution: '3K' }],
  ['imageSize', { imageSize: '3K' }],
])(
  'a tier that its vendor has no word for is refused even for a model that nobody knows, by the field that named it: %s',
  async (param, shape) => {
    const told = await paint(openai, { model: 'local/flux', ...shape })
    expect(refusalOf(told, openai)).toEqual([400, param, true])
    expect(told.json.error.message).toMatch(/512, 1K, 2K, 4K/)
  },
)

test('a Gemini caller of an OpenAI model asks for a size of it: ratio by tier, divisible by 16, within its bounds', async () => {
  const sizeFor = async (imageConfig: object, model = 'gpt-image-2') => {
    const { sent, status } = await generate(openai, model, { generationConfig: { imageConfig } })
    return status === 200 ? sent[0]?.size : status
  }
  expect(await sizeFor({ aspectRatio: '16:9', imageSize: '1K' })).toBe('1376x768')
  expect(await sizeFor({ aspectRatio: '4:5', imageSize: '2K' })).toMatch(/^18\d\dx2304$/)
  expect(await sizeFor({ aspectRatio: '1:8' })).toBe(400)
  expect(await sizeFor({ aspectRatio: '16:9', imageSize: '1K' }, 'gpt-image-1.5')).toBe('1536x1024')
  expect(await sizeFor({ aspectRatio: '16:9', imageSize: '4K' }, 'gpt-image-1.5')).toBe(400)
  const [width = 0, height = 0] = String(await sizeFor({ aspectRatio: '1:1', imageSize: '4K' }))
    .split('x')
    .map(Number)
  expect([width % 16, height % 16, width, width * height <= 8_294_400]).toEqual([0, 0, height, true])
})
