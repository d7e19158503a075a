/** Several candidates of a Gemini model: calls side by side, merged into the one answer that was asked for. */
import { describe, expect, test } from 'vitest'
import { answerWith, fixture } from '../fixtures/gemini.ts'
import { ask } from '../helpers/callers.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'
import { json } from '../helpers/scripted-upstream.ts'

const { gateway, upstream } = await scriptedGateway(answerWith('answers/tiny-picture.json'))

const model = 'gemini-3.1-flash-image'
const path = (method: string) => `/v1beta/models/${model}:${method}`
const contents = [{ role: 'user', parts: [{ text: 'A red kite' }] }]
const call = (candidateCount: unknown, config: object = {}) => ({
  contents,
  generationConfig: { ...config, candidateCount },
})
const tiny = JSON.parse(fixture('answers/tiny-picture.json').toString())

/** Answers each call by its turn: the last one serves all that follow. */
function inTurn(...scripts: readonly (typeof upstream.script)[]): typeof upstream.script {
  let turn = 0
  return (request, response) => {
    const script = scripts[Math.min(turn, scripts.length - 1)]
    turn += 1
    return script?.(request, response)
  }
}

test.each([1, 0, null, '1', 'many'])('candidateCount %j is passed on as it is', async count => {
  expect((await ask(gateway, path('generateContent'), call(count))).status).toBe(200)
  expect(upstream.seen.map(({ body }) => JSON.parse(body.toString()))).toEqual([call(count)])
})

