import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  nearestRatio,
  nearestTier,
  parsePixels,
  parseRatio,
  parseTier,
  type Tier,
  tierOf,
  tiers,
} from '../../src/images/geometry.ts'

const ratios = ['1:1', '2:3', '3:2', '3:4', '4:3', '9:16', '16:9', '21:9']
const side = fc.integer({ min: 1, max: 20_000 })
const tier = fc.constantFrom(...tiers)

describe('sizes in pixels', () => {
  test.each(['1536x1024', '1536X1024', '1536×1024', '1536*1024'])('%s is 1536 by 1024', text => {
    expect(parsePixels(text)).toEqual({ width: 1536, height: 1024 })
  })

  test.each(['', 'auto', '1536', '1536x', 'x1024', '0x1024', '1536x0', '-1x5', '1.5x2', '1536x1024px', '1e3x1e3'])(
    '%j is no size',
    text => {
      expect(parsePixels(text)).toBeNull()
    },
  )

  test('a size of more than six digits is no size', () => {
    expect(parsePixels('1000000x1')).toBeNull()
  })
})

describe('ratios', () => {
  test('16:9 is read as a number', () => {
    expect(parseRatio('16:9')).toBeCloseTo(16 / 9)
  })

  test.each(['', '16', '16:', ':9', '0:1', '1:0', '16/9', '16:9:1', '99999:1'])('%j is no ratio', text => {
    expect(parseRatio(text)).toBeNull()
  })

  test('a picture that has a ratio of the list exactly keeps it', () => {
    for (const ratio of ratios) {
      const [width = 0, height = 0] = ratio.split(':').map(Number)
      expect(nearestRatio({ width: width * 64, height: height * 64 }, ratios)).toBe(ratio)
    }
  })

  test('turning a picture on its side turns its nearest ratio', () => {
    const both = ['1:1', '2:3', '3:2', '3:4', '4:3', '9:16', '16:9']
    const turned = (ratio: string | undefined) => ratio?.split(':').reverse().join(':')
    fc.assert(
      fc.property(side, side, (width, height) => {
        const upright = nearestRatio({ width, height }, both)
        expect(nearestRatio({ width: height, height: width }, both)).toBe(turned(upright))
      }),
    )
  })

  test('an empty list has no nearest ratio', () => {
    expect(nearestRatio({ width: 1, height: 1 }, [])).toBeUndefined()
  })
})

describe('tiers', () => {
  test.each([
    ['1k', '1K'],
    ['2K', '2K'],
    ['4k', '4K'],
    ['512', '512'],
    ['0.5K', '512'],
    ['0.5k', '512'],
    ['512px', '512'],
    ['512PX', '512'],
    ['512p', '512'],
  ])('%s means %s', (text, wanted) => {
    expect(parseTier(text)).toBe(wanted)
  })

  test.each(['', '3K', '8K', '1024', 'hd', 'auto', ' 1K'])('%j is no tier', text => {
    expect(parseTier(text)).toBeNull()
  })

  test.each([
    [512, 512, '512'],
    [767, 767, '512'],
    [768, 768, '1K'],
    [1024, 1024, '1K'],
    [1792, 1024, '1K'],
    [1535, 1535, '1K'],
    [1536, 1536, '2K'],
    [2048, 2048, '2K'],
    [2560, 1440, '2K'],
    [2799, 2799, '2K'],
    [2800, 2800, '4K'],
    [3840, 2160, '4K'],
    [4096, 4096, '4K'],
  ])('%d by %d pixels is %s', (width, height, wanted) => {
    expect(tierOf({ width, height })).toBe(wanted)
  })

  test('a larger picture never has a smaller tier', () => {
    fc.assert(
      fc.property(side, side, side, (width, height, more) => {
        const before = tiers.indexOf(tierOf({ width, height }))
        expect(tiers.indexOf(tierOf({ width: width + more, height }))).toBeGreaterThanOrEqual(before)
      }),
    )
  })

  test('a tier that is there is its own nearest', () => {
    fc.assert(
      fc.property(tier, fc.subarray([...tiers]), (wanted, others) => {
        expect(nearestTier(wanted, [...others, wanted])).toBe(wanted)
      }),
    )
  })

  test('between two tiers equally near the larger is taken', () => {
    const available: readonly Tier[] = ['512', '2K']
    expect(nearestTier('1K', available)).toBe('2K')
    expect(nearestTier('1K', available.toReversed())).toBe('2K')
  })

  test('an empty list has no nearest tier', () => {
    expect(nearestTier('1K', [])).toBeUndefined()
  })
})
