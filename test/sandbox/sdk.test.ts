/** Google's own SDK takes the sandbox for Google. */
import { ApiError, GoogleGenAI, Modality, ThinkingLevel } from '@google/genai'
import { expect, test } from 'vitest'
import { picture, see } from '../helpers/pictures.ts'
import { fixedModel, flashModel, startSandbox } from './setup.ts'

const connect = (baseUrl: string, apiKey = 'any') => new GoogleGenAI({ apiKey, httpOptions: { baseUrl } })
const small = { imageConfig: { imageSize: '512' } }

test('it generates', async () => {
  const ai = connect(await startSandbox())
  const answer = await ai.models.generateContent({
    model: fixedModel.id,
    contents: 'A cute baby sea otter',
    config: { imageConfig: { aspectRatio: '4:3', imageSize: '1K' } },
  })
  expect(await see(Buffer.from(answer.data ?? '', 'base64'))).toEqual({ format: 'png', width: 1184, height: 864 })
  expect(answer.usageMetadata?.totalTokenCount).toBe(1296)
})

test('it edits, thinks, searches and streams', async () => {
  const ai = connect(await startSandbox())
  const data = (await picture('jpeg', { width: 400, height: 100 })).toString('base64')
  const stream = await ai.models.generateContentStream({
    model: flashModel.id,
    contents: ['add a rainbow', { inlineData: { mimeType: 'image/jpeg', data } }],
    config: {
      ...small,
      responseModalities: [Modality.TEXT, Modality.IMAGE],
      thinkingConfig: { includeThoughts: true, thinkingLevel: ThinkingLevel.HIGH },
      tools: [{ googleSearch: {} }],
      safetySettings: [],
    },
  })
  const parts = []
  for await (const chunk of stream) parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []))
  const images = parts.filter(({ inlineData }) => inlineData)
  expect(images.map(({ thought }) => thought)).toEqual([true, undefined])
  const file = Buffer.from(images.at(-1)?.inlineData?.data ?? '', 'base64')
  expect(await see(file)).toEqual({ format: 'jpeg', width: 1024, height: 256 })
})

test('it chats: what it sends back of the first turn is taken', async () => {
  const ai = connect(await startSandbox())
  const chat = ai.chats.create({ model: flashModel.id, config: small })
  await chat.sendMessage({ message: 'a hill' })
  const answer = await chat.sendMessage({ message: 'now at dusk' })
  expect(answer.candidates?.[0]?.finishReason).toBe('STOP')
})

test('it counts tokens and lists models', async () => {
  const ai = connect(await startSandbox())
  expect((await ai.models.countTokens({ model: flashModel.id, contents: 'a green hill' })).totalTokens).toBe(3)
  const names = []
  for await (const { name } of await ai.models.list({ config: { pageSize: 2 } })) names.push(name)
  expect(names).toHaveLength(3)
  expect((await ai.models.get({ model: fixedModel.id })).displayName).toBe('Nano Banana')
})

test('it understands the errors', async () => {
  const url = await startSandbox()
  const failing = (prompt: string, key?: string) =>
    connect(url, key)
      .models.generateContent({ model: flashModel.id, contents: prompt, config: small })
      .catch((error: unknown) => error)
  expect(await failing('x', 'wrong-key')).toMatchObject({ name: 'ApiError', status: 400 })
  const limited = await failing('[sandbox status=429 retry=3s]')
  expect(limited).toBeInstanceOf(ApiError)
  expect(limited).toMatchObject({ status: 429, message: expect.stringContaining('RESOURCE_EXHAUSTED') })
})
