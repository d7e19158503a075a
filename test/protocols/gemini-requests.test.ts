/** What a call in Google's form asks for, in every way that its callers spell it. */
import { beforeAll, describe, expect, test } from 'vitest'
import { join } from '../../src/images/bytes.ts'
import { GatewayError } from '../../src/images/error.ts'
import { type ImageRequest, isLink, type Reference } from '../../src/images/request.ts'
import { decodeRequest } from '../../src/protocols/gemini/index.ts'
import { heicHead, picture } from '../helpers/pictures.ts'
import { wireDocument } from '../helpers/wire-document.ts'

const bounds = { maxImageBytes: 1 << 20, maxImages: 4 }
let png = ''
let jpeg = ''
let large = ''

beforeAll(async () => {
  png = (await picture('png', { width: 2, height: 2 })).toString('base64')
  jpeg = (await picture('jpeg', { width: 2, height: 2 })).toString('base64')
  large = Buffer.concat([await picture('png'), Buffer.alloc(3000, 0xfb)]).toString('base64')
})

const decode = (body: unknown) => decodeRequest(wireDocument(body), bounds)
const ask = (extra: object = {}) => ({ contents: [{ role: 'user', parts: [{ text: 'A red kite' }] }], ...extra })
const configured = (config: object) => decode(ask({ generationConfig: config }))

async function shown(reference: Reference | undefined): Promise<unknown> {
  if (!reference || isLink(reference)) return reference
  return { mediaType: reference.mediaType, base64: (await join(reference.base64)).toString() }
}

async function refusal(body: unknown): Promise<GatewayError> {
  const error = await decode(body).then(
    () => null,
    caught => caught,
  )
  if (!(error instanceof GatewayError)) throw new Error(`It was not refused: ${error}`)
  return error
}

const told = ({ extras }: ImageRequest) => [...extras.fields.keys()]

describe('what is said', () => {
  test.each([
    ['a list of lists', { contents: [{ role: 'user', parts: [{ text: 'A red kite' }] }] }],
    ['one content', { contents: { role: 'user', parts: [{ text: 'A red kite' }] } }],
    ['one part', { contents: { parts: { text: 'A red kite' } } }],
    ['no role', { contents: [{ parts: [{ text: 'A red kite' }] }] }],
    ['an upper-case role', { contents: [{ role: 'USER', parts: { text: 'A red kite' } }] }],
    ['an empty role', { contents: [{ role: '', parts: { text: 'A red kite' } }] }],
    ['nulls beside it', { contents: [{ role: null, parts: [{ text: 'A red kite', inlineData: null }] }], tools: null }],
  ])('as %s', async (_how, body) => {
    expect(await decode(body)).toMatchObject({ model: null, prompt: 'A red kite', images: [], turns: [], count: 1 })
  })

  test('several texts are lines of one prompt, and several contents of one speaker one request', async () => {
    const { prompt, turns } = await decode({
      contents: [{ parts: [{ text: 'One' }, { text: 'two' }] }, { parts: [{ text: 'three' }] }],
    })
    expect([prompt, turns]).toEqual(['One\ntwo\nthree', []])
  })

  test('a chat becomes turns, and its last question the prompt; thoughts and signatures stay behind', async () => {
    const { prompt, turns, images, system } = await decode({
      system_instruction: { parts: { text: 'Paint in oil.' } },
      contents: [
        { role: 'user', parts: [{ text: 'A kite' }] },
        {
          role: 'MODEL',
          parts: [
            { text: 'Hm.', thought: true },
            { inlineData: { mimeType: 'image/png', data: png }, thought: true },
            { text: 'Here.' },
            { inlineData: { mimeType: 'image/png', data: png }, thoughtSignature: 'c2ln'.repeat(900) },
          ],
        },
        { role: 'user', parts: [{ text: 'Now blue' }, { inlineData: { mimeType: 'image/jpeg', data: jpeg } }] },
      ],
    })
    expect({ prompt, system }).toEqual({ prompt: 'Now blue', system: 'Paint in oil.' })
    expect(turns.map(({ role, text, images: pictures }) => [role, text, pictures.length])).toEqual([
      ['user', 'A kite', 0],
      ['model', 'Here.', 1],
    ])
    expect(await shown(images[0])).toEqual({ mediaType: 'image/jpeg', base64: jpeg })
  })

  test('«assistant» is the model and «system» the instruction, as sloppy clients have it', async () => {
    const { system, turns, prompt } = await decode({
      systemInstruction: { role: 'user', parts: [{ text: 'One' }] },
      contents: [
        { role: 'system', parts: [{ text: 'Two' }] },
        { role: 'user', parts: [{ text: 'A kite' }] },
        { role: 'assistant', parts: [{ text: 'Which colour?' }] },
        { role: 'user', parts: [{ text: 'Red' }] },
      ],
    })
    expect({ system, prompt, roles: turns.map(({ role }) => role) }).toEqual({
      system: 'One\nTwo',
      prompt: 'Red',
      roles: ['user', 'model'],
    })
  })

  test('a long text is read from where it lies', async () => {
    const long = 'Ein Drachen über »Grün« 🪁\n'.repeat(200)
    expect((await decode(ask({ contents: { parts: { text: long } } }))).prompt).toBe(long)
  })
})

