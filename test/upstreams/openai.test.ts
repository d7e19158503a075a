/** The fake OpenAI refuses what OpenAI refuses, in its words, and answers as it answers. */
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { FormPart } from '../helpers/forms.ts'
import { numberedPicture, see } from '../helpers/pictures.ts'
import { bearer, eventsOf, postJson, postParts, rootOf, told } from './ask.ts'
import type { FakeUpstream } from './contract.ts'
import { sha256 } from './form.ts'
import { startOpenAI } from './openai.ts'
import { filesOf, textsOf } from './seen.ts'
import { createStudio } from './studio.ts'

let fake: FakeUpstream
let png: Buffer
let clear: Buffer
let jpeg: Buffer

beforeAll(async () => {
  fake = await startOpenAI()
  const studio = createStudio()
  ;[png, jpeg] = await Promise.all([numberedPicture('png'), numberedPicture('jpeg')])
  clear = (await studio.paint({ type: 'image/png', width: 8, height: 8, transparent: true })).bytes
})
afterAll(() => fake.close())
beforeEach(() => fake.reset())

const generate = (body: object) =>
  postJson(fake, '/v1/images/generations', { model: 'gpt-image-2', prompt: 'a hill', ...body })
const file = (name: string, value: Buffer = png, type = 'image/png', fileName = 'a.png'): FormPart => ({
  name,
  value,
  type,
  fileName,
})
const edit = (fields: Record<string, string>, files: readonly FormPart[]) =>
  postParts(fake, '/v1/images/edits', { model: 'gpt-image-2', prompt: 'a hat', ...fields }, files)
const dataUrl = (type: string, bytes: Buffer) => `data:${type};base64,${bytes.toString('base64')}`
const editJson = (body: object) =>
  postJson(fake, '/v1/images/edits', {
    model: 'gpt-image-1.5',
    prompt: 'a hat',
    images: [{ image_url: dataUrl('image/png', png) }],
    ...body,
  })

