/** Google's form in, OpenAI's form out, through a strict stand-in for OpenAI: what goes up, and what its answers become. */
import { GoogleGenAI } from '@google/genai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { ask } from '../helpers/callers.ts'
import { googleAt, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { picture } from '../helpers/pictures.ts'
import { startUpstream } from '../helpers/scripted-upstream.ts'
import type { FakeUpstream, SeenBody } from '../upstreams/contract.ts'
import { startOpenAI } from '../upstreams/openai.ts'

let openai: FakeUpstream
let gateway: TestGateway
let [png, jpeg]: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)]

beforeAll(async () => {
  png = await picture('png')
  jpeg = await picture('jpeg')
  openai = await startOpenAI()
  const { baseUrl, key } = openai
  const upstreamConfig = { name: 'openai', protocol: 'openai', dialect: 'openai', baseUrl, keys: [key] } as const
  gateway = await startGateway({ upstream: baseUrl, upstreamConfig })
})
afterAll(async () => {
  await gateway.close()
  await openai.close()
})
beforeEach(() => openai.reset())

const path = (method: string, model = 'gpt-image-2') => `/v1beta/models/${model}:${method}`
const said = (text: string) => ({ role: 'user', parts: [{ text }] })
const square = { generationConfig: { imageConfig: { aspectRatio: '1:1', imageSize: '1K' } } }
const kite = { contents: [said('A red kite')], ...square }
const inline = (file: Buffer, mimeType = 'image/png') => ({ inlineData: { mimeType, data: file.toString('base64') } })
const sentUp = () => openai.requests.map(({ path: at, body }) => [at, plain(body)] as const)

/** A body as an object: a form's files by their type, its texts as they are. */
function plain(body: SeenBody): unknown {
  if (body.kind === 'json') return body.value
  if (body.kind !== 'form') return body.kind
  return body.parts.map(({ name, fileName, contentType, bytes }) => [
    name,
    fileName === null ? bytes.toString() : contentType,
  ])
}

