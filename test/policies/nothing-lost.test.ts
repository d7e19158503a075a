/** Nothing is lost in silence: what a caller sent goes up, is named as ignored, or is refused by its name. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { UpstreamConfig } from '../../src/config/config.ts'
import { ask } from '../helpers/callers.ts'
import { postForm, textParts } from '../helpers/forms.ts'
import { googleAt, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { picture } from '../helpers/pictures.ts'
import type { FakeUpstream } from '../upstreams/contract.ts'
import { startGoogle } from '../upstreams/google.ts'
import { startNanoBanana } from '../upstreams/nano-banana.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { filesOf, jsonOf } from '../upstreams/seen.ts'
import { startVertex } from '../upstreams/vertex.ts'
import { generate, ignoredIn, paint, placeFor, refusalOf, startPlace } from './setup.ts'

const flash31 = 'gemini-3.1-flash-image'
const google = await placeFor(startGoogle)
const openai = await placeFor(startOpenAI)
const png = (await picture('png', { width: 8, height: 8 })).toString('base64')

describe('of two upstreams, of which the first knows no seed and takes one call a minute', () => {
  let nano: FakeUpstream
  let theirs: FakeUpstream
  const start = (limits: NonNullable<UpstreamConfig['limits']>): Promise<TestGateway> => {
    const first = { protocol: 'openai', dialect: 'nano-banana', name: 'nano', keys: [nano.key], limits } as const
    const upstreams = [
      { ...googleAt(nano.baseUrl), ...first },
      { ...googleAt(theirs.baseUrl), keys: [theirs.key] },
    ]
    const routing = [{ model: '*', upstreams: ['nano', 'google'] }]
    return startGateway({ upstream: theirs.baseUrl, config: { upstreams, routing } })
  }
  const body = { model: flash31, prompt: 'A red kite', seed: 5 }
  const path = '/v1/images/generations'
  beforeAll(async () => {
    nano = await startNanoBanana()
    theirs = await startGoogle()
  })
  afterAll(async () => {
    await nano.close()
    await theirs.close()
  })

  test('pictures that both painted name what either ignored', async () => {
    const gateway = await start({ requestsPerMinute: 1 })
    const told = await ask(gateway, path, { ...body, n: 2, quality: 'high' })
    expect([told.status, told.headers.get('x-plantain-images'), ignoredIn(told)]).toEqual([
      200,
      '2/2',
      ['quality', 'seed'],
    ])
    await gateway.close()
  })

  test('a picture that the second painted names what that one ignored', async () => {
    const gateway = await start({ requestsPerMinute: 1 })
    const [first, second] = [await ask(gateway, path, body), await ask(gateway, path, body)]
    expect([first, second].map(ignoredIn)).toEqual([['seed'], []])
    expect(second.headers.get('x-plantain-upstream')).toBe('google')
    await gateway.close()
  })

  test('who is strict gets the one that ignores nothing', async () => {
    const gateway = await start({})
    const told = await ask(gateway, path, body, { 'x-plantain-strict': 'true' })
    expect([told.status, told.headers.get('x-plantain-upstream')]).toEqual([200, 'google'])
    const none = await ask(gateway, path, { ...body, quality: 'high' }, { 'x-plantain-strict': 'true' })
    expect([none.status, none.json.error.param]).toEqual([400, 'quality'])
    await gateway.close()
  })
})

describe('of a Gemini caller, at OpenAI', () => {
  test.each(['systemInstruction', 'contents'])('a picture among the standing instructions goes up: %s', async where => {
    const instruction = {
      role: 'system',
      parts: [{ text: 'Like this.' }, { inlineData: { mimeType: 'image/png', data: png } }],
    }
    const said = { role: 'user', parts: [{ text: 'A red kite' }] }
    const body = where === 'contents' ? { contents: [instruction, said] } : { contents: [said], [where]: instruction }
    expect((await generate(openai, 'gpt-image-2', body)).status).toBe(200)
    expect(openai.fake.requests.map(request => [request.path, filesOf(request).length])).toEqual([
      ['/v1/images/edits', 1],
    ])
  })

  test('a picture alone, after what was said before, is enough of a prompt', async () => {
    const contents = [
      { role: 'user', parts: [{ text: 'A red kite, please' }] },
      { role: 'model', parts: [{ text: 'Like what?' }] },
      { role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: png } }] },
    ]
    expect((await generate(openai, 'gpt-image-2', { contents })).status).toBe(200)
  })

  test('texts that are too long as one prompt are refused before the call', async () => {
    const parts = [{ text: 'a'.repeat(20_000) }]
    const told = await generate(openai, 'gpt-image-2', { contents: [{ parts }], systemInstruction: { parts } })
    expect([told.status, told.json.error.status, openai.fake.requests.length]).toEqual([400, 'INVALID_ARGUMENT', 0])
    expect(told.json.error.message).toContain('32000')
  })

  test('what a user or the instructions mark as a thought is said all the same', async () => {
    const parts = [{ text: 'A kite' }, { text: 'in oil', thought: true }]
    const systemInstruction = { parts: [{ text: 'No words.', thought: true }] }
    const { sent } = await generate(openai, 'gpt-image-2', { contents: [{ parts }], systemInstruction })
    expect(sent[0]?.prompt).toMatch(/^No words\.\s+A kite\s+in oil$/)
  })

  test('what is said of the picture’s format and understood by nobody is named', async () => {
    const image = { aspectRatio: '1:1', compressionQuality: 5 }
    const format = await generate(openai, 'gpt-image-2', { generationConfig: { responseFormat: [{ image }] } })
    expect([format.status, ignoredIn(format)]).toEqual([
      200,
      ['generation_config.response_format[0].image.compression_quality'],
    ])
  })

  test('what parts say beside their text and pictures is named', async () => {
    const told = await generate(openai, 'gpt-image-2', {
      contents: [
        {
          author: 1,
          parts: [
            { text: 'A kite', mediaResolution: { level: 'MEDIA_RESOLUTION_HIGH' } },
            { inlineData: { mimeType: 'image/png', data: png, displayName: 'a' } },
          ],
        },
      ],
    })
    expect([told.status, ignoredIn(told)]).toEqual([
      200,
      ['contents[0].author', 'contents[0].parts[0].media_resolution', 'contents[0].parts[1].inline_data.display_name'],
    ])
  })
})

test('words of Vertex go up there, and elsewhere they stay behind and are named', async () => {
  const body = { generationConfig: { imageConfig: { personGeneration: 'ALLOW_ALL', imageSize: '1K' } } }
  const told = await generate(google, flash31, body)
  expect([told.status, ignoredIn(told), told.sent[0]?.generationConfig.imageConfig]).toEqual([
    200,
    ['generation_config.image_config.person_generation'],
    { imageSize: '1K' },
  ])
  const vertex = await startPlace(() => startVertex('express'))
  const there = await generate(vertex, flash31, body)
  expect([there.status, ignoredIn(there), there.sent[0]?.generationConfig]).toEqual([200, [], body.generationConfig])
  await vertex.close()
})

test.each([
  ['allow_adult', 'ALLOW_ADULT'],
  ['dont_allow', 'ALLOW_NONE'],
])('Imagen’s word for people that may be painted is one of Vertex too: %s', async (personGeneration, said) => {
  const vertex = await startPlace(() => startVertex('express'))
  const body = { instances: { prompt: 'A crowd' }, parameters: { personGeneration } }
  const path = `/v1beta/models/${flash31}:predict`
  const { status, headers } = await ask(vertex.gateway, path, body)
  expect([status, headers.get('x-plantain-ignored-params')]).toEqual([200, null])
  expect(vertex.fake.requests.map(jsonOf)).toMatchObject([
    { generationConfig: { imageConfig: { personGeneration: said } } },
  ])
  await vertex.close()
})

test('an own form that is written anew keeps its other formats, and names what it drops', async () => {
  const { status, headers, sent } = await generate(google, flash31, {
    generationConfig: {
      candidateCount: 2,
      imageConfig: { imageOutputOptions: { mimeType: 'image/png', progressive: true } },
      responseFormat: [{ image: { aspectRatio: '1:1', quality: 5 }, text: {} }],
    },
  })
  expect([status, headers.get('x-plantain-ignored-params')?.split(', ')]).toEqual([
    200,
    [
      'generation_config.image_config.image_output_options.progressive',
      'generation_config.response_format[0].image.quality',
    ],
  ])
  expect(sent[0]?.generationConfig).toMatchObject({
    imageConfig: { aspectRatio: '1:1' },
    responseFormat: [{ text: {} }],
  })
})

test('an empty text beside a picture is none', async () => {
  const parts = [{ text: 'A kite' }, { text: '', inlineData: { mimeType: 'image/png', data: png } }]
  for (const [place, model] of [
    [google, flash31],
    [openai, 'gpt-image-2'],
  ] as const) {
    const body = { contents: [{ parts }], generationConfig: { candidateCount: 2 } }
    const { status, headers } = await generate(place, model, body)
    expect([status, headers.get('x-plantain-ignored-params'), place.fake.problems]).toEqual([200, null, []])
  }
})

test('thoughts that are asked for with several candidates, which are merged without them, are named', async () => {
  const thinking = { thinkingConfig: { includeThoughts: true } }
  const merged = await generate(google, flash31, { generationConfig: { ...thinking, candidateCount: 2 } })
  expect([merged.status, ignoredIn(merged)]).toEqual([200, ['generation_config.thinking_config.include_thoughts']])
  const relayed = await generate(google, flash31, { generationConfig: thinking })
  expect([relayed.status, ignoredIn(relayed)]).toEqual([200, []])
})

test('roles in any of their spellings go up in the one that Google’s API takes', async () => {
  const contents = ['system', 'USER', 'assistant', 'user'].map(role => ({ role, parts: [{ text: 'A kite' }] }))
  const { status, sent } = await generate(google, flash31, { contents, generationConfig: { candidateCount: 2 } })
  expect(status).toBe(200)
  const roles = sent.map(body => body.contents.map(({ role }: { role: string }) => role))
  expect(roles).toEqual(Array.from({ length: 2 }, () => ['user', 'user', 'model', 'user']))
})

test('a PNG of less than full quality is refused to Google’s callers too', async () => {
  const output = (compressionQuality: number) => ({
    generationConfig: { imageConfig: { imageOutputOptions: { mimeType: 'image/png', compressionQuality } } },
  })
  expect((await generate(google, flash31, output(30))).status).toBe(400)
  expect((await generate(google, flash31, output(100))).status).toBe(200)
})

describe('of an OpenAI caller, at Google', () => {
  test.each([2 ** 31, -(2 ** 31) - 1])('a seed that the field can’t hold is refused: %d', async seed => {
    expect(refusalOf(await paint(google, { seed }), google)).toEqual([400, 'seed', true])
  })

  test('safety settings go up', async () => {
    const settings = [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }]
    for (const name of ['safety_settings', 'safetySettings']) {
      const told = await paint(google, { [name]: settings })
      expect([told.status, ignoredIn(told), told.sent[0]?.safetySettings]).toEqual([200, [], settings])
    }
  })

  test('one safety setting is a list of one, and in a form it is JSON', async () => {
    const setting = { category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }
    expect((await paint(google, { safety_settings: setting })).sent).toMatchObject([{ safetySettings: [setting] }])
    google.fake.reset()
    const parts = textParts({ prompt: 'A kite', safety_settings: JSON.stringify([setting]) })
    expect((await postForm(`${google.gateway.url}/v1/images/edits`, parts)).status).toBe(200)
    expect(google.fake.requests.map(jsonOf)).toMatchObject([{ safetySettings: [setting] }])
  })
})

test('a model that is sold in one tier alone costs what that does, asked for or not', async () => {
  const nano = await startPlace(startNanoBanana)
  const costs: unknown[] = []
  for (const asked of [{}, { image_size: '4K' }]) {
    const { headers, sent } = await paint(nano, { model: 'gemini-3-pro-image', ...asked })
    expect(sent.map(({ model }) => model)).toEqual(['nano-banana-hd'])
    costs.push(headers.get('x-plantain-cost-usd'))
  }
  expect(costs[0]).toBe(costs[1])
  expect(Number(costs[0])).toBeGreaterThan(0.2)
  await nano.close()
})

describe('the headers for a dry run and for strictness', () => {
  test.each(['true', 'True', '1', 'on', 'yes', 'y'])('say yes by %j: nobody is called', async word => {
    const told = await paint(google, { quality: 'high' }, { 'x-plantain-dry-run': word })
    expect([told.json.dry_run, google.fake.requests.length]).toEqual([true, 0])
    expect((await paint(google, { quality: 'high' }, { 'x-plantain-strict': word })).status).toBe(400)
  })

  test.each(['false', '0', 'off', 'no', ''])('say no by %j', async word => {
    const headers = { 'x-plantain-dry-run': word, 'x-plantain-strict': word }
    const told = await paint(google, { quality: 'high' }, headers)
    expect([told.status, google.fake.requests.length]).toEqual([200, 1])
  })
})