describe('generations', () => {
  test('a picture comes, of the size asked for, with all that is told beside it', async () => {
    const { status, json, headers } = await generate({
      size: '1536x1024',
      quality: 'low',
      n: 2,
      output_format: 'webp',
      background: 'transparent',
    })
    expect(status).toBe(200)
    expect(json).toMatchObject({ size: '1536x1024', quality: 'low', output_format: 'webp', background: 'transparent' })
    expect(json.usage).toMatchObject({ input_tokens: 2, output_tokens: 544, total_tokens: 546 })
    expect(json.data).toHaveLength(2)
    const files: Buffer[] = json.data.map((item: { b64_json: string }) => Buffer.from(item.b64_json, 'base64'))
    for (const bytes of files) expect(await see(bytes)).toEqual({ format: 'webp', width: 1536, height: 1024 })
    expect(files.map(sha256)).toEqual(fake.pictures.map(painted => painted.sha256))
    expect(headers.get('x-request-id')).toMatch(/^req_/)
    expect(fake.problems).toEqual([])
  })

  test('null is as good as nothing', async () => {
    const nulls = {
      n: null,
      size: null,
      quality: null,
      background: null,
      stream: null,
      user: null,
      partial_images: null,
    }
    expect((await generate(nulls)).json).toMatchObject({ size: '1024x1024', quality: 'medium', background: 'opaque' })
  })

  test.each(['1024x1024', '3840x2160', '2160x3840', '1536x512', '2304x2304', '1024x640', 'auto'])(
    'size %s is taken by gpt-image-2',
    async size => {
      expect((await generate({ size })).status).toBe(200)
    },
  )

  test.each([
    ['1000x1000', 'divisible by 16'],
    ['1024x1025', 'divisible by 16'],
    ['1600x512', 'between 1:3 and 3:1'],
    ['4096x2048', '3840'],
    ['3840x2176', '8294400'],
    ['512x512', '655360'],
    ['16:9', 'WIDTHxHEIGHT'],
    ['2K', 'WIDTHxHEIGHT'],
  ])('size %s is refused by gpt-image-2', async (size, why) => {
    const { status, json } = await generate({ size })
    expect(status).toBe(400)
    expect(json.error).toMatchObject({ code: 'invalid_value', param: 'size' })
    expect(json.error.message).toContain(`'${size}'`)
    expect(json.error.message).toContain(why)
  })

  test.each(['gpt-image-1.5', 'gpt-image-1-mini'])('%s has three sizes and no others', async model => {
    expect((await generate({ model, size: '1024x1536' })).status).toBe(200)
    expect((await generate({ model, size: '1536x1536' })).json.error).toEqual({
      message: "Invalid value: '1536x1536'. Supported values are: '1024x1024', '1536x1024', '1024x1536', 'auto'.",
      type: 'invalid_request_error',
      param: 'size',
      code: 'invalid_value',
    })
  })

  test.each([
    'response_format',
    'aspect_ratio',
    'image_size',
    'resolution',
    'media_resolution',
    'image',
    'images',
    'image_urls',
    'style',
    'seed',
    'enable_web_search',
    'negative_prompt',
    'input_fidelity',
    'mask',
    'frame_count',
    'svg',
  ])('the parameter %s is unknown', async name => {
    const { status, json } = await generate({ [name]: 'x' })
    expect(status).toBe(400)
    expect(json.error).toEqual({
      message: `Unknown parameter: '${name}'.`,
      type: 'invalid_request_error',
      param: name,
      code: 'unknown_parameter',
    })
    expect(fake.problems).toEqual([`Unknown parameter: '${name}'.`])
  })

  test.each([
    [{ n: 11 }, 'n', 'integer_above_max_value'],
    [{ n: 0 }, 'n', 'integer_below_min_value'],
    [{ n: '2' }, 'n', 'invalid_type'],
    [{ n: 1.5 }, 'n', 'invalid_type'],
    [{ quality: 'hd' }, 'quality', 'invalid_value'],
    [{ quality: 'max' }, 'quality', 'invalid_value'],
    [{ background: 'white' }, 'background', 'invalid_value'],
    [{ background: 'transparent', output_format: 'jpeg' }, 'background', 'invalid_value'],
    [{ moderation: 'off' }, 'moderation', 'invalid_value'],
    [{ output_format: 'jpg' }, 'output_format', 'invalid_value'],
    [{ output_format: 'gif' }, 'output_format', 'invalid_value'],
    [{ output_format: 'jpeg', output_compression: 101 }, 'output_compression', 'integer_above_max_value'],
    [{ output_compression: 80 }, 'output_compression', 'invalid_value'],
    [{ stream: 'true' }, 'stream', 'invalid_type'],
    [{ stream: true, partial_images: 4 }, 'partial_images', 'integer_above_max_value'],
    [{ partial_images: 1 }, 'partial_images', 'invalid_value'],
    [{ user: 5 }, 'user', 'invalid_type'],
    [{ prompt: 'x'.repeat(32_001) }, 'prompt', 'string_above_max_length'],
    [{ prompt: '' }, 'prompt', 'missing_required_parameter'],
    [{ prompt: null }, 'prompt', 'missing_required_parameter'],
    [{ model: null }, 'model', 'missing_required_parameter'],
  ])('%j is refused', async (body, param, code) => {
    const { status, json } = await generate(body)
    expect(status).toBe(400)
    expect(json.error).toMatchObject({ type: 'invalid_request_error', param, code })
  })

  test('xhigh and max are qualities of the 2.5 models', async () => {
    for (const quality of ['xhigh', 'max']) {
      expect((await generate({ model: 'gpt-image-2.5-flare', quality })).json.quality).toBe(quality)
    }
  })

  test.each(['dall-e-3', 'gpt-image-1', 'gemini-2.5-flash-image', 'openai/gpt-image-2'])(
    'there is no model %s',
    async model => {
      const { status, json } = await generate({ model })
      expect(status).toBe(404)
      expect(json.error).toEqual({
        message: `The model '${model}' does not exist or you do not have access to it.`,
        type: 'invalid_request_error',
        param: 'model',
        code: 'model_not_found',
      })
    },
  )

  test('a body that is no JSON, and JSON that is called something else', async () => {
    expect((await postJson(fake, '/v1/images/generations', '{"model":')).status).toBe(400)
    const { json } = await postJson(fake, '/v1/images/generations', '{}', {
      ...bearer(fake),
      'content-type': 'text/plain',
    })
    expect(json.error.code).toBe('unsupported_content_type')
  })
})

