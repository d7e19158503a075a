/** The fields of the API documents that people come with, each in its own spelling, and what of them arrives at the upstream. */

import { describe, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { ask, told } from '../helpers/callers.ts'
import { type FormPart, postForm, textParts } from '../helpers/forms.ts'
import { numberedPicture } from '../helpers/pictures.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'

const prompt = 'A cute baby sea otter'
const { gateway, upstream, sentUp: theCall } = await scriptedGateway(answerWith('answers/tiny-picture.json'))
const [png, jpeg] = await Promise.all([numberedPicture('png', 8, 8, 1), numberedPicture('jpeg', 8, 8, 2)])

/** The one request that went up: its path, and its body as Google would read it. */
function sentUp() {
  const seen = theCall()
  return { ...seen, body: JSON.parse(seen.text) }
}

const inline = (mimeType: string, bytes: Buffer) => ({ inlineData: { mimeType, data: bytes.toString('base64') } })

describe('edits by form, with the ids and fields of the Gemini family', () => {
  const edit = async (parts: readonly FormPart[]) =>
    told(gateway, await postForm(`${gateway.url}/v1/images/edits`, parts))
  const fields = { model: 'gemini-2.5-flash-image', prompt: `${prompt} wearing a beret` }

  test('a single image, between the text fields', async () => {
    const { status, json } = await edit([
      { name: 'model', value: fields.model },
      { name: 'image', value: png, fileName: 'input.png', type: 'image/png' },
      { name: 'prompt', value: fields.prompt },
    ])
    expect(status).toBe(200)
    expect(json.data).toHaveLength(1)
    const { url, body } = sentUp()
    expect(url).toBe('/v1beta/models/gemini-2.5-flash-image:generateContent')
    expect(body.contents).toEqual([{ role: 'user', parts: [{ text: fields.prompt }, inline('image/png', png)] }])
    expect(body.generationConfig).toEqual({ responseModalities: ['IMAGE'] })
  })

  test('several images as image[]', async () => {
    const files = [png, jpeg].map(value => ({
      name: 'image[]',
      value,
      fileName: 'a',
      type: 'application/octet-stream',
    }))
    expect((await edit([...textParts(fields), ...files])).status).toBe(200)
    const { parts } = sentUp().body.contents[0]
    expect(parts.slice(1)).toEqual([inline('image/png', png), inline('image/jpeg', jpeg)])
  })

  test('aspect_ratio, image_size and media_resolution', async () => {
    const more = { aspect_ratio: '21:9', image_size: '2K', media_resolution: 'MEDIA_RESOLUTION_LOW' }
    const model = 'gemini-3-pro-image-preview'
    const image = { name: 'image', value: png, fileName: 'a.png' }
    expect((await edit([...textParts({ ...fields, ...more, model }), image])).status).toBe(200)
    const { url, body } = sentUp()
    expect(url).toBe('/v1beta/models/gemini-3-pro-image:generateContent')
    expect(body.generationConfig).toEqual({
      responseModalities: ['IMAGE'],
      imageConfig: { aspectRatio: '21:9', imageSize: '2K' },
      mediaResolution: 'MEDIA_RESOLUTION_LOW',
    })
  })

  test.each(['LOW', 'MEDIUM', 'HIGH'])('media resolution %s, which also goes without its long name', async level => {
    for (const media_resolution of [`MEDIA_RESOLUTION_${level}`, level.toLowerCase()]) {
      upstream.seen.length = 0
      await edit(textParts({ ...fields, media_resolution }))
      expect(sentUp().body.generationConfig.mediaResolution).toBe(`MEDIA_RESOLUTION_${level}`)
    }
  })

  test('an image is not compulsory: without one the picture is painted from the prompt alone', async () => {
    expect((await edit(textParts(fields))).status).toBe(200)
    expect(sentUp().body.contents[0].parts).toEqual([{ text: fields.prompt }])
  })

  test.each(['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9'])('ratio %s', async ratio => {
    expect((await edit(textParts({ ...fields, aspect_ratio: ratio }))).status).toBe(200)
    expect(sentUp().body.generationConfig.imageConfig).toEqual({ aspectRatio: ratio })
  })

  test('a word that nobody knows (the samples say `other parameters`) is named and does no harm', async () => {
    const { status, headers } = await edit(textParts({ ...fields, other_parameters: '1' }))
    expect(status).toBe(200)
    expect(headers.get('x-plantain-ignored-params')).toBe('other_parameters')
  })
})

describe('Google’s own form through a gateway’s address', () => {
  const contents = [{ role: 'user', parts: [{ text: prompt }] }]
  const generationConfig = { imageConfig: { aspectRatio: '4:3', imageSize: '1K' } }

  test.each(['/v1/v1beta', '/v1beta', '/v1'])('text to image under %s, with a bearer key', async version => {
    const body = { contents, generationConfig }
    const path = `${version}/models/gemini-2.5-flash-image:generateContent`
    const { status } = await ask(gateway, path, body, { authorization: 'Bearer sk-anything' })
    expect(status).toBe(200)
    const { url, headers, body: seen } = sentUp()
    expect(url).toBe('/v1beta/models/gemini-2.5-flash-image:generateContent')
    expect(seen).toEqual(body)
    expect(headers.authorization).toBeUndefined()
    expect(headers['x-goog-api-key']).toBe('upstream-key')
  })

  test('image to image, with the picture inline', async () => {
    const body = {
      contents: [{ role: 'user', parts: [{ text: 'add a rainbow' }, inline('image/png', png)] }],
      generationConfig,
    }
    const { status } = await ask(gateway, '/v1/v1beta/models/gemini-2.5-flash-image:generateContent', body)
    expect(status).toBe(200)
    expect(sentUp().body).toEqual(body)
  })

  test.each(['gemini-3-pro-image-preview', 'gemini-3.1-flash-image-preview'])(
    '%s is called by its present name',
    async id => {
      expect((await ask(gateway, `/v1/v1beta/models/${id}:generateContent`, { contents })).status).toBe(200)
      expect(sentUp().url).toBe(`/v1beta/models/${id.replace('-preview', '')}:generateContent`)
    },
  )
})

describe('generations with the ids and fields of the Gemini family', () => {
  const generate = (body: object) => ask(gateway, '/v1/images/generations', body)

  test('aspect_ratio at the top level, response_format b64_json', async () => {
    const body = { model: 'gemini-2.5-flash-image', prompt, response_format: 'b64_json', aspect_ratio: '1:1' }
    const { status, json, headers } = await generate(body)
    expect(status).toBe(200)
    expect(Object.keys(json.data[0])).toEqual(['b64_json'])
    expect(headers.get('x-plantain-ignored-params')).toBeNull()
    expect(sentUp().body).toEqual({
      contents: [{ role: 'user', parts: [{ text: prompt }] }],
      generationConfig: { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '1:1' } },
    })
  })

  test.each(['1K', '2K', '4K'])('image_size %s', async image_size => {
    expect((await generate({ model: 'gemini-3.1-flash-image-preview', prompt, image_size })).status).toBe(200)
    expect(sentUp().body.generationConfig.imageConfig).toEqual({ imageSize: image_size })
  })

  test('1K on the model that has one size is not sent: it has no word for it', async () => {
    expect((await generate({ model: 'gemini-2.5-flash-image', prompt, image_size: '1K' })).status).toBe(200)
    expect(sentUp().body.generationConfig).not.toHaveProperty('imageConfig')
  })
})

