/** The fake AI/ML API takes what its document describes, and refuses the rest in its structure of errors. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { numberedPicture, see } from '../helpers/pictures.ts'
import { startAimlapi } from './aimlapi.ts'
import { postJson } from './ask.ts'
import type { FakeUpstream } from './contract.ts'

let fake: FakeUpstream
let dataUrl: string
beforeAll(async () => {
  fake = await startAimlapi()
  dataUrl = `data:image/png;base64,${(await numberedPicture('png')).toString('base64')}`
})
afterAll(() => fake.close())
beforeEach(() => fake.reset())

const prompt = 'A T-Rex relaxing on a beach, lying on a sun lounger and wearing sunglasses.'
const generate = (body: object) =>
  postJson(fake, '/v1/images/generations', { model: 'google/nano-banana-2', prompt, ...body })

test('the first example is 1376 by 768, by address', async () => {
  const { status, json } = await generate({ aspect_ratio: '16:9' })
  expect(status).toBe(200)
  expect(json).toEqual({ data: [{ url: expect.any(String) }] })
  const bytes = Buffer.from(await (await fetch(json.data[0].url)).arrayBuffer())
  expect(await see(bytes)).toEqual({ format: 'png', width: 1376, height: 768 })
})

test('the second example has references, a ratio, a resolution; the answer may be base64', async () => {
  fake.answerNext({ kind: 'ok', as: 'b64_json' })
  const image_urls = ['https://a.example/t-rex.png', dataUrl]
  const { json } = await generate({ image_urls, aspect_ratio: '16:9', resolution: '2K', enable_web_search: true })
  expect(await see(Buffer.from(json.data[0].b64_json, 'base64'))).toMatchObject({ width: 2752, height: 1536 })
  expect(fake.problems).toEqual([])
})

test('both ids, and only these', async () => {
  expect((await generate({ model: 'google/gemini-3-1-flash-image-preview' })).status).toBe(200)
  for (const model of ['nano-banana-2', 'google/gemini-3.1-flash-image', 'google/nano-banana-pro']) {
    expect((await generate({ model })).status).toBe(400)
  }
})

test.each<readonly [string, () => object, string]>([
  [
    'a sixth reference',
    () => ({ image_urls: Array(6).fill(dataUrl) }),
    'image_urls: Array must contain at most 5 element(s)',
  ],
  ['bare base64, which is no uri', () => ({ image_urls: ['aGVsbG8='] }), 'image_urls[0]: Invalid url'],
  ['base64 of no picture', () => ({ image_urls: ['data:image/png;base64,aGVsbG8='] }), 'image_urls[0]: Invalid url'],
  ['a single address', () => ({ image_urls: dataUrl }), 'image_urls: Expected array, received string'],
  [
    'a ratio outside its list',
    () => ({ aspect_ratio: '21:9' }),
    "aspect_ratio: Invalid enum value. Expected '1:1' | '9:16' | '16:9' | '3:4' | '4:3', received '21:9'",
  ],
  [
    'a tier outside its list',
    () => ({ resolution: '512' }),
    "resolution: Invalid enum value. Expected '1K' | '2K' | '4K', received '512'",
  ],
  ['a switch as text', () => ({ enable_web_search: 'true' }), 'enable_web_search: Expected boolean, received string'],
  ['image_size', () => ({ image_size: '2K' }), "Unrecognized key(s) in object: 'image_size'"],
  ['response_format', () => ({ response_format: 'b64_json' }), "Unrecognized key(s) in object: 'response_format'"],
  ['n', () => ({ n: 1 }), "Unrecognized key(s) in object: 'n'"],
  ['no prompt', () => ({ prompt: undefined }), 'prompt: Required'],
])('%s is refused', async (_, body, why) => {
  const { status, json } = await generate(body())
  expect(status).toBe(400)
  expect(json).toEqual({
    message: `Body validation error! ${why}`,
    path: '/v1/images/generations',
    requestId: expect.any(String),
    statusCode: '400',
    timestamp: expect.any(String),
  })
})

test('there are no edits', async () => {
  expect((await postJson(fake, '/v1/images/edits', { model: 'google/nano-banana-2', prompt })).status).toBe(404)
})

test('an empty account is 403, a limit says nothing of a wait', async () => {
  fake.answerNext({ kind: 'quota-exhausted' })
  fake.answerNext({ kind: 'rate-limited' })
  expect((await generate({})).status).toBe(403)
  const limited = await generate({})
  expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, null])
})
