/** What goes up to each vendor who speaks OpenAI's protocol: whole documents, against the words of the vendor's own. */

import { beforeAll, describe, expect, test } from 'vitest'
import { aimlapi } from '../../../src/dialects/aimlapi.ts'
import { azure } from '../../../src/dialects/azure.ts'
import { nanoBanana } from '../../../src/dialects/nano-banana.ts'
import { openai } from '../../../src/dialects/openai.ts'
import type { OpenAiDialect } from '../../../src/dialects/openai-form.ts'
import { zenlayerOpenAi } from '../../../src/dialects/zenlayer-openai.ts'
import type { ImageRequest } from '../../../src/images/request.ts'
import { createOutbound } from '../../../src/protocols/openai/index.ts'
import type { Target } from '../../../src/protocols/protocol.ts'
import { heicHead, numberedPicture } from '../../helpers/pictures.ts'
import { modelNamed } from '../../models/shipped.ts'
import { extrasOf, inputOf, requestOf, send } from './requests.ts'

const azureDeployments = azure({ apiVersion: '2025-04-01-preview', baseUrl: 'https://studio.openai.azure.com' })
const all = [openai, azureDeployments, zenlayerOpenAi, nanoBanana, aimlapi]
const prompt = 'A red kite'
let [png, jpeg, webp]: Buffer[] = []
const files = () => [png, jpeg, webp].flatMap(file => file ?? [])

beforeAll(async () => {
  ;[png, jpeg, webp] = await Promise.all([
    numberedPicture('png', 400, 300, 1),
    numberedPicture('jpeg', 300, 300, 2),
    numberedPicture('webp', 90, 60, 3),
  ])
})

const gptImage2 = { model: 'gpt-image-2', pixels: rulesOf('gpt-image-2') }
const gptImage15 = { model: 'gpt-image-1.5', pixels: rulesOf('gpt-image-1.5') }

function rulesOf(name: string) {
  const { pixels } = modelNamed(name)
  if (!pixels) throw new Error(`${name} has no sizes.`)
  return pixels
}

describe('a prompt alone', () => {
  const paths: readonly (readonly [OpenAiDialect, string])[] = [
    [openai, '/images/generations'],
    [azureDeployments, '/openai/deployments/my%20pictures/images/generations?api-version=2025-04-01-preview'],
    [azure({ baseUrl: 'https://studio.openai.azure.com' }), '/openai/v1/images/generations'],
    [azure({ baseUrl: 'https://studio.openai.azure.com/openai/v1' }), '/images/generations'],
    [zenlayerOpenAi, '/images/generations'],
    [nanoBanana, '/images/generations'],
    [aimlapi, '/images/generations'],
  ]
  test.each(paths)('goes to the address of $name: %s', async (dialect, path) => {
    const sent = await send(dialect, requestOf(), { model: 'my pictures' })
    expect(sent.path).toBe(path)
    expect(sent.fields).toMatchObject({ model: 'my pictures', prompt })
    expect(sent.ignored).toEqual([])
  })

  test.each([
    [openai, gptImage2, {}],
    [openai, { model: 'flux-1' }, { response_format: 'b64_json' }],
    [azureDeployments, { model: 'flux-1' }, {}],
    [zenlayerOpenAi, {}, {}],
    [nanoBanana, { model: 'nano-banana' }, { response_format: 'b64_json' }],
    [aimlapi, {}, {}],
  ] as const)(
    '$name, $1.model: nothing else is sent but what makes a vendor answer in base64',
    async (dialect, target, more) => {
      const { fields } = await send(dialect, requestOf(), { model: 'm', ...target })
      const { model = 'm' } = target as Partial<Target>
      expect(fields).toEqual({ model, prompt, ...more })
    },
  )
})

