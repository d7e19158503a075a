/** A law: a call that is read and written again in Google's form asks for the same, however its caller spelt it. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { vertex } from '../../src/dialects/vertex.ts'
import { join } from '../../src/images/bytes.ts'
import { createOutbound, decodeRequest } from '../../src/protocols/gemini/index.ts'
import { snakeCase } from '../../src/protocols/snake-case.ts'
import { picture } from '../helpers/pictures.ts'
import { wireDocument } from '../helpers/wire-document.ts'

const bounds = { maxImageBytes: 1 << 20, maxImages: 100 }
// It knows all the words of Google's form.
const outbound = createOutbound(vertex({}))
const pictures: string[] = []

beforeAll(async () => {
  for (const padding of [0, 1, 2, 3000]) {
    const file = Buffer.concat([await picture('png', { width: 2, height: 2 }), Buffer.alloc(padding, 0xfb)])
    pictures.push(file.toString('base64'))
  }
})

type Json = Readonly<Record<string, unknown>>

/** What goes up for a call: its shape as the catalogue would have left it. */
async function again(body: string): Promise<unknown> {
  const request = await decodeRequest(wireDocument(body), bounds)
  const { ratio, resolution } = request.shape
  const target = { model: 'x', count: 1, ...(ratio && { ratio }), ...(resolution && { resolution }) }
  const { body: encoded, ignored } = outbound.encodeRequest(request, target)
  // It goes up, but what comes back of it is not told.
  expect(ignored.filter(name => !/include_?thoughts$/i.test(name))).toEqual([])
  return encoded && JSON.parse((await join(encoded)).toString())
}

const some = <Fields extends object>(fields: { readonly [Name in keyof Fields]: fc.Arbitrary<Fields[Name]> }) =>
  fc.record(fields, { requiredKeys: [], noNullPrototype: true })
const text = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1 }),
  fc.string({ minLength: 1 }).map(part => part.repeat(1200)),
)
const data = fc.nat(3).map(number => pictures[number] ?? '')
const inline = data.map(base64 => ({ inlineData: { mimeType: 'image/png', data: base64 } }))
const signature = some({ thoughtSignature: fc.constantFrom('c2ln', 'c2lnbmF0dXJl'.repeat(200)) })
const both = (part: fc.Arbitrary<object>) => fc.tuple(part, signature).map(([one, other]) => ({ ...one, ...other }))
const link = fc
  .constantFrom('https://example.com/x.png', 'gs://bucket/x.png')
  .map(fileUri => ({ fileData: { fileUri } }))
const textPart = text.map(said => ({ text: said }))
const thought = fc.oneof(textPart, inline).map(part => ({ ...part, thought: true }))
const content = (role: 'user' | 'model') =>
  fc.record(
    {
      role: fc.constant(role),
      parts: fc
        .tuple(textPart, fc.array(fc.oneof(both(textPart), both(inline), link, thought), { maxLength: 4 }))
        .map(([first, rest]) => [...rest, first]),
    },
    { noNullPrototype: true },
  )
const contents = fc
  .tuple(fc.array(fc.tuple(content('user'), content('model')), { maxLength: 3 }), content('user'))
  .map(([talk, last]) => [...talk.flat(), last])

const call: fc.Arbitrary<Json> = fc
  .tuple(
    contents,
    some({
      systemInstruction: textPart.map(part => ({ parts: [part] })),
      tools: fc.constantFrom(
        [{ googleSearch: {} }],
        [{ codeExecution: { x_y: 1 } }, { googleSearch: { searchTypes: {} } }],
      ),
      safetySettings: fc.constant([{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }]),
      toolConfig: fc.constant({ functionCallingConfig: { mode: 'NONE' } }),
      labels: fc.dictionary(fc.string({ unit: fc.constantFrom('a', '_', 'B'), minLength: 1 }), fc.string(), {
        noNullPrototype: true,
      }),
      generationConfig: some({
        temperature: fc.integer({ min: 0, max: 2 }),
        topP: fc.constant(0.5),
        seed: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        stopSequences: fc.constant(['END']),
        responseModalities: fc.constantFrom(['IMAGE'], ['TEXT', 'IMAGE']),
        thinkingConfig: fc.constant({ includeThoughts: true, thinkingLevel: 'HIGH' }),
        mediaResolution: fc.constantFrom('MEDIA_RESOLUTION_LOW', 'MEDIA_RESOLUTION_HIGH'),
        imageConfig: fc.constantFrom({ aspectRatio: '16:9' }, { imageSize: '2K', personGeneration: 'ALLOW_ALL' }),
        somethingNew: fc.constant({ some_thing: [1, null] }),
      }).filter(config => Object.keys(config).length > 0),
    }),
  )
  .map(([said, rest]) => ({ contents: said, ...rest }))

