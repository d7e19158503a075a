/** The fake Zenlayer takes its documents' samples, and nothing that its documents do not have. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { FormPart } from '../helpers/forms.ts'
import { heicHead, numberedPicture, see } from '../helpers/pictures.ts'
import { bearer, postJson, postParts } from './ask.ts'
import type { FakeUpstream } from './contract.ts'
import { startZenlayer } from './zenlayer.ts'

let fake: FakeUpstream
let gemini: FakeUpstream
let png: Buffer
beforeAll(async () => {
  ;[fake, gemini, png] = await Promise.all([startZenlayer('openai'), startZenlayer('gemini'), numberedPicture('png')])
})
afterAll(async () => {
  await Promise.all([fake.close(), gemini.close()])
})
beforeEach(() => {
  fake.reset()
  gemini.reset()
})

const otter = 'A cute baby sea otter'
const flash = 'gemini-2.5-flash-image'
const pro = 'gemini-3-pro-image-preview'
const bothForms = ['1:1', '2:3', '3:2', '3:4', '4:3', '9:16', '16:9', '21:9']
const json = { accept: 'application/json' }

describe('generations', () => {
  const generate = (body: object) =>
    postJson(fake, '/v1/images/generations', { model: flash, prompt: otter, ...body }, { ...bearer(fake), ...json })

  test("the samples' bodies are taken, with and without response_format", async () => {
    for (const more of [{ aspect_ratio: '1:1' }, { aspect_ratio: '1:1', response_format: 'b64_json' }]) {
      const told = await generate(more)
      expect(told.json).toEqual({ created: expect.any(Number), data: [{ b64_json: expect.any(String) }] })
    }
    expect(fake.problems).toEqual([])
  })

  test.each([...bothForms, '4:5', '5:4'])('ratio %s is one of the ten', async ratio => {
    expect((await generate({ aspect_ratio: ratio })).status).toBe(200)
  })

  test('pictures have the size asked for', async () => {
    const told = await generate({ model: 'gemini-3.1-flash-image-preview', aspect_ratio: '16:9', image_size: '2K' })
    const bytes = Buffer.from(told.json.data[0].b64_json, 'base64')
    expect(await see(bytes)).toEqual({ format: 'jpeg', width: 2752, height: 1536 })
  })

  test.each([
    [{ aspect_ratio: '1:4' }, 'aspect_ratio', 'invalid_value'],
    [{ image_size: '512' }, 'image_size', 'invalid_value'],
    [{ image_size: '1k' }, 'image_size', 'invalid_value'],
    [{ image_size: '4K' }, 'image_size', 'invalid_value'],
    [{ response_format: 'url' }, 'response_format', 'invalid_value'],
    [{ aspect_ratio: null }, 'aspect_ratio', 'invalid_type'],
    [{ n: 2 }, 'n', 'unknown_parameter'],
    [{ size: '1024x1024' }, 'size', 'unknown_parameter'],
    [{ media_resolution: 'MEDIA_RESOLUTION_LOW' }, 'media_resolution', 'unknown_parameter'],
    [{ quality: 'high' }, 'quality', 'unknown_parameter'],
    [{ image: ['https://a.example/'] }, 'image', 'unknown_parameter'],
    [{ prompt: '' }, 'prompt', 'missing_required_parameter'],
    [{ model: 'gemini-3-pro-image' }, 'model', 'model_not_found'],
    [{ model: 'gemini-3.1-flash-image' }, 'model', 'model_not_found'],
  ])('%j is refused', async (body, param, code) => {
    const told = await generate(body)
    expect(told.status).toBe(code === 'model_not_found' ? 404 : 400)
    expect(told.json.error).toMatchObject({ type: 'invalid_request_error', param, code })
  })

  test('Accept is required', async () => {
    const { status } = await postJson(
      fake,
      '/v1/images/generations',
      { model: flash, prompt: otter },
      { ...bearer(fake), accept: 'text/html' },
    )
    expect(status).toBe(406)
  })

  test('two pictures may come where one was asked for', async () => {
    fake.answerNext({ kind: 'ok', images: 2 })
    expect((await generate({})).json.data).toHaveLength(2)
  })
})

describe('edits', () => {
  const file = (name = 'image[]', value = png, type = 'image/png', fileName = 'input.png'): FormPart => ({
    name,
    value,
    type,
    fileName,
  })
  const edit = (fields: Record<string, string>, files: readonly FormPart[]) =>
    postParts(fake, '/v1/images/edits', { model: flash, prompt: `${otter} wearing a beret`, ...fields }, files)
  const files = (count: number) => Array.from({ length: count }, () => file())

  test("the samples' forms are taken: a single image, several, and none", async () => {
    for (const pictures of [[file('image')], files(2), []]) expect((await edit({}, pictures)).status).toBe(200)
    const fields = { aspect_ratio: '21:9', image_size: '4K', media_resolution: 'MEDIA_RESOLUTION_HIGH', model: pro }
    expect((await edit(fields, files(14))).status).toBe(200)
    expect(fake.problems).toEqual([])
  })

  test.each<readonly [string, Record<string, string>, readonly FormPart[] | number]>([
    ['a fourth picture for 2.5', {}, 4],
    ['a fifteenth picture for pro', { model: pro }, 15],
    ['the model that edits do not list', { model: 'gemini-3.1-flash-image-preview' }, 1],
    ['response_format', { response_format: 'b64_json' }, 1],
    ['a mask', {}, [{ name: 'mask', value: 'x', fileName: 'm.png', type: 'image/png' }]],
    ['a short name of a media resolution', { media_resolution: 'LOW' }, 1],
    ['size', { size: '1024x1024' }, 1],
    ['octet-stream', {}, [{ name: 'image', value: 'x', fileName: 'a.png', type: 'application/octet-stream' }]],
  ])('%s is refused', async (_, fields, pictures) => {
    const { status } = await edit(fields, typeof pictures === 'number' ? files(pictures) : pictures)
    expect([400, 404]).toContain(status)
    expect(fake.problems).toHaveLength(1)
  })

  test('two files named image, and a JSON edit, are refused', async () => {
    expect((await edit({}, [file('image'), file('image')])).json.error.code).toBe('duplicate_parameter')
    expect((await postJson(fake, '/v1/images/edits', { model: flash, prompt: otter })).status).toBe(400)
  })

  test('HEIC is a picture', async () => {
    expect((await edit({}, [file('image', heicHead(), 'image/heic', 'a.heic')])).status).toBe(200)
  })
})

describe('the Gemini form', () => {
  const ask = (body: object, model = flash, action = 'generateContent', headers = bearer(gemini)) =>
    postJson(gemini, `/v1/v1beta/models/${model}:${action}`, body, headers)
  const contents = [{ role: 'user', parts: [{ text: otter }] }]
  const withConfig = (imageConfig: object) => ({ contents, generationConfig: { imageConfig } })
  const inline = (count: number) => [
    {
      role: 'user',
      parts: [
        { text: 'add a rainbow' },
        ...Array.from({ length: count }, () => ({
          inlineData: { mimeType: 'image/png', data: png.toString('base64') },
        })),
      ],
    },
  ]

  test("the samples' bodies are taken: text to image, image to image", async () => {
    const text = await ask(withConfig({ aspectRatio: '4:3', imageSize: '1K' }))
    expect(text.status).toBe(200)
    const [part] = text.json.candidates[0].content.parts
    expect(part.inlineData.mimeType).toBe('image/png')
    expect(await see(Buffer.from(part.inlineData.data, 'base64'))).toEqual({ format: 'png', width: 1184, height: 864 })
    expect(
      (await ask({ contents: inline(1), generationConfig: { imageConfig: { aspectRatio: '4:3', imageSize: '1K' } } }))
        .status,
    ).toBe(200)
    expect(gemini.problems).toEqual([])
  })

  test('eight ratios, neither 4:5 nor 5:4', async () => {
    for (const aspectRatio of bothForms) expect((await ask(withConfig({ aspectRatio }))).status).toBe(200)
    for (const aspectRatio of ['4:5', '5:4', '1:8']) {
      const { status, json } = await ask(withConfig({ aspectRatio }), 'gemini-3.1-flash-image-preview')
      expect([status, json.error.status]).toEqual([400, 'INVALID_ARGUMENT'])
      expect(json.error.message).toBe(`Aspect ratio ${aspectRatio} is not supported for this model`)
    }
  })

  test('the sizes 1K, 2K and 4K, on 2.5 only 1K', async () => {
    for (const imageSize of ['1K', '2K', '4K']) expect((await ask(withConfig({ imageSize }), pro)).status).toBe(200)
    expect((await ask(withConfig({ imageSize: '512' }), 'gemini-3.1-flash-image-preview')).status).toBe(400)
    expect((await ask(withConfig({ imageSize: '2K' }))).status).toBe(400)
  })

  test('three pictures on 2.5, fourteen on pro', async () => {
    expect((await ask({ contents: inline(3) })).status).toBe(200)
    expect((await ask({ contents: inline(4) })).status).toBe(400)
    expect((await ask({ contents: inline(14) }, pro)).status).toBe(200)
    expect((await ask({ contents: inline(15) }, pro)).status).toBe(400)
  })

  test('a role is required', async () => {
    for (const role of [undefined, 'USER', 'assistant']) {
      const { status, json } = await ask({ contents: [{ ...(role && { role }), parts: [{ text: otter }] }] })
      expect([status, json.error.message]).toEqual([400, 'Please use a valid role: user, model.'])
    }
  })

  test.each([
    ['personGeneration', withConfig({ personGeneration: 'ALLOW_ALL' })],
    ['an unknown field', { contents, aspect_ratio: '1:1' }],
    [
      'a file by address',
      {
        contents: [
          { role: 'user', parts: [{ fileData: { fileUri: 'https://a.example/b.png', mimeType: 'image/png' } }] },
        ],
      },
    ],
    ['several candidates', { contents, generationConfig: { candidateCount: 2 } }],
    ['one field in two spellings', { contents, generationConfig: {}, generation_config: {} }],
  ])('%s is refused', async (_, body) => {
    expect((await ask(body)).status).toBe(400)
  })

  test('only generateContent, only these models, only there, only with a bearer', async () => {
    expect((await ask({ contents }, flash, 'streamGenerateContent')).status).toBe(404)
    expect((await ask({ contents }, flash, 'countTokens')).status).toBe(404)
    expect((await ask({ contents }, 'gemini-3-pro-image')).status).toBe(404)
    expect((await postJson(gemini, `/v1beta/models/${flash}:generateContent`, { contents })).status).toBe(404)
    expect((await ask({ contents }, flash, 'generateContent', { 'x-goog-api-key': gemini.key })).status).toBe(401)
  })
})