describe('edits by form', () => {
  test('one picture as image, several as image[], with a mask', async () => {
    const one = await edit({ n: '2', size: '1024x1024' }, [file('image')])
    expect(one.json.data).toHaveLength(2)
    expect(one.json.usage.input_tokens_details).toEqual({ text_tokens: 2, image_tokens: 323 })
    const three = [file('image[]'), file('image[]', jpeg, 'image/jpeg', 'b.jpg'), file('image[]')]
    expect((await edit({ input_fidelity: 'high' }, [...three, file('mask', clear)])).status).toBe(200)
    expect(fake.problems).toEqual([])
  })

  test('what came is written down, part by part', async () => {
    await edit({ quality: 'low' }, [file('image')])
    const [request] = fake.requests
    expect(request).toMatchObject({ method: 'POST', path: '/v1/images/edits', status: 200 })
    expect(textsOf(request)).toEqual({ model: 'gpt-image-2', prompt: 'a hat', quality: 'low' })
    expect(filesOf(request)).toEqual([
      { name: 'image', fileName: 'a.png', contentType: 'image/png', bytes: png, sha256: sha256(png) },
    ])
  })

  test('a part whose type is application/octet-stream is refused', async () => {
    const { status, json } = await edit({}, [file('image[]', png, 'application/octet-stream')])
    expect(status).toBe(400)
    expect(json.error).toEqual({
      message:
        "Invalid file 'image[0]': unsupported mimetype ('application/octet-stream'). Supported file formats are 'image/jpeg', 'image/png', and 'image/webp'.",
      type: 'invalid_request_error',
      param: 'image[0]',
      code: 'unsupported_file_mimetype',
    })
  })

  test.each<readonly [string, () => readonly FormPart[], string]>([
    ['no picture', () => [], 'missing_required_parameter'],
    ['two pictures both named image', () => [file('image'), file('image')], 'duplicate_parameter'],
    ['image beside image[]', () => [file('image'), file('image[]')], 'duplicate_parameter'],
    ['image[0]', () => [file('image[0]')], 'unknown_parameter'],
    ['seventeen pictures', () => Array.from({ length: 17 }, () => file('image[]')), 'array_above_max_length'],
    ['a part without a type', () => [{ name: 'image', value: png, fileName: 'a.png' }], 'missing_file_mimetype'],
    ['a file name without an ending', () => [file('image', png, 'image/png', 'upload')], 'invalid_value'],
    ['a file name that ends otherwise', () => [file('image', png, 'image/png', 'a.jpg')], 'invalid_value'],
    ['a JPEG that is called PNG', () => [file('image', jpeg)], 'invalid_image_file'],
    ['bytes that are no picture', () => [file('image', Buffer.from('hello'))], 'invalid_image_file'],
    ['HEIC', () => [file('image', png, 'image/heic', 'a.heic')], 'unsupported_file_mimetype'],
    ['a mask without alpha', () => [file('image'), file('mask', png)], 'invalid_mask_image_format'],
    ['a mask that is no PNG', () => [file('image'), file('mask', jpeg, 'image/jpeg', 'm.jpg')], 'invalid_value'],
    ['two masks', () => [file('image'), file('mask', clear), file('mask', clear)], 'duplicate_parameter'],
    ['markup on a model without it', () => [file('image'), file('markup', clear)], 'unknown_parameter'],
  ])('%s', async (_, files, code) => {
    const { status, json } = await edit({}, files())
    expect(status).toBe(400)
    expect(json.error.code).toBe(code)
  })

  test('a mask must be of the size of the first picture', async () => {
    const large = await numberedPicture('png', 16, 16)
    const { json } = await edit({}, [file('image[]', large), file('image[]'), file('mask', clear)])
    expect(json.error).toMatchObject({ code: 'invalid_mask_image_format', param: 'mask' })
  })

  test('markup is taken by 2.5, but not beside a mask', async () => {
    const model = 'gpt-image-2.5-sunburst'
    expect((await edit({ model }, [file('image'), file('markup', clear)])).status).toBe(200)
    expect((await edit({ model }, [file('image'), file('markup', clear), file('mask', clear)])).json.error.param).toBe(
      'markup',
    )
  })

  test.each([
    [{ moderation: 'low' }, 'unknown_parameter'],
    [{ response_format: 'b64_json' }, 'unknown_parameter'],
    [{ n: 'two' }, 'invalid_type'],
    [{ n: '' }, 'invalid_type'],
    [{ stream: 'yes' }, 'invalid_type'],
    [{ input_fidelity: 'medium' }, 'invalid_value'],
    [{ user: '' }, 'invalid_value'],
  ])('%j is refused', async (fields, code) => {
    expect((await edit(fields, [file('image')])).json.error.code).toBe(code)
  })

  test('a text field that comes twice is refused', async () => {
    expect((await edit({}, [{ name: 'prompt', value: 'again' }, file('image')])).json.error.code).toBe(
      'duplicate_parameter',
    )
  })

  test('a picture as text is refused', async () => {
    expect((await edit({}, [{ name: 'image', value: 'https://example.com/a.png' }])).json.error.param).toBe('image')
  })
})

