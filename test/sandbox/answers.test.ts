/** The shape of what the sandbox answers: Google's, field by field. */
import { expect, test } from 'vitest'
import { heicHead, picture, see } from '../helpers/pictures.ts'
import {
  ask,
  fixedModel,
  flashModel,
  paintOne,
  partsOf,
  picturesOf,
  proModel,
  readAnswer,
  request,
  startSandbox,
} from './setup.ts'

test('an answer has every field that Google sends, and the picture is a JPEG', async () => {
  const url = await startSandbox({ now: () => new Date('2026-11-21T10:00:00.123Z') })
  const response = await ask(url, request('a hill by the sea'))
  expect(response.headers.get('content-type')).toBe('application/json; charset=UTF-8')
  const answer = await readAnswer(response)
  expect(answer).toEqual({
    candidates: [
      {
        content: {
          parts: [
            {
              inlineData: { mimeType: 'image/jpeg', data: expect.any(String) },
              thoughtSignature: expect.stringMatching(/^[A-Za-z0-9+/]{1000,}=$/),
            },
          ],
          role: 'model',
        },
        finishReason: 'STOP',
        index: 0,
      },
    ],
    usageMetadata: {
      promptTokenCount: 5,
      candidatesTokenCount: 747,
      totalTokenCount: 5 + 747 + 312,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: 5 }],
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 747 }],
      thoughtsTokenCount: 312,
    },
    modelVersion: flashModel.id,
    createTime: '2026-11-21T10:00:00.123Z',
    responseId: expect.stringMatching(/^[\w-]{23}$/),
  })
  const [file] = picturesOf(answer)
  expect(file && (await see(file))).toEqual({ format: 'jpeg', width: 688, height: 384 })
})

test('the model of one size sends PNG, neither thinks nor signs, and counts 1290 tokens', async () => {
  const url = await startSandbox()
  const answer = await readAnswer(
    await ask(url, { contents: [{ parts: [{ text: 'hill' }] }] }, { model: fixedModel.id }),
  )
  expect(partsOf(answer)).toEqual([{ inlineData: { mimeType: 'image/png', data: expect.any(String) } }])
  expect(answer.usageMetadata).toEqual({
    promptTokenCount: 1,
    candidatesTokenCount: 1290,
    totalTokenCount: 1291,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: 1 }],
    candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }],
  })
  const [file] = picturesOf(answer)
  expect(file && (await see(file))).toEqual({ format: 'png', width: 1024, height: 1024 })
})

test('the document is pretty, its length is said before, and = is escaped also inside base64', async () => {
  const url = await startSandbox()
  for (let number = 0; number < 3; number++) {
    const response = await ask(url, request(`hill ${number}`))
    const text = await response.text()
    expect(text.startsWith('{\n  "candidates": [\n')).toBe(true)
    expect(text).not.toMatch(/[=<>&]/)
    expect(text).toContain('\\u003d"')
    expect(Number(response.headers.get('content-length'))).toBe(Buffer.byteLength(text))
  }
})

test('text comes where it is asked for, before the picture', async () => {
  const url = await startSandbox()
  const both = await readAnswer(await ask(url, request('a hill', { responseModalities: ['TEXT', 'IMAGE'] })))
  expect(partsOf(both).map(part => Object.keys(part)[0])).toEqual(['text', 'inlineData'])
  expect(both.usageMetadata).toMatchObject({
    candidatesTokenCount: 753,
    candidatesTokensDetails: [
      { modality: 'TEXT', tokenCount: 6 },
      { modality: 'IMAGE', tokenCount: 747 },
    ],
  })
  const alone = await readAnswer(await ask(url, request('a hill', { responseModalities: ['IMAGE'] })))
  expect(partsOf(alone).map(part => Object.keys(part)[0])).toEqual(['inlineData'])
})

