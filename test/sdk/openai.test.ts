/** OpenAI's SDK for JavaScript, as people use it, against a running gateway. */
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI, { AzureOpenAI, toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestGateway } from '../helpers/gateway.ts'
import { expectColours, expectPicture, fromBase64, green, magenta, pictureOf, startPaintingGateway } from './setup.ts'

let gateway: TestGateway
let client: OpenAI
let folder: string

beforeAll(async () => {
  gateway = await startPaintingGateway()
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 })
  folder = await mkdtemp(join(tmpdir(), 'plantain-sdk-'))
})
afterAll(async () => {
  await gateway.close()
  await rm(folder, { recursive: true })
})

const filesOf = ({ data = [] }: OpenAI.ImagesResponse) => data.map(({ b64_json }) => fromBase64(b64_json))
const fileOf = (answer: OpenAI.ImagesResponse) => filesOf(answer)[0] ?? Buffer.alloc(0)

describe('images.generate', () => {
  test('a prompt alone gives a picture of the default model, with what it cost', async () => {
    const answer = await client.images.generate({ prompt: 'A red kite over a green valley' })

    expect(answer.data).toHaveLength(1)
    expect(answer.created).toBeCloseTo(Date.now() / 1000, -2)
    expect(answer.output_format).toBe('jpeg')
    const { total_tokens, input_tokens, output_tokens, input_tokens_details } = answer.usage ?? {}
    expect(input_tokens_details).toEqual({ text_tokens: input_tokens, image_tokens: 0 })
    expect(total_tokens).toBe((input_tokens ?? 0) + (output_tokens ?? 0))
    const { width, height } = /(?<width>\d+)x(?<height>\d+)/.exec(answer.size ?? '')?.groups ?? {}
    await expectPicture(fileOf(answer), { format: 'jpeg', size: `${Number(width)}x${Number(height)}` })
  })

  test('a size in pixels leads to the nearest ratio and tier, and the answer tells the true size', async () => {
    const answer = await client.images.generate({ model: 'nano-banana-2', prompt: 'A fjord', size: '768x512' })

    expect(answer.size).toBe('632x424')
    await expectPicture(fileOf(answer), { format: 'jpeg', size: '632x424' })
  })

  test('an answer by URL is fetched from its address', async () => {
    const { data = [], output_format } = await client.images.generate({
      model: 'nano-banana-2',
      prompt: 'A lighthouse in the fog',
      size: '512x512',
      response_format: 'url',
    })
    const [{ url = '', b64_json } = {}] = data
    expect(b64_json).toBeUndefined()
    expect(output_format).toBe('jpeg')
    const answer = await fetch(url)
    expect(answer.headers.get('content-type')).toBe('image/jpeg')
    await expectPicture(Buffer.from(await answer.arrayBuffer()), { format: 'jpeg', size: '512x512' })
  })

  test('a program that was written for dall-e-3 gets the address it expects', async () => {
    const { data = [] } = await client.images.generate({ model: 'dall-e-3', prompt: 'A lighthouse in the fog' })
    expect((await fetch(data[0]?.url ?? '')).status).toBe(200)
  })

  test('n pictures come in one answer, and their tokens are added up', async () => {
    const { data, response } = await client.images
      .generate({
        model: 'nano-banana-2',
        prompt: 'Two lighthouses',
        n: 2,
        size: '512x512',
        response_format: 'b64_json',
      })
      .withResponse()

    const files = filesOf(data)
    expect(files).toHaveLength(2)
    for (const file of files) await expectPicture(file, { format: 'jpeg', size: '512x512' })
    expect(data.usage?.output_tokens).toBeGreaterThanOrEqual(2 * 747)
    expect(response.headers.get('x-plantain-images')).toBe('2/2')
  })

  test('fields the SDK does not know pass through it: aspect_ratio, image_size', async () => {
    const body = { model: 'gemini-3.1-flash-image', prompt: 'A harbour', aspect_ratio: '16:9', image_size: '512' }
    const answer = await client.images.generate(body)

    await expectPicture(fileOf(answer), { format: 'jpeg', size: '688x384' })
  })

  test('OpenAI’s own parameters are taken; what has no twin is named', async () => {
    const { data, response } = await client.images
      .generate({
        model: 'nano-banana',
        prompt: 'A meadow',
        quality: 'high',
        style: 'vivid',
        moderation: 'auto',
        background: 'auto',
        user: 'someone',
      })
      .withResponse()

    await expectPicture(fileOf(data), { format: 'png', size: '1024x1024' })
    expect(response.headers.get('x-plantain-ignored-params')).toBe('quality, style, moderation, user')
    expect(response.headers.get('x-plantain-model')).toBe('gemini-2.5-flash-image')
  })

  test('the request id is where the SDK looks for it', async () => {
    const answer = await client.images.generate({ prompt: 'A cloud', size: '512x512' })

    expect(answer._request_id).toMatch(/^req_/)
    expect(gateway.log.some(({ requestId }) => requestId === answer._request_id)).toBe(true)
  })
})