describe('edits by JSON', () => {
  test('data URLs and addresses are taken, a mask too, and nulls', async () => {
    const images = [{ image_url: dataUrl('image/jpeg', jpeg) }, { image_url: 'https://example.com/a.png' }]
    const { status } = await editJson({
      images,
      mask: { image_url: dataUrl('image/png', clear) },
      n: null,
      moderation: 'low',
    })
    expect(status).toBe(200)
  })

  test.each<readonly [string, object, string | null]>([
    ['no pictures', { images: [] }, 'images'],
    ['a bare address', { images: ['https://example.com/a.png'] }, 'images[0]'],
    ['both forms in one', { images: [{ image_url: 'https://a.example/', file_id: 'file-1' }] }, 'images[0]'],
    ['neither', { images: [{}] }, 'images[0]'],
    ['one more field', { images: [{ image_url: 'https://a.example/', detail: 'high' }] }, 'images[0].detail'],
    ['bare base64', { images: [{ image_url: 'aGVsbG8=' }] }, 'images[0].image_url'],
    ['a GIF', { images: [{ image_url: 'data:image/gif;base64,R0lGODlh' }] }, 'images[0]'],
    ['a broken picture', { images: [{ image_url: 'data:image/png;base64,aGVsbG8=' }] }, null],
    ['image', { image: 'https://example.com/a.png' }, 'image'],
    ['complexity', { complexity: 'low' }, 'complexity'],
  ])('%s: refused', async (_, body, param) => {
    const { status, json } = await editJson(body)
    expect(status).toBe(400)
    expect(json.error.param).toBe(param)
  })
})

describe('streams', () => {
  test('partial images, then one completed for each picture', async () => {
    const { headers, text } = await generate({ stream: true, partial_images: 2, n: 2 })
    expect(headers.get('content-type')).toMatch(/^text\/event-stream/)
    const events = eventsOf(text)
    expect(events.map(({ event }) => event)).toEqual([
      'image_generation.partial_image',
      'image_generation.partial_image',
      'image_generation.completed',
      'image_generation.completed',
    ])
    for (const { event, data } of events) {
      expect(data.type).toBe(event)
      expect(data).toMatchObject({ size: '1024x1024', quality: 'medium', background: 'opaque', output_format: 'png' })
    }
    expect(events.map(({ data }) => data.partial_image_index)).toEqual([0, 1, undefined, undefined])
    expect(events.map(({ data }) => data.usage?.output_tokens)).toEqual([undefined, undefined, 1056, 1056])
    expect(fake.pictures.map(({ draft }) => draft)).toEqual([true, true, false, false])
    expect(text.endsWith('\n\n')).toBe(true)
  })

  test('an edit has its own events; fewer drafts may come than asked for, never more', async () => {
    fake.answerNext({ kind: 'drafts', count: 9 })
    fake.answerNext({ kind: 'drafts', count: 0 })
    const types = async () =>
      eventsOf((await edit({ stream: 'true', partial_images: '1' }, [file('image')])).text).map(({ event }) => event)
    expect(await types()).toEqual(['image_edit.partial_image', 'image_edit.completed'])
    expect(await types()).toEqual(['image_edit.completed'])
  })

  test('an error in the middle is an event of its own', async () => {
    fake.answerNext({ kind: 'error-in-stream' })
    const events = eventsOf((await generate({ stream: true, partial_images: 1 })).text)
    expect(events.map(({ event }) => event)).toEqual(['image_generation.partial_image', 'error'])
    expect(events[1]?.data.error).toMatchObject({ type: 'server_error', code: null })
  })
})