describe('the nano-banana names and fields', () => {
  test.each([
    ['nano-banana', 'gemini-2.5-flash-image', undefined],
    ['nano-banana-2', 'gemini-3.1-flash-image', undefined],
    ['nano-banana-hd', 'gemini-3-pro-image', { imageSize: '4K' }],
  ])('%s is %s', async (model, id, imageConfig) => {
    const { status, headers } = await ask(gateway, '/v1/images/generations', { model, prompt })
    expect(status).toBe(200)
    expect(headers.get('x-plantain-model')).toBe(id)
    expect(sentUp().url).toBe(`/v1beta/models/${id}:generateContent`)
    expect(sentUp().body.generationConfig.imageConfig).toEqual(imageConfig)
  })

  test('nano-banana-hd means 4K in Google’s form too', async () => {
    const body = {
      contents: [{ parts: [{ text: prompt }] }],
      generation_config: { image_config: { aspect_ratio: '1:1' } },
    }
    expect((await ask(gateway, '/v1beta/models/nano-banana-hd:generateContent', body)).status).toBe(200)
    const { url, body: seen } = sentUp()
    expect(url).toBe('/v1beta/models/gemini-3-pro-image:generateContent')
    expect(seen.contents).toEqual(body.contents)
    expect(seen.generation_config.image_config).toMatchObject({ aspect_ratio: '1:1' })
    // Two spellings of one field side by side are an error at Google.
    expect(Object.keys(seen)).toEqual(expect.arrayContaining(['contents', 'generation_config']))
    expect(Object.keys(seen)).toHaveLength(2)
    expect(Object.values(seen.generation_config.image_config)).toEqual(expect.arrayContaining(['1:1', '4K']))
  })

  test('image: a list of base64 texts and data URLs in the JSON of a generation', async () => {
    const image = [png.toString('base64'), `data:image/jpeg;base64,${jpeg.toString('base64')}`]
    const body = { model: 'nano-banana-2', prompt, aspect_ratio: '16:9', image_size: '4K', image }
    expect((await ask(gateway, '/v1/images/generations', body)).status).toBe(200)
    const { contents, generationConfig } = sentUp().body
    expect(contents[0].parts).toEqual([{ text: prompt }, inline('image/png', png), inline('image/jpeg', jpeg)])
    expect(generationConfig.imageConfig).toEqual({ aspectRatio: '16:9', imageSize: '4K' })
  })

  test('image as base64 text in a form', async () => {
    const parts = textParts({
      model: 'nano-banana-2',
      prompt,
      image: png.toString('base64'),
      response_format: 'b64_json',
    })
    expect((await postForm(`${gateway.url}/v1/images/edits`, parts)).status).toBe(200)
    expect(sentUp().body.contents[0].parts[1]).toEqual(inline('image/png', png))
  })

  test('response_format url: the answer has an address in place of the picture', async () => {
    const { status, json } = await ask(gateway, '/v1/images/generations', { prompt, response_format: 'url' })
    expect(status).toBe(200)
    expect(json.data).toEqual([{ url: expect.stringMatching(/^http.*\/v1\/assets\//) }])
    expect((await fetch(json.data[0].url)).headers.get('content-type')).toMatch(/^image\//)
  })

  test('a picture by URL that cannot be had is named', async () => {
    const body = { model: 'nano-banana-2', prompt, image: ['https://127.0.0.1/cat.png'] }
    const { status, json } = await ask(gateway, '/v1/images/generations', body)
    expect(status).toBe(400)
    expect(json.error).toMatchObject({ code: 'invalid_image', param: 'image[0]' })
    expect(upstream.seen).toHaveLength(0)
  })
})

describe('the fields of an aggregator', () => {
  const generate = (body: object) =>
    ask(gateway, '/v1/images/generations', { model: 'google/nano-banana-2', prompt, ...body })

  test.each(['google/nano-banana-2', 'google/gemini-3-1-flash-image-preview'])('%s', async model => {
    const { status, headers } = await generate({ model })
    expect(status).toBe(200)
    expect(headers.get('x-plantain-model')).toBe('gemini-3.1-flash-image')
  })

  test('image_urls with base64 inside, aspect_ratio and resolution', async () => {
    const image_urls = [png, jpeg].map(bytes => `data:image/png;base64,${bytes.toString('base64')}`)
    expect((await generate({ image_urls, aspect_ratio: '16:9', resolution: '2K' })).status).toBe(200)
    const { contents, generationConfig } = sentUp().body
    // The type is what the bytes are, not what the address says.
    expect(contents[0].parts.slice(1)).toEqual([inline('image/png', png), inline('image/jpeg', jpeg)])
    expect(generationConfig.imageConfig).toEqual({ aspectRatio: '16:9', imageSize: '2K' })
  })

  test('enable_web_search lets the model search', async () => {
    expect((await generate({ enable_web_search: true })).status).toBe(200)
    expect(sentUp().body.tools).toEqual([{ googleSearch: {} }])
    upstream.seen.length = 0
    expect((await generate({ enable_web_search: false })).status).toBe(200)
    expect(sentUp().body).not.toHaveProperty('tools')
  })

  test('a model that cannot search says so before anything is paid', async () => {
    const { status, json } = await generate({ model: 'nano-banana', enable_web_search: true })
    expect(status).toBe(400)
    expect(json.error).toMatchObject({ code: 'invalid_value', param: 'enable_web_search' })
    expect(upstream.seen).toHaveLength(0)
  })
})
