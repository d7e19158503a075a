/** A law: a call that is read and written again in OpenAI's form asks for the same, however its caller spelt it. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { openai } from '../../src/dialects/openai.ts'
import { decodeRequest } from '../../src/protocols/openai/index.ts'
import type { Target } from '../../src/protocols/protocol.ts'
import { picture } from '../helpers/pictures.ts'
import { wireDocument } from '../helpers/wire-document.ts'
import { type Sent, send } from './openai-upstreams/requests.ts'

const model = 'gpt-image-2'
const bounds = { maxImageBytes: 1 << 20, maxImages: 16 }
const files: Buffer[] = []

beforeAll(async () => {
  for (const [type, padding] of [
    ['png', 0],
    ['jpeg', 2],
    ['webp', 3000],
  ] as const) {
    files.push(Buffer.concat([await picture(type, { width: 2, height: 2 }), Buffer.alloc(padding, 0xfb)]))
  }
})

type Json = Readonly<Record<string, unknown>>

/** What goes up for a call: its shape as the catalogue would have left it. */
async function again(body: object, operation: 'generate' | 'edit'): Promise<Sent> {
  const request = await decodeRequest(wireDocument(body), operation, bounds)
  const { stream, count } = request
  const target: Target = { model, count, ...(stream && { stream }) }
  return send(openai, request, target)
}

const some = <Fields extends object>(fields: { readonly [Name in keyof Fields]: fc.Arbitrary<Fields[Name]> }) =>
  fc.record(fields, { requiredKeys: [], noNullPrototype: true })
const prompt = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1 }),
    fc.string({ unit: 'grapheme', minLength: 3, maxLength: 20 }).map(part => part.repeat(300)),
  )
  .filter(text => text.trim() !== '')
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 })

const painting = {
  n: fc.integer({ min: 2, max: 10 }),
  size: fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 })).map(([w, h]) => `${w}x${h}`),
  quality: fc.constantFrom('low', 'medium', 'high', 'xhigh', 'max', 'auto'),
  background: fc.constantFrom('transparent', 'opaque'),
  output_format: fc.constantFrom('png', 'jpeg', 'webp'),
  output_compression: fc.integer({ min: 0, max: 100 }),
  user: name,
  safety_identifier: name,
  complexity: fc.constantFrom('low', 'medium', 'high'),
}
const streamed = fc.constantFrom({}, { stream: true, partial_images: 0 }, { stream: true, partial_images: 3 })
const generation: fc.Arbitrary<Json> = fc
  .tuple(prompt, some({ ...painting, moderation: fc.constantFrom('low', 'auto') }), streamed)
  .map(([text, fields, stream]) => ({ model, prompt: text, ...fields, ...stream }))
const edit: fc.Arbitrary<Json> = fc
  .tuple(prompt, some({ ...painting, input_fidelity: fc.constantFrom('low', 'high') }), streamed)
  .map(([text, fields, stream]) => ({ model, prompt: text, ...fields, ...stream }))

const camel = (text: string) => text.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** The same call as sloppily as callers write it; `choose` says at each place whether. */
function sloppy(value: Json, choose: () => boolean): Json {
  const fields = Object.entries(value).map(([field, item]) => [choose() ? camel(field) : field, item] as const)
  const idle = ['size', 'background', 'n', 'image', 'seed', 'responseFormat', 'tomorrow'].flatMap(field =>
    field in value || !choose() ? [] : [[field, choose() ? null : ''] as const],
  )
  const auto = 'size' in value || !choose() ? [] : [['size', 'auto'] as const]
  return Object.fromEntries([...fields, ...idle, ...auto])
}

test('a generation', async () => {
  await fc.assert(
    fc.asyncProperty(generation, fc.infiniteStream(fc.boolean()), async (canonical, choices) => {
      const {
        fields,
        files: none,
        ignored,
        path,
      } = await again(
        sloppy(canonical, () => choices.next().value === true),
        'generate',
      )
      expect(fields).toEqual(canonical)
      expect([path, none, ignored]).toEqual(['/images/generations', null, []])
    }),
    { numRuns: 200 },
  )
})

test('an edit, whose pictures are files then, byte for byte and in order', async () => {
  const spellings = fc.array(fc.tuple(fc.nat(2), fc.nat(3)), { minLength: 1, maxLength: 16 })
  await fc.assert(
    fc.asyncProperty(edit, spellings, fc.infiniteStream(fc.boolean()), async (canonical, pictures, choices) => {
      const images = pictures.map(([number, spelling]) => spelt(files[number] ?? Buffer.alloc(0), spelling))
      const body = sloppy(canonical, () => choices.next().value === true)
      const { fields, files: sent, ignored, path } = await again({ ...body, images }, 'edit')
      const texts = Object.fromEntries(Object.entries(canonical).map(([field, item]) => [field, String(item)]))
      expect(fields).toEqual(texts)
      expect(sent?.map(({ bytes }) => bytes.toString('base64'))).toEqual(
        pictures.map(([number]) => files[number]?.toString('base64')),
      )
      expect(sent?.every(file => file.name === 'image[]')).toBe(true)
      expect([path, ignored]).toEqual(['/images/edits', []])
    }),
    { numRuns: 100 },
  )
})

/** The ways to write a picture in JSON. */
function spelt(file: Buffer, way: number): unknown {
  const base64 = file.toString('base64')
  switch (way) {
    case 0:
      return { image_url: `data:image/png;base64,${base64}` }
    case 1:
      return { image_url: { url: `data:application/octet-stream;base64,${base64}` } }
    case 2:
      return base64
    default:
      return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  }
}
