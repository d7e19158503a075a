/** The Vercel AI SDK, as people use it, against a running gateway: its providers for OpenAI, for what is compatible with it, and for Google. */
import { createGoogle } from '@ai-sdk/google'
import { createGoogleGenerativeAI } from '@ai-sdk/google-3'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import {
  APICallError,
  type FilePart,
  type GeneratedFile,
  generateImage,
  generateText,
  type ModelMessage,
  NoImageGeneratedError,
  streamText,
} from 'ai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestGateway } from '../helpers/gateway.ts'
import { meanColour, see } from '../helpers/pictures.ts'
import { maskWith } from '../pixels/masked-pictures.ts'
import { expectColours, expectPicture, green, magenta, pictureOf, startPaintingGateway } from '../sdk/setup.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startPaintingGateway()
})
afterAll(() => gateway.close())

const once = { maxRetries: 0 } as const
const openai = () => createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any' })
const google = () => createGoogle({ baseURL: `${gateway.url}/v1beta`, apiKey: 'any' })

describe('@ai-sdk/openai', () => {
  test('paints what has Google’s name or an alias', async () => {
    for (const name of ['gemini-3.1-flash-image', 'nano-banana-2', 'google/nano-banana-2']) {
      const { image, usage, providerMetadata } = await generateImage({
        model: openai().image(name),
        prompt: 'A red kite',
        size: '512x512',
        ...once,
      })
      await expectPicture(image.uint8Array, { format: 'jpeg', size: '512x512' })
      expect(image.mediaType).toBe('image/jpeg')
      expect(usage.outputTokens).toBeGreaterThanOrEqual(747)
      expect(providerMetadata.openai?.images).toMatchObject([{ size: '512x512', outputFormat: 'jpeg' }])
    }
  })

  test('paints several, one by one or in one call', async () => {
    const several = {
      model: openai().image('nano-banana-2'),
      prompt: 'A red kite',
      size: '512x512',
      n: 2,
      ...once,
    } as const
    for (const maxImagesPerCall of [1, 2]) {
      const { images } = await generateImage({ ...several, maxImagesPerCall })
      expect(images).toHaveLength(2)
      for (const { uint8Array } of images) await expectPicture(uint8Array, { format: 'jpeg', size: '512x512' })
    }
  })

  test('edits one picture, and several', async () => {
    const [one, other] = [await pictureOf(magenta), await pictureOf(green, 'jpeg')]
    const model = openai().image('nano-banana-2')
    const edit = (images: Buffer[]) =>
      generateImage({ model, prompt: { text: 'Hang them in a gallery', images }, size: '512x512', ...once })

    await expectColours((await edit([one])).image.uint8Array, magenta)
    await expectColours((await edit([one, other])).image.uint8Array, magenta, green)
  })

  test('edits inside a mask: outside it every pixel is the original’s', async () => {
    const original = await pictureOf(magenta)
    const mask = await maskWith({ width: 96, height: 96 }, [{ left: 32, top: 32, width: 32, height: 32 }])
    const { image } = await generateImage({
      model: openai().image('nano-banana-2'),
      prompt: { text: 'A kite', images: [original], mask },
      providerOptions: { openai: { outputFormat: 'png' } },
      ...once,
    })
    expect(image.mediaType).toBe('image/png')
    const { width, height } = await see(image.uint8Array)
    const quarter = { left: 0, top: 0, width: Math.floor(width / 4), height: Math.floor(height / 4) }
    expect(await meanColour(image.uint8Array, quarter)).toEqual(magenta.channels)
  })

  test('its options for OpenAI’s models pass, and what has no twin is named', async () => {
    const { image, responses } = await generateImage({
      model: openai().image('nano-banana'),
      prompt: 'A red kite',
      providerOptions: { openai: { quality: 'high', style: 'vivid', moderation: 'low', user: 'someone' } },
      ...once,
    })
    await expectPicture(image.uint8Array, { format: 'png', size: '1024x1024' })
    expect(responses[0]?.headers?.['x-plantain-ignored-params']).toBe('quality, style, moderation, user')
  })

  test('throws what the gateway says, and knows what is worth another try', async () => {
    const model = openai().image('nano-banana-2')
    const failing = async (prompt: string, size: `${number}x${number}` = '512x512') => {
      const error = await generateImage({ model, prompt, size, ...once }).catch((thrown: unknown) => thrown)
      expect(APICallError.isInstance(error)).toBe(true)
      const { statusCode, isRetryable, message } = error as APICallError
      return { statusCode, isRetryable, message }
    }

    expect(await failing('A kite [sandbox refuse=IMAGE_SAFETY]')).toMatchObject({ statusCode: 400, isRetryable: false })
    expect(await failing('A kite [sandbox status=429 retry=3s]')).toMatchObject({ statusCode: 429, isRetryable: true })
    expect(await failing('A kite', '0x512')).toMatchObject({
      statusCode: 400,
      message: expect.stringContaining('size'),
    })
  })
})

describe('@ai-sdk/openai-compatible', () => {
  const provider = () => createOpenAICompatible({ name: 'plantain', baseURL: `${gateway.url}/v1`, apiKey: 'any' })

  test('paints; fields that only this gateway has pass through it', async () => {
    const { image } = await generateImage({
      model: provider().imageModel('nano-banana-2'),
      prompt: 'A red kite',
      providerOptions: { plantain: { aspect_ratio: '16:9', imageSize: '512' } },
      ...once,
    })
    await expectPicture(image.uint8Array, { format: 'jpeg', size: '688x384' })
  })

  test('edits', async () => {
    const { image } = await generateImage({
      model: provider().imageModel('nano-banana-2'),
      prompt: { text: 'Hang it in a gallery', images: [await pictureOf(magenta)] },
      size: '512x512',
      ...once,
    })
    await expectColours(image.uint8Array, magenta)
  })
})

