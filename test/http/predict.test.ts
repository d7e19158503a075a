/** Imagen's form, as the clients send it that use it for every name which does not begin with `gemini-`. */
import { GoogleGenAI } from '@google/genai'
import { describe, expect, test } from 'vitest'
import { answerWith, fixture } from '../fixtures/gemini.ts'
import { ask } from '../helpers/callers.ts'
import { picture } from '../helpers/pictures.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'
import { json } from '../helpers/scripted-upstream.ts'

const { gateway, upstream } = await scriptedGateway(answerWith('answers/tiny-picture.json'))
const png = (await picture('png', { width: 2, height: 2 })).toString('base64')

const path = '/v1beta/models/nano-banana:predict'
const [{ inlineData }] = JSON.parse(fixture('answers/tiny-picture.json').toString()).candidates[0].content.parts
const prediction = { mimeType: inlineData.mimeType, bytesBase64Encoded: inlineData.data }
const sentUp = () => upstream.seen.map(({ body }) => JSON.parse(body.toString()))
const painted = (text: string, imageConfig?: object) => ({
  contents: [{ role: 'user', parts: [{ text }] }],
  generationConfig: { responseModalities: ['IMAGE'], ...(imageConfig && { imageConfig }) },
})
const kite = { instances: [{ prompt: 'A red kite' }] }

describe('every path that leads to a model leads to it', () => {
  test.each([
    '/v1beta/models/nano-banana:predict',
    '/v1/models/nano-banana:predict',
    '/v1alpha/models/nano-banana:predict',
    '/v1/v1beta/models/nano-banana:predict',
    '/models/nano-banana:predict',
    '/v1beta/models/models%2Fnano-banana%3Apredict',
    '/v1beta/models/google/nano-banana:predict',
    '/v1/publishers/google/models/nano-banana:predict',
    '/v1beta1/publishers/google/models/nano-banana:predict?key=x',
    '/v1/projects/p/locations/us-central1/publishers/google/models/nano-banana:predict',
    '/v1beta1/projects/p/locations/global/publishers/google/models/nano-banana:predict',
    '/v1beta/models/gemini-2.5-flash-image:predict',
  ])('%s', async route => {
    const { status, json: answer, headers } = await ask(gateway, route, kite)
    expect([status, answer]).toEqual([200, { predictions: [prediction] }])
    expect(headers.get('x-plantain-model')).toBe('gemini-2.5-flash-image')
    expect(upstream.seen[0]?.url).toBe('/v1beta/models/gemini-2.5-flash-image:generateContent')
  })

  test('Imagen’s own names, which are retired, mean a model that lives', async () => {
    const { status, headers, line } = await ask(gateway, '/v1beta/models/imagen-4.0-generate-001:predict', kite)
    expect(status).toBe(200)
    expect(headers.get('x-plantain-model')).toMatch(/^gemini-/)
    expect(line).toMatchObject({ operation: 'predict', outcome: 'ok', images: 1 })
  })
})

