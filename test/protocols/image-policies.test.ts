/** What an image request means, one sentence each: what goes up, what is told, what is refused before anything is paid. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { ask, askOpenai, told } from '../helpers/callers.ts'
import { postForm, textParts } from '../helpers/forms.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'
import { json } from '../helpers/scripted-upstream.ts'

const { gateway, upstream, sentUp: theCall } = await scriptedGateway(answerWith('answers/tiny-picture.json'))

const flash2 = 'gemini-3.1-flash-image'
const flash25 = 'gemini-2.5-flash-image'

function sentUp() {
  const seen = theCall()
  return { ...seen, body: JSON.parse(seen.text) }
}

async function imageConfigFor(body: object): Promise<unknown> {
  upstream.seen.length = 0
  const { status, text } = await askOpenai(gateway, body)
  expect([status, text.slice(0, 300)]).toEqual([200, expect.any(String)])
  return sentUp().body.generationConfig.imageConfig
}

async function refused(body: object, param: string | null, code: string | null = 'invalid_value') {
  upstream.seen.length = 0
  const { status, json: answer, reason, line } = await askOpenai(gateway, body)
  expect(answer.error).toMatchObject({ type: 'invalid_request_error', param, code })
  expect(status).toBe(400)
  if (code) expect(reason).toBe(code)
  expect(upstream.seen).toHaveLength(0)
  expect(line).toMatchObject({ outcome: 'failed', status: 400, attempts: 0 })
  return answer.error.message as string
}

describe('the model', () => {
  test.each([[{}], [{ model: null }], [{ model: '' }]])('%j means the default one, which is named', async body => {
    const { status, headers, line } = await askOpenai(gateway, body)
    expect(status).toBe(200)
    expect(headers.get('x-plantain-model')).toBe(flash2)
    expect(sentUp().url).toBe(`/v1beta/models/${flash2}:generateContent`)
    expect(line).toMatchObject({ model: flash2 })
  })

  test.each(['dall-e-2', 'dall-e-3', 'gpt-image-1', 'imagen-4.0-generate-001', 'imagen-3.0-fast', 'openai/dall-e-3'])(
    '%s is retired, and the nearest living one stands in',
    async model => {
      const { status, headers, line } = await askOpenai(gateway, { model })
      expect(status).toBe(200)
      expect(headers.get('x-plantain-model')).toBe(flash2)
      expect(line).toMatchObject({ modelAsked: model, model: flash2 })
    },
  )

  test.each(['models/gemini-2.5-flash-image', 'GEMINI-2.5-Flash-Image', 'google/gemini-2.5-flash-image-preview'])(
    '%s is a spelling of one that is known',
    async model => {
      expect((await askOpenai(gateway, { model })).headers.get('x-plantain-model')).toBe(flash25)
    },
  )

  test('an id nobody knows goes up as it is, unchecked: the upstream decides', async () => {
    const body = { model: 'gemini-9-ultra-image', aspect_ratio: '32:9', image_size: '8k' }
    const { status, headers } = await askOpenai(gateway, body)
    expect(status).toBe(200)
    expect(headers.get('x-plantain-model')).toBe('gemini-9-ultra-image')
    expect(sentUp().url).toBe('/v1beta/models/gemini-9-ultra-image:generateContent')
    expect(sentUp().body.generationConfig.imageConfig).toEqual({ aspectRatio: '32:9', imageSize: '8K' })
  })

  test('a model of a protocol that no upstream speaks is unknown here, and what is served is listed', async () => {
    const { status, json: answer } = await askOpenai(gateway, { model: 'gpt-image-2' })
    expect(status).toBe(404)
    expect(answer.error).toMatchObject({ code: 'model_not_found', param: 'model' })
    expect(answer.error.message).toContain(flash2)
    expect(upstream.seen).toHaveLength(0)
  })

  test.each(
    [
      '../files',
      '..',
      'a/../b',
      'gemini:evil',
      'x y',
      'x\ny',
      'ünï',
      '☃',
      '',
      'a\u0000b',
      '/x',
      'x?key=1',
      'x#y',
      '%2e%2e',
    ].filter(Boolean),
  )('%j is no possible name: unknown, and no upstream is bothered with it', async model => {
    const { status, json: answer, line } = await askOpenai(gateway, { model })
    expect(status).toBe(404)
    expect(answer.error).toMatchObject({ code: 'model_not_found', param: 'model' })
    expect(upstream.seen).toHaveLength(0)
    expect(line).toMatchObject({ status: 404 })
  })
})

describe('size and ratio', () => {
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
    expect(await imageConfigFor({ model: flash2, size })).toEqual({ aspectRatio, imageSize })
  })

  test.each(['512x512', '4096x4096', '1024x1024'])('a size in pixels never fails for its tier: %s', async size => {
    expect(await imageConfigFor({ model: flash25, size })).toEqual({ aspectRatio: '1:1' })
    const lite = await imageConfigFor({ model: 'nano-banana-2-lite', size })
    expect(lite).toEqual({ aspectRatio: '1:1', imageSize: '1K' })
  })

  test.each([[{}], [{ size: 'auto' }], [{ size: null }], [{ aspect_ratio: 'auto' }]])(
    '%j leaves the shape to the model',
    async body => expect(await imageConfigFor(body)).toBeUndefined(),
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
  ])('%j is %j', async (body, config) => expect(await imageConfigFor(body)).toEqual(config))

  test.each([
    [
      { size: '1024x1024', aspect_ratio: '16:9' },
      { aspectRatio: '16:9', imageSize: '1K' },
    ],
    [
      { size: '1024x1536', image_size: '4K' },
      { aspectRatio: '2:3', imageSize: '4K' },
    ],
    [
      { size: '16:9', resolution: '2K' },
      { aspectRatio: '16:9', imageSize: '2K' },
    ],
    [
      { size: '4K', aspect_ratio: '1:1' },
      { aspectRatio: '1:1', imageSize: '4K' },
    ],
    [{ image_size: '2k', resolution: '2K' }, { imageSize: '2K' }],
  ])('each half that is named replaces its half of size: %j', async (body, config) => {
    expect(await imageConfigFor(body)).toEqual(config)
  })

  test('image_size and resolution that differ are refused, naming both', async () => {
    const message = await refused({ image_size: '1K', resolution: '2K' }, 'image_size')
    expect(message).toMatch(/'image_size'.*'resolution'/)
  })

  test('a size and a width and height that differ are refused, naming both', async () => {
    const message = await refused({ size: '1024x1024', width: 512, height: 512 }, 'size')
    expect(message).toMatch(/'size'.*'width'/)
    expect(await imageConfigFor({ size: '1024x1024', width: 1024, height: 1024 })).toBeDefined()
  })

  test('a width alone is half a size', async () => {
    await refused({ width: 512 }, 'height')
    await refused({ height: 512 }, 'width')
  })

  test.each([
    [{ model: flash25, aspect_ratio: '1:8' }, 'aspect_ratio', /has: 1:1, 2:3/],
    [{ model: flash25, aspectRatio: '1:8' }, 'aspectRatio', /has: 1:1/],
    [{ model: flash2, image_size: '8K' }, 'image_size', /has: 512, 1K, 2K, 4K/],
    [{ model: flash2, imageSize: '8K' }, 'imageSize', /has: 512/],
    [{ model: flash2, resolution: '3K' }, 'resolution', /has: 512/],
    [{ model: 'nano-banana-pro', image_size: '512' }, 'image_size', /has: 1K, 2K, 4K/],
    [{ model: flash25, image_size: '2K' }, 'image_size', /one size/],
    [{ model: flash2, size: '8:9' }, 'size', /has: 1:1/],
  ])('what the model does not have is refused, with what it has: %j', async (body, param, says) => {
    expect(await refused(body, param)).toMatch(says)
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
  ])('%s %j is none', async (field, value) => void (await refused({ [field]: value }, field)))
})

describe('n', () => {
  test.each([1, 2, 4, 10])('%i pictures are as many calls side by side', async n => {
    const { status, json: answer, headers, line } = await askOpenai(gateway, { n })
    expect(status).toBe(200)
    expect(answer.data).toHaveLength(n)
    expect(upstream.seen).toHaveLength(n)
    for (const { body } of upstream.seen) expect(body.toString()).not.toMatch(/candidateCount/)
    expect(headers.get('x-plantain-images')).toBe(n === 1 ? null : `${n}/${n}`)
    expect(headers.get('x-plantain-attempts')).toBe(String(n))
    expect(line).toMatchObject({ images: n, attempts: n })
  })

  test('the calls run at the same time', async () => {
    let [running, most] = [0, 0]
    upstream.script = async (request, response) => {
      most = Math.max(most, ++running)
      await new Promise(resolve => setTimeout(resolve, 30))
      running -= 1
      return answerWith('answers/tiny-picture.json')(request, response)
    }
    expect((await askOpenai(gateway, { n: 5 })).status).toBe(200)
    expect(most).toBe(5)
  })

  test('usage is the sum of all calls', async () => {
    upstream.script = answerWith('usage/split.json')
    const { json: answer } = await askOpenai(gateway, { n: 3 })
    expect(answer.usage).toEqual({
      total_tokens: 4674,
      input_tokens: 804,
      output_tokens: 3870,
      input_tokens_details: { text_tokens: 30, image_tokens: 774 },
      output_tokens_details: { text_tokens: 0, image_tokens: 3870 },
    })
  })

  test('what came is kept when a part fails, and the answer says how much came', async () => {
    upstream.script = (request, response) =>
      upstream.seen.length % 2 === 0
        ? answerWith('refusals/image-safety.json')(request, response)
        : answerWith('answers/tiny-picture.json')(request, response)
    const { status, json: answer, headers, line } = await askOpenai(gateway, { n: 4 })
    expect(status).toBe(200)
    expect(answer.data).toHaveLength(2)
    expect(headers.get('x-plantain-images')).toBe('2/4')
    expect(line).toMatchObject({ outcome: 'ok', images: 2, attempts: 4 })
  })

  test.each([
    ['a refusal', 'refusals/image-safety.json', 200, 400, 'moderation_blocked'],
    ['a limit', 'errors/quota-retry-whole.json', 429, 429, 'rate_limit_exceeded'],
    ['an error in the request', 'errors/bad-size.json', 400, 400, null],
  ])(
    'when all fail, %s is told before failures the caller can do nothing about',
    async (_what, name, status, told, code) => {
      for (const place of [0, 1, 2, 3]) {
        upstream.seen.length = 0
        upstream.script = (request, response) => {
          const others = [answerWith('errors/internal.json', 500), answerWith('errors/key-reported-leaked.json', 403)]
          const turn = upstream.seen.length - 1
          const other = others[turn % 2] ?? json({}, 500)
          return (turn === place ? answerWith(name, status) : other)(request, response)
        }
        const answer = await askOpenai(gateway, { n: 4 })
        expect(answer).toMatchObject({ status: told, json: { error: { code } } })
      }
    },
  )

  test.each([0, -1, 11, 1.5, '3', 'two', true, [1], Number.POSITIVE_INFINITY])(
    '%j is no number of pictures',
    async n => {
      const text = JSON.stringify({ prompt: 'A red kite', n }).replace('null', '1e400')
      const { status, json: answer } = await ask(gateway, '/v1/images/generations', text)
      expect(status).toBe(400)
      expect(answer.error).toMatchObject({ code: 'invalid_value', param: 'n' })
      expect(upstream.seen).toHaveLength(0)
    },
  )
})

describe('spelling', () => {
  test('every field has a twin in camelCase', async () => {
    const body = { aspectRatio: '16:9', imageSize: '2K', responseFormat: 'b64_json', enableWebSearch: true }
    const { status, headers } = await askOpenai(gateway, { ...body, mediaResolution: 'MEDIA_RESOLUTION_HIGH' })
    expect(status).toBe(200)
    expect(headers.get('x-plantain-ignored-params')).toBeNull()
    const { generationConfig, tools } = sentUp().body
    expect(generationConfig).toMatchObject({
      imageConfig: { aspectRatio: '16:9', imageSize: '2K' },
      mediaResolution: 'MEDIA_RESOLUTION_HIGH',
    })
    expect(tools).toEqual([{ googleSearch: {} }])
  })

  test('twins that agree are one', async () => {
    expect(await imageConfigFor({ aspect_ratio: '16:9', aspectRatio: '16:9' })).toEqual({ aspectRatio: '16:9' })
  })

  test('twins that differ are refused, naming both', async () => {
    const message = await refused({ aspect_ratio: '16:9', aspectRatio: '1:1' }, 'aspectRatio')
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
    expect(await refused(body, param, code)).not.toBe('')
  })
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
    const { status, headers } = await askOpenai(gateway, Object.fromEntries(all.map(name => [name, null])))
    expect(status).toBe(200)
    expect(headers.get('x-plantain-ignored-params')).toBeNull()
    expect(sentUp().body.generationConfig).toEqual({ responseModalities: ['IMAGE'] })
  })

  test('an empty string in a form means not given, but for a picture', async () => {
    const names = all.filter(name => !['image', 'images'].includes(name))
    const parts = textParts({ prompt: 'A red kite', ...Object.fromEntries(names.map(name => [name, ''])) })
    const { status, headers } = await told(gateway, await postForm(`${gateway.url}/v1/images/edits`, parts))
    expect(status).toBe(200)
    expect(headers.get('x-plantain-ignored-params')).toBeNull()
    expect(sentUp().body.generationConfig).toEqual({ responseModalities: ['IMAGE'] })
  })
})

describe('what has no twin at the upstream', () => {
  const extras = { quality: 'high', style: 'vivid', moderation: 'low', input_fidelity: 'high', user: 'u-1' }
  const more = {
    safety_identifier: 's',
    complexity: 'low',
    steps: 20,
    cfg: 7.5,
    negative_prompt: 'blur',
    whatever: [{}],
  }

  test('is accepted, not sent, and named', async () => {
    const { status, headers } = await askOpenai(gateway, { ...extras, ...more })
    expect(status).toBe(200)
    expect(headers.get('x-plantain-ignored-params')).toBe(Object.keys({ ...extras, ...more }).join(', '))
    expect(Object.keys(sentUp().body).toSorted()).toEqual(['contents', 'generationConfig'])
  })

  test('is refused where the caller asks for strictness', async () => {
    const { status, json: answer } = await askOpenai(gateway, { quality: 'high' }, { 'x-plantain-strict': 'true' })
    expect(status).toBe(400)
    expect(answer.error).toMatchObject({ code: 'unsupported_parameter', param: 'quality' })
    expect(answer.error.message).toMatch(/quality/)
    expect(upstream.seen).toHaveLength(0)
    expect((await askOpenai(gateway, {}, { 'x-plantain-strict': 'true' })).status).toBe(200)
  })

  test('names of any kind make a header that every client can read', async () => {
    const names = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`f${index}${'x'.repeat(90)}`, 1]))
    const { status, headers } = await askOpenai(gateway, { 'ü\n☃': 1, ...names })
    expect(status).toBe(200)
    const header = headers.get('x-plantain-ignored-params') ?? ''
    expect(header).toMatch(/^[\x20-\x7e]+$/)
    expect(header.length).toBeLessThan(2100)
    expect(header).toMatch(/and \d+ more$/)
  })

  test('partial_images without a stream is one of them', async () => {
    const { headers } = await askOpenai(gateway, { partial_images: 2 })
    expect(headers.get('x-plantain-ignored-params')).toBe('partial_images')
    await refused({ partial_images: 4 }, 'partial_images')
  })
})

describe('what is not served yet is refused and says so', () => {
  test.each([
    [{ markup: 'x' }, 'markup'],
    [{ images: [{ file_id: 'file-1' }] }, 'images[0].file_id'],
  ])('%j', async (body, param) => {
    expect(await refused(body, param, 'unsupported_parameter')).toMatch(/\./)
  })

  test.each([
    [{ stream: false }],
    [{ output_compression: 100 }],
    [{ model: flash25, output_format: 'png' }],
    [{ model: flash2, output_format: 'jpeg' }],
    [{ response_format: 'b64_json' }],
    [{ response_format: 'url' }],
    [{ background: 'auto' }],
    [{ background: 'opaque' }],
  ])('%j asks for what is there', async body => {
    expect((await askOpenai(gateway, body)).status).toBe(200)
  })
})

describe('what no model here can do is refused', () => {
  test.each([
    [{ background: 'transparent' }, 'background'],
    [{ output_format: 'gif' }, 'output_format'],
    [{ output_format: 'svg' }, 'output_format'],
    [{ output_format: 'bmp' }, 'output_format'],
    [{ output_compression: 101 }, 'output_compression'],
    [{ output_compression: -1 }, 'output_compression'],
    [{ output_compression: 50.5 }, 'output_compression'],
    [{ output_compression: '50' }, 'output_compression'],
    [{ frame_count: 4 }, 'frame_count'],
    [{ frame_duration_ms: 100 }, 'frame_duration_ms'],
    [{ svg: { model: 'x' } }, 'svg'],
    [{ response_format: 'html' }, 'response_format'],
    [{ enable_web_search: 'yes' }, 'enable_web_search'],
    [{ stream: 'true' }, 'stream'],
    [{ seed: 1.5 }, 'seed'],
    [{ media_resolution: 'ULTRA' }, 'media_resolution'],
  ])('%j', async (body, param) => void (await refused(body, param)))

  test.each(['gif', 'svg', 'frame_png', 'bmp'])(
    'a format is not refused with one that is refused too: %s',
    async format => {
      const message = await refused({ output_format: format }, 'output_format')
      expect(message).toContain('png, jpeg, webp')
      expect(message).not.toMatch(/gif|svg/)
    },
  )
})

test('a seed goes up', async () => {
  expect((await askOpenai(gateway, { seed: 42 })).status).toBe(200)
  expect(sentUp().body.generationConfig.seed).toBe(42)
})

describe('a prompt', () => {
  const missing = 'missing_required_parameter'
  test.each([[undefined, missing], [null, missing], ['', missing], [' \n\t', missing], [7], [['a']], [{ a: 1 }]])(
    '%j is none',
    async (prompt, code = 'invalid_value') => void (await refused({ prompt }, 'prompt', code)),
  )

  test('of 32000 characters is long enough, whatever they are', async () => {
    for (const prompt of ['a'.repeat(32_000), '☃'.repeat(32_000), '"\\\n'.repeat(10_000), '🪁'.repeat(16_000)]) {
      upstream.seen.length = 0
      expect((await askOpenai(gateway, { prompt })).status).toBe(200)
      expect(sentUp().body.contents[0].parts[0].text).toBe(prompt)
    }
    await refused({ prompt: 'a'.repeat(32_001) }, 'prompt')
    await refused({ prompt: 'a'.repeat(1_000_000) }, 'prompt')
  })

  test('keeps its control characters, its direction marks and its accents', async () => {
    const prompt = 'a\u0000b\u202e\u0301\u2028 "quoted" \\ </script> \u{1f3f4}'
    expect((await askOpenai(gateway, { prompt })).status).toBe(200)
    expect(sentUp().body.contents[0].parts[0].text).toBe(prompt)
  })
})

describe('settings of the operator', () => {
  let strict: TestGateway
  beforeAll(async () => {
    const answers = { strictParameters: true, legacyAliases: false, defaultModel: 'nano-banana-pro' }
    strict = await startGateway({
      upstream: upstream.url,
      answers,
      upstreamConfig: {
        models: new Map([
          ['nano-banana-pro', 'tuned-pro'],
          [flash25, 'tuned-flash'],
        ]),
      },
    })
  })
  afterAll(() => strict.close())

  test('answers.strict_parameters refuses what would be ignored', async () => {
    const { status, json: answer } = await askOpenai(strict, { style: 'vivid' })
    expect([status, answer.error.param]).toEqual([400, 'style'])
  })

  test('answers.default_model is what is meant by none', async () => {
    expect((await askOpenai(strict)).headers.get('x-plantain-model')).toBe('gemini-3-pro-image')
  })

  test('legacy_aliases: off sends retired names up as they are', async () => {
    await askOpenai(strict, { model: 'dall-e-3' })
    expect(sentUp().url).toBe('/v1beta/models/dall-e-3:generateContent')
  })

  test.each([
    ['nano-banana-pro', 'tuned-pro'],
    ['gemini-2.5-flash-image', 'tuned-flash'],
    ['nano-banana', 'tuned-flash'],
    ['gemini-3.1-flash-image', 'gemini-3.1-flash-image'],
  ])('an upstream’s own name for %s is %s, in both protocols', async (model, name) => {
    expect((await askOpenai(strict, { model })).status).toBe(200)
    expect(sentUp().url).toBe(`/v1beta/models/${name}:generateContent`)
    upstream.seen.length = 0
    expect((await ask(strict, `/v1beta/models/${model}:generateContent`, { contents: [] })).status).toBe(200)
    expect(sentUp().url).toBe(`/v1beta/models/${name}:generateContent`)
  })
})
