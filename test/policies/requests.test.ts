/** What a request means: a test for each policy, named by what it promises. Finer points are tested where each is built. */
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { ask, askOpenai, type Told } from '../helpers/callers.ts'
import { postForm, textParts } from '../helpers/forms.ts'
import { callerOf, googleAt, startGateway } from '../helpers/gateway.ts'
import { heicHead, meanColour, numberedPicture, see } from '../helpers/pictures.ts'
import { vendors } from '../upstreams/every.ts'
import { startGoogle } from '../upstreams/google.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { jsonOf } from '../upstreams/seen.ts'
import { generate, paint, placeFor, refusalOf, startPlace } from './setup.ts'

const google = await placeFor(startGoogle)
const openai = await placeFor(startOpenAI)

const flash31 = 'gemini-3.1-flash-image'
const flash25 = 'gemini-2.5-flash-image'
const imageConfigOf = async (body: object) => (await paint(google, body)).sent[0]?.generationConfig.imageConfig

describe('the model', () => {
  test.each([
    [{}, flash31],
    [{ model: null }, flash31],
    [{ model: 'gemini-3.1-flash-image-preview' }, flash31],
    [{ model: 'dall-e-3' }, flash31],
  ])(
    'left out it is the default, renamed or retired its successor, and the answer says which: %j',
    async (body, id) => {
      const { status, headers } = await paint(google, body)
      expect([status, headers.get('x-plantain-model')]).toEqual([200, id])
    },
  )

  test('a name that vendors have retired means the nearest living model of an upstream that is there', async () => {
    for (const [place, id] of [
      [google, flash31],
      [openai, 'gpt-image-2'],
    ] as const) {
      for (const model of ['dall-e-2', 'dall-e-3', 'gpt-image-1', 'imagen-4.0-ultra-generate-001']) {
        expect((await paint(place, { model })).headers.get('x-plantain-model')).toBe(id)
      }
    }
  })

  test.each(['zenlayer, OpenAI form', 'nano-banana', 'aimlapi'])(
    'a retired name is served by %s too, which speaks OpenAI’s form and has none of its models',
    async name => {
      const place = await startPlace(vendors.find(vendor => vendor.name === name)?.start ?? startGoogle)
      for (const model of ['dall-e-3', 'gpt-image-1', 'imagen-4.0-ultra-generate-001']) {
        const { status, headers } = await paint(place, { model })
        expect([status, headers.get('x-plantain-model')]).toEqual([200, flash31])
      }
      await place.close()
    },
  )

  const names = [
    ['google', flash31],
    ['vertex, express', flash31],
    ['zenlayer, Gemini form', 'gemini-3.1-flash-image-preview'],
    ['zenlayer, OpenAI form', 'gemini-3.1-flash-image-preview'],
    ['nano-banana', 'nano-banana-2'],
    ['aimlapi', 'google/nano-banana-2'],
  ] as const
  test.each(names)('any of its names leads to the one that %s has for it: %s', async (name, there) => {
    const place = await startPlace(vendors.find(vendor => vendor.name === name)?.start ?? startGoogle)
    for (const model of ['nano-banana-2', 'models/gemini-3.1-flash-image', 'google/nano-banana-2', 'NANO-BANANA-2']) {
      const { status, sent } = await paint(place, { model })
      const said = sent[0]?.model ?? /models\/([^:]+)/.exec(place.fake.requests[0]?.path ?? '')?.[1]
      expect([status, said]).toEqual([200, there])
    }
    await place.close()
  })

  test('the operator’s own name for it goes before the vendor’s', async () => {
    const place = await startPlace(startOpenAI, { models: new Map([['gpt-image-2', 'mine']]) })
    expect((await paint(place, { model: 'gpt-image-2' })).sent[0]?.model).toBe('mine')
    await place.close()
  })

  test.each([
    'nano-banana-2',
    'NANO-BANANA-2',
    'models/nano-banana-2',
    'google/nano-banana-2',
    flash31,
    'gemini-3.1-flash-image-preview',
    null,
  ])('the operator’s own name holds for all of a model’s names, whichever it was written under: %s', async model => {
    const place = await startPlace(startGoogle, { models: new Map([['Nano-Banana-2', 'gemini-3-pro-image']]) })
    expect((await paint(place, { model })).status).toBe(200)
    expect(place.fake.requests[0]?.path).toMatch(/models\/gemini-3-pro-image:/)
    await place.close()
  })

  test('a name that asks for more than the model may have a name of its own', async () => {
    const models = new Map([['nano-banana-hd', 'gemini-nano-banana-2.1']])
    const place = await startPlace(startGoogle, { models })
    const pathOf = async (model: string) => {
      await paint(place, { model })
      return place.fake.requests[0]?.path
    }
    expect(await pathOf('nano-banana-hd')).toMatch(/models\/gemini-nano-banana-2\.1:/)
    expect(await pathOf('nano-banana-pro')).toMatch(/models\/gemini-3-pro-image:/)
    await place.close()
  })

  test.each([{ routing: [] }, { routing: [{ model: '*', upstreams: ['google', 'openai'] }] }])(
    'an id that nobody knows but an upstream’s `models` is that upstream’s: %j',
    async ({ routing }) => {
      google.fake.reset()
      openai.fake.reset()
      const own = await startGateway({
        upstream: google.fake.baseUrl,
        config: {
          upstreams: [
            googleAt(google.fake.baseUrl, { keys: [google.fake.key] }),
            googleAt(openai.fake.baseUrl, {
              ...{ name: 'openai', protocol: 'openai', dialect: 'openai', keys: [openai.fake.key] },
              models: new Map([['house-model', 'gpt-image-2']]),
            }),
          ],
          routing,
        },
      })
      const { headers } = await askOpenai(own, { model: 'House-Model', size: '1024x1024' })
      expect([headers.get('x-plantain-upstream'), openai.fake.requests.map(request => jsonOf(request).model)]).toEqual([
        'openai',
        ['gpt-image-2'],
      ])
      expect((await askOpenai(own, { model: 'stranger' })).headers.get('x-plantain-upstream')).toBe('google')
      await own.close()
    },
  )

  test('a vendor’s prefix leads around no limit of a model that the operator alone knows', async () => {
    openai.fake.reset()
    const { baseUrl, key } = openai.fake
    const own = await startGateway({
      upstream: baseUrl,
      upstreamConfig: {
        ...{ name: 'openai', protocol: 'openai', dialect: 'openai', baseUrl, keys: [key] },
        models: new Map([['house-model', 'gpt-image-2']]),
      },
      callers: [callerOf('team', { modelLimits: [{ model: 'house-model', limits: { imagesPerDay: 1 } }] })],
    })
    const authorization = 'Bearer key-of-team'
    const statusOf = async (model: string) => (await askOpenai(own, { model }, { authorization })).status
    expect([await statusOf('house-model'), await statusOf('House-Model')]).toEqual([200, 429])
    await statusOf('openai/house-model')
    await statusOf('google/house-model')
    expect(openai.fake.requests.map(request => jsonOf(request).model)).toEqual([
      'gpt-image-2',
      'openai/house-model',
      'google/house-model',
    ])
    await own.close()
  })

  test('a route is for all names of a model, whichever the operator wrote', async () => {
    google.fake.reset()
    const { baseUrl, key } = google.fake
    const upstreams = ['one', 'two'].map(name => googleAt(baseUrl, { name, keys: [key] }))
    const routing = [
      { model: 'nano-banana-2', upstreams: ['two'] },
      { model: '*', upstreams: ['one'] },
    ]
    const own = await startGateway({ upstream: baseUrl, config: { upstreams, routing } })
    for (const [model, upstream] of [
      ['nano-banana-2', 'two'],
      [flash31, 'two'],
      ['nano-banana-pro', 'one'],
    ]) {
      expect((await askOpenai(own, { model })).headers.get('x-plantain-upstream')).toBe(upstream)
    }
    await own.close()
  })

  test('a model that a vendor does not list is served where the operator says so, by any of its names', async () => {
    const models = new Map([['nano-banana-2.1', 'nano-banana-2']])
    const nanoBanana = vendors.find(({ name }) => name === 'nano-banana')?.start ?? startOpenAI
    const place = await startPlace(nanoBanana, { models })
    for (const model of ['nano-banana-2.1', 'gemini-nano-banana-2.1']) {
      const { status, sent } = await paint(place, { model })
      expect([status, sent[0]?.model]).toEqual([200, 'nano-banana-2'])
    }
    await place.close()
  })
})

