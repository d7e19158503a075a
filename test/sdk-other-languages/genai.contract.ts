/** What a program with Google's genai SDK gets from a gateway, whatever its language. */
import { expect, test } from 'vitest'
import { expectColours, expectPicture, green, magenta } from '../sdk/setup.ts'
import type { Program } from './openai.contract.ts'

/** What the programs print. */
export interface GenaiFacts {
  readonly finish_reason: string
  readonly model_version: string
  readonly image_tokens: number
  readonly text_tokens: number
  readonly picture_tokens: number
  readonly streamed_text: string
  readonly streamed_thought: boolean
  readonly stream_end: string
  /** What a stream of two candidates brought: `draft`, `picture`. */
  readonly translated: readonly string[]
  readonly refusal: string
  readonly models: readonly string[]
  readonly model: string
  readonly errors: Readonly<Record<string, { code: number; status: string; message: string }>>
}

export function testGenai(program: () => Program<GenaiFacts>): void {
  test('makes a picture of the ratio and tier that were asked for', async () => {
    await expectPicture(await program().file('kite.jpg'), { format: 'jpeg', size: '688x384' })
    expect(program().facts).toMatchObject({ finish_reason: 'STOP', model_version: 'gemini-3.1-flash-image' })
    expect(program().facts.image_tokens).toBeGreaterThanOrEqual(747)
  })

  test('edits a picture', async () => {
    const file = await program().file('framed.jpg')
    await expectPicture(file, { format: 'jpeg', size: '512x512' })
    await expectColours(file, magenta)
  })

  test('edits two pictures together', async () => {
    const file = await program().file('collage.jpg')
    await expectPicture(file, { format: 'jpeg', size: '632x424' })
    await expectColours(file, magenta, green)
  })

  test('streams thoughts, text and a whole picture', async () => {
    await expectPicture(await program().file('streamed.jpg'), { format: 'jpeg', size: '512x512' })
    expect(program().facts.streamed_text).not.toBe('')
    expect(program().facts).toMatchObject({ streamed_thought: true, stream_end: 'STOP' })
  })

  test('streams two candidates with their drafts, and reads past heartbeats', () => {
    const count = (kind: string) => program().facts.translated.filter(each => each === kind).length
    expect([count('draft'), count('picture')]).toEqual([2, 2])
  })

  test('counts the tokens of text and of pictures', () => {
    const { text_tokens, picture_tokens } = program().facts
    expect(text_tokens).toBeGreaterThan(0)
    expect(picture_tokens).toBeGreaterThan(text_tokens + 100)
  })

  test('chats: the picture of the first turn goes back up, and a new one beside it', async () => {
    const file = await program().file('chat.jpg')
    await expectPicture(file, { format: 'jpeg', size: '512x512' })
    await expectColours(file, magenta)
  })

  test('lists the models', () => {
    const { models, model } = program().facts
    expect(models).toContain('models/gemini-3.1-flash-image')
    expect(models).toContain('models/nano-banana-2')
    expect(model).toBe('models/gemini-3.1-flash-image')
  })

  test('gets a refusal as an answer without a picture', () => {
    expect(program().facts.refusal).toBe('IMAGE_SAFETY')
  })

  test.for([
    ['bad ratio', { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringContaining('16:9') }],
    ['bad ratio in a stream', { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringContaining('16:9') }],
    ['wrong key', { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringContaining('API key') }],
    ['unknown model', { code: 404, status: 'NOT_FOUND' }],
    ['quota', { code: 429, status: 'RESOURCE_EXHAUSTED' }],
    ['failed upstream', { code: 503, status: 'UNAVAILABLE' }],
  ] as const)('is told of an error: %s', ([name, told]) => {
    expect(program().facts.errors[name]).toMatchObject(told)
  })
}
