import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DocumentError, LongString } from '../../src/streams/document-reader.ts'
import { createStreamReader, type StreamDocument } from '../../src/streams/event-stream.ts'
import { chunksAt, cuts, cutsInTwo, jsonDocument, materialise } from '../helpers/documents.ts'

const sse = 'text/event-stream; charset=utf-8'
const json = 'application/json; charset=UTF-8'
const image = 'aGVsbG8='.repeat(500)

function read(contentType: string, chunks: Iterable<Buffer>): readonly StreamDocument[] {
  const reader = createStreamReader(contentType)
  return [...[...chunks].flatMap(chunk => reader.push(chunk)), ...reader.finish()]
}

/** Names and values, with every long string read from where the stream says that it lies. */
const readOut = (contentType: string, stream: Buffer, chunks: Iterable<Buffer>) =>
  read(contentType, chunks).map(({ name, value, placeOf }) => [name, materialise(placed(value, placeOf), stream)])

function placed(value: unknown, placeOf: (text: LongString) => number): unknown {
  if (value instanceof LongString) return new LongString(placeOf(value), value.length)
  if (Array.isArray(value)) return value.map(item => placed(item, placeOf))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, placed(item, placeOf)]))
}

const readText = (contentType: string, text: string) =>
  readOut(contentType, Buffer.from(text), [Buffer.from(text)]).map(([, value]) => value)

describe('a stream of events', () => {
  test('gives every event with its name, whatever the cuts, the line ends, the comments and the lines of its data', () => {
    const pretty = jsonDocument.map(bytes => JSON.stringify(JSON.parse(bytes.toString()), null, 1))
    const plain = jsonDocument.map(bytes => JSON.stringify(JSON.parse(bytes.toString())))
    const event = fc.record({
      // A pretty document stands on as many lines of data.
      text: fc.oneof(pretty, plain),
      name: fc.constantFrom('', 'message', 'image_generation.completed'),
      before: fc.constantFrom('', ': comment', ':', 'id: 1', 'data_: {', 'x:{}', 'retry'),
      space: fc.constantFrom('', ' '),
      nameLast: fc.boolean(),
    })
    const lineEnd = fc.constantFrom('\n', '\r\n')
    fc.assert(
      fc.property(fc.array(event, { maxLength: 4 }), lineEnd, cuts, (events, end, shares) => {
        const stream = Buffer.from(
          events
            .map(({ text, name, before, space, nameLast }) => {
              const data = text.split('\n').map(line => `data:${space}${line}`)
              const named = name === '' ? [] : [`event: ${name}`]
              const lines = [...(before ? [before] : []), ...(nameLast ? [...data, ...named] : [...named, ...data])]
              return lines.map(line => line + end).join('') + end
            })
            .join(''),
        )
        const expected = events.map(({ name, text }) => [name, JSON.parse(text)])
        expect(isDeepStrictEqual(readOut(sse, stream, chunksAt(stream, shares)), expected)).toBe(true)
      }),
      { numRuns: 120 },
    )
  })

  test('with a picture in it is read the same at every border', () => {
    const stream = Buffer.from(
      `event: a\r\ndata: {"n":1}\r\n\r\n: ping\r\ndata: {"data":"${image}\\u003d"}\r\n\r\n\n\ndata:{"n":2}\n\n`,
    )
    const documents = [
      ['a', { n: 1 }],
      ['', { data: `${image}=` }],
      ['', { n: 2 }],
    ]
    for (const halves of cutsInTwo(stream)) expect(readOut(sse, stream, halves)).toEqual(documents)
    expect(readOut(sse, stream, chunksAt(stream, [-1]))).toEqual(documents)
  })

  test.each(['data: {"n":1}\n\n', 'event: a\ndata: {"n":1}\n\n', ': hi\n\ndata: {"n":1}\n\n', '\n\ndata: {"n":1}'])(
    'may begin with a mark of its encoding: %j',
    text => {
      const stream = Buffer.from(`\ufeff${text}`)
      const documents = [[text.startsWith('event') ? 'a' : '', { n: 1 }]]
      for (const halves of cutsInTwo(stream)) expect(readOut(sse, stream, halves)).toEqual(documents)
      expect(readText(sse, `data: {"n":0}\n\n\ufeffdata: {"n":1}\n\n`)).toEqual([{ n: 0 }])
    },
  )

  test('tells of each event as soon as its blank line is there', () => {
    const reader = createStreamReader(sse)
    expect(reader.push(Buffer.from('data: {"n":1}\n'))).toEqual([])
    expect(reader.push(Buffer.from('\ndata: {"n":2}')).map(({ value }) => value)).toEqual([{ n: 1 }])
    expect(reader.push(Buffer.from('\r\n\r\n')).map(({ value }) => value)).toEqual([{ n: 2 }])
  })

  test('says where each event lies', () => {
    const [first, second] = read(sse, [Buffer.from('data: {"n":1}\n\ndata: {"n":2}\n\n')])
    expect([first?.start, second?.start]).toEqual([5, 20])
    expect(first?.end).toBeLessThanOrEqual(second?.start ?? 0)
  })

  test('may end without the last blank line, and with the mark that some end it with', () => {
    expect(readText(sse, 'data: {"n":1}\n\ndata: {"n":2}')).toEqual([{ n: 1 }, { n: 2 }])
    expect(readText(sse, 'data: {"n":1}\n\ndata: [DONE]\n\n')).toEqual([{ n: 1 }])
  })

  test.each(['', ': ping\n', '\n\n\r\n', 'event: x\n\n', 'data: [DONE]'])('may hold nothing: %j', text => {
    expect(readText(sse, text)).toEqual([])
  })

  test.each([
    'data: {"n":1}\n\ndat',
    'data: {"n":1',
    `data: {"n":"${image}`,
    'data: {{\n\n',
    'data: oops\n\ndata: {"n":1}\n\n',
    'data: {"n":1}\ndata: {"n":2}\n\n',
    `data: ${'['.repeat(100)}${']'.repeat(100)}\n\n`,
  ])('that is cut or broken is an error: %j', text => {
    expect(() => readText(sse, text)).toThrow(DocumentError)
  })
})