describe('the shape', () => {
  test.each([
    [{ size: '1024x1536', aspect_ratio: '16:9' }, '16:9', '1K'],
    [{ size: '1024x1536', image_size: '4K' }, '2:3', '4K'],
    [{ size: '1024x1536', resolution: '2k', aspect_ratio: '21:9' }, '21:9', '2K'],
    [{ size: '16:9' }, '16:9', undefined],
    [{ size: '2K' }, undefined, '2K'],
    [{ image_size: '0.5K' }, undefined, '512'],
    [{ image_size: '512px' }, undefined, '512'],
    [{ size: '3840x2160' }, '16:9', '4K'],
    [{ width: 1024, height: 1536 }, '2:3', '1K'],
  ])('each half that is named replaces its half of size: %j', async (body, aspectRatio, imageSize) => {
    const expected = { ...(aspectRatio && { aspectRatio }), ...(imageSize && { imageSize }) }
    expect(await imageConfigOf({ model: flash31, ...body })).toEqual(expected)
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

  test.each([{ size: 'auto' }, { size: null }, {}])('%j sends nothing', async body => {
    expect(await imageConfigOf({ model: flash31, ...body })).toBeUndefined()
  })

  test('two names for the resolution that differ are refused, and both are named', async () => {
    const told = await paint(google, { image_size: '1K', resolution: '2K' })
    expect(refusalOf(told, google)).toEqual([400, 'image_size', true])
    expect(told.json.error.message).toMatch(/image_size.*resolution/)
  })

  test.each([
    [{ model: flash31, aspect_ratio: '7:5' }, 'aspect_ratio', /16:9/],
    [{ model: flash25, aspect_ratio: '1:8' }, 'aspect_ratio', /21:9/],
    [{ model: flash31, image_size: '3K' }, 'image_size', /512, 1K, 2K, 4K/],
  ])('what a known model lacks is refused with what it has, and nobody is called: %j', async (body, param, has) => {
    const told = await paint(google, body)
    expect(refusalOf(told, google)).toEqual([400, param, true])
    expect([told.json.error.code, told.json.error.message]).toEqual(['invalid_value', expect.stringMatching(has)])
  })

  test('an id nobody knows is passed on with what was asked: the upstream decides', async () => {
    const { status } = await paint(google, { model: 'gemini-9-image', aspect_ratio: '7:5' })
    expect([status, google.fake.requests.length]).toEqual([404, 1])
  })

  test.each([
    ['image_size', { image_size: '3K' }],
    ['resolution', { resolution: '3K' }],
    ['imageSize', { imageSize: '3K' }],
  ])('but a tier that its vendor has no word for is refused by the field that named it: %s', async (param, shape) => {
    const told = await paint(openai, { model: 'local/flux', ...shape })
    expect(refusalOf(told, openai)).toEqual([400, param, true])
    expect(told.json.error.message).toMatch(/512, 1K, 2K, 4K/)
  })

  test.each([
    ['512x512', 'gemini-3-pro-image', '1K', /^1024x1024$/],
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
})

describe('the count', () => {
  test('is a field where the vendor has one, and calls side by side where not, never candidateCount', async () => {
    expect((await paint(openai, { model: 'gpt-image-2', n: 3, aspect_ratio: '1:1' })).sent.map(({ n }) => n)).toEqual([
      3,
    ])
    const { sent, json, headers } = await paint(google, { n: 3 })
    expect(sent.map(({ generationConfig }) => generationConfig.candidateCount)).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect([json.data.length, headers.get('x-plantain-images')]).toEqual([3, '3/3'])
  })

  test('what came is returned, with how much of it; where all failed, what the caller can act on', async () => {
    const order = (kinds: readonly ('refusal' | 'ok' | 'server-error')[]) => {
      google.fake.reset()
      for (const kind of kinds) google.fake.answerNext(kind === 'server-error' ? { kind, status: 500 } : { kind })
    }
    const three = (body: object = {}) =>
      ask(google.gateway, '/v1/images/generations', { prompt: 'A kite', n: 3, ...body })
    order(['ok', 'refusal', 'ok'])
    const some = await three()
    expect([some.status, some.json.data.length, some.headers.get('x-plantain-images')]).toEqual([200, 2, '2/3'])
    order(['server-error', 'refusal', 'server-error'])
    const none = await three()
    expect([none.status, none.json.error.code]).toEqual([400, 'moderation_blocked'])
  })

  test('an answer with more pictures than asked for is passed on whole', async () => {
    openai.fake.reset()
    openai.fake.answerNext({ kind: 'ok', images: 3 })
    const body = { model: 'gpt-image-2', prompt: 'A kite', aspect_ratio: '1:1' }
    expect((await ask(openai.gateway, '/v1/images/generations', body)).json.data).toHaveLength(3)
  })
})

describe('how pictures come', () => {
  const kindsOf = ({ json }: Told) => json.data.flatMap((one: object) => Object.keys(one))

  test.each([
    [{}, 'b64_json'],
    [{ response_format: null }, 'b64_json'],
    [{ response_format: 'url' }, 'url'],
    [{ model: 'dall-e-3' }, 'url'],
    [{ model: 'dall-e-3', response_format: 'b64_json' }, 'b64_json'],
  ])('is what the field says, else what the name promises, and never both: %j', async (body, kind) => {
    expect(kindsOf(await paint(google, body))).toEqual([kind])
  })

  test.each(['url', 'b64_json'] as const)(
    'is %s where the operator says so and the caller nothing',
    async responseFormat => {
      const own = await startGateway({
        upstream: google.fake.baseUrl,
        upstreamConfig: { keys: [google.fake.key] },
        answers: { responseFormat },
      })
      for (const model of [flash31, 'dall-e-3'])
        expect(kindsOf(await askOpenai(own, { model }))).toEqual([responseFormat])
      await own.close()
    },
  )
})

describe('spelling', () => {
  test('is snake_case or camelCase on every route', async () => {
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

  test('candidateCount above 1 is calls side by side, merged as candidates', async () => {
    const { json, sent } = await generate(google, flash31, { generationConfig: { candidateCount: 3 } })
    expect([json.candidates.length, sent.length]).toEqual([3, 3])
  })
})

describe('the file', () => {
  test.each(['png', 'jpeg', 'webp'] as const)(
    'is a %s where that is asked for, and labels tell what the bytes are',
    async type => {
      const { json } = await paint(google, { output_format: type, size: '1376x768' })
      const { format, width, height } = await see(Buffer.from(json.data[0].b64_json, 'base64'))
      expect([format, json.output_format, json.size]).toEqual([type, type, `${width}x${height}`])
    },
  )

  test.each([{ output_format: 'gif' }, { output_format: 'svg' }, { frame_count: 2 }, { frame_duration_ms: 10 }])(
    'is nothing that moves: %j',
    async body => {
      expect(refusalOf(await paint(google, body), google)).toEqual([400, Object.keys(body)[0], true])
    },
  )

  test('is never transparent on a Gemini model: that is refused', async () => {
    expect(refusalOf(await paint(google, { background: 'transparent' }), google)).toEqual([400, 'background', true])
  })
})

describe('what a model that nobody knows is asked for', () => {
  const all = vendors.filter(({ name }) => !['openai', 'azure'].some(own => name.startsWith(own)))
  test.each(all)('is sent to $name, or named', async ({ start }) => {
    const place = await startPlace(start)
    const { gateway, fake } = place
    const clear = { prompt: 'A kite', model: 'stranger', background: 'transparent' }
    const told = await ask(gateway, '/v1/images/generations', clear)
    expect(told.headers.get('x-plantain-ignored-params')).toBe('background')
    const strict = await ask(gateway, '/v1/images/generations', clear, { 'x-plantain-strict': 'true' })
    expect([strict.status, strict.json.error.param]).toEqual([400, 'background'])
    fake.reset()
    await ask(gateway, '/v1/images/generations', { prompt: 'A kite', model: 'stranger', image_size: '2K' })
    expect(fake.requests.map(request => JSON.stringify(jsonOf(request)))).toEqual([expect.stringContaining('"2K"')])
    await place.close()
  })
})

describe('what has no twin at the upstream', () => {
  const body = {
    ...{ quality: 'high', style: 'vivid', moderation: 'low', input_fidelity: 'high', user: 'me' },
    ...{ safety_identifier: 'me', complexity: 'low', steps: 30, cfg: 7, negative_prompt: 'rain', tomorrow: 1 },
  }

  test('is accepted, not sent, and named; for who is strict it is refused', async () => {
    const { status, sent, headers } = await paint(google, body)
    expect([status, headers.get('x-plantain-ignored-params')?.split(', ').toSorted()]).toEqual([
      200,
      Object.keys(body).toSorted(),
    ])
    expect(JSON.stringify(sent)).not.toMatch(/vivid|rain|tomorrow/)
    const strict = await paint(google, { tomorrow: 1 }, { 'x-plantain-strict': 'true' })
    expect(refusalOf(strict, google)).toEqual([400, 'tomorrow', true])
  })

  test('a seed and a media resolution are sent where the upstream has them, else named', async () => {
    const fields = { seed: 7, media_resolution: 'high' }
    expect((await paint(google, fields)).sent[0]?.generationConfig).toMatchObject({
      seed: 7,
      mediaResolution: 'MEDIA_RESOLUTION_HIGH',
    })
    const { headers } = await paint(openai, { model: 'gpt-image-2', aspect_ratio: '1:1', ...fields })
    expect(headers.get('x-plantain-ignored-params')).toBe('seed, media_resolution')
  })

  test('searching the web is a tool where the model has it, else refused', async () => {
    expect((await paint(google, { enable_web_search: true })).sent[0]?.tools).toEqual([{ googleSearch: {} }])
    const told = await paint(google, { model: flash25, enable_web_search: true })
    expect(refusalOf(told, google)).toEqual([400, 'enable_web_search', true])
  })
})

describe('pictures', () => {
  test('come by every way that some client uses, and go up in order', async () => {
    const files = await Promise.all([1, 2, 3, 4].map(number => numberedPicture('png', 8, 8, number)))
    const [one, two, three, four] = files.map(file => file.toString('base64'))
    const bodies = [
      { image: [one, `data:image/png;base64,${two}`, { image_url: `data:image/png;base64,${three}` }, four] },
      { images: [{ image_url: `data:image/png;base64,${one}` }, two, { url: `data:image/png;base64,${three}` }, four] },
      { image: one, images: [two], image_urls: [`data:image/png;base64,${three}`], input_references: [four] },
    ]
    for (const body of bodies) {
      const [parts] = (await paint(google, body)).sent.map(({ contents }) => contents[0].parts)
      const data = parts.flatMap(({ inlineData }: { inlineData?: { data: string } }) => inlineData?.data ?? [])
      expect(data).toEqual([one, two, three, four])
    }
  })

  test('of a type that the vendor refuses are refused by the field they stood in', async () => {
    const heic = heicHead().toString('base64')
    for (const [field, value] of [
      ['image', heic],
      ['images', [{ image_url: `data:image/heic;base64,${heic}` }]],
      ['inputReferences', [heic]],
    ] as const) {
      const told = await paint(openai, { model: 'gpt-image-2', [field]: value })
      expect(refusalOf(told, openai)).toEqual([400, field, true])
    }
  })

  test('a form without any is painted from its prompt alone', async () => {
    google.fake.reset()
    const parts = textParts({ prompt: 'A red kite', model: flash31 })
    expect((await postForm(`${google.gateway.url}/v1/images/edits`, parts)).status).toBe(200)
    expect(google.fake.problems).toEqual([])
  })

  const bounds = [
    ['google', flash31, 14],
    ['zenlayer, Gemini form', flash25, 3],
    ['zenlayer, OpenAI form', flash25, 3],
    ['zenlayer, OpenAI form', 'gemini-3-pro-image', 14],
    ['aimlapi', flash31, 5],
    ['openai', 'gpt-image-2', 16],
  ] as const
  test.each(bounds)(
    '%s takes as many as its documents say for %s, %i, and one more is refused',
    async (name, model, most) => {
      const place = await startPlace(vendors.find(vendor => vendor.name === name)?.start ?? startGoogle)
      const one = (await numberedPicture('png')).toString('base64')
      const asked = (count: number) => paint(place, { model, aspect_ratio: '1:1', image: Array(count).fill(one) })
      const { status } = await asked(most)
      expect([status, place.fake.problems]).toEqual([200, []])
      expect(refusalOf(await asked(most + 1), place)).toEqual([400, 'image', true])
      await place.close()
    },
  )

  test('a mask keeps every pixel outside its hole, though Gemini has no masks', async () => {
    google.fake.reset()
    const original = await numberedPicture('png', 64, 48, 5)
    const hole = { create: { width: 64, height: 48, channels: 4, background: '#ffff' } } as const
    const clear = {
      input: { create: { width: 16, height: 16, channels: 4, background: '#fff' } },
      blend: 'dest-out',
    } as const
    const mask = await sharp(hole)
      .composite([{ ...clear, left: 0, top: 0 }])
      .png()
      .toBuffer()
    const files = [
      { name: 'image', value: original, fileName: 'a.png', type: 'image/png' },
      { name: 'mask', value: mask, fileName: 'm.png', type: 'image/png' },
    ]
    const response = await postForm(`${google.gateway.url}/v1/images/edits`, [
      ...textParts({ prompt: 'A hat' }),
      ...files,
    ])
    const { data } = (await response.json()) as { data: { b64_json: string }[] }
    const painted = Buffer.from(data[0]?.b64_json ?? '', 'base64')
    const outside = { left: 20, top: 20, width: 40, height: 24 }
    expect(await meanColour(painted, outside)).toEqual(await meanColour(original, outside))
  })
})

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

test('standing instructions of a Gemini caller go before the prompt of an OpenAI model', async () => {
  const systemInstruction = { parts: [{ text: 'Paint in oil.' }] }
  const { sent } = await generate(openai, 'gpt-image-2', { systemInstruction })
  expect(sent[0]?.prompt).toMatch(/^Paint in oil\.\s+A red kite$/)
})

test('a call in the upstream’s own language is passed on as it is, but what that cannot give is translated', async () => {
  const { sent } = await generate(google, flash31, {
    generationConfig: { topP: 0.5, imageConfig: { imageSize: '1K' } },
  })
  expect(sent[0]?.generationConfig).toEqual({ topP: 0.5, imageConfig: { imageSize: '1K' } })
  const own = await paint(openai, { model: 'gpt-image-2', size: 'auto', n: 1 })
  expect(own.sent).toEqual([{ prompt: 'A red kite', model: 'gpt-image-2', size: 'auto', n: 1 }])
  const theirs = await paint(openai, { model: 'gpt-image-2', aspectRatio: '16:9', response_format: 'b64_json' })
  expect(theirs.sent).toEqual([{ prompt: 'A red kite', model: 'gpt-image-2', size: '1376x768' }])
  const hd = await paint(google, { model: 'nano-banana-hd' })
  expect(hd.sent[0]?.generationConfig.imageConfig).toEqual({ imageSize: '4K' })
})

test('legacy_aliases: off leaves retired names to the upstream', async () => {
  const own = await startGateway({ upstream: google.fake.baseUrl, answers: { legacyAliases: false } })
  expect(
    (await ask(own, '/v1/images/generations', { prompt: 'A kite', model: 'dall-e-3' })).headers.get('x-plantain-model'),
  ).toBe('dall-e-3')
  await own.close()
})
