/** The fake Google is the sandbox's strictness (tested there) with orders of its own: what differs is tested here. */
import { GoogleGenAI } from '@google/genai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { numberedPicture, see } from '../helpers/pictures.ts'
import { eventsOf, postJson, rootOf, told } from './ask.ts'
import type { FakeUpstream } from './contract.ts'
import { startGoogle } from './google.ts'

let fake: FakeUpstream
let png: Buffer
beforeAll(async () => {
  ;[fake, png] = await Promise.all([startGoogle(), numberedPicture('png')])
})
afterAll(() => fake.close())
beforeEach(() => fake.reset())

const model = 'gemini-3.1-flash-image'
const ask = (
  body: object,
  action = 'generateContent',
  headers: Record<string, string> = { 'x-goog-api-key': fake.key },
) =>
  postJson(fake, `/v1beta/models/${model}:${action}`, { contents: [{ parts: [{ text: 'a hill' }] }], ...body }, headers)
const stream = 'streamGenerateContent?alt=sse'

test("Google's own SDK is understood: one picture, a stream, a count", async () => {
  const { models } = new GoogleGenAI({ apiKey: fake.key, httpOptions: { baseUrl: fake.baseUrl } })
  const config = { imageConfig: { aspectRatio: '16:9', imageSize: '2K' } }
  const { candidates } = await models.generateContent({ model, contents: 'a hill', config })
  const { inlineData } = candidates?.[0]?.content?.parts?.[0] ?? {}
  expect(await see(Buffer.from(inlineData?.data ?? '', 'base64'))).toEqual({
    format: 'jpeg',
    width: 2752,
    height: 1536,
  })
  for await (const chunk of await models.generateContentStream({ model, contents: 'a hill' }))
    expect(chunk).toBeDefined()
  expect((await models.countTokens({ model, contents: 'a hill' })).totalTokens).toBe(2)
  expect(fake.problems).toEqual([])
  expect(fake.requests.map(({ path }) => path.split(':')[1])).toEqual([
    'generateContent',
    'streamGenerateContent',
    'countTokens',
  ])
})

test('drafts come before the picture, each its own', async () => {
  fake.answerNext({ kind: 'drafts', count: 2 })
  const { json } = await ask({})
  const files = json.candidates[0].content.parts.map((part: { inlineData: { data: string } }) => part.inlineData.data)
  expect(new Set(files).size).toBe(3)
  expect(fake.pictures.map(({ draft }) => draft)).toEqual([true, true, false])
})

describe('streams', () => {
  test('as events and as a list', async () => {
    fake.answerNext({ kind: 'drafts', count: 1 }, 2)
    const events = eventsOf((await ask({}, stream)).text)
    expect(events).toHaveLength(3)
    const { json } = await ask({}, 'streamGenerateContent')
    expect(json).toHaveLength(3)
    expect(json.at(-1).candidates[0].finishReason).toBe('STOP')
  })

  test('an error in the middle stands in the stream', async () => {
    fake.answerNext({ kind: 'error-in-stream' })
    const events = eventsOf((await ask({}, stream)).text)
    expect(events.map(({ data }) => data.error?.code)).toEqual([undefined, 503])
  })

  test('a refused request without alt=sse is a list of one error', async () => {
    expect((await ask({ colour: 'red' }, 'streamGenerateContent')).json).toMatchObject([
      { error: { code: 400, status: 'INVALID_ARGUMENT' } },
    ])
    expect(fake.problems[0]).toContain('Unknown name "colour"')
    fake.answerNext({ kind: 'rate-limited' })
    expect((await ask({}, 'streamGenerateContent')).json).toMatchObject([{ error: { code: 429 } }])
  })
})

test('refusals of the prompt and of the picture', async () => {
  fake.answerNext({ kind: 'refusal', stage: 'input', reason: 'SAFETY' })
  fake.answerNext({ kind: 'refusal', stage: 'output', reason: 'NO_IMAGE' })
  fake.answerNext({ kind: 'refusal' })
  expect((await ask({})).json.promptFeedback).toEqual({ blockReason: 'SAFETY' })
  expect((await ask({})).json.candidates).toEqual([{ content: {}, finishReason: 'NO_IMAGE', index: 0 }])
  expect((await ask({})).json.candidates[0].finishReason).toBe('IMAGE_SAFETY')
})

test('the wait after a 429 stands in the body alone; an empty account says none', async () => {
  fake.answerNext({ kind: 'rate-limited', waitSeconds: 34.5 })
  fake.answerNext({ kind: 'quota-exhausted' })
  const { headers, json } = await ask({})
  expect(headers.get('retry-after')).toBeNull()
  expect(json.error.details.at(-1)).toMatchObject({ retryDelay: '34.5s' })
  expect((await ask({})).json.error).toEqual({
    code: 429,
    message: expect.stringContaining('prepayment'),
    status: 'RESOURCE_EXHAUSTED',
  })
})

test('a wrong key is 400, none 403, a bearer 401', async () => {
  const status = async (headers: Record<string, string>) => (await ask({}, 'generateContent', headers)).status
  expect(await status({ 'x-goog-api-key': 'x' })).toBe(400)
  expect(await status({})).toBe(403)
  expect(await status({ authorization: `Bearer ${fake.key}` })).toBe(401)
})

test('pictures by address are files of the API or public addresses', async () => {
  const withFile = (fileUri: string) => ({ contents: [{ parts: [{ text: 'a hat' }, { fileData: { fileUri } }] }] })
  for (const uri of ['https://generativelanguage.googleapis.com/v1beta/files/abc', 'https://a.example/b.png']) {
    expect((await ask(withFile(uri))).status).toBe(200)
  }
  expect((await ask(withFile('gs://bucket/b.png'))).status).toBe(400)
})

test.each([
  ['the field of Vertex AI', { generationConfig: { imageConfig: { personGeneration: 'ALLOW_ALL' } } }],
  ['one name in two spellings', { generationConfig: { seed: 1 }, generation_config: { seed: 2 } }],
  [
    'a fifteenth picture',
    { contents: [{ parts: Array.from({ length: 15 }, () => ({ fileData: { fileUri: 'https://a.example/b' } })) }] },
  ],
])('%s is refused', async (_, body) => {
  expect((await ask(body)).status).toBe(400)
  expect(fake.problems).toHaveLength(1)
})

test('bytes that are no picture are refused', async () => {
  const parts = (data: string) => ({ contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data } }] }] })
  expect((await ask(parts('aGVsbG8='))).status).toBe(400)
  expect((await ask(parts(png.toString('base64url')))).status).toBe(200)
})

test('models are listed', async () => {
  const { json } = await told(await fetch(`${rootOf(fake)}/v1beta/models?key=${fake.key}`))
  expect(json.models.map(({ name }: { name: string }) => name)).toContain(`models/${model}`)
})
