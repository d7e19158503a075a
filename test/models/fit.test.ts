import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/images/error.ts'
import { parsePixels, tiers } from '../../src/images/geometry.ts'
import type { Shape } from '../../src/images/request.ts'
import { type Fitted, fitShape, type ShapeFields } from '../../src/models/fit.ts'
import { catalogue, modelNamed } from './shipped.ts'

/** The shape for a name as a caller asks for it; `null` for a model nobody knows. */
function fit(name: string | null, shape: Shape, fields?: ShapeFields): Fitted {
  const { model, defaults } = catalogue.resolve(name ?? 'gemini-9-ultra-image')
  return fitShape(model, shape, defaults, fields)
}

const size = (text: string): Shape => {
  const pixels = parsePixels(text)
  if (!pixels) throw new Error(`${text} is no size.`)
  return { pixels }
}

function refusal(run: () => unknown): GatewayError {
  try {
    run()
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error('Nothing was refused.')
}

describe('a size in pixels', () => {
  test('512x512 is 1K where there is no 512', () => {
    expect(fit('gemini-3-pro-image', size('512x512'))).toEqual({ ratio: '1:1', resolution: '1K' })
    expect(fit('nano-banana-2.1', size('512x512'))).toEqual({ ratio: '1:1', resolution: '1K' })
  })

  test('512x512 is 512 where there is one', () => {
    expect(fit('nano-banana-2', size('512x512'))).toEqual({ ratio: '1:1', resolution: '512' })
  })

  test('3840x2160 is 4K', () => {
    expect(fit('nano-banana-2', size('3840x2160'))).toEqual({ ratio: '16:9', resolution: '4K' })
    expect(fit('nano-banana-pro', size('3840x2160'))).toEqual({ ratio: '16:9', resolution: '4K' })
  })

  test('4096x4096 on gemini-2.5-flash-image is its one size', () => {
    expect(fit('gemini-2.5-flash-image', size('4096x4096'))).toEqual({ ratio: '1:1' })
  })

  test('4096x4096 on the Lite model is 1K', () => {
    expect(fit('nano-banana-2-lite', size('4096x4096'))).toEqual({ ratio: '1:1', resolution: '1K' })
  })

  test.each([
    ['1024x1024', '1:1', '1K'],
    ['1536x1024', '3:2', '1K'],
    ['1024x1536', '2:3', '1K'],
    ['1792x1024', '16:9', '1K'],
    ['1024x1792', '9:16', '1K'],
    ['256x256', '1:1', '512'],
    ['2048x2048', '1:1', '2K'],
    ['1376x768', '16:9', '1K'],
    ['500x4000', '1:8', '1K'],
  ])('%s is nearest to %s and %s', (text, ratio, resolution) => {
    expect(fit('nano-banana-2', size(text))).toEqual({ ratio, resolution })
  })

  test('goes to the nearest ratio the model has', () => {
    expect(fit('nano-banana-pro', size('500x4000')).ratio).toBe('9:16')
    expect(fit('gpt-image-1.5', size('1792x1024')).ratio).toBe('3:2')
  })

  test('never fails, and gives only what the model has', () => {
    const side = fc.integer({ min: 1, max: 999_999 })
    for (const { model, isAlias } of catalogue.list()) {
      if (isAlias) continue
      fc.assert(
        fc.property(side, side, (width, height) => {
          const { ratio, resolution } = fitShape(model, { pixels: { width, height } }, {})
          if (model.ratios) expect(model.ratios).toContain(ratio)
          expect(model.tiers?.length === 0 ? [undefined] : model.tiers).toContain(resolution)
        }),
        { numRuns: 50 },
      )
    }
  })
})

describe('names beside a size', () => {
  test('aspect_ratio replaces its half of size, the other half still counts', () => {
    expect(fit('nano-banana-2', { ...size('3840x2160'), ratio: '1:1' })).toEqual({ ratio: '1:1', resolution: '4K' })
  })

  test('image_size replaces its half of size, the other half still counts', () => {
    expect(fit('nano-banana-2', { ...size('3840x2160'), resolution: '2K' })).toEqual({
      ratio: '16:9',
      resolution: '2K',
    })
  })

  test('both together leave nothing of size', () => {
    const shape = { ...size('3840x2160'), ratio: '2:3', resolution: '1k' }
    expect(fit('nano-banana-2', shape)).toEqual({ ratio: '2:3', resolution: '1K' })
  })

  test('nothing asked for is nothing sent', () => {
    for (const { id, model } of catalogue.list()) {
      if (id !== 'nano-banana-hd') expect(fitShape(model, {}, catalogue.resolve(id).defaults)).toEqual({})
    }
    expect(fit(null, {})).toEqual({})
  })

  test('a ratio alone leaves the resolution to the model', () => {
    expect(fit('nano-banana-2', { ratio: '16:9' })).toEqual({ ratio: '16:9' })
    expect(fit('nano-banana-2', { resolution: '2K' })).toEqual({ resolution: '2K' })
  })
})

describe('a tier asked for by name', () => {
  test.each([
    ['1k', '1K'],
    ['4k', '4K'],
    ['0.5K', '512'],
    ['512px', '512'],
    ['512', '512'],
  ])('%s is sent as %s', (resolution, wanted) => {
    expect(fit('nano-banana-2', { resolution })).toEqual({ resolution: wanted })
  })

  test('1K on gemini-2.5-flash-image is simply not sent', () => {
    expect(fit('gemini-2.5-flash-image', { ratio: '4:3', resolution: '1K' })).toEqual({ ratio: '4:3' })
    expect(fit('nano-banana', { resolution: '1k' })).toEqual({})
  })

  test.each([
    ['gemini-2.5-flash-image', '2K', 'one size, about 1K'],
    ['gemini-2.5-flash-image', '4K', 'one size, about 1K'],
    ['nano-banana-2-lite', '2K', '1K.'],
    ['nano-banana-pro', '512', '1K, 2K, 4K'],
    ['nano-banana-2.1', '0.5K', '1K, 2K, 4K'],
    ['nano-banana-2', '8K', '512, 1K, 2K, 4K'],
    ['nano-banana-2', 'large', '512, 1K, 2K, 4K'],
    ['gpt-image-1.5', '4K', '1K'],
  ])('that %s lacks (%s) is refused with what it has: %s', (name, resolution, has) => {
    const error = refusal(() => fit(name, { resolution }))
    expect(error.kind).toBe('invalid-request')
    expect(error.facts).toMatchObject({ param: 'image_size', code: 'invalid_value' })
    expect(error.message).toContain(`'${resolution}'`)
    expect(error.message).toContain(modelNamed(name).id)
    expect(error.message).toContain(has)
  })

  test('that the model lacks is refused even beside a size in pixels', () => {
    expect(refusal(() => fit('nano-banana', { ...size('1024x1024'), resolution: '4K' })).facts.param).toBe('image_size')
  })
})

describe('a ratio asked for by name', () => {
  test('that the model has is sent as it is', () => {
    for (const { model } of catalogue.list()) {
      for (const ratio of model.ratios ?? []) expect(fitShape(model, { ratio }, {})).toEqual({ ratio })
    }
  })

  test.each([
    ['nano-banana-pro', '1:8'],
    ['nano-banana', '4:1'],
    ['nano-banana-2', '5:3'],
    ['nano-banana-2', 'wide'],
    ['nano-banana-2', '32:18'],
    ['gpt-image-1.5', '16:9'],
  ])('that %s lacks (%s) is refused with the list of those it has', (name, ratio) => {
    const error = refusal(() => fit(name, { ratio }))
    expect(error.kind).toBe('invalid-request')
    expect(error.facts).toMatchObject({ param: 'aspect_ratio', code: 'invalid_value' })
    expect(error.message).toContain(`'${ratio}'`)
    expect(error.message).toContain((modelNamed(name).ratios ?? []).join(', '))
  })

  test('may be any between 1:3 and 3:1 on models of free size', () => {
    for (const ratio of ['5:3', '1:3', '3:1', '21:9']) expect(fit('gpt-image-2', { ratio })).toEqual({ ratio })
    for (const ratio of ['4:1', '1:4', 'wide']) {
      expect(refusal(() => fit('gpt-image-2', { ratio })).message).toContain('any ratio from 1:3 to 3:1')
    }
  })
})

describe('the error', () => {
  test('names the field by which the caller asked', () => {
    const fields = { ratio: 'aspectRatio', resolution: 'resolution' }
    expect(refusal(() => fit('nano-banana', { ratio: '9:1' }, fields)).facts.param).toBe('aspectRatio')
    const error = refusal(() => fit('nano-banana', { resolution: '4K' }, fields))
    expect(error.facts.param).toBe('resolution')
    expect(error.message).toContain("'resolution'")
  })

  test('does not repeat a value of any length', () => {
    const error = refusal(() => fit('nano-banana', { ratio: 'x'.repeat(5000) }))
    expect(error.message.length).toBeLessThan(300)
  })
})

describe('nano-banana-hd', () => {
  test('is 4K where the caller says nothing of a resolution', () => {
    expect(fit('nano-banana-hd', {})).toEqual({ resolution: '4K' })
    expect(fit('google/nano-banana-hd', { ratio: '16:9' })).toEqual({ ratio: '16:9', resolution: '4K' })
  })

  test('is what the caller says where they say it', () => {
    expect(fit('nano-banana-hd', { resolution: '2K' })).toEqual({ resolution: '2K' })
    expect(fit('nano-banana-hd', size('1024x1024'))).toEqual({ ratio: '1:1', resolution: '1K' })
  })
})

describe('a model nobody knows', () => {
  test('is asked for names as they are, in upper case', () => {
    expect(fit(null, { ratio: '7:5', resolution: '2k' })).toEqual({ ratio: '7:5', resolution: '2K' })
    expect(fit(null, { resolution: 'huge' })).toEqual({ resolution: 'HUGE' })
    expect(fit(null, { resolution: '0.5k' })).toEqual({ resolution: '512' })
  })

  test('is asked for the nearest common ratio and tier of a size in pixels', () => {
    expect(fit(null, size('1792x1024'))).toEqual({ ratio: '16:9', resolution: '1K' })
    expect(fit(null, size('3840x2160'))).toEqual({ ratio: '16:9', resolution: '4K' })
    expect(fit(null, size('100x900'))).toMatchObject({ ratio: '9:16' })
  })

  test('is not asked for 512, which hardly any model has', () => {
    expect(fit(null, size('512x512'))).toEqual({ ratio: '1:1', resolution: '1K' })
  })

  test('is never refused', () => {
    const names = fc.option(fc.string(), { nil: undefined })
    fc.assert(
      fc.property(names, fc.oneof(names, fc.constantFrom(...tiers)), (ratio, resolution) => {
        fit(null, { ...(ratio !== undefined && { ratio }), ...(resolution !== undefined && { resolution }) })
      }),
    )
  })
})