describe('an array', () => {
  test('gives its items, whatever the cuts and the spaces', () => {
    const item = jsonDocument.map(bytes => JSON.stringify({ item: JSON.parse(bytes.toString()) }))
    const between = fc.constantFrom(',', '\n,\r\n', ' , ')
    fc.assert(
      fc.property(fc.array(item, { maxLength: 4 }), between, cuts, (items, comma, shares) => {
        const stream = Buffer.from(`[${items.join(comma)}\n]\n`)
        const expected = items.map(text => [null, JSON.parse(text)])
        expect(isDeepStrictEqual(readOut(json, stream, chunksAt(stream, shares)), expected)).toBe(true)
      }),
      { numRuns: 120 },
    )
  })

  test('may begin with a mark of its encoding', () => {
    const stream = Buffer.from(`\ufeff[{"data":"${image}"}]`)
    for (const halves of cutsInTwo(stream)) expect(readOut(json, stream, halves)).toEqual([[null, { data: image }]])
  })

  test('tells of each item as soon as it is whole', () => {
    const reader = createStreamReader(json)
    expect(reader.push(Buffer.from('[{"n":"}\\"'))).toEqual([])
    expect(reader.push(Buffer.from('"}')).map(({ value }) => value)).toEqual([{ n: '}"' }])
  })

  test.each(['[', '[{"n":1}', '[{"n":1},', '[1]', '[{"n":1}]x', '[{"n":1}{"n":}]', '[{"n":1]]'])(
    'that is cut or broken is an error: %j',
    text => {
      expect(() => readText(json, text)).toThrow(DocumentError)
    },
  )
})

describe('a document that is no stream at all', () => {
  test('comes at its end, whatever its type is said to be', () => {
    const stream = Buffer.from(`{"data":"${image}"}`)
    for (const halves of cutsInTwo(stream))
      expect(readOut('text/html', stream, halves)).toEqual([[null, { data: image }]])
  })

  test.each(['', '{"n":1', '<html>', '{"n":1}{"n":2}'])('that is cut or broken is an error: %j', text => {
    expect(() => readText(json, text)).toThrow(DocumentError)
  })
})