test('who asks for thoughts gets a thought and a draft, and the picture last', async () => {
  const url = await startSandbox()
  const answer = await readAnswer(await ask(url, request('a hill', { thinkingConfig: { includeThoughts: true } })))
  const parts = partsOf(answer)
  expect(parts.map(({ text, thought }) => [text !== undefined, thought])).toEqual([
    [true, true],
    [false, true],
    [false, undefined],
  ])
  const [draft, final] = picturesOf(answer)
  expect(draft).not.toEqual(final)
  expect(draft && (await see(draft))).toEqual(final && (await see(final)))
})

test('the draft of a large picture is small', async () => {
  const url = await startSandbox()
  const body = request('a hill', { thinkingConfig: { includeThoughts: true } }, { imageSize: '2K', aspectRatio: '1:1' })
  const [draft, final] = picturesOf(await readAnswer(await ask(url, body)))
  expect(draft && (await see(draft))).toMatchObject({ width: 1024, height: 1024 })
  expect(final && (await see(final))).toMatchObject({ width: 2048, height: 2048 })
})

test('references are counted by model and by how closely they are looked at', async () => {
  const url = await startSandbox()
  const data = (await picture('png')).toString('base64')
  const contents = [{ parts: [{ text: 'hill' }, { inlineData: { mimeType: 'image/png', data } }] }]
  const usage = async (model: string, mediaResolution?: string) => {
    const answer = await readAnswer(await ask(url, { contents, generationConfig: { mediaResolution } }, { model }))
    return answer.usageMetadata.promptTokensDetails
  }
  const details = (tokens: number) => [
    { modality: 'TEXT', tokenCount: 1 },
    { modality: 'IMAGE', tokenCount: tokens },
  ]
  expect(await usage(fixedModel.id)).toEqual(details(258))
  expect(await usage(flashModel.id)).toEqual(details(560))
  expect(await usage(flashModel.id, 'MEDIA_RESOLUTION_HIGH')).toEqual(details(1120))
})

test('a 4K picture of the pro model is that large, weighs megabytes and counts 2000 tokens', async () => {
  const url = await startSandbox()
  const body = request('a hill', {}, { imageSize: '4K', aspectRatio: '21:9' })
  const answer = await readAnswer(await ask(url, body, { model: proModel.id }))
  expect(answer.usageMetadata.candidatesTokenCount).toBe(2000)
  const [file] = picturesOf(answer)
  expect(file && (await see(file))).toEqual({ format: 'jpeg', width: 6336, height: 2688 })
  expect(file?.length).toBeGreaterThan(5_000_000)
})

test('a picture goes on in the next turn, with the signature it came with', async () => {
  const url = await startSandbox()
  const first = await readAnswer(await ask(url, request('a hill')))
  const talk = [
    { role: 'user', parts: [{ text: 'a hill' }] },
    first.candidates?.[0]?.content,
    { role: 'user', parts: [{ text: 'make it dusk' }] },
  ]
  const response = await ask(url, { ...request(''), contents: talk })
  const second = await readAnswer(response)
  expect(response.status).toBe(200)
  expect(second.usageMetadata.promptTokensDetails).toContainEqual({ modality: 'IMAGE', tokenCount: 560 })
})

test('HEIC references are taken, though they cannot be shown', async () => {
  const url = await startSandbox()
  const inlineData = { mimeType: 'image/heic', data: heicHead().toString('base64') }
  const file = await paintOne(url, { ...request(''), contents: [{ parts: [{ text: 'a hill' }, { inlineData }] }] })
  expect(await see(file)).toMatchObject({ format: 'jpeg' })
})

test('an empty prompt is answered with NO_IMAGE', async () => {
  const url = await startSandbox()
  const answer = await readAnswer(await ask(url, request('')))
  expect(answer.candidates).toEqual([{ content: {}, finishReason: 'NO_IMAGE', index: 0 }])
})

test('countTokens counts what would be sent', async () => {
  const url = await startSandbox()
  const counted = { totalTokens: 3, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 3 }] }
  const contents = [{ parts: [{ text: 'a green hill' }] }]
  expect(await (await ask(url, { contents }, { method: 'countTokens' })).json()).toEqual(counted)
  const whole = { generateContentRequest: { model: `models/${flashModel.id}`, contents } }
  expect(await (await ask(url, whole, { method: 'countTokens' })).json()).toEqual(counted)
})