describe('a call', () => {
  test('is a generation, and its answer has the picture, its tokens and the model', async () => {
    const { status, json, headers, line } = await ask(gateway, path('generateContent'), kite)
    expect(status).toBe(200)
    expect(sentUp()).toEqual([
      ['/v1/images/generations', { model: 'gpt-image-2', prompt: 'A red kite', size: '1024x1024' }],
    ])
    const [painted] = openai.pictures
    expect(json).toEqual({
      candidates: [
        {
          content: {
            role: 'model',
            parts: [{ inlineData: { mimeType: 'image/png', data: painted?.bytes.toString('base64') } }],
          },
          finishReason: 'STOP',
          index: 0,
        },
      ],
      usageMetadata: {
        promptTokenCount: expect.any(Number),
        candidatesTokenCount: expect.any(Number),
        totalTokenCount: expect.any(Number),
        promptTokensDetails: expect.arrayContaining([{ modality: 'TEXT', tokenCount: expect.any(Number) }]),
        candidatesTokensDetails: expect.arrayContaining([{ modality: 'IMAGE', tokenCount: expect.any(Number) }]),
      },
      modelVersion: 'gpt-image-2',
      responseId: headers.get('x-request-id'),
    })
    const { promptTokenCount, candidatesTokenCount, totalTokenCount } = json.usageMetadata
    expect(promptTokenCount + candidatesTokenCount).toBe(totalTokenCount)
    expect(line).toMatchObject({ protocol: 'gemini', operation: 'generateContent', outcome: 'ok', images: 1 })
  })

  test('with pictures is an edit, with their own types, whatever their labels say', async () => {
    const parts = [{ text: 'Join them' }, inline(png), inline(jpeg, 'image/png')]
    const { status } = await ask(gateway, path('generateContent'), { contents: { parts }, ...square })
    expect([status, openai.problems]).toEqual([200, []])
    const [[route, form] = []] = sentUp()
    expect(route).toBe('/v1/images/edits')
    expect(form).toEqual(
      expect.arrayContaining([
        ['image[]', 'image/png'],
        ['image[]', 'image/jpeg'],
        ['prompt', 'Join them'],
      ]),
    )
  })

  test('with a history goes up with all of it', async () => {
    const contents = [
      said('A kite'),
      { role: 'model', parts: [{ text: 'Here.' }, { ...inline(png), thoughtSignature: 'c2ln' }] },
      said('Now blue'),
    ]
    const systemInstruction = { parts: [{ text: 'Paint in oil.' }] }
    const { status } = await ask(gateway, path('generateContent'), { contents, systemInstruction, ...square })
    expect([status, openai.problems]).toEqual([200, []])
    const [[route, form] = []] = sentUp()
    expect(route).toBe('/v1/images/edits')
    const prompt = (form as [string, string][]).find(([name]) => name === 'prompt')?.[1]
    for (const words of ['Paint in oil.', 'A kite', 'Here.', 'Now blue']) expect(prompt).toContain(words)
  })

  test('with more pictures in its history than the model takes goes up with the latest, and says so', async () => {
    const turns = Array.from({ length: 17 }, (_, n) => [
      said(`Number ${n}`),
      { role: 'model', parts: [inline(n === 1 ? jpeg : png)] },
    ])
    const contents = [...turns.flat(), { role: 'user', parts: [{ text: 'Now blue' }, inline(jpeg)] }]
    const { status, headers } = await ask(gateway, path('generateContent'), { contents, ...square })
    expect([status, openai.problems]).toEqual([200, []])
    const [[, form] = []] = sentUp()
    const parts = form as [string, string][]
    const types = parts.filter(([name]) => name === 'image[]').map(([, type]) => type)
    expect(types).toEqual([...Array(15).fill('image/png'), 'image/jpeg'])
    const prompt = parts.find(([name]) => name === 'prompt')?.[1] ?? ''
    expect(prompt.match(/You: .*/g)).toEqual([
      'You: [a picture that is not shown]',
      'You: [a picture that is not shown]',
      ...Array.from({ length: 15 }, (_, n) => `You: [picture ${n + 1}]`),
    ])
    expect(headers.get('x-plantain-ignored-params')).toBe('contents[].parts[].inline_data')
    const strict = await ask(gateway, path('generateContent'), { contents, ...square }, { 'x-plantain-strict': 'true' })
    expect([strict.status, openai.requests.length]).toEqual([400, 1])
  })

  test('fetches no picture of its history that does not go up', async () => {
    const gone = { fileData: { fileUri: 'https://10.0.0.1/gone.png' } }
    const shown = (part: object) => ({ role: 'model', parts: [part] })
    const chat = (first: object) => [shown(first), ...Array(16).fill(shown(inline(png))), said('Now blue')]
    const { status } = await ask(gateway, path('generateContent'), { contents: chat(gone), ...square })
    expect([status, openai.problems, openai.requests.length]).toEqual([200, [], 1])
    const needed = await ask(gateway, path('generateContent'), { contents: chat(gone).toSpliced(1, 1), ...square })
    expect([needed.status, openai.requests.length]).toEqual([400, 1])
  })

  test('about a picture goes past an upstream that could not be shown it', async () => {
    const upstream = await startUpstream(answerWith('answers/tiny-picture.json'))
    const zenlayer = { name: 'zenlayer', protocol: 'openai', dialect: 'zenlayer' } as const
    const both = await startGateway({
      upstream: upstream.url,
      config: {
        upstreams: [googleAt(`${upstream.url}/v1`, zenlayer), googleAt(upstream.url)],
        routing: [{ model: '*', upstreams: ['zenlayer', 'google'] }],
      },
    })
    const contents = [said('A kite'), { role: 'model', parts: [inline(png)] }, said('Now blue')]
    const { headers } = await ask(both, path('generateContent', 'nano-banana-2'), { contents })
    expect([headers.get('x-plantain-upstream'), headers.get('x-plantain-ignored-params')]).toEqual(['google', null])
    expect(JSON.parse(String(upstream.seen[0]?.body)).contents[1].parts).toEqual([inline(png)])
    await both.close()
    await upstream.close()
  })

  test('names what OpenAI has no word for', async () => {
    const body = {
      contents: [said('A red kite')],
      safetySettings: [],
      generationConfig: { temperature: 1, seed: 3, responseModalities: ['TEXT', 'IMAGE'], ...square.generationConfig },
    }
    const { headers } = await ask(gateway, path('generateContent'), body)
    expect(headers.get('x-plantain-ignored-params')?.split(', ').toSorted()).toEqual([
      'generation_config.seed',
      'generation_config.temperature',
      'safety_settings',
    ])
    const strict = await ask(gateway, path('generateContent'), body, { 'x-plantain-strict': 'true' })
    expect([strict.status, strict.json.error.status]).toEqual([400, 'INVALID_ARGUMENT'])
    expect(openai.requests).toHaveLength(1)
  })

  test('for several candidates is one call that asks for as many', async () => {
    const generationConfig = { candidateCount: 3, ...square.generationConfig }
    const { json, headers } = await ask(gateway, path('generateContent'), { ...kite, generationConfig })
    expect(json.candidates.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2])
    expect([openai.requests.length, headers.get('x-plantain-images')]).toEqual([1, '3/3'])
  })

  test('in Imagen’s form leads there too', async () => {
    const body = { instances: { prompt: 'A red kite' }, parameters: { sampleCount: 2, aspectRatio: '1:1' } }
    const { json } = await ask(gateway, path('predict'), body)
    const files = openai.pictures.map(({ bytes }) => bytes.toString('base64'))
    expect(json.predictions.map((one: { bytesBase64Encoded: string }) => one.bytesBase64Encoded)).toEqual(files)
  })
})

