import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DocumentError, DocumentReader, LongString, type ReaderBounds } from '../../src/streams/document-reader.ts'
import { chunksAt, cuts, cutsInTwo, jsonDocument, materialise, readAll, spellings } from '../helpers/documents.ts'

const read = (text: string | Buffer, bounds?: ReaderBounds) =>
  readAll(new DocumentReader(bounds), [typeof text === 'string' ? Buffer.from(text) : text])

const long = 'x'.repeat(1025)

describe('any document, cut anywhere', () => {
  test('says what JSON.parse says, once its long strings are read from where they lie, and the same whatever the cuts', () => {
    fc.assert(
      fc.property(jsonDocument, cuts, (document, shares) => {
        const read = readAll(new DocumentReader(), chunksAt(document, shares))
        expect(isDeepStrictEqual(read, readAll(new DocumentReader(), [document]))).toBe(true)
        expect(isDeepStrictEqual(materialise(read.value, document), JSON.parse(document.toString()))).toBe(true)
      }),
      { numRuns: 1500 },
    )
  })

  test('is refused exactly where JSON.parse refuses it, after any byte was changed, taken out or put in', () => {
    const damage = fc.record({
      share: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      byte: fc.oneof(fc.constantFrom(...Buffer.from('"\\{}[]:,0 u')), fc.integer({ min: 0, max: 255 })),
      way: fc.constantFrom('change', 'remove', 'insert'),
    })
    fc.assert(
      fc.property(jsonDocument, damage, cuts, (document, { share, byte, way }, shares) => {
        const at = Math.floor(share * document.length)
        const damaged = Buffer.concat([
          document.subarray(0, at),
          Buffer.from(way === 'remove' ? [] : [byte]),
          document.subarray(way === 'insert' ? at : at + 1),
        ])
        const read = () => materialise(readAll(new DocumentReader(), chunksAt(damaged, shares)).value, damaged)
        const parse = () => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(damaged)) as unknown
        expect(isDeepStrictEqual(outcome(read), outcome(parse))).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})

/** What a step gives, or that it failed. */
function outcome(step: () => unknown): { readonly value: unknown } | 'refused' {
  try {
    return { value: step() }
  } catch {
    return 'refused'
  }
}

describe('a picture of 15 MB', () => {
  const picture = randomBytes(15_000_000).toString('base64')
  const document = Buffer.from(JSON.stringify({ parts: [{ data: picture, signature: 'x' }, { text: 'done' }] }))

  test('stays where it lies and is not copied into the skeleton', () => {
    const chunks = Array.from({ length: Math.ceil(document.length / 65_536) }, (_, index) =>
      document.subarray(index * 65_536, (index + 1) * 65_536),
    )
    const { value, skeleton } = readAll(new DocumentReader(), chunks)
    const [found, ...others] = skeleton.longStrings
    expect(others).toEqual([])
    expect(value).toEqual({ parts: [{ data: found, signature: 'x' }, { text: 'done' }] })
    expect(found).toEqual(new LongString(document.indexOf(picture.slice(0, 64)), picture.length))
    expect(skeleton.text.length).toBeLessThan(200)
  })

  test('full of escapes is read in one pass', () => {
    const escaped = Buffer.from(spellings.php(JSON.stringify({ data: '/'.repeat(1_000_000) })))
    const { skeleton } = readAll(new DocumentReader(), [escaped])
    expect(skeleton.longStrings).toEqual([new LongString(9, 2_000_000)])
  })
})

describe('escapes that a border cuts', () => {
  const spelt = '\\u003d\\u003D\\/\\\\\\"\\n\\ud83c\\udf4c\\\\\\\\\\"'
  const documents = {
    'in a short string': `{"a":"${spelt}","b":1}`,
    'in a long string': `{"a":"${long}${spelt}","b":"${spelt}"}`,
    'at the beginning of a long string': `{"a":"${spelt}${long}"}`,
    'in a key': `{"${spelt}":"${long}"}`,
    'across the length from which a string is long': `["${'y'.repeat(1010)}${spelt}"]`,
  }

  test.each(Object.entries(documents))('%s are read the same, whichever border it is', (_where, text) => {
    const document = Buffer.from(text)
    for (const halves of cutsInTwo(document)) {
      const { value } = readAll(new DocumentReader(), halves)
      expect(materialise(value, document)).toEqual(JSON.parse(text))
    }
    const { value } = readAll(new DocumentReader(), chunksAt(document, [-1]))
    expect(materialise(value, document)).toEqual(JSON.parse(text))
  })
})

describe('what is no whole document', () => {
  test.each([
    [
      'with short strings',
      '{"candidates":[{"content":{"parts":[{"text":"a\\"b\u00e9\u{1f34c}"}]}}],"n":[1,-2.5e3,true,null]}',
    ],
    ['with a long string', `{"a":[{"data":"${long}\\u003d"}],"b":{"c":"d"}}`],
  ])('is refused wherever it was cut: a document %s', (_kind, text) => {
    const document = Buffer.from(text)
    for (let end = 0; end < document.length; end++) {
      expect(() => read(document.subarray(0, end))).toThrow(DocumentError)
    }
    expect(materialise(read(document).value, document)).toEqual(JSON.parse(text))
  })

  test.each(['{} {}', '{}x', '[1]]', '{"a":1}"', `"${long}""`, '{}\0', '1,', '{"a":1}{"b":2}'])(
    'is refused for what follows it: %s',
    text => {
      expect(() => read(text)).toThrow(DocumentError)
    },
  )

  test.each(['', ' ', '{', '"', '\\"', "{'a':1}", '{a:1}', '[1,]', '<html>', 'NaN', '\ufeff'])(
    'is refused: %j',
    text => {
      expect(() => read(text)).toThrow(DocumentError)
    },
  )

  test('spaces around a document, and one byte order mark before it, do no harm', () => {
    expect(read(' \r\n\t{"a":1}\r\n\r\n ').value).toEqual({ a: 1 })
    expect(read('\ufeff{"a":1}').value).toEqual({ a: 1 })
    expect(() => read('\ufeff\ufeff{"a":1}')).toThrow(DocumentError)
  })

  test.each([
    ['an overlong slash', [0xc0, 0xaf]],
    ['half of a character', [0xe2, 0x82]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a byte that never occurs', [0xff]],
    ['Latin-1', [0x63, 0x61, 0x66, 0xe9]],
  ])('is refused where it is not UTF-8: %s', (_kind, bytes) => {
    const document = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')])
    expect(() => read(document)).toThrow('not valid UTF-8')
  })

  test('a character that a border cuts is read whole', () => {
    for (const halves of cutsInTwo(Buffer.from('["\u00e9\u20ac\u{1f34c}"]'))) {
      expect(readAll(new DocumentReader(), halves).value).toEqual(['\u00e9\u20ac\u{1f34c}'])
    }
  })
})

describe('bounds', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`

  test('a document is 64 levels deep at most', () => {
    expect(read(nested(64)).value).toEqual(JSON.parse(nested(64)))
    expect(() => read(nested(65))).toThrow('more than 64 levels')
    expect(() => read('{"a":'.repeat(65) + 1 + '}'.repeat(65))).toThrow('more than 64 levels')
    expect(() => read('['.repeat(500_000))).toThrow('more than 64 levels')
    expect(read(nested(3), { maxDepth: 3 }).value).toEqual([[[1]]])
    expect(() => read(nested(4), { maxDepth: 3 })).toThrow('more than 3 levels')
  })

  test('brackets inside strings are no levels', () => {
    const text = JSON.stringify({ short: '[{'.repeat(200), quoted: '"[['.repeat(200), long: '['.repeat(5000) })
    expect(materialise(read(text).value, Buffer.from(text))).toEqual(JSON.parse(text))
  })

  test('everything beside long strings may have so many bytes, and not one more, whatever the cuts', () => {
    const text = JSON.stringify({ a: 'b'.repeat(500), image: long, c: ['d'.repeat(800), 1] })
    const { length: skeletonBytes } = read(text).skeleton.text
    for (const halves of cutsInTwo(Buffer.from(text))) {
      const bounded = (maxSkeletonBytes: number) => readAll(new DocumentReader({ maxSkeletonBytes }), halves)
      expect(bounded(skeletonBytes).skeleton.text).toHaveLength(skeletonBytes)
      expect(() => bounded(skeletonBytes - 1)).toThrow(DocumentError)
    }
  })

  test('a document without end is refused once the bound is passed', () => {
    const reader = new DocumentReader()
    const chunk = Buffer.from('{"a":"b"},'.repeat(1000))
    const pushes = () => {
      for (let bytes = 0; bytes < 2 << 20; bytes += chunk.length) reader.push(chunk)
    }
    expect(pushes).toThrow('more than 1048576 bytes beside its images')
    expect(reader.length).toBeLessThanOrEqual(1 << 20)
  })

  test('a string of 1024 bytes is text, one of 1025 a long string', () => {
    expect(read(`["${'x'.repeat(1024)}"]`).value).toEqual(['x'.repeat(1024)])
    expect(read(`["${'x'.repeat(1025)}"]`).value).toEqual([new LongString(2, 1025)])
    expect(read(`["${'\u00e9'.repeat(512)}"]`).value).toEqual(['\u00e9'.repeat(512)])
    expect(read(`["${'\u00e9'.repeat(513)}"]`).value).toEqual([new LongString(2, 1026)])
  })

  test('a document has 50 000 commas at most between its members, and any number inside of strings', () => {
    const items = (count: number) => `[${Array.from({ length: count }, () => '1').join()}]`
    expect(read(items(50_001)).value).toHaveLength(50_001)
    expect(() => read(items(50_002))).toThrow('more than 50000 members')
    const text = JSON.stringify({ a: ','.repeat(1000), b: Array.from({ length: 200 }, () => '",'.repeat(400)) })
    expect(isDeepStrictEqual(materialise(read(text).value, Buffer.from(text)), JSON.parse(text))).toBe(true)
  })

  test('a key of more than 1 KB is refused', () => {
    expect(() => read(`{"${long}":1}`)).toThrow('a key of more than 1 KB')
    expect(() => read(`{"a":{"b":[{"${long}" \n : "${long}"}]}}`)).toThrow('a key of more than 1 KB')
    expect(read(`{"${'k'.repeat(1024)}":1}`).value).toEqual({ ['k'.repeat(1024)]: 1 })
  })
})

describe('a look at a document that still arrives', () => {
  test('shows what is whole of it, and nothing that is not there in the end', () => {
    const fewCuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 })
    fc.assert(
      fc.property(jsonDocument, fewCuts, (document, shares) => {
        const reader = new DocumentReader()
        const looks = chunksAt(document, shares).map(chunk => {
          reader.push(chunk)
          return reader.peek()
        })
        const { value } = reader.finish()
        for (const look of looks) expect(look === undefined || isBeginningOf(look, value)).toBe(true)
        const isNested = typeof value === 'object' && value !== null && !(value instanceof LongString)
        if (isNested) expect(isDeepStrictEqual(looks.at(-1), value)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('shows a picture as soon as the part it is in is whole', () => {
    const reader = new DocumentReader()
    const look = (text: string) => {
      reader.push(Buffer.from(text))
      return reader.peek()
    }
    expect(look(' ')).toBeUndefined()
    expect(look('{"parts":[{"image":"')).toBeUndefined()
    expect(look(`${long}"`)).toBeUndefined()
    const first = { image: new LongString(21, 1025) }
    expect(look('}')).toEqual({ parts: [first] })
    expect(look(`,{"text":"}]","image":"${long}`)).toEqual({ parts: [first] })
    expect(look('\\""}')).toEqual({ parts: [first, { text: '}]', image: new LongString(1071, 1027) }] })
    expect(look('],"n":[1')).toMatchObject({ parts: [first, {}] })
    expect(look(']}')).toMatchObject({ n: [1] })
  })

  test('shows nothing of a part that is not whole: its last member may say that it is a thought', () => {
    const reader = new DocumentReader()
    reader.push(Buffer.from(`{"parts":[{"a":1},{"inlineData":{"data":"${long}"}`))
    expect(reader.peek()).toEqual({ parts: [{ a: 1 }] })
    reader.push(Buffer.from(',"thought":true}'))
    expect(reader.peek()).toMatchObject({ parts: [{ a: 1 }, { thought: true }] })
  })

  test.each(['}', '{"a":1}]', '{]', '{"a" 1}', '["\\x"]', '['.repeat(200_000) + ']'.repeat(200_000)])(
    'shows nothing of what is no JSON: case %#',
    text => {
      const reader = new DocumentReader()
      reader.push(Buffer.from(text))
      expect(reader.peek()).toBeUndefined()
    },
  )
})

/** Could a value be the beginning of another: all but the last of its members are the same, and the last is a beginning? */
function isBeginningOf(part: unknown, whole: unknown): boolean {
  if (typeof part !== 'object' || part === null || part instanceof LongString) return isDeepStrictEqual(part, whole)
  if (typeof whole !== 'object' || whole === null || Array.isArray(part) !== Array.isArray(whole)) return false
  const members = Object.entries(part)
  return members.every(([key, item], index) => {
    if (!Object.hasOwn(whole, key)) return false
    const counterpart = Object.entries(whole).find(([name]) => name === key)?.[1] as unknown
    return index === members.length - 1 ? isBeginningOf(item, counterpart) : isDeepStrictEqual(item, counterpart)
  })
}

describe('keys', () => {
  test.each([
    ['{"a":1,"b":2,"a":3}', ['a']],
    ['{"a":1,"a":2,"a":3,"b":0,"b":0}', ['a', 'b']],
    ['{"model":"x","\\u006dodel":"y"}', ['model']],
    ['{"\\"":1,"\\u0022":2}', ['"']],
    ['\ufeff {"a":1 , "a" : 2}', ['a']],
    ['{"a":{"b":1,"b":2},"c":[{"d":1},{"d":2}]}', []],
    ['{"a":"b","b":"a","c":"c"}', []],
    ['[{"a":1},{"a":2}]', []],
    ['["a","a"]', []],
    ['{}', []],
  ])('that the outermost object repeats are told, however they are spelt: %s', (text, repeated) => {
    expect(read(text).repeatedKeys).toEqual(repeated)
  })

  test('of objects that hold long strings may be any, __proto__ too, and stay keys', () => {
    const text = `{"__proto__":{"a":"${long}"},"constructor":"${long}","length":1}`
    const value = read(text).value as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'length'])
    expect(isDeepStrictEqual(materialise(value, Buffer.from(text)), JSON.parse(text))).toBe(true)
  })
})

describe('the stand-in for a long string', () => {
  test('is drawn at random in every process, so a text that is made like one is only text', () => {
    const { placeholder } = read(`["${long}"]`).skeleton
    expect(placeholder).toMatch(/^[0-9a-f]{16}:$/)
    const forged = ['0:', `${'0'.repeat(16)}:0`, `${'f'.repeat(16)}:1`, placeholder.slice(0, -2), placeholder.slice(1)]
    const text = JSON.stringify([...forged, long])
    expect(read(text).value).toEqual([...forged, new LongString(text.indexOf(long), 1025)])
  })
})