describe('pictures', () => {
  const withPart = (part: object) => decode({ contents: [{ parts: [{ text: 'Edit' }, part] }] })

  test.each([
    ['camelCase', (data: string) => ({ inlineData: { mimeType: 'image/png', data } })],
    ['snake_case', (data: string) => ({ inline_data: { mime_type: 'image/png', data } })],
    ['mixed', (data: string) => ({ inlineData: { data, mime_type: 'image/png' } })],
    ['a wrong label', (data: string) => ({ inlineData: { data, mimeType: 'image/webp' } })],
    ['no label', (data: string) => ({ inlineData: { data } })],
    [
      'a data URL',
      (data: string) => ({ inlineData: { data: `data:image/png;base64,${data}`, mimeType: 'image/png' } }),
    ],
    [
      'the URL-safe alphabet',
      (data: string) => ({ inlineData: { data: data.replaceAll('+', '-').replaceAll('/', '_') } }),
    ],
    ['no padding', (data: string) => ({ inlineData: { data: data.replace(/=+$/, '') } })],
    ['lines', (data: string) => ({ inlineData: { data: data.replace(/.{76}/g, '$&\n') } })],
    ['an address that is none', (data: string) => ({ fileData: { fileUri: `data:image/png;base64,${data}` } })],
  ])('inline, with %s', async (_how, part) => {
    for (const data of [png, large]) {
      const { images } = await withPart(part(data))
      expect(await shown(images[0])).toEqual({ mediaType: 'image/png', base64: data })
    }
  })

  test.each(['https://example.com/kite.png?sig=a%2Fb', 'gs://bucket/kite.png', 'http://10.0.0.1/x'])(
    'by their address: %s',
    async fileUri => {
      const param = 'contents[0].parts[1].file_data.file_uri'
      const { images } = await withPart({ file_data: { file_uri: fileUri, mimeType: 'image/png' } })
      expect(images).toEqual([{ url: fileUri, param, mediaType: 'image/png' }])
    },
  )

  test.each([
    [{ inlineData: { mimeType: 'image/png' } }, 'inline_data.data'],
    [{ inlineData: { mimeType: 'image/png', data: '' } }, 'inline_data.data'],
    [{ inlineData: { data: '****' } }, 'inline_data.data'],
    [{ inlineData: { data: 'https://example.com/x.png' } }, 'inline_data.data'],
    [{ inlineData: { data: Buffer.from('GIF89a picture of some length').toString('base64') } }, 'inline_data.data'],
    [{ inlineData: { mimeType: 'application/pdf', data: 'JVBERi0=' } }, 'inline_data.mime_type'],
    [{ fileData: {} }, 'file_data.file_uri'],
    [{ fileData: { fileUri: 'files/abc' } }, 'file_data.file_uri'],
    [{ fileData: { fileUri: 'file:///etc/passwd' } }, 'file_data.file_uri'],
    [{ fileData: { fileUri: 'https://x', mimeType: 'video/mp4' } }, 'file_data.mime_type'],
  ])('%j is refused', async (part, field) => {
    const { kind, facts } = await refusal({ contents: [{ parts: [{ text: 'Edit' }, part] }] })
    expect([kind, facts.param]).toEqual(['invalid-request', `contents[0].parts[1].${field}`])
  })

  test('a HEIC picture is taken, one that is too large or one too many is not', async () => {
    const heic = { inlineData: { data: heicHead().toString('base64') } }
    expect((await withPart(heic)).images).toMatchObject([{ mediaType: 'image/heic' }])
    const huge = Buffer.concat([Buffer.from(png, 'base64'), Buffer.alloc(bounds.maxImageBytes)]).toString('base64')
    expect((await refusal({ contents: { parts: { inlineData: { data: huge } } } })).kind).toBe('too-large')
    const many = { contents: { parts: Array.from({ length: 5 }, () => ({ inlineData: { data: png } })) } }
    expect((await refusal(many)).message).toMatch(/5 images.*At most 4/)
  })
})

