/** Which pictures are made anew, and which are left alone because their upstream did it. */
import { describe, expect, test } from 'vitest'
import { isAnotherFile, wishFor, wishForEdit } from '../../src/gateway/file-wish.ts'
import { bytesOfText } from '../../src/images/bytes.ts'
import type { MediaType } from '../../src/images/media-type.ts'
import type { ImageRequest } from '../../src/images/request.ts'
import type { Painting } from '../../src/images/result.ts'
import type { MaskedPicture } from '../../src/pixels/mask.ts'
import { modelNamed } from '../models/shipped.ts'

const [nothing, formats] = [false, true]
const jpegModel = modelNamed('nano-banana-2')
const request = (more: Partial<ImageRequest>): ImageRequest => ({
  model: null,
  prompt: 'A red kite',
  images: [],
  count: 1,
  shape: {},
  search: false,
  spelling: new Map(),
  turns: [],
  extras: { protocol: 'openai', fields: new Map() },
  ...more,
})
const came = (mediaType: MediaType): Painting => ({ base64: bytesOfText('AAAA'), mediaType, pixels: null })

describe('an upstream that makes files as asked', () => {
  test('has compressed what came already: not twice', () => {
    const asked = request({ format: 'jpeg', compression: 40 })
    expect(wishFor(came('image/jpeg'), jpegModel, asked, formats)).toBeNull()
    expect(wishFor(came('image/jpeg'), jpegModel, asked, nothing)).toEqual({ type: 'jpeg', compression: 40 })
  })

  test('and sent another type nevertheless: then it is made here', () => {
    const asked = request({ format: 'webp', compression: 40 })
    expect(wishFor(came('image/png'), jpegModel, asked, formats)).toEqual({ type: 'webp', compression: 40 })
  })

  test('needs no place in the line', () => {
    const asked = request({ format: 'webp' })
    expect(isAnotherFile(jpegModel, asked, formats)).toBe(false)
    expect(isAnotherFile(jpegModel, asked, nothing)).toBe(true)
    expect(isAnotherFile(null, asked, nothing)).toBe(true)
    expect(isAnotherFile(jpegModel, request({ format: 'jpeg' }), nothing)).toBe(false)
  })
})

test.each([
  ['as the original was', {}, 'png', true, { type: 'png', lossless: true }],
  ['as asked', { format: 'webp' }, 'png', true, { type: 'webp', lossless: true }],
  ['with loss where the original had some', { format: 'webp' }, 'jpeg', false, { type: 'webp', lossless: false }],
  [
    'with loss where it was asked for',
    { compression: 50 },
    'webp',
    true,
    { type: 'webp', lossless: false, compression: 50 },
  ],
] as const)('a masked edit is %s', (_what, more, type, lossless, wish) => {
  const masked = { type, lossless } as MaskedPicture
  expect(wishForEdit(request(more), masked)).toEqual(wish)
})
