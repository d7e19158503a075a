/** The fake nano-banana API takes its document's samples, and refuses the rest as its document words it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { FormPart } from '../helpers/forms.ts'
import { numberedPicture, see } from '../helpers/pictures.ts'
import { bearer, postJson, postParts } from './ask.ts'
import type { FakeUpstream } from './contract.ts'
import { sha256 } from './form.ts'
import { startNanoBanana } from './nano-banana.ts'

let fake: FakeUpstream
let png: Buffer
beforeAll(async () => {
  ;[fake, png] = await Promise.all([startNanoBanana(), numberedPicture('png')])
})
afterAll(() => fake.close())
beforeEach(() => fake.reset())

const sunset = 'a beautiful sunset over mountains'
const generate = (body: object) =>
  postJson(fake, '/v1/images/generations', { model: 'nano-banana-2', prompt: sunset, ...body })
const file = (name = 'image'): FormPart => ({ name, value: png, type: 'image/png', fileName: 'a.png' })
const edit = (fields: Record<string, string>, files: readonly FormPart[]) =>
  postParts(fake, '/v1/images/edits', { model: 'nano-banana-2', prompt: 'a hat', ...fields }, files)
const invalid = (message: string) => ({ error: { message, type: 'invalid_request_error', code: 'invalid_parameter' } })

test("the sample's body is taken, and its answer is an address where the picture is", async () => {
  const { json } = await generate({ aspect_ratio: '16:9', response_format: 'url', image_size: '4K' })
  expect(json).toEqual({ created: expect.any(Number), data: [{ url: expect.any(String) }] })
  const fetched = await fetch(json.data[0].url)
  const bytes = Buffer.from(await fetched.arrayBuffer())
  expect(fetched.headers.get('content-type')).toBe('image/png')
  expect(await see(bytes)).toEqual({ format: 'png', width: 5504, height: 3072 })
  expect(sha256(bytes)).toBe(fake.pictures[0]?.sha256)
  expect([fake.requests.length, fake.sideCalls.length, fake.problems.length]).toEqual([1, 1, 0])
})

test('unasked, the answer is an address; base64 comes where it is asked for', async () => {
  expect(Object.keys((await generate({})).json.data[0])).toEqual(['url'])
  expect(Object.keys((await generate({ response_format: 'b64_json' })).json.data[0])).toEqual(['b64_json'])
})

test("the host of pictures wants no one's key", async () => {
  const { json } = await generate({})
  expect((await fetch(json.data[0].url, { headers: bearer(fake) })).status).toBe(400)
})

test('hd is 4K, the plain model has its one size', async () => {
  const sizeOf = async (body: object) => {
    await generate(body)
    const { width, height } = fake.pictures.at(-1) ?? {}
    return [width, height]
  }
  expect(await sizeOf({ model: 'nano-banana-hd' })).toEqual([4096, 4096])
  expect(await sizeOf({ model: 'nano-banana', aspect_ratio: '3:2' })).toEqual([1248, 832])
  expect(await sizeOf({ image_size: '2K' })).toEqual([2048, 2048])
})

describe('references', () => {
  test('generations take a list of addresses and of base64', async () => {
    const image = ['https://a.example/b.png', png.toString('base64'), png.toString('base64')]
    expect((await generate({ image })).status).toBe(200)
  })

  test.each<readonly [string, () => unknown]>([
    ['a single string', () => png.toString('base64')],
    ['a data URL', () => [`data:image/png;base64,${png.toString('base64')}`]],
    ['base64 of the other alphabet', () => ['-_-_']],
    ['base64 of no picture', () => ['aGVsbG8=']],
    ['an object', () => [{ url: 'https://a.example/b.png' }]],
  ])('%s is refused', async (_, image) => {
    const { status, json } = await generate({ image: image() })
    expect(status).toBe(400)
    expect(Object.keys(json.error)).toEqual(['message', 'type', 'code'])
    expect(json.error.code).toBe('invalid_parameter')
  })

  test('an edit takes one file or one address', async () => {
    expect((await edit({}, [file()])).status).toBe(200)
    expect(
      (await edit({ image: 'https://a.example/b.png', image_size: '1K', response_format: 'url' }, [])).status,
    ).toBe(200)
    expect(fake.problems).toEqual([])
  })

  test('an edit takes no second picture, no list, no mask, no JSON, and not none', async () => {
    const two = [[file(), file()], [file('image[]')], [file(), { ...file('mask') }], []]
    for (const files of two) expect((await edit({}, files)).json.error.code).toBe('invalid_parameter')
    expect((await edit({ image: 'https://a.example/b.png' }, [file()])).status).toBe(400)
    expect((await postJson(fake, '/v1/images/edits', { model: 'nano-banana', prompt: 'a hat' })).status).toBe(400)
  })
})

test.each([
  [{ aspect_ratio: '1:4' }, 'Invalid aspect ratio'],
  [{ image_size: '512' }, 'Invalid image size'],
  [{ response_format: 'png' }, 'Invalid response format'],
  [{ model: 'gemini-2.5-flash-image' }, 'Invalid model'],
  [{ model: 'nano-banana', image_size: '1K' }, 'Invalid image size: image_size is supported by nano-banana-2 only'],
  [{ model: 'nano-banana-hd', image_size: '4K' }, 'Invalid image size: image_size is supported by nano-banana-2 only'],
  [{ n: 2 }, "Unknown parameter 'n'"],
  [{ size: '1024x1024' }, "Unknown parameter 'size'"],
  [{ image_urls: [] }, "Unknown parameter 'image_urls'"],
  [{ prompt: '' }, "Missing required parameter 'prompt'"],
])('%j: %s', async (body, message) => {
  const { status, json } = await generate(body)
  expect([status, json]).toEqual([400, invalid(message)])
})

test('errors have no param', async () => {
  for (const kind of ['unauthorized', 'rate-limited', 'quota-exhausted', 'refusal'] as const) {
    fake.answerNext({ kind })
    expect(Object.keys((await generate({})).json.error)).toEqual(['message', 'type', 'code'])
  }
  expect(fake.requests.map(({ status }) => status)).toEqual([401, 429, 429, 400])
})

test('a picture may be gone before it is fetched', async () => {
  fake.answerNext({ kind: 'lost-picture' })
  const { json } = await generate({})
  expect((await fetch(json.data[0].url)).status).toBe(404)
})
