/** What a program with OpenAI's SDK gets from a gateway, whatever its language. */
import { expect, test } from 'vitest'
import { expectColours, expectPicture, green, magenta } from '../sdk/setup.ts'

/** What the programs print. */
export interface OpenaiFacts {
  readonly size: string
  readonly format: string
  readonly tokens: number
  readonly models: readonly string[]
  readonly model: string
  /** The types of a stream's events. */
  readonly streamed: readonly string[]
  readonly streamed_tokens: number
  readonly stream_error: string
  readonly errors: Readonly<Record<string, { status: number; code: string; param: string | null }>>
}

export interface Program<Facts> {
  readonly facts: Facts
  file(name: string): Promise<Buffer>
}

export function testOpenai(program: () => Program<OpenaiFacts>): void {
  test('makes two pictures at once, of the ratio and tier that were asked for', async () => {
    for (const name of ['kite-1.jpg', 'kite-2.jpg']) {
      await expectPicture(await program().file(name), { format: 'jpeg', size: '688x384' })
    }
    expect(program().facts).toMatchObject({ size: '688x384', format: 'jpeg' })
    expect(program().facts.tokens).toBeGreaterThan(2 * 747)
  })

  test('edits a picture that is sent as an open file', async () => {
    const file = await program().file('framed.jpg')
    await expectPicture(file, { format: 'jpeg', size: '512x512' })
    await expectColours(file, magenta)
  })

  test('edits two pictures together', async () => {
    const file = await program().file('collage.jpg')
    await expectPicture(file, { format: 'jpeg', size: '632x424' })
    await expectColours(file, magenta, green)
  })

  test('takes the address of an edited picture, and fetches it', async () => {
    const file = await program().file('fetched.jpg')
    await expectPicture(file, { format: 'jpeg', size: '512x512' })
    await expectColours(file, magenta)
  })

  test('streams two drafts and the picture, and reads past heartbeats', async () => {
    expect(program().facts.streamed).toEqual([
      'image_generation.partial_image',
      'image_generation.partial_image',
      'image_generation.completed',
    ])
    for (const name of ['stream-0.jpg', 'stream-1.jpg', 'stream-2.jpg']) {
      await expectPicture(await program().file(name), { format: 'jpeg', size: '512x512' })
    }
    expect(program().facts.streamed_tokens).toBeGreaterThan(747)
  })

  test('is told of an error in the middle of a stream', () => {
    expect(program().facts.stream_error).toContain('before its answer was complete')
  })

  test('lists the models', () => {
    const { models, model } = program().facts
    expect(models).toContain('gemini-3.1-flash-image')
    expect(models).toContain('nano-banana-2')
    expect(model).toBe('google/nano-banana-2')
  })

  test.for([
    ['bad ratio', { status: 400, code: 'invalid_value', param: 'aspect_ratio' }],
    ['no picture', { status: 400, code: 'invalid_image', param: 'image[0]' }],
    ['refusal', { status: 400, code: 'moderation_blocked' }],
    ['wrong key', { status: 401, code: 'invalid_api_key' }],
    ['unknown model', { status: 404, code: 'model_not_found', param: 'model' }],
    ['used-up quota', { status: 429, code: 'insufficient_quota' }],
  ] as const)('is told of an error: %s', ([name, told]) => {
    expect(program().facts.errors[name]).toMatchObject(told)
  })
}