/** Names whose other spelling Google takes too; those inside of what it does not look into stay as they are. */
const spelt = new Set([
  ...['contents', 'parts', 'inlineData', 'mimeType', 'fileData', 'fileUri', 'thoughtSignature', 'systemInstruction'],
  ...['googleSearch', 'safetySettings', 'toolConfig', 'generationConfig', 'topP', 'stopSequences', 'imageConfig'],
  ...['responseModalities', 'thinkingConfig', 'includeThoughts', 'thinkingLevel', 'mediaResolution', 'aspectRatio'],
  ...['imageSize', 'personGeneration'],
])
const listed = new Set(['contents', 'parts', 'tools', 'safetySettings', 'stopSequences', 'responseModalities'])

/** What the gateway does not look into. */
const opaque = new Set(['toolConfig', 'labels', 'somethingNew', 'codeExecution', 'googleSearch'])

/** The same call as sloppily as ProtoJSON lets it be; `choose` says at each place whether. */
function sloppy(value: unknown, choose: () => boolean, name = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map(item => sloppy(item, choose))
    return items.length === 1 && listed.has(name) && choose() ? items[0] : items
  }
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'number' && name === 'seed' && choose()) return String(value)
    if (typeof value !== 'string' || name !== 'data' || !choose()) return value
    return value.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  }
  const fields = Object.entries(value).flatMap(([key, item]) => {
    if (key === 'role' && item === 'user' && choose()) return []
    // Thoughts are nobody's pictures: what is in them passes as it is.
    const inside = 'thought' in value || opaque.has(key) ? item : sloppy(item, choose, key)
    return [[spelt.has(key) && choose() ? snakeCase(key) : key, inside] as const]
  })
  return Object.fromEntries(choose() ? [...fields, ['nothing_at_all', null]] : fields)
}

test('a call that is read and written again in Google’s form asks for the same', async () => {
  await fc.assert(
    fc.asyncProperty(call, fc.infiniteStream(fc.boolean()), async (canonical, choices) => {
      const loose = sloppy(canonical, () => choices.next().value === true)
      expect(await again(JSON.stringify(loose))).toEqual(canonical)
    }),
    { numRuns: 150 },
  )
})

test('but for the number of pictures, which is a call each', async () => {
  const body = { contents: [{ role: 'user', parts: [{ text: 'x' }] }], model: 'models/nano-banana' }
  const config = { candidateCount: 4, seed: 1 }
  const encoded = await again(JSON.stringify({ ...body, generationConfig: config }))
  expect(encoded).toEqual({ contents: body.contents, generationConfig: { seed: 1 } })
  expect(await again(JSON.stringify({ ...body, generationConfig: { candidateCount: 4 } }))).toEqual({
    contents: body.contents,
  })
})

test('and the shape, which is told in the one way that models listen to', async () => {
  const contents = [{ role: 'user', parts: [{ text: 'x' }] }]
  const responseFormat = [{ image: { aspectRatio: '16:9', imageSize: '2k' } }, { text: {} }]
  expect(await again(JSON.stringify({ contents, generationConfig: { responseFormat } }))).toEqual({
    contents,
    generationConfig: { imageConfig: { aspectRatio: '16:9', imageSize: '2K' }, responseFormat: [{ text: {} }] },
  })
})

test('a picture that was fetched goes up in the place of its address', async () => {
  const parts = [{ text: 'a' }, { fileData: { fileUri: 'https://example.com/x.png' } }, { text: 'b' }]
  const body = { contents: [{ role: 'user', parts }] }
  const request = await decodeRequest(wireDocument(body), bounds)
  const [other] = (
    await decodeRequest(wireDocument({ contents: { parts: { inlineData: { data: pictures[0] } } } }), bounds)
  ).images
  const { body: encoded } = outbound.encodeRequest(
    { ...request, images: other ? [other] : [] },
    { model: 'x', count: 1 },
  )
  const sent = encoded && JSON.parse((await join(encoded)).toString())
  expect(sent.contents[0].parts).toEqual([
    { text: 'a' },
    { inlineData: { mimeType: 'image/png', data: pictures[0] } },
    { text: 'b' },
  ])
})
