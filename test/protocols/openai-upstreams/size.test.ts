/** From a shape in anyone's words to pixels that an OpenAI model takes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePixels, tierOf } from '../../../src/images/geometry.ts'
import type { PixelRules } from '../../../src/models/model.ts'
import { isLegal, sizeFor, type WantedShape } from '../../../src/protocols/openai/size.ts'
import { modelNamed } from '../../models/shipped.ts'

function freeRules(): Extract<PixelRules, { kind: 'free' }> {
  const { pixels } = modelNamed('gpt-image-2')
  if (pixels?.kind !== 'free') throw new Error('gpt-image-2 takes any size.')
  return pixels
}
const free = freeRules()
const fixed: PixelRules = {
  kind: 'fixed',
  sizes: [1024, 1536].flatMap(width => [{ width, height: 1024 }]).concat({ width: 1024, height: 1536 }),
}

const named = (ratio?: string, resolution?: string): WantedShape => ({
  asked: { ...(ratio && { ratio }), ...(resolution && { resolution }) },
  ...(ratio && { ratio }),
  ...(resolution && { resolution }),
})
const inPixels = (width: number, height: number): WantedShape => ({
  asked: { pixels: { width, height } },
  ratio: '1:1',
  resolution: tierOf({ width, height }),
})
const read = (size: string | undefined) => {
  const pixels = parsePixels(size ?? '')
  if (!pixels) throw new Error(`${size} is no size.`)
  return pixels
}

describe('free sizes', () => {
  test.each([
    [undefined, undefined, undefined],
    ['16:9', undefined, '1376x768'],
    ['16:9', '1K', '1376x768'],
    ['16:9', '2K', '2752x1536'],
    ['16:9', '4K', '3840x2160'],
    ['9:16', '4K', '2160x3840'],
    ['1:1', '512', '816x816'],
    ['1:1', '4K', '2880x2880'],
    ['21:9', '4K', '3808x1632'],
    ['3:1', '4K', '3840x1280'],
    ['5:7', '1K', '880x1232'],
    [undefined, '2K', '2048x2048'],
  ])('ratio %s at %s is %s', (ratio, resolution, size) => {
    expect(sizeFor(named(ratio, resolution), free)).toBe(size)
  })

  test.each([
    [1024, 1536, '1024x1536'],
    [3840, 2160, '3840x2160'],
    [1000, 1000, '1008x1008'],
    [512, 512, '816x816'],
    [7680, 4320, '3840x2160'],
    [4000, 1000, '3456x1152'],
  ])('%i × %i pixels are %s', (width, height, size) => {
    expect(sizeFor(inPixels(width, height), free)).toBe(size)
  })

  test('a ratio by name stands in for that half of a size in pixels', () => {
    const asked = { ratio: '3:2', pixels: { width: 2048, height: 2048 } }
    expect(sizeFor({ asked, ratio: '3:2', resolution: '2K' }, free)).toBe('2528x1696')
  })

  test('a tier by name stands in for that half of a size in pixels', () => {
    const asked = { resolution: '2K', pixels: { width: 1000, height: 500 } }
    const { width, height } = read(sizeFor({ asked, ratio: '16:9', resolution: '2K' }, free))
    expect(width / height).toBeCloseTo(2, 1)
    expect(tierOf({ width, height })).toBe('2K')
  })

  const side = fc.integer({ min: 1, max: 65_535 })
  test('whatever pixels are asked for, the model takes what is sent', () => {
    fc.assert(
      fc.property(side, side, (width, height) => {
        expect(isLegal(read(sizeFor(inPixels(width, height), free)), free)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test('pixels that the model takes are not touched', () => {
    const steps = fc.integer({ min: 1, max: 240 }).map(count => count * 16)
    fc.assert(
      fc.property(steps, steps, (width, height) => {
        fc.pre(isLegal({ width, height }, free))
        expect(sizeFor(inPixels(width, height), free)).toBe(`${width}x${height}`)
      }),
      { numRuns: 1000 },
    )
  })

  test('a ratio within the bounds comes out as near as steps of 16 pixels let it, at every tier', () => {
    const part = fc.integer({ min: 1, max: 30 })
    fc.assert(
      fc.property(part, part, fc.constantFrom('512', '1K', '2K', '4K'), (a, b, tier) => {
        fc.pre(Math.max(a / b, b / a) <= 3)
        const pixels = read(sizeFor(named(`${a}:${b}`, tier), free))
        expect(isLegal(pixels, free)).toBe(true)
        const { width, height } = pixels
        // Half a step on each side; the sizes of Gemini's own models are up to a hundredth off.
        const slack = Math.max(8 / width + 8 / height, 0.01)
        expect(Math.abs(Math.log(width / height / (a / b)))).toBeLessThanOrEqual(slack + 0.001)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('fixed sizes', () => {
  test.each([
    ['16:9', '1K', '1536x1024'],
    ['21:9', undefined, '1536x1024'],
    ['9:16', undefined, '1024x1536'],
    ['5:6', undefined, '1024x1024'],
    [undefined, '1K', undefined],
    [undefined, undefined, undefined],
  ])('ratio %s at %s is %s', (ratio, resolution, size) => {
    expect(sizeFor(named(ratio, resolution), fixed)).toBe(size)
  })

  test('pixels go to the size of the nearest ratio', () => {
    expect(sizeFor(inPixels(1920, 1080), fixed)).toBe('1536x1024')
    expect(sizeFor(inPixels(512, 512), fixed)).toBe('1024x1024')
  })
})

describe('a model nobody knows', () => {
  test.each([
    ['16:9', '4K', '5504x3072'],
    ['4:1', undefined, '2048x512'],
    ['7:5', '1K', '1216x864'],
    [undefined, '2K', '2048x2048'],
  ])('ratio %s at %s is %s: its upstream decides', (ratio, resolution, size) => {
    expect(sizeFor(named(ratio, resolution), undefined)).toBe(size)
  })

  test('pixels are sent as they were asked for', () => {
    expect(sizeFor(inPixels(500, 333), undefined)).toBe('500x333')
  })

  test('a tier that cannot be told in pixels is refused', () => {
    expect(() => sizeFor(named('1:1', '8K'), undefined)).toThrow(/512, 1K, 2K, 4K/)
  })
})