describe('@ai-sdk/openai-compatible with answers by address', () => {
  test.each([{ model: 'dall-e-3' }, { model: 'nano-banana-2', response_format: 'url' }])(
    'fetches what stands in place of the picture: %j',
    async ({ model, ...plantain }) => {
      const provider = createOpenAICompatible({ name: 'plantain', baseURL: `${gateway.url}/v1`, apiKey: 'any' })
      const { image } = await generateImage({
        model: provider.imageModel(model),
        prompt: 'A red kite',
        size: '512x512',
        providerOptions: { plantain },
        ...once,
      })
      await expectPicture(image.uint8Array, { format: 'jpeg', size: '512x512' })
    },
  )
})

describe.each([
  ['@ai-sdk/google', () => google()],
  [
    '@ai-sdk/google, third version',
    () => createGoogleGenerativeAI({ baseURL: `${gateway.url}/v1beta`, apiKey: 'any' }),
  ],
] as const)('%s', (_, provider) => {
  const small = { google: { imageConfig: { imageSize: '512' } } }

  test('paints by Google’s names', async () => {
    const { image } = await generateImage({
      model: provider().image('gemini-3.1-flash-image'),
      prompt: 'A red kite',
      aspectRatio: '16:9',
      ...once,
    })
    await expectPicture(image.uint8Array, { format: 'jpeg', size: '1376x768' })
  })

  test('edits', async () => {
    const { image } = await generateImage({
      model: provider().image('gemini-3.1-flash-image'),
      prompt: { text: 'Hang it in a gallery', images: [await pictureOf(magenta)] },
      providerOptions: small,
      ...once,
    })
    await expectColours(image.uint8Array, magenta)
  })

  test('is told of a refusal', async () => {
    const prompt = 'A kite [sandbox refuse=IMAGE_SAFETY]'
    const refused = generateImage({ model: provider().image('gemini-3.1-flash-image'), prompt, ...once })
    await expect(refused).rejects.toSatisfy(NoImageGeneratedError.isInstance)
  })

  test('is told of errors in Google’s words', async () => {
    const prompt = 'A kite [sandbox status=429 retry=3s]'
    const failed = generateImage({ model: provider().image('gemini-3.1-flash-image'), prompt, ...once })
    await expect(failed).rejects.toMatchObject({
      statusCode: 429,
      isRetryable: true,
      data: { error: { status: 'RESOURCE_EXHAUSTED' } },
    })
  })
})

describe('@ai-sdk/google, third version, with names that do not begin with “gemini-”: Imagen’s form', () => {
  const imagen = () => createGoogleGenerativeAI({ baseURL: `${gateway.url}/v1beta`, apiKey: 'any' })

  test.each(['nano-banana-2', 'imagen-4.0-generate-001'])('%s paints', async name => {
    const { image } = await generateImage({
      model: imagen().image(name),
      prompt: 'A red kite',
      aspectRatio: '16:9',
      ...once,
    })
    await expectPicture(image.uint8Array, { format: 'jpeg', size: '1376x768' })
  })

  test('paints several in one call', async () => {
    const { images } = await generateImage({
      model: imagen().image('nano-banana-2'),
      prompt: 'A red kite',
      n: 2,
      ...once,
    })
    expect(images).toHaveLength(2)
    for (const { uint8Array } of images) await expectPicture(uint8Array, { format: 'jpeg', size: '1024x1024' })
  })

  test('is told of a refusal', async () => {
    const prompt = 'A kite [sandbox refuse=IMAGE_SAFETY]'
    const refused = generateImage({ model: imagen().image('nano-banana-2'), prompt, ...once })
    await expect(refused).rejects.toSatisfy(NoImageGeneratedError.isInstance)
  })
})

describe('@ai-sdk/google as a language model that paints', () => {
  const model = () => google()('nano-banana-2')
  const providerOptions = {
    google: { responseModalities: ['TEXT', 'IMAGE'], imageConfig: { aspectRatio: '1:1', imageSize: '512' } },
  }
  const pictureIn = (files: readonly GeneratedFile[]) =>
    files.find(({ mediaType }) => mediaType.startsWith('image/'))?.uint8Array ?? new Uint8Array()

  test('generateText gives text and a picture, and a second turn takes the first one’s picture along', async () => {
    const messages: ModelMessage[] = [{ role: 'user', content: 'A red kite' }]
    const first = await generateText({ model: model(), messages, providerOptions, ...once })
    expect(first.text).not.toBe('')
    await expectPicture(pictureIn(first.files), { format: 'jpeg', size: '512x512' })

    const image: FilePart = { type: 'file', mediaType: 'image/png', data: await pictureOf(magenta) }
    const again: ModelMessage = { role: 'user', content: [{ type: 'text', text: 'Hang this beside it' }, image] }
    messages.push(...first.response.messages, again)
    const second = await generateText({ model: model(), messages, providerOptions, ...once })
    await expectColours(pictureIn(second.files), magenta)
    expect(second.usage.inputTokens).toBeGreaterThan((first.usage.inputTokens ?? 0) + 300)
  })

  test('streamText gives the text, then the whole picture', async () => {
    const { fullStream } = streamText({ model: model(), prompt: 'A red kite', providerOptions, ...once })
    let text = ''
    const files: GeneratedFile[] = []
    for await (const part of fullStream) {
      if (part.type === 'text-delta') text += part.text
      if (part.type === 'file') files.push(part.file)
      expect(part.type).not.toBe('error')
    }
    expect(text).not.toBe('')
    await expectPicture(pictureIn(files), { format: 'jpeg', size: '512x512' })
  })
})
