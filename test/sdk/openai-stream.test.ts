/** OpenAI's SDK for JavaScript with `stream: true`, as people use it, against a running gateway. */
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestGateway } from '../helpers/gateway.ts'
import { expectColours, expectPicture, fromBase64, magenta, pictureOf, startPaintingGateway } from './setup.ts'

let gateway: TestGateway
let client: OpenAI

beforeAll(async () => {
  // So short that heartbeats fall between all events.
  gateway = await startPaintingGateway({ heartbeatMs: 5 })
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 })
})
afterAll(() => gateway.close())

async function readAll<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

const small = { model: 'nano-banana-2', size: '512x512', stream: true } as const

describe('images.generate with a stream', () => {
  test('gives drafts while they come and the picture last, each with all its fields', async () => {
    const prompt = 'A red kite [sandbox drafts=2]'
    const events = await readAll(await client.images.generate({ ...small, prompt, partial_images: 2 }))

    expect(events.map(({ type }) => type)).toEqual([
      'image_generation.partial_image',
      'image_generation.partial_image',
      'image_generation.completed',
    ])
    for (const event of events) {
      expect(event.created_at).toBeCloseTo(Date.now() / 1000, -2)
      expect(event).toMatchObject({ size: '512x512', quality: 'auto', background: 'opaque', output_format: 'jpeg' })
      await expectPicture(fromBase64(event.b64_json), { format: 'jpeg', size: '512x512' })
    }
    expect(events[1]).toMatchObject({ partial_image_index: 1 })
    const last = events[2]
    expect(last?.type === 'image_generation.completed' && last.usage.total_tokens).toBeGreaterThan(747)
    expect(new Set(events.map(({ b64_json }) => b64_json)).size).toBe(3)
  })

  test('never gives more drafts than were asked for', async () => {
    const prompt = 'A red kite [sandbox drafts=3]'
    const one = await readAll(await client.images.generate({ ...small, prompt, partial_images: 1 }))
    const none = await readAll(await client.images.generate({ ...small, prompt }))

    expect(one.map(({ type }) => type)).toEqual(['image_generation.partial_image', 'image_generation.completed'])
    expect(none.map(({ type }) => type)).toEqual(['image_generation.completed'])
  })

  test('n pictures are an event each', async () => {
    const events = await readAll(await client.images.generate({ ...small, prompt: 'A red kite', n: 3 }))

    expect(events.map(({ type }) => type)).toEqual(Array(3).fill('image_generation.completed'))
    for (const event of events) await expectPicture(fromBase64(event.b64_json), { format: 'jpeg', size: '512x512' })
  })

  test('what is refused at once has its status', async () => {
    const wrong = { ...small, prompt: 'A kite', aspect_ratio: '7:5' }
    await expect(client.images.generate(wrong)).rejects.toMatchObject({ status: 400, code: 'invalid_value' })
  })

  test('what fails later is raised while the events are read', async () => {
    const prompt = 'A kite [sandbox delay=100ms refuse=IMAGE_SAFETY]'
    const events = await client.images.generate({ ...small, prompt })
    await expect(readAll(events)).rejects.toMatchObject({
      code: 'moderation_blocked',
      type: 'image_generation_user_error',
      message: expect.stringContaining('IMAGE_SAFETY'),
    })
  })
})

test('images.edit streams in a form as well', async () => {
  const image = await toFile(await pictureOf(magenta), 'input.png', { type: 'image/png' })
  const prompt = 'Hang it in a gallery [sandbox drafts=1]'
  const events = await readAll(await client.images.edit({ ...small, prompt, image, partial_images: 3 }))

  expect(events.map(({ type }) => type)).toEqual(['image_edit.partial_image', 'image_edit.completed'])
  const file = fromBase64(events[1]?.b64_json)
  await expectPicture(file, { format: 'jpeg', size: '512x512' })
  await expectColours(file, magenta)
})