describe('the picture’s shape', () => {
  const wide = { shape: { ratio: '16:9', resolution: '2K' } }
  const fitted = { ratio: '16:9', resolution: '2K' }

  test.each([
    ['openai, free sizes', openai, gptImage2, { size: '2752x1536' }],
    ['openai, fixed sizes', openai, gptImage15, { size: '1536x1024' }],
    ['azure', azureDeployments, gptImage2, { size: '2752x1536' }],
    ['zenlayer', zenlayerOpenAi, {}, { aspect_ratio: '16:9', image_size: '2K' }],
    ['nano-banana-2', nanoBanana, { model: 'nano-banana-2' }, { aspect_ratio: '16:9', image_size: '2K' }],
    ['nano-banana-hd has one size', nanoBanana, { model: 'nano-banana-hd' }, { aspect_ratio: '16:9' }],
    ['nano-banana has one size', nanoBanana, { model: 'nano-banana' }, { aspect_ratio: '16:9' }],
    ['aimlapi', aimlapi, {}, { aspect_ratio: '16:9', resolution: '2K' }],
  ] as const)('%s', async (_name, dialect, target, expected) => {
    const { fields } = await send(dialect, requestOf(wide), { ...fitted, ...target })
    const { model: _model, prompt: _prompt, response_format: _format, ...shape } = fields
    expect(shape).toEqual(expected)
  })
})

describe('every field a caller can set', () => {
  const asked = requestOf({
    count: 3,
    format: 'webp',
    compression: 80,
    background: 'opaque',
    search: true,
    seed: 7,
    mediaResolution: 'high',
    spelling: new Map([
      ['media_resolution', 'mediaResolution'],
      ['enable_web_search', 'enableWebSearch'],
    ]),
    extras: extrasOf({
      quality: 'high',
      moderation: 'low',
      inputFidelity: 'high',
      complexity: 'low',
      user: 'someone',
      safety_identifier: 'abc',
      style: 'vivid',
      negative_prompt: 'blur',
      partial_images: 2,
    }),
  })
  const painting = { n: 3, background: 'opaque', output_format: 'webp', output_compression: 80 }
  const told = { quality: 'high', complexity: 'low', user: 'someone', safety_identifier: 'abc' }
  const strange = ['style', 'negative_prompt', 'partial_images']
  const callers = ['quality', 'moderation', 'inputFidelity', 'complexity', 'user', 'safety_identifier', ...strange]
  const textsOf = (fields: object) =>
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]))

  test.each([
    [
      'openai, generations',
      openai,
      gptImage2,
      { ...painting, ...told, moderation: 'low' },
      ['inputFidelity', ...strange, 'seed', 'mediaResolution', 'enableWebSearch'],
    ],
    [
      'azure, generations',
      azureDeployments,
      gptImage2,
      { ...painting, ...told, moderation: 'low' },
      ['inputFidelity', ...strange, 'seed', 'mediaResolution', 'enableWebSearch'],
    ],
    ['zenlayer, generations', zenlayerOpenAi, {}, {}, [...callers, 'seed', 'mediaResolution', 'enableWebSearch']],
    [
      'nano-banana',
      nanoBanana,
      {},
      { response_format: 'b64_json' },
      [...callers, 'seed', 'mediaResolution', 'enableWebSearch'],
    ],
    ['aimlapi', aimlapi, {}, { enable_web_search: true }, [...callers, 'seed', 'mediaResolution']],
  ] as const)(
    '%s: what is documented is sent, what is not is named as the caller spelt it',
    async (_name, dialect, target, expected, ignored) => {
      const sent = await send(dialect, asked, { count: 3, ...target })
      const { model: _model, prompt: _prompt, ...fields } = sent.fields
      expect(fields).toEqual(expected)
      expect(sent.ignored).toEqual(ignored)
    },
  )

  test.each([
    [
      'openai, edits',
      openai,
      gptImage2,
      textsOf({ ...painting, ...told, input_fidelity: 'high' }),
      ['moderation', ...strange, 'seed', 'mediaResolution', 'enableWebSearch'],
    ],
    [
      'zenlayer, edits',
      zenlayerOpenAi,
      {},
      { media_resolution: 'MEDIA_RESOLUTION_HIGH' },
      [...callers, 'seed', 'enableWebSearch'],
    ],
  ] as const)('%s: a form’s fields are texts', async (_name, dialect, target, expected, ignored) => {
    const sent = await send(dialect, { ...asked, images: files().map(inputOf) }, { count: 3, ...target })
    const { model: _model, prompt: _prompt, ...fields } = sent.fields
    expect(fields).toEqual(expected)
    expect(sent.ignored).toEqual(ignored)
  })

  test.each(all)('$name: what only Gemini’s protocol can say is named', async dialect => {
    const extras = extrasOf({ 'generationConfig.topP': 0.5, quality: 'high', user: 'x' }, 'gemini')
    const { ignored } = await send(dialect, requestOf({ extras }))
    expect(ignored).toEqual(['generationConfig.topP', 'quality', 'user'])
  })

  test.each(['standard', 'hd'])('DALL·E’s quality %s has no twin', async quality => {
    const { fields, ignored } = await send(openai, requestOf({ extras: extrasOf({ quality }) }), gptImage2)
    expect(fields).toEqual({ model: 'gpt-image-2', prompt })
    expect(ignored).toEqual(['quality'])
  })
})