describe('settings', () => {
  test.each([
    [{ generationConfig: { imageConfig: { aspectRatio: '16:9', imageSize: '2k' } } }],
    [{ generation_config: { image_config: { aspect_ratio: '16:9', image_size: '2K' } } }],
    [{ generationConfig: { image_config: { aspectRatio: '16:9', image_size: '2K' } } }],
    [{ generationConfig: { responseFormat: { image: { aspectRatio: '16:9', imageSize: '2K' } } } }],
    [{ generationConfig: { response_format: [{ text: {} }, { image: { aspect_ratio: '16:9', imageSize: '2K' } }] } }],
    [
      {
        generationConfig: {
          responseFormat: [
            {
              image: { aspectRatio: 'ASPECT_RATIO_SIXTEEN_BY_NINE', imageSize: 'IMAGE_SIZE_TWO_K', delivery: 'INLINE' },
            },
          ],
        },
      },
    ],
    [
      {
        generationConfig: {
          imageConfig: { aspectRatio: '16:9', imageSize: '2k' },
          responseFormat: [{ text: {} }, { image: { aspectRatio: 'ASPECT_RATIO_SIXTEEN_BY_NINE', imageSize: '2K' } }],
        },
      },
    ],
  ])('the shape: %j', async settings => {
    expect((await decode(ask(settings))).shape).toEqual({ ratio: '16:9', resolution: '2K' })
  })

  test.each([
    ['ASPECT_RATIO_TWENTY_ONE_BY_NINE', 'IMAGE_SIZE_FIVE_TWELVE', { ratio: '21:9', resolution: '512' }],
    ['ASPECT_RATIO_ONE_BY_EIGHT', 'IMAGE_SIZE_ONE_K', { ratio: '1:8', resolution: '1K' }],
    ['ASPECT_RATIO_UNSPECIFIED', 'IMAGE_SIZE_UNSPECIFIED', {}],
  ])('Google’s newest words for it: %s, %s', async (aspectRatio, imageSize, shape) => {
    expect((await configured({ responseFormat: { image: { aspectRatio, imageSize } } })).shape).toEqual(shape)
  })

  test.each([
    [{ seed: 7 }, { seed: 7 }],
    [{ seed: '7' }, { seed: 7 }],
    [{ candidateCount: 3 }, { count: 3 }],
    [{ candidate_count: 0 }, { count: 1 }],
    [{ mediaResolution: 'media_resolution_high' }, { mediaResolution: 'high' }],
    [
      { imageConfig: { imageOutputOptions: { mimeType: 'image/jpeg', compressionQuality: 80 } } },
      { format: 'jpeg', compression: 80 },
    ],
    [{ responseFormat: { image: { mimeType: 'image/png' } } }, { format: 'png' }],
    [{ responseModalities: ['Text', 'Image'] }, {}],
    [{ responseModalities: 'image' }, {}],
    [{ responseModalities: [] }, {}],
  ])('%j', async (config, expected) => {
    const request = await configured(config)
    expect(request).toMatchObject(expected)
    expect(told(request)).toEqual([])
  })

  test.each([
    [{ tools: [{ googleSearch: {} }] }],
    [{ tools: { google_search: { searchTypes: { webSearch: {} } } } }],
    [{ tools: [{ googleSearchRetrieval: {} }] }],
  ])('searching the web: %j', async tools => {
    expect(await decode(ask(tools))).toMatchObject({ search: true })
  })

  test('what only Google has a word for is named by its place', async () => {
    const request = await decode(
      ask({
        contents: [{ parts: [{ text: 'A kite' }, { functionCall: { name: 'x' } }] }],
        tools: [{ codeExecution: {} }, { google_search: { time_range_filter: {}, searchTypes: {} } }],
        toolConfig: {},
        safety_settings: { category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' },
        cachedContent: 'cachedContents/x',
        labels: { a: 'b' },
        unheardOf: 1,
        generationConfig: {
          temperature: '0.5',
          top_p: 0.9,
          thinkingConfig: { include_thoughts: true, thinking_level: 'HIGH' },
          stopSequences: 'END',
          imageConfig: {
            personGeneration: 'ALLOW_ALL',
            imageOutputOptions: { mimeType: 'image/png', progressive: true },
          },
          responseFormat: [{ image: { aspectRatio: '1:1' } }, { audio: {} }],
          something_new: true,
        },
      }),
    )
    expect(told(request).toSorted()).toEqual([
      'cached_content',
      'contents[0].parts[1].function_call',
      'generation_config.image_config.image_output_options.progressive',
      'generation_config.image_config.person_generation',
      'generation_config.response_format[1].audio',
      'generation_config.something_new',
      'generation_config.stop_sequences',
      'generation_config.temperature',
      'generation_config.thinking_config',
      'generation_config.top_p',
      'labels',
      'safety_settings',
      'tool_config',
      'tools[0].code_execution',
      'tools[1].google_search.search_types',
      'tools[1].google_search.time_range_filter',
      'unheard_of',
    ])
  })
})

describe('what is refused names its place', () => {
  test.each([
    [{}, 'contents'],
    [{ contents: [] }, 'contents'],
    [{ contents: [{ parts: [] }] }, 'contents'],
    [{ contents: [{ parts: [{ text: '' }] }] }, 'contents'],
    [{ contents: [{ role: 'model', parts: [{ text: 'x' }] }] }, 'contents'],
    [{ contents: [{ role: 'function', parts: [{ text: 'x' }] }] }, 'contents[0].role'],
    [ask({ generationConfig: { candidateCount: 11 } }), 'generation_config.candidate_count'],
    [ask({ generationConfig: { candidateCount: -1 } }), 'generation_config.candidate_count'],
    [ask({ generationConfig: { responseModalities: ['TEXT'] } }), 'generation_config.response_modalities'],
    [ask({ generationConfig: { responseModalities: ['IMAGE', 'AUDIO'] } }), 'generation_config.response_modalities'],
    [
      ask({ generationConfig: { imageConfig: { aspectRatio: 'wide' } } }),
      'generation_config.image_config.aspect_ratio',
    ],
    [
      ask({ generationConfig: { responseFormat: { image: { aspectRatio: 'wide' } } } }),
      'generation_config.response_format[0].image.aspect_ratio',
    ],
    [
      ask({ generationConfig: { responseFormat: { image: { delivery: 'URI' } } } }),
      'generation_config.response_format[0].image.delivery',
    ],
    [
      ask({ generationConfig: { imageConfig: { imageOutputOptions: { mimeType: 'image/gif' } } } }),
      'generation_config.image_config.image_output_options.mime_type',
    ],
    [
      ask({ generationConfig: { imageConfig: { imageOutputOptions: { compressionQuality: 101 } } } }),
      'generation_config.image_config.image_output_options.compression_quality',
    ],
    [ask({ generationConfig: { seed: 1 }, generation_config: { seed: 2 } }), 'generation_config'],
    [ask({ generationConfig: { topP: 1, top_p: 1 } }), 'generation_config.top_p'],
    [{ contents: { parts: { text: '\ud800' } } }, 'contents[0].parts[0].text'],
    [{ contents: { parts: { text: 'x'.repeat(300_000) } } }, 'contents[0].parts[0].text'],
  ])('%#: %j', async (body, param) => {
    const { kind, facts, message } = await refusal(body)
    expect([kind, facts.param]).toEqual(['invalid-request', param])
    expect(message.length).toBeLessThan(400)
  })
})
