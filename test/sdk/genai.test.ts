/** Google's genai SDK for JavaScript, as people use it, against a running gateway. */
import { createHash } from 'node:crypto'
import {
  ApiError,
  type Content,
  type GenerateContentResponse,
  GoogleGenAI,
  type GoogleGenAIOptions,
  type Part,
} from '@google/genai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestGateway } from '../helpers/gateway.ts'
import { expectColours, expectPicture, fromBase64, green, magenta, pictureOf, startPaintingGateway } from './setup.ts'

const key = 'the-callers-key'
const model = 'gemini-3.1-flash-image'
let gateway: TestGateway
let ai: GoogleGenAI

const clientOf = (apiKey: string, more: GoogleGenAIOptions = {}) =>
  new GoogleGenAI({ apiKey, httpOptions: { baseUrl: gateway.url }, ...more })

beforeAll(async () => {
  const keySha256 = createHash('sha256').update(key).digest('hex')
  gateway = await startPaintingGateway({ callers: [{ id: 'team', keySha256, models: null, limits: {} }] })
  ai = clientOf(key)
})
afterAll(() => gateway.close())

const partsOf = ({ candidates }: GenerateContentResponse): readonly Part[] => candidates?.[0]?.content?.parts ?? []
const picturesIn = (parts: readonly Part[]) =>
  parts.flatMap(({ inlineData }) => (inlineData ? [fromBase64(inlineData.data)] : []))

function pictureIn(answer: GenerateContentResponse): Buffer {
  const [file] = picturesIn(partsOf(answer))
  if (!file) throw new Error(`No picture came: ${JSON.stringify(answer).slice(0, 300)}`)
  return file
}

async function readAll<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

const small = { imageConfig: { aspectRatio: '4:3', imageSize: '512' } }

test('several candidates are several pictures in one answer, whole and in a stream', async () => {
  const config = { ...small, candidateCount: 3 }
  const answer = await ai.models.generateContent({ model, contents: 'A red kite', config })
  const events = await readAll(await ai.models.generateContentStream({ model, contents: 'A kite', config }))
  expect(events).toHaveLength(3)
  for (const candidates of [answer.candidates ?? [], events.flatMap(({ candidates = [] }) => candidates)]) {
    expect(candidates.map(({ index, finishReason }) => [index, finishReason])).toEqual(
      [0, 1, 2].map(index => [index, 'STOP']),
    )
    const files = candidates.flatMap(({ content }) => picturesIn(content?.parts ?? []))
    expect(files).toHaveLength(3)
    for (const file of files) await expectPicture(file, { format: 'jpeg', size: '600x448' })
  }
  expect(answer.usageMetadata?.totalTokenCount).toBeGreaterThan(3 * 747)
})

test('a chat goes on from any of several candidates', async () => {
  const config = { ...small, candidateCount: 2 }
  const first = await ai.models.generateContent({ model, contents: 'A red kite', config })
  const said = first.candidates?.[1]?.content
  if (!said) throw new Error('No second candidate came.')
  const contents = [
    { role: 'user', parts: [{ text: 'A red kite' }] },
    said,
    { role: 'user', parts: [{ text: 'Bluer' }] },
  ]
  for (const next of [small, config]) {
    const { candidates } = await ai.models.generateContent({ model, contents, config: next })
    expect(candidates?.[0]?.finishReason).toBe('STOP')
  }
})

test('Imagen’s method paints, as the SDK calls it', async () => {
  const httpOptions = { baseUrl: gateway.url }
  const client = new GoogleGenAI({ vertexai: true, apiKey: key, httpOptions })
  const config = { numberOfImages: 2, aspectRatio: '4:3', imageSize: '512' }
  const { generatedImages = [] } = await client.models.generateImages({ model, prompt: 'A red kite', config })
  expect(generatedImages).toHaveLength(2)
  for (const { image } of generatedImages) {
    await expectPicture(fromBase64(image?.imageBytes), { format: 'jpeg', size: '600x448' })
  }
})

