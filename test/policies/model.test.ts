/** Which model a name means, and by which name its upstream is asked for it. */
import { describe, expect, test } from 'vitest'
import { askOpenai } from '../helpers/callers.ts'
import { callerOf, googleAt, startGateway } from '../helpers/gateway.ts'
import { vendors } from '../upstreams/every.ts'
import { startGoogle } from '../upstreams/google.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { jsonOf } from '../upstreams/seen.ts'
import { generate, paint, placeFor, refusalOf, startPlace } from './setup.ts'

const google = await placeFor(startGoogle)
const openai = await placeFor(startOpenAI)

const flash31 = 'gemini-3.1-flash-image'
const flash25 = 'gemini-2.5-flash-image'

test.each([[{}], [{ model: null }], [{ model: '' }]])(
  'left out it is the default one, which is named: %j',
  async body => {
    const { status, headers, line } = await paint(google, body)
    expect([status, headers.get('x-plantain-model'), line.model]).toEqual([200, flash31, flash31])
  },
)

const retired = ['dall-e-2', 'dall-e-3', 'gpt-image-1', 'imagen-4.0-generate-001', 'imagen-3.0-fast', 'openai/dall-e-3']
test.each(retired)(
  '%s, which its vendor has retired, means the nearest living one of an upstream that is there',
  async model => {
    for (const [place, id] of [
      [google, flash31],
      [openai, 'gpt-image-2'],
    ] as const) {
      const { status, headers, line } = await paint(place, { model })
      expect([status, headers.get('x-plantain-model')]).toEqual([200, id])
      expect(line).toMatchObject({ modelAsked: model, model: id })
    }
  },
)

test.each([
  ['models/gemini-2.5-flash-image', flash25],
  ['GEMINI-2.5-Flash-Image', flash25],
  ['google/gemini-2.5-flash-image-preview', flash25],
  ['gemini-3.1-flash-image-preview', flash31],
])('%s is a spelling of %s', async (model, id) => {
  expect((await paint(google, { model })).headers.get('x-plantain-model')).toBe(id)
})

test('an id that nobody knows is passed on with what was asked: the upstream decides', async () => {
  const body = { model: 'gemini-9-ultra-image', aspect_ratio: '32:9', image_size: '8k' }
  const { status, headers, sent } = await paint(google, body)
  expect([status, headers.get('x-plantain-model')]).toEqual([404, 'gemini-9-ultra-image'])
  expect(google.fake.requests[0]?.path).toBe('/v1beta/models/gemini-9-ultra-image:generateContent')
  expect(sent[0]?.generationConfig.imageConfig).toEqual({ aspectRatio: '32:9', imageSize: '8K' })
})

test('one of a protocol that no upstream speaks is unknown here, and what is served is listed', async () => {
  const told = await paint(google, { model: 'gpt-image-2' })
  expect(refusalOf(told, google)).toEqual([404, 'model', true])
  expect(told.json.error).toMatchObject({ code: 'model_not_found', message: expect.stringContaining(flash31) })
})

const impossible = [
  '../files',
  '..',
  'a/../b',
  'gemini:evil',
  'x y',
  'x\ny',
  'ünï',
  '☃',
  'a\u0000b',
  '/x',
  'x?key=1',
  'x#y',
  '%2e%2e',
]
test.each(impossible)('%j is no possible name: unknown, and no upstream is bothered with it', async model => {
  const told = await paint(google, { model })
  expect(refusalOf(told, google)).toEqual([404, 'model', true])
  expect(told.json.error.code).toBe('model_not_found')
  expect(told.line).toMatchObject({ status: 404 })
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

describe('settings of the operator', () => {
  const models = new Map([
    ['nano-banana-pro', 'gemini-2.5-flash-image'],
    [flash25, 'gemini-3-pro-image'],
  ])
  const settings = { legacyAliases: false, defaultModel: 'nano-banana-pro' }

  test('answers.default_model is what is meant by none', async () => {
    const own = await startPlace(startGoogle, {}, { answers: settings })
    expect((await paint(own, {})).headers.get('x-plantain-model')).toBe('gemini-3-pro-image')
    await own.close()
  })

  test('legacy_aliases: off leaves retired names to the upstream', async () => {
    const own = await startPlace(startGoogle, {}, { answers: settings })
    const { headers } = await paint(own, { model: 'dall-e-3' })
    expect(headers.get('x-plantain-model')).toBe('dall-e-3')
    expect(own.fake.requests[0]?.path).toBe('/v1beta/models/dall-e-3:generateContent')
    await own.close()
  })

  test.each([
    ['nano-banana-pro', 'gemini-2.5-flash-image'],
    [flash25, 'gemini-3-pro-image'],
    ['nano-banana', 'gemini-3-pro-image'],
    [flash31, flash31],
  ])('an upstream’s own name for %s is %s, in both protocols', async (model, name) => {
    const own = await startPlace(startGoogle, { models })
    expect((await paint(own, { model })).status).toBe(200)
    expect(own.fake.requests[0]?.path).toBe(`/v1beta/models/${name}:generateContent`)
    expect((await generate(own, model, {})).status).toBe(200)
    expect(own.fake.requests[0]?.path).toBe(`/v1beta/models/${name}:generateContent`)
    await own.close()
  })
})