describe('failures by order', () => {
  test('a refusal says the stage', async () => {
    fake.answerNext({ kind: 'refusal', stage: 'output', reason: 'violence' })
    const { status, json } = await generate({})
    expect(status).toBe(400)
    expect(json.error).toMatchObject({
      type: 'image_generation_user_error',
      code: 'moderation_blocked',
      moderation_details: { moderation_stage: 'output', categories: ['violence'] },
    })
    expect(json.error.message).toContain('safety_violations=[violence]')
    expect(fake.problems).toEqual([])
  })

  test('too many requests say how long to wait, an empty account does not', async () => {
    fake.answerNext({ kind: 'rate-limited', waitSeconds: 1.5 })
    fake.answerNext({ kind: 'quota-exhausted' })
    const limited = await generate({})
    expect(limited.status).toBe(429)
    expect(limited.json.error.code).toBe('rate_limit_exceeded')
    expect([limited.headers.get('retry-after'), limited.headers.get('retry-after-ms')]).toEqual(['2', '1500'])
    const empty = await generate({})
    expect([empty.status, empty.json.error.code, empty.headers.get('retry-after')]).toEqual([
      429,
      'insufficient_quota',
      null,
    ])
  })
})

test('a wrong key, no key, and a path that is none', async () => {
  const wrong = await postJson(fake, '/v1/images/generations', {}, { authorization: 'Bearer sk-nobody' })
  expect([wrong.status, wrong.json.error.code]).toEqual([401, 'invalid_api_key'])
  const none = await postJson(fake, '/v1/images/generations', {}, {})
  expect([none.status, none.json.error.code]).toEqual([401, null])
  const elsewhere = await postJson(fake, '/v1/images/variations', {})
  expect([elsewhere.status, elsewhere.json.error.message]).toEqual([404, 'Invalid URL (POST /v1/images/variations)'])
})

test('models are listed and looked up', async () => {
  const get = async (path: string) => told(await fetch(rootOf(fake) + path, { headers: bearer(fake) }))
  expect((await get('/v1/models')).json.data.map(({ id }: { id: string }) => id)).toContain('gpt-image-2')
  expect((await get('/v1/models/gpt-image-2')).json).toMatchObject({ id: 'gpt-image-2', object: 'model' })
  expect((await get('/v1/models/x')).json.error.code).toBe('model_not_found')
})

test("OpenAI's own SDK is understood: generations, edits of a list with a mask, streams", async () => {
  const sdk = new OpenAI({ apiKey: fake.key, baseURL: fake.baseUrl, maxRetries: 0 })
  const made = await sdk.images.generate({ model: 'gpt-image-2', prompt: 'a hill', size: '1536x1024' })
  expect(made.size).toBe('1536x1024')
  const image = await Promise.all([1, 2].map(() => toFile(png, 'a.png', { type: 'image/png' })))
  const mask = await toFile(clear, 'mask.png', { type: 'image/png' })
  const edited = await sdk.images.edit({ model: 'gpt-image-2', prompt: 'a hat', image, mask })
  expect(edited.data).toHaveLength(1)
  const types: string[] = []
  const stream = await sdk.images.generate({ model: 'gpt-image-2', prompt: 'a hill', stream: true, partial_images: 1 })
  for await (const event of stream) types.push(event.type)
  expect(types).toEqual(['image_generation.partial_image', 'image_generation.completed'])
  expect(fake.problems).toEqual([])
})