describe('generateContent', () => {
  test.for([
    ['by the path of this SDK', undefined],
    ['on v1beta', 'v1beta'],
    ['on v1alpha', 'v1alpha'],
  ] as const)('paints %s', async ([, apiVersion]) => {
    const client = clientOf(key, apiVersion && { apiVersion })
    const answer = await client.models.generateContent({ model, contents: 'A red kite', config: small })

    await expectPicture(pictureIn(answer), { format: 'jpeg', size: '600x448' })
    expect(answer.candidates?.[0]?.finishReason).toBe('STOP')
    expect(answer.modelVersion).toBe(model)
    expect(answer.responseId).toBeTruthy()
    expect(answer.usageMetadata?.candidatesTokenCount).toBeGreaterThanOrEqual(747)
  })

  test('an alias leads to its model', async () => {
    const answer = await ai.models.generateContent({ model: 'nano-banana', contents: 'A red kite' })

    await expectPicture(pictureIn(answer), { format: 'png', size: '1024x1024' })
    expect(answer.modelVersion).toBe('gemini-2.5-flash-image')
  })

  test('a picture that is sent along is in the picture that comes back', async () => {
    const data = (await pictureOf(magenta)).toString('base64')
    const contents = ['Hang it in a gallery', { inlineData: { mimeType: 'image/png', data } }]
    const answer = await ai.models.generateContent({ model, contents, config: small })

    await expectPicture(pictureIn(answer), { format: 'jpeg', size: '600x448' })
    await expectColours(pictureIn(answer), magenta)
  })

  test('text, thoughts and tools are passed through', async () => {
    const config = {
      ...small,
      responseModalities: ['TEXT', 'IMAGE'],
      systemInstruction: 'Paint at night.',
      thinkingConfig: { includeThoughts: true },
      tools: [{ googleSearch: {} }],
      safetySettings: [],
      seed: 7,
    }
    const answer = await ai.models.generateContent({ model, contents: 'A red kite', config })

    expect(partsOf(answer).some(({ text, thought }) => text && !thought)).toBe(true)
    expect(partsOf(answer).some(({ thought }) => thought)).toBe(true)
    expect(answer.usageMetadata?.thoughtsTokenCount).toBeGreaterThan(0)
    const files = picturesIn(partsOf(answer).filter(({ thought }) => !thought))
    expect(files).toHaveLength(1)
  })
})

describe('generateContentStream', () => {
  test('its chunks hold the text, the whole picture, and the usage last', async () => {
    const config = { ...small, responseModalities: ['TEXT', 'IMAGE'] }
    const chunks = await readAll(await ai.models.generateContentStream({ model, contents: 'A red kite', config }))

    const parts = chunks.flatMap(partsOf)
    expect(parts.some(({ text }) => text)).toBe(true)
    const [file, ...others] = picturesIn(parts)
    expect(others).toEqual([])
    await expectPicture(file ?? Buffer.alloc(0), { format: 'jpeg', size: '600x448' })
    expect(chunks.at(-1)?.candidates?.[0]?.finishReason).toBe('STOP')
    expect(chunks.at(-1)?.usageMetadata?.totalTokenCount).toBeGreaterThan(747)
  })
})

describe('countTokens', () => {
  test('counts text and pictures', async () => {
    const data = (await pictureOf(green)).toString('base64')
    const text = await ai.models.countTokens({ model, contents: 'A red kite over a green valley' })
    const both = await ai.models.countTokens({
      model,
      contents: ['A red kite over a green valley', { inlineData: { mimeType: 'image/png', data } }],
    })

    expect(text.totalTokens).toBeGreaterThan(3)
    expect(both.totalTokens).toBeGreaterThan((text.totalTokens ?? 0) + 100)
  })
})

describe('models', () => {
  test.for([undefined, 'v1beta'])('list turns its pages (version %s)', async apiVersion => {
    const client = clientOf(key, apiVersion === undefined ? {} : { apiVersion })
    const pager = await client.models.list({ config: { pageSize: 5 } })
    expect(pager.page).toHaveLength(5)
    const names = (await readAll(pager)).map(({ name }) => name)

    expect(names.length).toBeGreaterThan(5)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain('models/gemini-3.1-flash-image')
    expect(names).toContain('models/nano-banana-2')
  })

  test.for([undefined, 'v1beta'])('get tells what a model can do (version %s)', async apiVersion => {
    const client = clientOf(key, apiVersion === undefined ? {} : { apiVersion })
    const found = await client.models.get({ model })

    expect(found).toMatchObject({ name: `models/${model}`, displayName: 'Nano Banana 2' })
    expect(found.supportedActions).toContain('generateContent')
  })
})

test('a client in Vertex mode paints, streams, counts and lists', async () => {
  const { models } = clientOf(key, { vertexai: true })
  const request = { model, contents: 'A red kite', config: small }
  const chunks = await readAll(await models.generateContentStream(request))

  await expectPicture(pictureIn(await models.generateContent(request)), { format: 'jpeg', size: '600x448' })
  expect(picturesIn(chunks.flatMap(partsOf))).toHaveLength(1)
  expect((await models.countTokens({ model, contents: 'A red kite' })).totalTokens).toBeGreaterThan(0)
  const names = (await readAll(await models.list())).map(({ name }) => name)
  expect(names).toContain(`publishers/google/models/${model}`)
  expect(await models.get({ model })).toMatchObject({ name: `publishers/google/models/${model}` })
})