describe('images.edit', () => {
  const edit = { model: 'nano-banana-2', prompt: 'Hang it in a gallery', size: '512x512' } as const

  test('a file made of a buffer is in the picture', async () => {
    const image = await toFile(await pictureOf(magenta), 'input.png', { type: 'image/png' })
    const answer = await client.images.edit({ ...edit, image })

    await expectPicture(fileOf(answer), { format: 'jpeg', size: '512x512' })
    await expectColours(fileOf(answer), magenta)
    expect(answer.usage?.input_tokens_details.image_tokens).toBeGreaterThan(0)
  })

  test('a file that stands before the fields in the form is in the picture', async () => {
    const image = await toFile(await pictureOf(magenta, 'webp'), 'input.webp')
    const answer = await client.images.edit({ image, ...edit })

    await expectColours(fileOf(answer), magenta)
  })

  test('a stream from the disk, sent in chunks without a length or a type, is in the picture', async () => {
    const path = join(folder, 'input.jpg')
    await writeFile(path, await pictureOf(green, 'jpeg'))
    const answer = await client.images.edit({ image: createReadStream(path), ...edit })

    await expectPicture(fileOf(answer), { format: 'jpeg', size: '512x512' })
    await expectColours(fileOf(answer), green)
  })

  test('several files are all in the picture, whatever they are made of', async () => {
    const path = join(folder, 'second.png')
    await writeFile(path, await pictureOf(green))
    const image = [await toFile(await pictureOf(magenta), 'first.png', { type: 'image/png' }), createReadStream(path)]
    const answer = await client.images.edit({ ...edit, image })

    await expectColours(fileOf(answer), magenta, green)
  })

  test('n and other numbers arrive as numbers though a form has only strings', async () => {
    const image = await toFile(await pictureOf(green), 'input.png')
    const answer = await client.images.edit({ ...edit, image, n: 2, response_format: 'b64_json' })

    const files = filesOf(answer)
    expect(files).toHaveLength(2)
    for (const file of files) await expectColours(file, green)
  })
})

describe('models', () => {
  test('list names the models and their aliases', async () => {
    const ids: string[] = []
    for await (const { id } of client.models.list()) ids.push(id)

    expect(ids).toContain('gemini-3.1-flash-image')
    expect(ids).toContain('nano-banana-2')
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('retrieve finds every listed name, and names with a slash', async () => {
    const { data } = await client.models.list()
    for (const { id } of data) expect(await client.models.retrieve(id)).toMatchObject({ id, object: 'model' })

    expect(await client.models.retrieve('google/nano-banana-2')).toMatchObject({ owned_by: 'google' })
  })
})

describe('AzureOpenAI', () => {
  const azureClient = (deployment?: string) =>
    new AzureOpenAI({
      endpoint: gateway.url,
      apiKey: 'any',
      apiVersion: '2025-04-01-preview',
      maxRetries: 0,
      ...(deployment !== undefined && { deployment }),
    })
  const painting = { prompt: 'A glacier', size: '512x512' } as const

  test('paints and edits by a deployment’s name', async () => {
    const { images } = azureClient('nano-banana-2')
    const painted = await images.generate(painting)
    const image = await toFile(await pictureOf(magenta), 'input.png', { type: 'image/png' })
    const edited = await images.edit({ ...painting, image })

    await expectPicture(fileOf(painted), { format: 'jpeg', size: '512x512' })
    await expectColours(fileOf(edited), magenta)
  })

  test('paints by a model’s name, and without either by the default model', async () => {
    const { images } = azureClient()
    for (const model of [{ model: 'google/nano-banana-2' }, {}]) {
      const { data, response } = await images.generate({ ...painting, ...model }).withResponse()
      await expectPicture(fileOf(data), { format: 'jpeg', size: '512x512' })
      expect(response.headers.get('x-plantain-model')).toBe('gemini-3.1-flash-image')
    }
  })

  test('lists and finds models', async () => {
    const { models } = azureClient()
    const { data } = await models.list()

    expect(data.map(({ id }) => id)).toContain('nano-banana-2')
    expect(await models.retrieve('nano-banana-2')).toMatchObject({ id: 'nano-banana-2' })
  })
})

test.each(['', '/v1/', '/v1beta/openai', '/openai/v1'])(
  'a base address that ends in “%s” paints, edits and lists',
  async path => {
    const { images, models } = new OpenAI({ baseURL: `${gateway.url}${path}`, apiKey: 'any', maxRetries: 0 })
    const image = await toFile(await pictureOf(green), 'input.png')
    const small = { prompt: 'A fjord', size: '512x512' } as const

    await expectPicture(fileOf(await images.generate(small)), { format: 'jpeg', size: '512x512' })
    await expectColours(fileOf(await images.edit({ ...small, image })), green)
    expect((await models.list()).data.length).toBeGreaterThan(5)
    expect(await models.retrieve('nano-banana')).toMatchObject({ id: 'nano-banana' })
  },
)

test('a base address with its version twice is told to be one', async () => {
  const { images } = new OpenAI({ baseURL: `${gateway.url}/v1/v1`, apiKey: 'any', maxRetries: 0 })

  await expect(images.generate({ prompt: 'A fjord' })).rejects.toThrow(/404 .*two versions/)
})
