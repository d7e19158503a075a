import { expect, test } from 'vitest'
import { loadCatalogue } from '../../src/models/catalogue.ts'
import { actualMicroUsd, type CallWanted, estimateMicroUsd, estimateTokens } from '../../src/models/cost.ts'
import type { Model } from '../../src/models/model.ts'
import { readShippedCatalogue } from '../../src/models/shipped.ts'

const catalogue = loadCatalogue(readShippedCatalogue(), [])
function modelNamed(name: string): Model {
  return catalogue.resolve(name).model ?? expect.fail(`${name} is unknown`)
}
const plain: CallWanted = { count: 1, promptChars: 0, references: 0, search: false }

test('pictures are guessed by their tier and number', () => {
  const model = modelNamed('gemini-3.1-flash-image')
  expect(estimateMicroUsd(model, plain)).toBe(67_000)
  expect(estimateMicroUsd(model, { ...plain, resolution: '4K', count: 3 })).toBe(453_000)
  expect(estimateMicroUsd(modelNamed('gemini-2.5-flash-image'), plain)).toBe(39_000)
})

test('several pictures cost so many times what one does, to the millionth', () => {
  // In binary 3 × 0.101 is a little more than 0.303.
  expect(estimateMicroUsd(modelNamed('gemini-3.1-flash-image'), { ...plain, resolution: '2K', count: 3 })).toBe(303_000)
  for (const { id, model } of catalogue.list().filter(({ isAlias }) => !isAlias)) {
    for (const resolution of ['512', '1K', '2K', '4K'] as const) {
      for (const quality of ['low', 'medium', 'high']) {
        const wanted = { ...plain, resolution, quality }
        const each = estimateMicroUsd(model, wanted)
        if (each === null || each % 1000 !== 0) continue
        for (let count = 1; count <= 10; count++)
          expect(estimateMicroUsd(model, { ...wanted, count }), `${count} × ${id}`).toBe(count * each)
      }
    }
  }
})

test('what is read is guessed too: the prompt, the references, a search', () => {
  const model = modelNamed('gemini-3.1-flash-image')
  expect(estimateMicroUsd(model, { ...plain, promptChars: 4_000, references: 2 })).toBe(67_000 + 500 + 1_120)
  expect(estimateMicroUsd(model, { ...plain, search: true })).toBe(67_000 + 14_000)
})

test('where vendors price by quality and size, an open quality is taken for the dearest and an odd size for its area', () => {
  const model = modelNamed('gpt-image-2')
  expect(estimateMicroUsd(model, { ...plain, size: '1024x1024', quality: 'low' })).toBe(6_000)
  expect(estimateMicroUsd(model, { ...plain, size: '1536x1024', quality: 'medium' })).toBe(41_000)
  expect(estimateMicroUsd(model, plain)).toBe(211_000)
  expect(estimateMicroUsd(model, { ...plain, size: '2048x2048', quality: 'low' })).toBeGreaterThan(6_000)
})

test('and a tier for its square, as far as the model goes', () => {
  const priced = (wanted: object) =>
    estimateMicroUsd(modelNamed('gpt-image-2'), { ...plain, quality: 'low', ...wanted })
  expect(priced({ resolution: '1K' })).toBe(6_000)
  expect(priced({ resolution: '2K' })).toBe(priced({ size: '2048x2048' }))
  expect(priced({ resolution: '4K' })).toBe(priced({ size: '2880x2880' }))
})

test.each(['constructor', 'toString', '__proto__', 'best', ''])(
  'a quality that nobody sells is the dearest: %j',
  quality => {
    expect(estimateMicroUsd(modelNamed('gpt-image-2'), { ...plain, quality })).toBe(211_000)
  },
)

test('a model without prices costs nobody knows what', () => {
  const model = modelNamed('gpt-image-2.6-flare')
  expect(estimateMicroUsd(model, plain)).toBeNull()
  expect(actualMicroUsd(model, { inputTokens: 1, outputTokens: 1, totalTokens: 2 }, plain)).toBeNull()
})

test('what it came to is told by the tokens that the upstream counted, thoughts as text', () => {
  const model = modelNamed('gemini-3.1-flash-image')
  const usage = {
    inputTokens: 1_000,
    outputTokens: 1_220,
    totalTokens: 2_220,
    inputDetails: { textTokens: 440, imageTokens: 560 },
    outputDetails: { textTokens: 0, imageTokens: 1_120 },
  }
  expect(actualMicroUsd(model, usage, plain)).toBe(500 + 300 + 67_200)
  expect(actualMicroUsd(model, usage, { ...plain, search: true })).toBe(500 + 300 + 67_200 + 14_000)
})

test('and by the pictures that came, where the tokens do not say of what they were', () => {
  const model = modelNamed('gemini-3.1-flash-image')
  const usage = { inputTokens: 10, outputTokens: 1_120, totalTokens: 1_130 }
  expect(actualMicroUsd(model, usage, { ...plain, count: 2 })).toBe(134_000)
  expect(actualMicroUsd(model, undefined, { ...plain, count: 0 })).toBe(0)
})

test('tokens are guessed for any model, known or not', () => {
  expect(estimateTokens(modelNamed('gemini-3.1-flash-image'), { ...plain, promptChars: 400, resolution: '4K' })).toBe(
    2620,
  )
  expect(estimateTokens(null, { ...plain, count: 2, references: 1 })).toBe(2 * 1290 + 1120)
  expect(estimateTokens(null, { ...plain, count: 0 })).toBe(1)
})
