/** Laws of reading JSON into messages. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GoogleError } from '../../src/sandbox/errors.ts'
import { generateContentRequest } from '../../src/sandbox/fields.ts'
import { readMessage } from '../../src/sandbox/proto-json.ts'

const part = fc.oneof(
  fc.record({ text: fc.string() }),
  fc.record({ inlineData: fc.record({ mimeType: fc.string(), data: fc.base64String() }) }),
  fc.record({ fileData: fc.record({ fileUri: fc.webUrl() }), thoughtSignature: fc.base64String() }),
)
const request = fc.record(
  {
    contents: fc.array(fc.record({ role: fc.constantFrom('user', 'model'), parts: fc.array(part) })),
    systemInstruction: fc.record({ parts: fc.array(part) }),
    generationConfig: fc.record(
      {
        seed: fc.integer({ min: -1000, max: 1000 }),
        topP: fc.double({ min: 0, max: 1, noNaN: true }),
        imageConfig: fc.record({ aspectRatio: fc.string(), imageSize: fc.string() }),
        responseModalities: fc.array(fc.constantFrom('TEXT', 'IMAGE')),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['contents'] },
)

/** Spells some names with underscores. */
function respell(value: unknown, toss: () => boolean): unknown {
  if (Array.isArray(value)) return value.map(item => respell(item, toss))
  if (typeof value !== 'object' || value === null) return value
  const snake = (name: string) => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [toss() ? snake(name) : name, respell(item, toss)]),
  )
}

test('camelCase, snake_case and any mixture mean the same', () => {
  fc.assert(
    fc.property(request, fc.infiniteStream(fc.boolean()), (json, tosses) => {
      const toss = () => tosses.next().value === true
      const respelt = readMessage(generateContentRequest, respell(json, toss))
      expect(respelt).toEqual(readMessage(generateContentRequest, json))
    }),
  )
})

test('whatever JSON comes is read or refused with 400, and nothing else happens', () => {
  const names = fc.constantFrom('contents', 'parts', 'text', 'generationConfig', 'imageConfig', '__proto__', 'tools')
  const { tree } = fc.letrec(tie => ({
    tree: fc.oneof(
      { maxDepth: 6 },
      fc.jsonValue(),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(names, tie('tree'), { maxKeys: 4 }),
    ),
  }))
  fc.assert(
    fc.property(tree, json => {
      try {
        readMessage(generateContentRequest, json)
      } catch (error) {
        expect(error).toBeInstanceOf(GoogleError)
        expect(error).toMatchObject({ code: 400 })
      }
    }),
    { numRuns: 500 },
  )
})
