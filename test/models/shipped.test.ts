import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isStringOneByteRepresentation } from 'node:v8'
import { describe, expect, test } from 'vitest'
import { parseRatio } from '../../src/images/geometry.ts'
import type { PerTier } from '../../src/models/model.ts'
import { readShippedCatalogue } from '../../src/models/shipped.ts'
import { catalogue, modelNamed, yamlText } from './shipped.ts'

const models = catalogue
  .list()
  .filter(({ isAlias }) => !isAlias)
  .map(({ model }) => model)

test('a compiled product finds the catalogue beside dist/', async () => {
  const root = mkdtempSync(join(tmpdir(), 'plantain-dist-'))
  try {
    mkdirSync(join(root, 'dist', 'models'), { recursive: true })
    cpSync(new URL('../../config/models.yaml', import.meta.url), join(root, 'config', 'models.yaml'))
    writeFileSync(join(root, 'package.json'), '{"type":"module"}')
    const source = readFileSync(new URL('../../src/models/shipped.ts', import.meta.url), 'utf8')
    const compiled = join(root, 'dist', 'models', 'shipped.js')
    writeFileSync(compiled, stripTypeScriptTypes(source))
    const module = await import(/* @vite-ignore */ pathToFileURL(compiled).href)
    expect(module.readShippedCatalogue()).toBe(yamlText)
  } finally {
    rmSync(root, { recursive: true })
  }
})

describe('what each Gemini model paints', () => {
  test.each([
    ['gemini-nano-banana-2.1', 14, ['1K', '2K', '4K'], 14, 'image/jpeg', true],
    ['gemini-3.1-flash-image', 14, ['512', '1K', '2K', '4K'], 14, 'image/jpeg', true],
    ['gemini-3-pro-image', 10, ['1K', '2K', '4K'], 14, 'image/jpeg', true],
    ['gemini-3.1-flash-lite-image', 10, ['1K'], 14, 'image/jpeg', false],
    ['gemini-2.5-flash-image', 10, [], null, 'image/png', false],
  ])('%s: %d ratios, tiers %j, references %j, %s, search %j', (id, ratios, tiers, references, output, search) => {
    const model = modelNamed(id)
    expect(model.ratios).toHaveLength(ratios)
    expect(model).toMatchObject({ protocol: 'gemini', tiers, references, outputs: [output], search })
  })
})

test.each(models.filter(({ protocol }) => protocol === 'openai').map(model => [model.id, model] as const))(
  '%s takes 16 references and makes PNG unless asked for JPEG or WebP',
  (_, model) => {
    expect(model).toMatchObject({ references: 16, outputs: ['image/png', 'image/jpeg', 'image/webp'], search: false })
    expect(model.pixels).not.toBeNull()
  },
)

test.each(models.map(model => [model.id, model] as const))('the figures of %s agree with each other', (_, model) => {
  for (const ratio of model.ratios ?? []) expect(parseRatio(ratio)).not.toBeNull()
  if (model.pixels?.kind === 'fixed') {
    const ratios = model.pixels.sizes.map(({ width, height }) => width / height)
    expect(model.ratios?.map(parseRatio)).toEqual(ratios)
  }
  for (const figure of [model.tokensPerImage, model.usdPerImage]) {
    if (figure === null) continue
    expect(typeof figure === 'number' ? [] : Object.keys(figure)).toEqual(model.tiers)
  }
  const usdPerToken = (model.usdPerMillionTokens?.imageOut ?? 0) / 1e6
  for (const tier of [...(model.tiers ?? []), '1K'] as const) {
    const [tokens, usd] = [at(model.tokensPerImage, tier), at(model.usdPerImage, tier)]
    // Vendors round the price of a picture to a tenth of a cent.
    if (tokens !== undefined && usd !== undefined) expect(Math.abs(tokens * usdPerToken - usd)).toBeLessThan(0.001)
  }
})

function at(figure: PerTier | null, tier: '512' | '1K' | '2K' | '4K'): number | undefined {
  return typeof figure === 'number' ? figure : figure?.[tier]
}

test('models whose prices are not known have none', () => {
  expect(modelNamed('gpt-image-2.6-sunburst').usdPerMillionTokens).toBeNull()
  expect(modelNamed('gpt-image-2.6-sunburst').usdPerImageAt).toBeNull()
  expect(modelNamed('gpt-image-2-2026-04-21').usdPerMillionTokens).toEqual(
    modelNamed('gpt-image-2').usdPerMillionTokens,
  )
})

test('the list is plain ASCII: names cut out of a text with wider characters would take two bytes for each of theirs', () => {
  expect(isStringOneByteRepresentation(readShippedCatalogue())).toBe(true)
})