describe('Google’s SDK', () => {
  const client = () => new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: gateway.url } })

  test('gets the picture, whole and in a stream', async () => {
    const request = { model: 'gpt-image-2', contents: 'A red kite', config: { imageConfig: { aspectRatio: '1:1' } } }
    const whole = await client().models.generateContent(request)
    const data = [whole.candidates?.[0]?.content?.parts?.[0]?.inlineData?.data]
    for await (const event of await client().models.generateContentStream(request)) {
      data.push(event.candidates?.[0]?.content?.parts?.[0]?.inlineData?.data)
    }
    expect(data).toEqual(openai.pictures.map(({ bytes }) => bytes.toString('base64')))
  })

  test('gets a count of tokens that is an estimate, and nobody is asked', async () => {
    const contents = [{ role: 'user', parts: [{ text: 'x'.repeat(4001) }, inline(png), inline(jpeg)] }]
    const { totalTokens } = await client().models.countTokens({ model: 'gpt-image-2', contents })
    expect([totalTokens, openai.requests.length]).toEqual([1001 + 2 * 258, 0])
  })
})

describe('counting tokens', () => {
  test.each([
    [{ contents: { parts: { text: 'four' } } }, 1, { TEXT: 1 }],
    [{ contents: [] }, 0, {}],
    [{}, 0, {}],
    [{ contents: { parts: { file_data: { file_uri: 'gs://b/x' } } } }, 258, { IMAGE: 258 }],
    [
      {
        generateContentRequest: {
          model: 'models/x',
          contents: [said('12345678')],
          systemInstruction: { parts: [{ text: '1' }] },
          ...square,
        },
      },
      3,
      { TEXT: 3 },
    ],
    [{ contents: [said('12345678')], systemInstruction: { parts: [{ text: '1' }] } }, 3, { TEXT: 3 }],
  ])('%j', async (body, totalTokens, kinds) => {
    const { status, json, line } = await ask(gateway, path('countTokens'), body)
    expect([status, json.totalTokens]).toEqual([200, totalTokens])
    const details = json.promptTokensDetails.map((kind: { modality: string; tokenCount: number }) => [
      kind.modality,
      kind.tokenCount,
    ])
    expect(Object.fromEntries(details)).toEqual(kinds)
    expect(line).toMatchObject({ operation: 'countTokens', outcome: 'ok', images: 0 })
  })

  test.each([
    [{ contents: [{ parts: [{ text: 7 }] }] }, 'contents[0].parts[0].text'],
    [{ contents: [{ role: 'robot', parts: [{ text: 'x' }] }] }, 'contents[0].role'],
    [{ contents: [{ parts: [inline(Buffer.from('no picture'))] }] }, 'contents[0].parts[0].inline_data.data'],
    [{ ...kite, generationConfig: 'x' }, 'generation_config'],
    [{ contents: [said('x')], generateContentRequest: { contents: [said('x')] } }, 'generate_content_request'],
    [
      { generateContentRequest: { contents: [{ parts: [{ fileData: { fileUri: 'x' } }] }] } },
      'generate_content_request.contents[0].parts[0].file_data.file_uri',
    ],
  ])('of what is none: %j', async (body, field) => {
    const { status, json } = await ask(gateway, path('countTokens'), body)
    expect([status, json.error.details[0].fieldViolations[0].field]).toEqual([400, field])
  })

  test('of a text that is too long for one call', async () => {
    const long = await ask(gateway, path('countTokens'), { contents: [said('x'.repeat(400_000))] })
    expect([long.status, long.json.totalTokens]).toEqual([200, 100_000])
  })

  test('names what it does not count', async () => {
    const tools = { tools: [{ codeExecution: {} }] }
    for (const [body, ignored] of [
      [{ ...kite, ...tools }, 'tools'],
      [{ generateContentRequest: { ...kite, ...square, ...tools } }, 'generate_content_request.tools'],
    ] as const) {
      const { status, headers } = await ask(gateway, path('countTokens'), body)
      expect([status, headers.get('x-plantain-ignored-params')]).toEqual([200, ignored])
    }
  })
})