describe('reference pictures', () => {
  const withPictures = (count: number): ImageRequest => requestOf({ images: files().slice(0, count).map(inputOf) })
  const shown = (sent: Awaited<ReturnType<typeof send>>) =>
    sent.files?.map(({ name, fileName, type }) => `${name} ${fileName} ${type}`)

  test('arrive at OpenAI as files: each with its name and true type, byte for byte', async () => {
    const sent = await send(openai, withPictures(3), gptImage2)
    expect(sent.path).toBe('/images/edits')
    expect(shown(sent)).toEqual([
      'image[] image-1.png image/png',
      'image[] image-2.jpg image/jpeg',
      'image[] image-3.webp image/webp',
    ])
    expect(sent.files?.map(({ bytes }) => bytes)).toEqual(files())
  })

  test('a mask follows the pictures it belongs to', async () => {
    const [first] = files()
    const sent = await send(openai, { ...withPictures(2), ...(first && { mask: inputOf(first) }) }, gptImage2)
    expect(shown(sent)?.at(-1)).toBe('mask mask.png image/png')
    expect(sent.files?.at(-1)?.bytes).toEqual(first)
  })

  test.each([zenlayerOpenAi, nanoBanana, aimlapi])(
    '$name takes no mask: it is shown as the last picture, with a sentence about it',
    async dialect => {
      const [first, second, third] = files()
      if (!first || !second || !third) throw new Error('There are three.')
      expect(createOutbound(dialect).masks).toBe(false)
      const turns = [{ role: 'user', text: 'Look', images: [inputOf(second)] }] as const
      const sent = await send(dialect, requestOf({ turns, images: [inputOf(first)], mask: inputOf(third) }))
      const listed = [sent.fields.image, sent.fields.image_urls].flat().filter(each => typeof each === 'string')
      const pictures =
        sent.files?.map(({ bytes }) => bytes) ??
        listed.map(text => Buffer.from(text.replace(/^data:[^,]*,/, ''), 'base64'))
      expect(pictures).toEqual([second, first, third])
      expect(sent.fields.prompt).toMatch(/A red kite\n\nThe last picture is a mask of picture 2/)
    },
  )

  test('file types are made by the vendors who have a field for them', () => {
    const makers = all.filter(dialect => createOutbound(dialect).formats('some-model'))
    expect(makers.map(({ name }) => name)).toEqual(expect.arrayContaining(['openai', 'azure']))
    expect(makers.map(({ name }) => name)).not.toContain('zenlayer')
    expect(makers.map(({ name }) => name)).not.toContain('nano-banana')
  })

  test('Azure takes them at the deployment’s edits', async () => {
    const { path } = await send(azureDeployments, withPictures(1), { model: 'pictures-2' })
    expect(path).toBe('/openai/deployments/pictures-2/images/edits?api-version=2025-04-01-preview')
  })

  test('Zenlayer: one as image, several as image[]', async () => {
    const one = await send(zenlayerOpenAi, withPictures(1))
    expect(one.path).toBe('/images/edits')
    expect(shown(one)).toEqual(['image image-1.png image/png'])
    expect(shown(await send(zenlayerOpenAi, withPictures(2)))).toEqual([
      'image[] image-1.png image/png',
      'image[] image-2.jpg image/jpeg',
    ])
  })

  test('nano-banana: a list of base64 texts and addresses', async () => {
    const link = { url: 'https://example.com/kite.png', param: 'image[1]' }
    const sent = await send(nanoBanana, requestOf({ images: [...files().slice(0, 1).map(inputOf), link] }))
    expect(sent.path).toBe('/images/generations')
    expect(sent.files).toBeNull()
    expect(sent.fields.image).toEqual([png?.toString('base64'), link.url])
  })

  test('AI/ML API: a list of data URLs and addresses', async () => {
    const link = { url: 'https://example.com/kite.png', param: 'image_urls[0]' }
    const sent = await send(aimlapi, requestOf({ images: [link, ...files().slice(1, 2).map(inputOf)] }))
    expect(sent.fields.image_urls).toEqual([link.url, `data:image/jpeg;base64,${jpeg?.toString('base64')}`])
  })

  test.each(all)('$name reads web addresses by itself only where its documents say so', dialect => {
    const { reads } = createOutbound(dialect)
    const listed = dialect.references.as === 'list'
    expect(reads({ url: 'https://example.com/a.png', param: 'image' })).toBe(listed)
    expect(reads({ url: 'gs://bucket/a.png', param: 'image' })).toBe(false)
    const ofAnAccount = 'https://generativelanguage.googleapis.com/v1beta/files/abc-123'
    expect(reads({ url: ofAnAccount, param: 'image' })).toBe(false)
  })

  test.each([
    ['a HEIC picture', openai, requestOf({ images: [inputOf(heicHead())] }), 'image'],
    [
      'an address that nobody can fetch',
      openai,
      requestOf({ images: [{ url: 'gs://a/b', param: 'image[0]' }] }),
      'image[0]',
    ],
  ] as const)(
    '%s that $1.name does not take is refused, and another upstream may be asked',
    (_name, dialect, request, param) => {
      const encode = () => createOutbound(dialect).encodeRequest(request, { model: 'm', count: 1 })
      expect(encode).toThrow(expect.objectContaining({ facts: expect.objectContaining({ param, notSent: true }) }))
    },
  )
})

describe('a chat', () => {
  test('becomes one prompt that tells it, and one list of pictures, eldest first', async () => {
    const [first, second, third] = files().map(inputOf)
    if (!first || !second || !third) throw new Error('There are three.')
    const sent = await send(
      openai,
      requestOf({
        system: 'Always paint in oil.',
        turns: [
          { role: 'user', text: 'A kite like this', images: [first] },
          { role: 'model', text: '', images: [second] },
        ],
        prompt: 'Now in blue',
        images: [third],
      }),
      gptImage2,
    )
    expect(sent.fields.prompt).toBe(
      'Always paint in oil.\n\nThe conversation so far:\nUser: A kite like this [picture 1]\nYou: [picture 2]\n\nNow: Now in blue',
    )
    expect(sent.files?.map(({ bytes }) => bytes)).toEqual(files())
  })

  test('standing instructions go before the prompt', async () => {
    const { fields } = await send(zenlayerOpenAi, requestOf({ system: 'Always paint in oil.' }))
    expect(fields.prompt).toBe('Always paint in oil.\n\nA red kite')
  })
})