describe('chats', () => {
  test('go on from the last picture, whose signature comes back as it went', async () => {
    const chat = ai.chats.create({ model, config: small })
    const first = await chat.sendMessage({ message: 'A red kite' })
    expect(partsOf(first).some(({ thoughtSignature }) => thoughtSignature)).toBe(true)
    const second = await chat.sendMessage({ message: 'Now at night' })

    await expectPicture(pictureIn(second), { format: 'jpeg', size: '600x448' })
    expect(pictureIn(second).equals(pictureIn(first))).toBe(false)
    expect(chat.getHistory().map(({ role }) => role)).toEqual(['user', 'model', 'user', 'model'])
    // The picture in the history is counted as one that was sent.
    expect(second.usageMetadata?.promptTokenCount).toBeGreaterThan((first.usageMetadata?.promptTokenCount ?? 0) + 100)
  })

  test('keep the picture that a caller put into the history', async () => {
    const data = (await pictureOf(magenta)).toString('base64')
    const history: Content[] = [
      { role: 'user', parts: [{ text: 'Remember this' }, { inlineData: { mimeType: 'image/png', data } }] },
      { role: 'model', parts: [{ text: 'I will.' }] },
    ]
    const chat = ai.chats.create({ model, config: small, history })
    const answer = await chat.sendMessage({ message: 'Hang it in a gallery' })

    await expectColours(pictureIn(answer), magenta)
  })
})

describe('errors', () => {
  async function caught(work: Promise<unknown>): Promise<{ status: number; error: Record<string, unknown> }> {
    const error: unknown = await work.then(
      () => null,
      (reason: unknown) => reason,
    )
    if (!(error instanceof ApiError)) throw error ?? new Error('Nothing was thrown.')
    return { status: error.status, error: JSON.parse(error.message).error }
  }
  const details = (reason: string) => [expect.objectContaining({ reason })]

  test('a wrong key is told as Google tells it', async () => {
    const { status, error } = await caught(
      clientOf('a-wrong-key').models.generateContent({ model, contents: 'A kite' }),
    )

    expect(status).toBe(400)
    expect(error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT', details: details('API_KEY_INVALID') })
  })

  test('a wrong key for a stream, for tokens and for the list of models is an ApiError too', async () => {
    const { models } = clientOf('a-wrong-key')
    const calls = [
      () => models.generateContentStream({ model, contents: 'A kite' }),
      () => models.countTokens({ model, contents: 'A kite' }),
      () => models.list(),
      () => models.get({ model }),
    ]

    for (const call of calls) expect(await caught(call())).toMatchObject({ status: 400, error: { code: 400 } })
  })

  test('a ratio that the model lacks is told in the upstream’s own words', async () => {
    const config = { imageConfig: { aspectRatio: '7:5' } }
    const { status, error } = await caught(ai.models.generateContent({ model, contents: 'A kite', config }))

    expect(status).toBe(400)
    expect(error).toMatchObject({ status: 'INVALID_ARGUMENT' })
    expect(error.message).toContain('16:9')
  })

  test('a model that does not exist', async () => {
    const { status, error } = await caught(ai.models.generateContent({ model: 'gemini-0-image', contents: 'A kite' }))

    expect(status).toBe(404)
    expect(error).toMatchObject({ code: 404, status: 'NOT_FOUND' })
    expect(await caught(ai.models.get({ model: 'gemini-0-image' }))).toMatchObject({ status: 404 })
  })

  test('what Google has and this gateway has not is explained', async () => {
    const file = new Blob([await pictureOf(green)])
    const upload = await caught(ai.files.upload({ file, config: { mimeType: 'image/png' } }))
    const twice = clientOf(key, { httpOptions: { baseUrl: `${gateway.url}/v1beta` } })
    const address = await caught(twice.models.generateContent({ model, contents: 'A kite' }))

    expect(upload).toMatchObject({ status: 404, error: { message: expect.stringContaining('inlineData') } })
    expect(address).toMatchObject({ status: 404, error: { message: expect.stringContaining('two versions') } })
  })

  test('a refusal is an answer without a picture, as at Google', async () => {
    const contents = 'A kite [sandbox refuse=IMAGE_SAFETY]'
    const answer = await ai.models.generateContent({ model, contents })
    const blocked = await ai.models.generateContent({ model, contents: 'A kite [sandbox refuse=prompt:SAFETY]' })

    expect(partsOf(answer)).toEqual([])
    expect(answer.candidates?.[0]?.finishReason).toBe('IMAGE_SAFETY')
    expect(blocked.candidates).toBeUndefined()
    expect(blocked.promptFeedback?.blockReason).toBe('SAFETY')
  })

  test('an upstream over its quota keeps Google’s details, which tell the wait', async () => {
    const contents = 'A kite [sandbox status=429 retry=3s]'
    const { status, error } = await caught(ai.models.generateContent({ model, contents }))

    expect(status).toBe(429)
    expect(error).toMatchObject({ status: 'RESOURCE_EXHAUSTED' })
    expect(error.details).toContainEqual(expect.objectContaining({ retryDelay: '3s' }))
  })

  test('an upstream that broke in the middle of a picture fails, and never gives half of one', async () => {
    const contents = 'A kite [sandbox cut]'
    const stream = await ai.models.generateContentStream({ model, contents, config: small })

    await expect(ai.models.generateContent({ model, contents, config: small })).rejects.toThrow()
    await expect(readAll(stream)).rejects.toThrow()
  })
})
