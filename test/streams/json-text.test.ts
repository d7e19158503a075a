import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesOf, join } from '../../src/images/bytes.ts'
import { DocumentReader } from '../../src/streams/document-reader.ts'
import { JsonText } from '../../src/streams/json-text.ts'
import { anyText, chunksAt, cuts, jsonValue, readAll, spelling, spellings } from '../helpers/documents.ts'

const long = 'aGVsbG8='.repeat(200)

function textOf(json: string | Buffer, shares: readonly number[] = []): JsonText {
  const chunks = chunksAt(Buffer.from(json), shares)
  return new JsonText(bytesOf(...chunks), readAll(new DocumentReader(), chunks).skeleton)
}

const said = async (text: JsonText) => (await join(text.bytes)).toString()

/** Every place in a value that keys lead to. */
function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[]]
  return [[], ...Object.entries(value).flatMap(([key, item]) => pathsOf(item).map(path => [key, ...path]))]
}

function withValueAt(value: unknown, [key, ...rest]: readonly string[], put: unknown): unknown {
  if (key === undefined) return put
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : []
  const old = members.find(([name]) => name === key)?.[1]
  const kept = members.filter(([name]) => name !== key)
  return Object.fromEntries([...kept, [key, withValueAt(old, rest, put)]])
}

/** How many bytes two buffers share at their beginning and at their end. */
function sharedBytes(a: Buffer, b: Buffer): number {
  const shortest = Math.min(a.length, b.length)
  let [head, tail] = [0, 0]
  while (head < shortest && a[head] === b[head]) head += 1
  while (tail < shortest - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1
  return head + tail
}

const object = fc.dictionary(fc.string({ maxLength: 8 }), jsonValue, { minKeys: 1, maxKeys: 4, noNullPrototype: true })

describe('replacing a value', () => {
  test('and then parsing is parsing and then setting it; every byte outside of it stays as it was', async () => {
    await fc.assert(
      fc.asyncProperty(object, spelling, cuts, fc.nat(), anyText(12), async (value, spell, shares, pick, put) => {
        const document = Buffer.from(spell(JSON.stringify(value)))
        const paths = pathsOf(value)
        const path = paths[pick % paths.length] ?? []
        const replaced = await join(textOf(document, shares).replace(path, put).bytes)
        const parsed = JSON.parse(replaced.toString()) as unknown
        expect(isDeepStrictEqual(parsed, withValueAt(value, path, put))).toBe(true)
        expect(sharedBytes(document, replaced) + Buffer.byteLength(JSON.stringify(put))).toBeGreaterThanOrEqual(
          replaced.length,
        )
      }),
      { numRuns: 200 },
    )
  })

  test.each([
    ['{"model":"a"}', '{"model":"B"}'],
    ['\ufeff { "model" : "a\\"b" , "n":1 }\n', '\ufeff { "model" : "B" , "n":1 }\n'],
    ['{"n":-1.5e3,"model":{"a":["}",{"b":"]"}]},"z":[]}', '{"n":-1.5e3,"model":"B","z":[]}'],
    ['{"m\\u006fdel":true}', '{"m\\u006fdel":"B"}'],
    ['{"x":{"model":"inner"},"model":null}', '{"x":{"model":"inner"},"model":"B"}'],
    [`{"image":"${long}","model":"${long}","z":"${long}"}`, `{"image":"${long}","model":"B","z":"${long}"}`],
    ['{"model":"first","model":"last"}', '{"model":"first","model":"B"}'],
  ])('changes that value alone: case %#', async (before, after) => {
    expect(await said(textOf(before).replace(['model'], 'B'))).toBe(after)
  })

  test('which is not there leaves the very same document', () => {
    const text = textOf('{"a":{"b":1}}')
    expect(text.replace(['b'], 'x')).toBe(text)
    expect(text.replace(['a', 'c'], 'x')).toBe(text)
    expect(text.replace(['a', 'b', 'c'], 'x')).toBe(text)
  })
})

describe('inserting a value', () => {
  test('and then parsing is parsing and then setting it, with the objects on the way to it', async () => {
    const path = fc.array(fc.string({ maxLength: 6 }), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(object, spelling, fc.nat(), path, fc.string(), async (value, spell, pick, below, put) => {
        const objects = pathsOf(value).filter(place => isObject(valueAt(value, place)))
        const parent = objects[pick % objects.length] ?? []
        const [key = ''] = below
        fc.pre(!Object.hasOwn(valueAt(value, parent) as object, key))
        const inserted = textOf(spell(JSON.stringify(value))).insert([...parent, ...below], put)
        expect(inserted.has([...parent, ...below])).toBe(true)
        const parsed = JSON.parse(await said(inserted)) as unknown
        expect(isDeepStrictEqual(parsed, withValueAt(value, [...parent, ...below], put))).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  test.each([
    ['{}', '{"a":{"b":"x"}}'],
    ['{ }', '{"a":{"b":"x"} }'],
    ['\ufeff{\n"c":1}', '\ufeff{"a":{"b":"x"},\n"c":1}'],
    ['{"a":{}}', '{"a":{"b":"x"}}'],
    ['{"a":{"c":"}"}}', '{"a":{"b":"x","c":"}"}}'],
    ['{"a":null,"c":1}', '{"a":{"b":"x"},"c":1}'],
    ['{"a":{"b":null}}', '{"a":{"b":"x"}}'],
    [`{"image":"${long}"}`, `{"a":{"b":"x"},"image":"${long}"}`],
  ])('%# puts it where nothing or null was', async (before, after) => {
    expect(await said(textOf(before).insert(['a', 'b'], 'x'))).toBe(after)
  })

  test.each(['{"a":1}', '{"a":[]}', '{"a":"text"}', '{"a":true}', '[]', '"a"', 'null', '{"a":{"b":"there"}}'])(
    'changes nothing where something stands in the way: %s',
    text => {
      const before = textOf(text)
      expect(before.insert(['a', 'b'], 'x')).toBe(before)
    },
  )
})

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)

const valueAt = (value: unknown, path: readonly string[]): unknown =>
  path.reduce((inner, key) => (inner as Record<string, unknown>)[key], value)

describe('a document', () => {
  test('has what stands in it and is not null', () => {
    const text = textOf('{"a":{"b":[{"c":1}],"d":null,"":0},"e":"\\u0061"}')
    for (const path of [[], ['a'], ['a', 'b'], ['a', ''], ['e']]) expect(text.has(path)).toBe(true)
    for (const path of [['b'], ['a', 'd'], ['a', 'b', 'c'], ['a', 'b', '0'], ['e', 'x']])
      expect(text.has(path)).toBe(false)
  })

  test('that nothing was changed in is the bytes that came, not a copy', () => {
    const bytes = bytesOf(Buffer.from('{"a":1}'))
    const text = new JsonText(bytes, readAll(new DocumentReader(), [Buffer.from('{"a":1}')]).skeleton)
    expect(text.bytes).toBe(bytes)
  })

  test('that was changed still consists of the slices its long strings came in', () => {
    const image = Buffer.from(long)
    const chunks = [Buffer.from('{"model":"a","image":"'), image, Buffer.from('"}')]
    const text = new JsonText(bytesOf(...chunks), readAll(new DocumentReader(), chunks).skeleton)
    const slices = [...(text.replace(['model'], 'b').bytes.slices() as Iterable<Buffer>)]
    const slice = slices.find(({ length }) => length === image.length)
    expect(slice?.buffer).toBe(image.buffer)
    expect(slice?.byteOffset).toBe(image.byteOffset)
  })

  test('takes one change after another', async () => {
    const spelt = spellings.spaced(JSON.stringify({ model: 'a', image: long, request: { model: 'b', image: long } }))
    const text = textOf(spelt)
      .replace(['model'], 'models/\u00e9"')
      .replace(['request', 'model'], 'z'.repeat(3000))
      .insert(['config', 'size'], '4K')
    expect(JSON.parse(await said(text))).toEqual({
      config: { size: '4K' },
      model: 'models/\u00e9"',
      image: long,
      request: { model: 'z'.repeat(3000), image: long },
    })
  })
})