describe('more than one', () => {
  test('are as many calls, each for one picture, and one answer with their pictures, numbered', async () => {
    const extras = { temperature: 1, imageConfig: { aspectRatio: '16:9', imageSize: '2K' } }
    const { status, json: answer, headers, line } = await ask(gateway, path('generateContent'), call(3, extras))
    expect(status).toBe(200)
    expect(upstream.seen.map(({ body }) => JSON.parse(body.toString()))).toEqual(
      Array.from({ length: 3 }, () => ({ contents, generationConfig: extras })),
    )
    const [{ inlineData }] = tiny.candidates[0].content.parts
    expect(answer.candidates).toEqual(
      [0, 1, 2].map(index => ({ content: { role: 'model', parts: [{ inlineData }] }, finishReason: 'STOP', index })),
    )
    expect(answer).toMatchObject({ modelVersion: model, responseId: headers.get('x-request-id') })
    expect(headers.get('x-plantain-images')).toBe('3/3')
    expect(headers.get('x-plantain-ignored-params')).toBeNull()
    expect(headers.get('content-type')).toBe('application/json; charset=UTF-8')
    expect(line).toMatchObject({ operation: 'generateContent', outcome: 'ok', images: 3, attempts: 3 })
  })

  test('usage is summed, by kind too', async () => {
    upstream.script = json({
      candidates: tiny.candidates,
      usageMetadata: {
        promptTokenCount: 8,
        candidatesTokenCount: 1290,
        totalTokenCount: 1298,
        promptTokensDetails: [{ modality: 'TEXT', tokenCount: 8 }],
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }],
      },
    })
    const { json: answer } = await ask(gateway, path('generateContent'), call(2))
    expect(answer.usageMetadata).toEqual({
      promptTokenCount: 16,
      candidatesTokenCount: 2580,
      totalTokenCount: 2596,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: 16 }],
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 2580 }],
    })
  })

  test('each keeps its own words and its own signature', async () => {
    const { inlineData } = tiny.candidates[0].content.parts[0]
    const said = 'Here\u2028you "are"'
    const signature = 'c2ln/+='.repeat(300)
    const parts = [{ text: 'Hm.', thought: true }, { text: said }, { inlineData, thoughtSignature: signature }]
    upstream.script = inTurn(
      json({ candidates: [{ content: { parts }, finishReason: 'STOP' }] }),
      json({ candidates: [{ content: { parts: [{ inlineData, thoughtSignature: 'a"b\\' }] }, finishReason: 'STOP' }] }),
    )
    const { json: answer, text } = await ask(gateway, path('generateContent'), call(2))
    const told = answer.candidates.map((candidate: { content: { parts: unknown } }) => candidate.content.parts)
    expect(told).toHaveLength(2)
    expect(told).toContainEqual([{ text: said }, { inlineData, thoughtSignature: signature }])
    expect(told).toContainEqual([{ inlineData, thoughtSignature: 'a"b\\' }])
    expect(text).not.toMatch(/\u2028/)
  })

  test('what came is the answer, and a header says how much', async () => {
    upstream.script = inTurn(
      json({ error: { code: 500, message: 'x', status: 'INTERNAL' } }, 500),
      answerWith('answers/tiny-picture.json'),
    )
    const { status, json: answer, headers } = await ask(gateway, path('generateContent'), call(3))
    expect([status, answer.candidates.length, headers.get('x-plantain-images')]).toEqual([200, 2, '2/3'])
    expect(answer.candidates.map(({ index }: { index: number }) => index)).toEqual([0, 1])
  })

  test.each([
    ['refusals/prompt-blocked.json', { promptFeedback: { blockReason: expect.any(String) } }],
    ['refusals/text-only.json', { candidates: [{ content: {}, finishReason: 'NO_IMAGE', index: 0 }] }],
  ])('all refused is an answer as Google’s: %s', async (name, expected) => {
    upstream.script = answerWith(name)
    const { status, json: answer, line } = await ask(gateway, path('generateContent'), call(2))
    expect(status).toBe(200)
    expect(answer).toMatchObject(expected)
    expect(line).toMatchObject({ status: 200, outcome: 'refused', images: 0, refusalReason: expect.any(String) })
    expect(line.error).toBeUndefined()
  })

  test.each(['IMAGE_SAFETY', 'PROHIBITED_CONTENT', 'NO_IMAGE', 'IMAGE_OTHER', 'MAX_TOKENS'])(
    'the model’s own reason stays: %s',
    async finishReason => {
      upstream.script = json({ candidates: [{ content: {}, finishReason, finishMessage: 'No kites.' }] })
      const { json: answer } = await ask(gateway, path('generateContent'), call(2))
      expect(answer.candidates).toEqual([
        { content: {}, finishReason, finishMessage: expect.stringContaining('No kites.'), index: 0 },
      ])
    },
  )

  test('all failed is an error', async () => {
    upstream.script = json({ error: { code: 429, message: 'Please retry in 3s.', status: 'RESOURCE_EXHAUSTED' } }, 429)
    const { status, json: answer, headers } = await ask(gateway, path('generateContent'), call(2))
    expect([status, answer.error.status, headers.get('retry-after')]).toEqual([429, 'RESOURCE_EXHAUSTED', '3'])
  })

  test('of a stream they are an event each, numbered', async () => {
    const { status, text, headers } = await ask(gateway, `${path('streamGenerateContent')}?alt=sse`, call(2))
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    expect(text).toMatch(/^(?:data: \{[^\n]*\}\n\n){2}$/)
    const events = text.split('\n\n').filter(Boolean)
    expect(events.map(event => JSON.parse(event.slice('data: '.length)))).toMatchObject([
      { candidates: [{ index: 0 }] },
      { candidates: [{ index: 1 }] },
    ])
    const url = `${path('streamGenerateContent')}?alt=sse`
    expect(upstream.seen.map(({ url }) => url)).toEqual([url, url])
  })

  test('or the elements of an array', async () => {
    const { text, headers } = await ask(gateway, path('streamGenerateContent'), call(2))
    expect(headers.get('content-type')).toBe('application/json; charset=UTF-8')
    expect(JSON.parse(text)).toMatchObject([{ candidates: [{ index: 0 }] }, { candidates: [{ index: 1 }] }])
  })

  test('a stream that fails before its first event is an error with a status', async () => {
    upstream.script = json({ error: { code: 503, message: 'x', status: 'UNAVAILABLE' } }, 503)
    const { status, json: answer } = await ask(gateway, `${path('streamGenerateContent')}?alt=sse`, call(2))
    expect([status, answer.error.status]).toEqual([503, 'UNAVAILABLE'])
  })

  test('a dry run tells a call as it would go up', async () => {
    const dry = { 'x-plantain-dry-run': 'true' }
    const { status, json: told } = await ask(gateway, path('generateContent'), call(2, { temperature: 1 }), dry)
    expect([status, told.dry_run, upstream.seen.length]).toEqual([200, true, 0])
    expect(told.calls[0].body).toEqual({ contents, generationConfig: { temperature: 1 } })
  })

  test('counting tokens for them is one count', async () => {
    upstream.script = json({ totalTokens: 31 })
    const { json: answer } = await ask(gateway, path('countTokens'), call(2))
    expect([answer, upstream.seen.length]).toEqual([{ totalTokens: 31 }, 1])
  })

  test.each([
    [{ imageConfig: { aspectRatio: '7:5' } }, 'generation_config.image_config.aspect_ratio'],
    [{ image_config: { image_size: '8K' } }, 'generation_config.image_config.image_size'],
  ])('a shape that the model lacks is refused with its place: %j', async (config, field) => {
    const { status, json: answer } = await ask(gateway, path('generateContent'), call(2, config))
    expect([status, answer.error.status]).toEqual([400, 'INVALID_ARGUMENT'])
    expect(answer.error.message).toContain(field)
    expect(answer.error.details).toMatchObject([{ fieldViolations: [{ field }] }])
    expect(upstream.seen).toHaveLength(0)
  })
})

