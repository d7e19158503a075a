import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LongString } from '../../src/streams/document-reader.ts'
import { createAnswerReader } from '../../src/streams/event-reader.ts'
import { chunksAt, cuts, cutsInTwo, jsonDocument, materialise } from '../helpers/documents.ts'

const sse = 'text/event-stream; charset=utf-8'
const image = 'aGVsbG8='.repeat(500)

function read(contentType: string, chunks: Iterable<Buffer>): readonly unknown[] {
  const reader = createAnswerReader(contentType)
  for (const chunk of chunks) reader.push(chunk)
  return reader.finish()
}

const readText = (contentType: string, text: string) => read(contentType, [Buffer.from(text)])

describe('a stream of events', () => {
  test('gives the document of every event, whatever the cuts, line ends and other fields', () => {
    const document = jsonDocument.map(bytes => Buffer.from(JSON.stringify(JSON.parse(bytes.toString()))))
    const lineEnd = fc.constantFrom('\n', '\r\n')
    const before = fc.constantFrom(
      '',
      ': comment',
      'event: message',
      'id: 1',
      'retry: 3',
      'data',
      'dat',
      'datum:{}',
      'x:{}',
    )
    const event = fc.record({ document, before, space: fc.constantFrom('', ' ') })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 4 }), lineEnd, cuts, (events, end, shares) => {
        const text = events.map(event => {
          const head = event.before === '' ? '' : event.before + end
          return Buffer.concat([Buffer.from(`${head}data:${event.space}`), event.document, Buffer.from(end + end)])
        })
        const documents = read(sse, chunksAt(Buffer.concat(text), shares))
        const values = documents.map((value, index) => {
          const { space, document } = events[index] ?? { space: '', document: Buffer.alloc(0) }
          return materialise(value, Buffer.concat([Buffer.from(space), document]))
        })
        expect(
          isDeepStrictEqual(
            values,
            events.map(({ document }) => JSON.parse(document.toString())),
          ),
        ).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('with a picture in it is read the same at every border', () => {
    const text = Buffer.from(
      `data: {"parts":[{"text":"a"}]}\r\n\r\nevent: x\r\ndata: {"data":"${image}\\u003d"}\r\n\r\ndata:{"usage":{"n":1}}\r\n\r\n`,
    )
    const documents = [{ parts: [{ text: 'a' }] }, { data: new LongString(10, image.length + 6) }, { usage: { n: 1 } }]
    for (const halves of cutsInTwo(text)) expect(read(sse, halves)).toEqual(documents)
    expect(read(sse, chunksAt(text, [-1]))).toEqual(documents)
  })

  test('may begin with a mark of its encoding', () => {
    for (const halves of cutsInTwo(Buffer.from('\ufeffdata: {"a":1}\n\n')))
      expect(read(sse, halves)).toEqual([{ a: 1 }])
  })

  test('may end without a last line end', () => {
    expect(readText(sse, 'data: {"a":1}\n\ndata: {"b":2}')).toEqual([{ a: 1 }, { b: 2 }])
  })

  test('that was cut gives what was whole', () => {
    expect(readText(sse, `data: {"a":1}\n\ndata: {"b":"${image}`)).toEqual([{ a: 1 }])
  })

  test('with an event that is no JSON gives the others', () => {
    expect(readText(sse, 'data: {"a":1}\n\ndata: [DONE]\n\ndata: {{\n\ndata: {"b":2}\n\n')).toEqual([
      { a: 1 },
      { b: 2 },
    ])
  })

  test('with an event past every bound gives the others', () => {
    const deep = '['.repeat(100) + ']'.repeat(100)
    const wide = JSON.stringify(Array.from({ length: 200_000 }, () => 'text'))
    expect(readText(sse, `data: ${deep}\n\ndata: ${wide}\n\ndata: 1\n\n`)).toEqual([1])
  })
})

describe('an answer that is one document', () => {
  test('gives it, an array of a stream as one', () => {
    const array = Buffer.from(`[{"a":1}\n,\r\n{"data":"${image}"}]`)
    const value = [{ a: 1 }, { data: new LongString(array.indexOf(image), image.length) }]
    for (const halves of cutsInTwo(array)) expect(read('application/json; charset=UTF-8', halves)).toEqual([value])
  })

  test.each(['', '{"a":1', '<html>', '{"a":1}{"b":2}', '\xff'])('that cannot be read gives nothing: %j', text => {
    expect(readText('application/json', text)).toEqual([])
  })

  test('of any other type is tried all the same', () => {
    expect(readText('text/html', '{"a":1}')).toEqual([{ a: 1 }])
  })

  test('past a bound gives nothing, and is still taken to its end', () => {
    const reader = createAnswerReader('application/json')
    for (let megabytes = 0; megabytes < 3; megabytes++) reader.push(Buffer.alloc(1 << 20, '['))
    expect(reader.finish()).toEqual([])
  })
})

test.each([
  ['data: {"a":1}', '\n\n'],
  ['data: {"a":1}\r', '\n\n'],
  ['data: {"a":1}\n', '\n'],
  ['data: {"a":1}\r\n', '\n'],
  ['event: a\ndata: {"a":1}\nid: 1', '\n\n'],
  ['data: {"a":1}\n\n', ''],
  ['data: {"a":1}\r\n\r\n', ''],
  ['data: {"a":1}\n\n: comment\n', ''],
  ['', ''],
])('of a stream that ends in %j is told what its last event lacks', (text, missing) => {
  const reader = createAnswerReader(sse)
  for (const byte of text) reader.push(Buffer.from(byte))
  expect(reader.missingEnd()).toBe(missing)
})

describe('an answer is told to be cut', () => {
  test.each([
    ['application/json', '{"a":[1,2]}'],
    ['application/json', `[{"data":"${image}"},{"b":"\\""}]`],
    [sse, 'data: {"a":1}'],
    [sse, `: a comment\r\ndata: {"data":"${image}"}`],
  ])('%s wherever it ends inside of a document, and not when that is whole: case %#', (type, text) => {
    const first = type === sse ? text.indexOf('data') + 1 : 1
    for (let end = first; end < text.length; end++) {
      const reader = createAnswerReader(type)
      reader.push(Buffer.from(text.slice(0, end)))
      expect([end, reader.isCut()]).toEqual([end, true])
    }
    const reader = createAnswerReader(type)
    reader.push(Buffer.from(text))
    expect(reader.isCut()).toBe(false)
    expect(reader.finish()).toHaveLength(1)
  })

  test.each(['', 'data: {"a":1}\n', 'data: {"a":1}\r\n\r\n', ': comment', 'event: x', 'data: [DONE]\n\n'])(
    'not between events: %j',
    text => {
      const reader = createAnswerReader(sse)
      reader.push(Buffer.from(text))
      expect(reader.isCut()).toBe(false)
    },
  )

  test('not where nobody knows, past a bound', () => {
    const reader = createAnswerReader('application/json')
    reader.push(Buffer.alloc(2 << 20, '['))
    expect(reader.isCut()).toBe(false)
  })
})