describe('what clients send', () => {
  test('Open WebUI: one instance and no list, and the type of the picture', async () => {
    const body = {
      instances: { prompt: 'A red kite' },
      parameters: { sampleCount: 1, outputOptions: { mimeType: 'image/png' } },
    }
    const { status, json: answer, headers } = await ask(gateway, path, body)
    expect([status, answer.predictions]).toEqual([200, [prediction]])
    expect(headers.get('x-plantain-ignored-params')).toBeNull()
    expect(sentUp()).toEqual([painted('A red kite')])
  })

  test('the Vercel AI SDK', async () => {
    const body = { instances: [{ prompt: 'A red kite' }], parameters: { sampleCount: 2, aspectRatio: '16:9' } }
    const { json: answer, headers } = await ask(gateway, path, body, { 'x-goog-api-key': 'any' })
    expect(answer.predictions).toEqual([prediction, prediction])
    expect(headers.get('x-plantain-images')).toBe('2/2')
    const call = painted('A red kite', { aspectRatio: '16:9' })
    expect(sentUp()).toEqual([call, call])
  })

  test('LiteLLM', async () => {
    const body = { instances: [{ prompt: 'A red kite' }], parameters: { sampleCount: 1, aspectRatio: '3:4' } }
    expect((await ask(gateway, `${path}?key=any`, body)).json.predictions).toEqual([prediction])
    expect(sentUp()).toEqual([painted('A red kite', { aspectRatio: '3:4' })])
  })

  test('SillyTavern, and what nothing here is called is named', async () => {
    const body = {
      instances: [{ prompt: 'A red kite' }],
      parameters: {
        sampleCount: 1,
        seed: 5,
        enhancePrompt: false,
        negativePrompt: 'rain',
        aspectRatio: '1:1',
        personGeneration: 'allow_all',
        language: 'auto',
        safetySetting: 'block_only_high',
        addWatermark: false,
        outputOptions: { mimeType: 'image/png', compressionQuality: 100, progressive: true },
      },
    }
    const { status, headers } = await ask(gateway, path, body)
    expect(status).toBe(200)
    expect(headers.get('x-plantain-ignored-params')?.split(', ').toSorted()).toEqual([
      'parameters.add_watermark',
      'parameters.enhance_prompt',
      'parameters.language',
      'parameters.negative_prompt',
      'parameters.output_options.progressive',
      'parameters.person_generation',
      'parameters.safety_setting',
    ])
    expect(sentUp()[0].generationConfig).toMatchObject({ seed: 5, imageConfig: { aspectRatio: '1:1' } })
  })

  test('LobeChat, through Google’s SDK as it is with Vertex', async () => {
    const httpOptions = { baseUrl: gateway.url, apiVersion: 'v1beta1' }
    const ai = new GoogleGenAI({ vertexai: true, apiKey: 'any', httpOptions })
    const { generatedImages } = await ai.models.generateImages({
      model: 'nano-banana',
      prompt: 'A red kite',
      config: { numberOfImages: 2, aspectRatio: '4:3', includeRaiReason: true },
    })
    expect(generatedImages?.map(({ image }) => image?.imageBytes)).toEqual([inlineData.data, inlineData.data])
    expect(sentUp()).toHaveLength(2)
  })

  test('sizes by either name, in either spelling', async () => {
    for (const parameters of [
      { sampleImageSize: '2K' },
      { imageSize: '2k' },
      { sample_image_size: '2K', imageSize: '2k' },
    ]) {
      upstream.seen.length = 0
      await ask(gateway, '/v1beta/models/nano-banana-2:predict', { ...kite, parameters })
      expect(sentUp()).toEqual([painted('A red kite', { imageSize: '2K' })])
    }
  })

  test('nulls and nothing at all', async () => {
    const nulls = { sampleCount: null, aspectRatio: null, outputOptions: null, seed: null, negativePrompt: null }
    for (const parameters of [undefined, null, {}, nulls]) {
      const { status, headers } = await ask(gateway, path, { instances: [{ prompt: 'x', image: null }], parameters })
      expect([status, headers.get('x-plantain-ignored-params')]).toEqual([200, null])
    }
  })

  test('pictures to start from, one or several', async () => {
    const image = { bytesBase64Encoded: png, mimeType: 'image/png' }
    const instance = {
      prompt: 'Edit',
      image,
      referenceImages: [
        { referenceType: 'REFERENCE_TYPE_RAW', referenceId: 1, referenceImage: image, styleImageConfig: {} },
        { referenceType: 'REFERENCE_TYPE_STYLE', referenceId: 2, referenceImage: image },
      ],
    }
    const { status, headers } = await ask(gateway, path, { instances: [instance] })
    expect(status).toBe(200)
    expect(headers.get('x-plantain-ignored-params')?.split(', ')).toEqual([
      'instances[0].reference_images[0].style_image_config',
      'instances[0].reference_images[1].reference_type',
    ])
    const part = { inlineData: { mimeType: 'image/png', data: png } }
    expect(sentUp()[0].contents[0].parts).toEqual([{ text: 'Edit' }, part, part, part])
  })
})

describe('what comes back', () => {
  test.each(['image-safety', 'no-image-empty-content', 'prompt-blocked', 'text-only'])(
    'a refusal is a prediction that was filtered, with its reason: %s',
    async name => {
      upstream.script = answerWith(`refusals/${name}.json`)
      const { status, json: answer, line } = await ask(gateway, path, kite)
      expect(status).toBe(200)
      expect(answer).toEqual({ predictions: [{ raiFilteredReason: expect.stringMatching(/\w+ /) }] })
      expect(line).toMatchObject({ outcome: 'refused', images: 0 })
    },
  )

  test('an error is Google’s', async () => {
    upstream.script = json({ error: { code: 503, message: 'x', status: 'UNAVAILABLE' } }, 503)
    const { status, reason, json: answer } = await ask(gateway, path, kite)
    expect([status, reason, answer.error.code]).toEqual([503, 'UNAVAILABLE', 503])
  })
})