const wrong = ['text', 7, true, [], [7], { x: 1 }]
/** Which of the wrong values are right after all, by what a field takes. */
const takes = {
  name: ['text'],
  number: [7],
  switch: [true],
  message: [{ x: 1 }],
  messages: [{ x: 1 }, []],
  names: ['text', []],
} as const

const fields: readonly (readonly [path: string, kind: keyof typeof takes])[] = [
  ['contents', 'messages'],
  ['contents[0].role', 'name'],
  ['contents[0].parts', 'messages'],
  ['contents[0].parts[0].text', 'name'],
  ['contents[0].parts[0].inlineData', 'message'],
  ['contents[0].parts[0].inlineData.data', 'name'],
  ['contents[0].parts[0].inlineData.mimeType', 'name'],
  ['contents[0].parts[0].fileData', 'message'],
  ['contents[0].parts[0].fileData.fileUri', 'name'],
  ['contents[0].parts[0].fileData.mimeType', 'name'],
  ['contents[0].parts[0].thought', 'switch'],
  ['contents[0].parts[0].thoughtSignature', 'name'],
  ['systemInstruction', 'message'],
  ['systemInstruction.parts', 'messages'],
  ['tools', 'messages'],
  ['safetySettings', 'messages'],
  ['safetySettings[0].category', 'name'],
  ['safetySettings[0].threshold', 'name'],
  ['cachedContent', 'name'],
  ['generationConfig', 'message'],
  ['generationConfig.candidateCount', 'number'],
  ['generationConfig.responseModalities', 'names'],
  ['generationConfig.imageConfig', 'message'],
  ['generationConfig.imageConfig.aspectRatio', 'name'],
  ['generationConfig.imageConfig.imageSize', 'name'],
  ['generationConfig.imageConfig.personGeneration', 'name'],
  ['generationConfig.imageConfig.imageOutputOptions', 'message'],
  ['generationConfig.imageConfig.imageOutputOptions.mimeType', 'name'],
  ['generationConfig.imageConfig.imageOutputOptions.compressionQuality', 'number'],
  ['generationConfig.responseFormat', 'messages'],
  ['generationConfig.responseFormat[0].image', 'message'],
  ['generationConfig.responseFormat[0].image.aspectRatio', 'name'],
  ['generationConfig.responseFormat[0].image.imageSize', 'name'],
  ['generationConfig.responseFormat[0].image.mimeType', 'name'],
  ['generationConfig.responseFormat[0].image.delivery', 'name'],
  ['generationConfig.seed', 'number'],
  ['generationConfig.mediaResolution', 'name'],
  ['generationConfig.thinkingConfig', 'message'],
  ['generationConfig.thinkingConfig.includeThoughts', 'switch'],
  ['generationConfig.thinkingConfig.thinkingBudget', 'number'],
  ['generationConfig.thinkingConfig.thinkingLevel', 'name'],
  ['generationConfig.temperature', 'number'],
  ['generationConfig.topP', 'number'],
  ['generationConfig.topK', 'number'],
  ['generationConfig.maxOutputTokens', 'number'],
  ['generationConfig.stopSequences', 'names'],
  ['generationConfig.responseMimeType', 'name'],
  ['generationConfig.responseLogprobs', 'switch'],
]

describe('a field of a wrong type is refused with its place, and nobody is called', () => {
  test.each(fields)('%s (%s)', async (path_, kind) => {
    const keys = path_.split(/[.[\]]+/).filter(Boolean)
    const field = path_.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
    for (const value of wrong) {
      if (takes[kind].some(right => JSON.stringify(right) === JSON.stringify(value))) continue
      const body = { ...call(2), ...(keys[0] === 'contents' ? {} : { contents }) }
      const { status, json: answer } = await ask(gateway, path('generateContent'), put(body, keys, value))
      // A count that is none asks for no translation: the upstream says what it is.
      if (path_ === 'generationConfig' || path_ === 'generationConfig.candidateCount') continue
      expect([status, answer.error?.status], JSON.stringify(value)).toEqual([400, 'INVALID_ARGUMENT'])
      expect([field, `${field}[0]`]).toContain(answer.error.details[0].fieldViolations[0].field)
      expect(answer.error.message).toContain(field)
      expect(upstream.seen).toHaveLength(0)
    }
  })
})

/** The value with something else at a place in it. */
function put(value: unknown, [key, ...below]: readonly string[], item: unknown): object {
  if (key === undefined) throw new Error('There is no such place.')
  const inside = below.length > 0 ? put(value && Object(value)[key], below, item) : item
  if (/^\d+$/.test(key)) return Object.assign(Array.isArray(value) ? [...value] : [], { [key]: inside })
  return { ...Object(value ?? {}), [key]: inside }
}