describe('what OpenAI says', () => {
  test.each([
    ['input', { promptFeedback: { blockReason: 'SAFETY', blockReasonMessage: expect.stringMatching(/rejected/) } }],
    [
      'output',
      {
        candidates: [
          { content: {}, finishReason: 'IMAGE_SAFETY', finishMessage: expect.stringMatching(/rejected/), index: 0 },
        ],
      },
    ],
  ] as const)('a refusal of the %s is an answer, as Google’s refusals are', async (stage, expected) => {
    openai.answerNext({ kind: 'refusal', stage })
    const { status, json, line } = await ask(gateway, path('generateContent'), kite)
    expect(status).toBe(200)
    expect(json).toEqual({ ...expected, modelVersion: 'gpt-image-2', responseId: expect.any(String) })
    expect(line).toMatchObject({ status: 200, outcome: 'refused', images: 0 })
  })

  test('a refusal in a stream is an event, and in Imagen’s form a prediction that was filtered', async () => {
    openai.answerNext({ kind: 'refusal', stage: 'output' }, 2)
    const { text } = await ask(gateway, `${path('streamGenerateContent')}?alt=sse`, kite)
    expect(JSON.parse(text.slice('data: '.length)).candidates[0].finishReason).toBe('IMAGE_SAFETY')
    const { status, json } = await ask(gateway, path('predict'), { instances: [{ prompt: 'x' }] })
    expect([status, json]).toEqual([200, { predictions: [{ raiFilteredReason: expect.stringMatching(/rejected/) }] }])
  })

  test('nothing is an answer without a picture', async () => {
    openai.answerNext({ kind: 'empty' })
    const { status, json } = await ask(gateway, path('generateContent'), kite)
    expect([status, json.candidates?.[0].finishReason]).toEqual([200, 'NO_IMAGE'])
  })

  test.each([
    [{ kind: 'rate-limited', waitSeconds: 12 }, 429, 'RESOURCE_EXHAUSTED', '12'],
    [{ kind: 'quota-exhausted' }, 429, 'RESOURCE_EXHAUSTED', null],
    [{ kind: 'unauthorized' }, 503, 'UNAVAILABLE', null],
    [{ kind: 'server-error', status: 500 }, 503, 'UNAVAILABLE', null],
    [{ kind: 'server-error', status: 503 }, 503, 'UNAVAILABLE', null],
    [{ kind: 'cut' }, 503, 'UNAVAILABLE', null],
  ] as const)('%j is told in Google’s words', async (answer, status, word, wait) => {
    openai.answerNext(answer)
    const told = await ask(gateway, path('generateContent'), kite)
    expect([told.status, told.json.error.code, told.json.error.status]).toEqual([status, status, word])
    expect(told.headers.get('retry-after')).toBe(wait)
    const retry = (told.json.error.details ?? []).filter((one: Record<string, string>) => 'retryDelay' in one)
    expect(retry.map(({ retryDelay }: { retryDelay: string }) => retryDelay)).toEqual(wait ? [`${wait}s`] : [])
    expect(told.text).not.toContain(openai.key)
  })
})

describe('what no OpenAI model can do is refused with its place, and nobody is called', () => {
  test.each([
    [{ contents: [said('x')], generationConfig: { imageConfig: { aspectRatio: '1:8' } } }, /aspect_ratio/],
    [{ contents: [said('x')], tools: [{ googleSearch: {} }] }, /tools/],
    [{ contents: [{ parts: [] as object[] }] }, /contents/],
    [{ contents: [{ parts: [{ text: ' ' }] }] }, /contents/],
    [{ contents: [{ role: 'user', parts: [{ text: 7 }] }] }, /contents\[0\]\.parts\[0\]\.text/],
  ])('%j', async (body, place) => {
    const { status, json } = await ask(gateway, path('generateContent'), body)
    expect([status, json.error?.status]).toEqual([400, 'INVALID_ARGUMENT'])
    expect(json.error.details[0].fieldViolations[0].field).toMatch(place)
    expect(openai.requests).toEqual([])
  })

  test('a picture that says nothing of what to paint', async () => {
    const { status, json } = await ask(gateway, path('generateContent'), { contents: { parts: inline(png) } })
    expect([status, json.error.details[0].fieldViolations[0].field]).toEqual([400, 'contents'])
    expect(openai.requests).toEqual([])
  })
})
