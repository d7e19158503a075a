/** What a relayed call of Google's form asks for, as far as it costs: read off it without decoding it. */
import { describe, expect, test } from 'vitest'
import { wantedOfCall } from '../../src/protocols/gemini/index.ts'

const contents = [{ parts: [{ text: 'A red kite' }] }]
const wanted = (more: object) => wantedOfCall('generateContent', { contents, ...more })

describe('a search is counted', () => {
  test.each([
    [[{ googleSearch: {} }]],
    [[{ codeExecution: {} }, { google_search: {} }]],
    [{ googleSearch: {} }],
    [[{ googleSearchRetrieval: {} }]],
    [[{ google_search_retrieval: {} }]],
  ])('that is asked for by %j', tools => {
    expect(wanted({ tools })).toMatchObject({ search: true })
  })
})

test.each([[undefined], [null], [[]], [[{ codeExecution: {} }]], [[{ googleSearch: null }]], ['googleSearch']])(
  'no search is counted that is not asked for: %j',
  tools => {
    expect(wanted({ tools })).toMatchObject({ search: false })
  },
)

test('a tier is read in either spelling, whatever its case', () => {
  expect(wanted({ generationConfig: { imageConfig: { imageSize: '4k' } } })).toMatchObject({ resolution: '4K' })
  expect(wanted({ generation_config: { image_config: { image_size: '2K' } } })).toMatchObject({ resolution: '2K' })
  expect(wanted({ generationConfig: { imageConfig: { imageSize: 7 } } })).not.toHaveProperty('resolution')
})

test('words and pictures are counted wherever they stand, and counting tokens is free', () => {
  const call = {
    contents: [
      { parts: [{ text: 'abc' }, { inlineData: { data: 'AAAA' } }] },
      { parts: { fileData: { fileUri: 'u' } } },
    ],
    system_instruction: { parts: [{ text: 'de' }] },
  }
  expect(wantedOfCall('generateContent', call)).toEqual({ count: 1, promptChars: 5, references: 2, search: false })
  expect(wantedOfCall('countTokens', call)).toEqual({ count: 0, promptChars: 0, references: 0, search: false })
})
