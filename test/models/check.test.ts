import { describe, expect, test } from 'vitest'
import { bytesOf } from '../../src/images/bytes.ts'
import { GatewayError } from '../../src/images/error.ts'
import type { ImageInput, ImageRequest } from '../../src/images/request.ts'
import { checkRequest } from '../../src/models/check.ts'
import { narrowed } from '../../src/models/narrow.ts'
import { catalogue, modelNamed } from './shipped.ts'

const plain: ImageRequest = {
  model: null,
  prompt: 'a plantain on a plate',
  images: [],
  count: 1,
  shape: {},
  search: false,
  spelling: new Map(),
  turns: [],
  extras: { protocol: 'openai', fields: new Map() },
}
const picture: ImageInput = { mediaType: 'image/png', base64: bytesOf(Buffer.from('iVBORw0KGgo=')) }
const pictures = (count: number) => ({ ...plain, images: Array<ImageInput>(count).fill(picture) })

function check(name: string | null, request: ImageRequest): GatewayError | null {
  try {
    checkRequest(name === null ? null : modelNamed(name), request)
    return null
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
}

test('a plain request passes on every model', () => {
  for (const { id } of catalogue.list()) expect(check(id, plain)).toBeNull()
  expect(check(null, plain)).toBeNull()
})

describe('reference pictures', () => {
  test.each([
    ['nano-banana-2', 14],
    ['nano-banana-2.1', 14],
    ['nano-banana-pro', 14],
    ['gpt-image-2', 16],
  ])('%s takes %d and not one more', (name, most) => {
    expect(check(name, pictures(most))).toBeNull()
    const error = check(name, pictures(most + 1))
    expect(error?.kind).toBe('invalid-request')
    expect(error?.facts).toMatchObject({ param: 'image', code: 'invalid_value' })
    expect(error?.message).toContain(`at most ${most}`)
  })

  test('are named as their caller spelt them', () => {
    const spelling = new Map([['image_urls', 'imageUrls']])
    expect(check('nano-banana-2', { ...pictures(15), spelling })?.facts.param).toBe('imageUrls')
  })

  test('are said to be none where an upstream takes none', () => {
    const refuse = () => checkRequest(narrowed(modelNamed('nano-banana-2'), { references: 0 }), pictures(1))
    expect(refuse).toThrow('gemini-3.1-flash-image takes no reference images here, 1 was sent.')
  })

  test('have no fixed bound on gemini-2.5-flash-image nor on a model nobody knows', () => {
    expect(check('nano-banana', pictures(30))).toBeNull()
    expect(check(null, pictures(30))).toBeNull()
  })
})

describe('background', () => {
  test('transparent on a Gemini model is refused', () => {
    const error = check('nano-banana-2', { ...plain, background: 'transparent' })
    expect(error?.kind).toBe('invalid-request')
    expect(error?.facts).toMatchObject({ param: 'background', code: 'invalid_value' })
  })

  test('transparent in a JPEG is refused', () => {
    const clear = { ...plain, background: 'transparent' } as const
    expect(check('gpt-image-1.5', { ...clear, format: 'jpeg' })).toMatchObject({ facts: { param: 'background' } })
    expect(check('gpt-image-1.5', { ...clear, format: 'webp' })).toBeNull()
  })

  test('transparent on an OpenAI model is that upstream’s matter', () => {
    expect(check('gpt-image-1.5', { ...plain, background: 'transparent' })).toBeNull()
  })

  test('opaque is what Gemini models paint', () => {
    expect(check('nano-banana-2', { ...plain, background: 'opaque' })).toBeNull()
  })
})

describe('web search', () => {
  test.each(['nano-banana-2', 'nano-banana-2.1', 'nano-banana-pro'])('%s has it', name => {
    expect(check(name, { ...plain, search: true })).toBeNull()
  })

  test.each(['nano-banana', 'nano-banana-2-lite', 'gpt-image-2'])('%s has none: refused', name => {
    const error = check(name, { ...plain, search: true })
    expect(error?.kind).toBe('invalid-request')
    expect(error?.facts).toMatchObject({ param: 'enable_web_search', code: 'invalid_value' })
  })
})

describe('a file type', () => {
  test.each(['png', 'jpeg', 'webp'] as const)('(%s) passes on every model, whatever that makes', format => {
    for (const { id } of catalogue.list()) expect(check(id, { ...plain, format })).toBeNull()
    expect(check(null, { ...plain, format })).toBeNull()
  })

  test.each([
    ['nano-banana-2', 'png'],
    ['nano-banana', 'png'],
    ['nano-banana', undefined],
    ['gpt-image-2', undefined],
    [null, undefined],
  ] as const)('that can’t be compressed: %s with %s', (name, format) => {
    const error = check(name, { ...plain, ...(format && { format }), compression: 50 })
    expect(error?.kind).toBe('invalid-request')
    expect(error?.facts).toMatchObject({ param: 'output_compression', code: 'invalid_png_output_compression' })
  })

  test.each([
    ['nano-banana-2', undefined, 50],
    ['nano-banana-2', 'webp', 0],
    ['nano-banana', 'jpeg', 50],
    ['nano-banana', 'png', 100],
    [null, 'webp', 50],
  ] as const)('that can: %s with %s at %d', (name, format, compression) => {
    expect(check(name, { ...plain, ...(format && { format }), compression })).toBeNull()
  })
})