describe('what is refused names its place, and nobody is called', () => {
  const image = (item: unknown) => ({ instances: [{ prompt: 'x', image: item }] })
  const parameters = (item: unknown) => ({ ...kite, parameters: item })

  test.each([
    [{}, 'instances'],
    [{ instances: [] }, 'instances'],
    [{ instances: 'A red kite' }, 'instances[0]'],
    [{ instances: ['A red kite'] }, 'instances[0]'],
    [{ instances: [{ prompt: 'a' }, { prompt: 'b' }] }, 'instances'],
    [{ instances: [{}] }, 'instances[0].prompt'],
    [{ instances: [{ prompt: '  ' }] }, 'instances[0].prompt'],
    [{ instances: [{ prompt: 7 }] }, 'instances[0].prompt'],
    [{ instances: [{ prompt: ['x'] }] }, 'instances[0].prompt'],
    [{ instances: [{ prompt: 'x'.repeat(32_001) }] }, 'instances[0].prompt'],
    [image('x'), 'instances[0].image'],
    [image({}), 'instances[0].image.bytes_base64_encoded'],
    [image({ bytesBase64Encoded: 7 }), 'instances[0].image.bytes_base64_encoded'],
    [image({ bytesBase64Encoded: '%%%' }), 'instances[0].image.bytes_base64_encoded'],
    [image({ gcsUri: 'bucket/x.png' }), 'instances[0].image.gcs_uri'],
    [image({ bytesBase64Encoded: 'AAAA', mimeType: 'video/mp4' }), 'instances[0].image.mime_type'],
    [{ instances: [{ prompt: 'x', referenceImages: ['x'] }] }, 'instances[0].reference_images[0]'],
    [
      { instances: [{ prompt: 'x', referenceImages: [{ referenceType: 'REFERENCE_TYPE_MASK' }] }] },
      'instances[0].reference_images[0].reference_type',
    ],
    [{ instances: [{ prompt: 'x', mask: { image: {} } }] }, 'instances[0].mask'],
    [parameters('x'), 'parameters'],
    [parameters({ sampleCount: 'two' }), 'parameters.sample_count'],
    [parameters({ sampleCount: 1.5 }), 'parameters.sample_count'],
    [parameters({ sampleCount: 11 }), 'parameters.sample_count'],
    [parameters({ sampleCount: -1 }), 'parameters.sample_count'],
    [parameters({ aspectRatio: 1 }), 'parameters.aspect_ratio'],
    [parameters({ aspectRatio: 'wide' }), 'parameters.aspect_ratio'],
    [parameters({ aspectRatio: '7:5' }), 'parameters.aspect_ratio'],
    [parameters({ imageSize: '9K' }), 'parameters.image_size'],
    [parameters({ sampleImageSize: '9K' }), 'parameters.sample_image_size'],
    [parameters({ imageSize: '1K', sampleImageSize: '2K' }), 'parameters.image_size'],
    [parameters({ outputOptions: 'png' }), 'parameters.output_options'],
    [parameters({ outputOptions: { mimeType: 'image/gif' } }), 'parameters.output_options.mime_type'],
    [parameters({ outputOptions: { compressionQuality: 101 } }), 'parameters.output_options.compression_quality'],
    [parameters({ seed: 'x' }), 'parameters.seed'],
    [parameters({ negativePrompt: {} }), 'parameters.negative_prompt'],
  ])('%#: %j', async (body, field) => {
    const { status, reason, json: answer } = await ask(gateway, path, body)
    expect([status, reason, answer.error?.status]).toEqual([400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'])
    expect(answer.error.details?.[0]?.fieldViolations[0].field).toBe(field)
    expect(answer.error.message.length).toBeLessThan(500)
    expect(upstream.seen).toHaveLength(0)
  })

  test('what would be ignored, for callers who are strict', async () => {
    const body = parameters({ negativePrompt: 'rain' })
    const { status, json: answer } = await ask(gateway, path, body, { 'x-plantain-strict': 'true' })
    expect([status, answer.error.details[0].fieldViolations[0].field]).toEqual([400, 'parameters.negative_prompt'])
    expect(upstream.seen).toHaveLength(0)
  })
})
