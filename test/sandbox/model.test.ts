/** Sizes and tokens, by table. */
import { expect, test } from 'vitest'
import { loadCatalogue } from '../../src/models/catalogue.ts'
import { readShippedCatalogue } from '../../src/models/shipped.ts'
import { sandboxModels } from '../../src/sandbox/catalogue-models.ts'
import { imageTokens, pixelsOf, ratioFor } from '../../src/sandbox/model.ts'
import { fixedModel, flashModel, proModel } from './setup.ts'

// Google's image generation guide: ratio, 512, 1K, 2K, 4K, and the sizes of gemini-2.5-flash-image. 512 at 21:9 is misprinted there
// (792x168); this is half of 1K as everywhere else.
const guide = `
1:1 512x512 1024x1024 2048x2048 4096x4096 1024x1024
1:4 256x1024 512x2048 1024x4096 2048x8192 -
1:8 192x1536 384x3072 768x6144 1536x12288 -
2:3 424x632 848x1264 1696x2528 3392x5056 832x1248
3:2 632x424 1264x848 2528x1696 5056x3392 1248x832
3:4 448x600 896x1200 1792x2400 3584x4800 864x1184
4:1 1024x256 2048x512 4096x1024 8192x2048 -
4:3 600x448 1200x896 2400x1792 4800x3584 1184x864
4:5 464x576 928x1152 1856x2304 3712x4608 896x1152
5:4 576x464 1152x928 2304x1856 4608x3712 1152x896
8:1 1536x192 3072x384 6144x768 12288x1536 -
9:16 384x688 768x1376 1536x2752 3072x5504 768x1344
16:9 688x384 1376x768 2752x1536 5504x3072 1344x768
21:9 792x336 1584x672 3168x1344 6336x2688 1536x672`

const rows = guide
  .trim()
  .split('\n')
  .map(row => row.split(' '))

test.for(rows)('%s has the pixels of the guide in every tier', ([ratio = '', ...sizes]) => {
  const shown = (model: typeof flashModel, tier: '512' | '1K' | '2K' | '4K') => {
    const { width, height } = pixelsOf(model, ratio, tier)
    return `${width}x${height}`
  }
  expect((['512', '1K', '2K', '4K'] as const).map(tier => shown(flashModel, tier))).toEqual(sizes.slice(0, 4))
  if (sizes[4] !== '-') expect(shown(fixedModel, '1K')).toBe(sizes[4])
})

test('a ratio that stands in no table gets about a million pixels of that shape', () => {
  const { width, height } = pixelsOf(flashModel, '9:21', '1K')
  expect(width / height).toBeCloseTo(9 / 21, 1)
  expect(Math.abs(width * height - 1024 ** 2)).toBeLessThan(20_000)
})

test('where no ratio is asked, the first reference says it; else the prompt, or it is square', () => {
  expect(ratioFor(flashModel, 'a poster', { width: 1000, height: 260 })).toBe('4:1')
  expect(ratioFor(fixedModel, 'a poster', { width: 1000, height: 260 })).toBe('21:9')
  expect(ratioFor(flashModel, 'a poster', undefined)).toBe('3:4')
  expect(ratioFor(flashModel, 'a hill', undefined)).toBe('16:9')
  expect(ratioFor(fixedModel, 'a poster', undefined)).toBe('1:1')
})

test('tokens are what the price list says', () => {
  expect(imageTokens(flashModel, '2K')).toBe(1680)
  expect(imageTokens(proModel, '4K')).toBe(2000)
  expect(imageTokens(fixedModel, '1K')).toBe(1290)
  expect(imageTokens({ ...flashModel, tokensPerImage: null }, '1K')).toBe(1120)
})

test('every Gemini model of the catalogue is served, and no other', () => {
  const catalogue = loadCatalogue(readShippedCatalogue(), [])
  const models = sandboxModels(catalogue)
  const wanted = catalogue.list().filter(({ isAlias, model }) => !isAlias && model.protocol === 'gemini')
  expect(models.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id))
  expect(models.find(({ id }) => id === 'gemini-2.5-flash-image')).toEqual(fixedModel)
  expect(models.find(({ id }) => id === 'gemini-3-pro-image')).toMatchObject({
    mediaType: 'image/jpeg',
    thinking: true,
  })
})

test('what an operator added to the catalogue without saying more, may do everything', () => {
  const catalogue = loadCatalogue(readShippedCatalogue(), [
    { id: 'gemini-own', name: 'Own', protocol: 'gemini', search: false },
  ])
  const own = sandboxModels(catalogue).find(({ id }) => id === 'gemini-own')
  expect(own).toMatchObject({ tiers: ['512', '1K', '2K', '4K'], maxReferences: null, tokensPerImage: null })
  expect(own?.ratios).toHaveLength(14)
})
