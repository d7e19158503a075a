/** JSON bodies that were sent by mistake or in anger: the right answer in the right envelope, and the next request is served. */
import { afterEach, describe, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { type Answer, ask, askOpenai, read } from '../helpers/callers.ts'
import { streamOf } from '../helpers/forms.ts'
import { open, rawHttp, readAnswer } from '../helpers/raw-http.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'

const maxBodyBytes = 12 << 20
const { gateway, upstream } = await scriptedGateway(answerWith('answers/tiny-picture.json'), {
  config: { listen: { maxBodyBytes } },
})
// Whatever was sent, the next one is served.
afterEach(async () => {
  const { status } = await askOpenai(gateway)
  expect(status).toBe(200)
})

const routes = [
  ['/v1/images/generations', 'openai'],
  ['/v1beta/models/gemini-2.5-flash-image:generateContent', 'gemini'],
] as const

const send = async (path: string, body: RequestInit['body'], headers: Record<string, string> = {}) =>
  read(
    await fetch(gateway.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: body ?? null,
      duplex: 'half',
    } as RequestInit),
  )

function expectRefused(answer: Answer, protocol: 'openai' | 'gemini', status: number): void {
  expect(answer.status).toBe(status)
  expect(answer.json.error.message).toMatch(/\w/)
  if (protocol === 'openai') {
    expect(answer.json.error).toMatchObject({ type: 'invalid_request_error' })
    expect(Object.keys(answer.json.error)).toEqual(['message', 'type', 'param', 'code'])
  } else {
    expect(answer.json.error).toMatchObject({ code: status, status: 'INVALID_ARGUMENT' })
  }
  // No stack, no path, no library's name.
  expect(answer.text).not.toMatch(/\bat \/|node:|SyntaxError|ZodError|fastify|busboy|undici/i)
  expect(upstream.seen).toHaveLength(0)
}

describe.each(routes)('%s', (path, protocol) => {
  test.each([
    ['nothing', ''],
    ['white space', ' \n\t'],
    ['half an object', '{"prompt": "A red'],
    ['an object cut at its end', '{"prompt": "A red kite"'],
    ['a comma too many', '{"prompt": "A red kite",}'],
    ['NaN', '{"prompt": "x", "seed": NaN}'],
    ['comments', '{"prompt": "x" /* why */}'],
    ['single quotes', "{'prompt': 'x'}"],
    ['two documents', '{"prompt": "x"}{"prompt": "y"}'],
    ['something behind it', '{"prompt": "x"} x'],
    ['a raw line break in a string', '{"prompt": "a\nb"}'],
    ['an escape that is none', '{"prompt": "\\x41"}'],
    ['half of a unicode escape', '{"prompt": "\\u00"}'],
    ['HTML', '<html></html>'],
    ['a form', 'prompt=A+red+kite'],
    ['a control character', '\u0000{"prompt":"x"}'],
    ['the model twice', '{"prompt": "x", "model": "nano-banana", "model": "nano-banana-2"}'],
    ['any field twice', '{"contents": [], "contents": [{}]}'],
    ['__proto__', '{"prompt": "x", "__proto__": {"n": 9}}'],
    ['__proto__ escaped', '{"prompt": "x", "\\u005f_proto__": {"n": 9}}'],
    ['__proto__ further down', '{"contents": [{"parts": [{"__proto__": 1}]}], "prompt": "x"}'],
  ])('%s', async (_what, text) => {
    expectRefused(await send(path, text), protocol, 400)
    expect(({} as Record<string, unknown>).n).toBeUndefined()
  })

  test('the model twice, once in disguise', async () => {
    const text = '{"prompt": "x", "contents": [], "model": "nano-banana", "mod\\u0065l": "nano-banana-2"}'
    expectRefused(await send(path, text), protocol, 400)
  })

  test('a UTF-8 mark at its beginning does no harm', async () => {
    const answer = await send(path, '\ufeff{"prompt": "A red kite", "contents": []}')
    expect(answer.status).toBe(200)
  })

  test.each([
    ['Latin-1', Buffer.from('{"prompt": "Zürich", "contents": []}', 'latin1')],
    ['a lone continuation byte', Buffer.from([...Buffer.from('{"prompt": "'), 0x80, ...Buffer.from('"}')])],
    ['an overlong slash', Buffer.from([...Buffer.from('{"prompt": "'), 0xc0, 0xaf, ...Buffer.from('"}')])],
    ['a surrogate in UTF-8', Buffer.from([...Buffer.from('{"prompt": "'), 0xed, 0xa0, 0x80, ...Buffer.from('"}')])],
    ['a character cut at the end', Buffer.from([...Buffer.from('{"prompt": "x"}'), 0xe2, 0x98])],
    ['UTF-16', Buffer.from('\ufeff{"prompt": "x"}', 'utf16le')],
    ['in a long string', Buffer.from([...Buffer.from(`{"prompt": "${'x'.repeat(5000)}`), 0xff, ...Buffer.from('"}')])],
  ])('what is no UTF-8: %s', async (_what, bytes) => {
    expectRefused(await send(path, new Uint8Array(bytes)), protocol, 400)
  })

  test.each([
    ['ten million brackets', () => '['.repeat(10 << 20)],
    ['brackets up to the skeleton’s bound', () => '['.repeat(3 << 20)],
    ['objects in objects', () => '{"a":'.repeat(200_000)],
    ['65 levels, closed', () => `${'['.repeat(65)}${']'.repeat(65)}`],
    ['half a million keys', () => `{${Array.from({ length: 500_000 }, (_, index) => `"k${index}":0`).join(',')}}`],
    [
      'as many keys as fit the bound on bytes',
      () => `{${Array.from({ length: 300_000 }, (_, i) => `"k${i}":0`).join(',')}}`,
    ],
    ['two million numbers', () => `[${'0,'.repeat(2 << 20)}0]`],
    ['a key of 2 KB', () => `{"${'k'.repeat(2048)}": 1, "prompt": "x"}`],
  ])('a bomb: %s', async (_what, text) => {
    expectRefused(await send(path, text()), protocol, 400)
  })

  test.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/xml', 415],
    ['image/png', 415],
    ['application/json; charset=utf-16', 415],
    ['application/json; charset=utf-7', 415],
    ['application/json; charset=latin1', 415],
    ['application/json garbage', 415],
    ['application/json, text/plain', 415],
    ['a/b, c/d', 415],
    ['json', 415],
    ['/', 415],
    ['', 415],
    ['application/jsonp', 415],
    ['application/json;', 200],
    ['application/json;charset=utf-8', 200],
    ['application/json; charset="UTF-8"', 200],
    ['APPLICATION/JSON', 200],
    [' application/json\t', 200],
    ['application/json; odata=verbose', 200],
  ])('content-type %j → %i', async (type, status) => {
    const answer = await send(path, '{"prompt": "A red kite", "contents": []}', { 'content-type': type })
    if (status === 200) expect(answer.status).toBe(200)
    else expectRefused(answer, protocol, status)
  })

  test('no content-type at all', async () => {
    const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 15\r\n\r\n{"prompt": "x"}`
    const answer = await rawHttp(gateway.url, head)
    expect(answer.status).toBe(415)
    expect(JSON.parse(answer.body).error.message).toMatch(/no content type.*application\/json/)
  })

  test('no body at all', async () => {
    for (const length of ['', 'content-length: 0\r\n']) {
      const type = 'content-type: application/json\r\n'
      const answer = await rawHttp(gateway.url, `POST ${path} HTTP/1.1\r\nhost: x\r\n${type}${length}\r\n`)
      expect(answer.status).toBe(400)
      expect(JSON.parse(answer.body).error.message).toMatch(/JSON/)
    }
  })

  test.each(['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip', 'bogus'])(
    'content-encoding %s is not read',
    async encoding => {
      expectRefused(await send(path, '{"prompt": "x"}', { 'content-encoding': encoding }), protocol, 415)
    },
  )

  test('content-encoding identity is', async () => {
    const answer = await send(path, '{"prompt": "x", "contents": []}', { 'content-encoding': 'identity' })
    expect(answer.status).toBe(200)
  })

  test('too large a body by its declared length is refused, and the caller who still sends it reads so', async () => {
    const body = `{"prompt": "${'x'.repeat(maxBodyBytes)}"}`
    expectRefused(await send(path, body), protocol, 413)
  })

  test('too large a body without a declared length too', async () => {
    const chunk = Buffer.alloc(1 << 20, 'x')
    const chunks = [Buffer.from('{"prompt": "'), ...Array.from({ length: 20 }, () => chunk), Buffer.from('"}')]
    expectRefused(await send(path, streamOf(chunks)), protocol, 413)
  })

  test('one that is said to be huge is refused before it is sent', async () => {
    const socket = await open(gateway.url)
    const answer = readAnswer(socket)
    const type = 'content-type: application/json\r\n'
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\n${type}content-length: 99999999999\r\n\r\n`)
    expect((await answer).status).toBe(413)
    socket.destroy()
  })

  test('who waits to be told to continue is told at once', async () => {
    const socket = await open(gateway.url)
    const answer = readAnswer(socket)
    const type = 'content-type: application/json\r\nexpect: 100-continue\r\n'
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\n${type}content-length: 99999999999\r\n\r\n`)
    const { status } = await answer
    expect([100, 413]).toContain(status)
    socket.destroy()
  })
})

describe('names that are not names', () => {
  test('a model of 5 KB is too long a name, not another kind of thing', async () => {
    for (const model of ['x'.repeat(300), 'x'.repeat(5000), 'x'.repeat(1 << 20)]) {
      const answer = await ask(gateway, '/v1/images/generations', { prompt: 'x', model })
      expect(answer).toMatchObject({ status: 400, json: { error: { param: 'model', code: 'invalid_value' } } })
      expect(answer.json.error.message).toMatch(/longer than 256/)
      expect(answer.json.error.message.length).toBeLessThan(300)
    }
    for (const field of ['size', 'aspect_ratio', 'image_size', 'media_resolution']) {
      const answer = await ask(gateway, '/v1/images/generations', { prompt: 'x', [field]: 'x'.repeat(5000) })
      expect(answer.json.error).toMatchObject({ param: field, message: expect.stringMatching(/longer than 256/) })
    }
    expect(upstream.seen).toHaveLength(0)
  })

  test.each([[['nano-banana']], [{ id: 'nano-banana' }], [7], [true]])('%j is no model', async model => {
    const answer = await ask(gateway, '/v1/images/generations', { prompt: 'x', model })
    expect(answer).toMatchObject({ status: 400, json: { error: { param: 'model' } } })
  })

  test.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype'])(
    'a field called %s is just unknown',
    async name => {
      const { status, headers } = await ask(gateway, '/v1/images/generations', {
        prompt: 'x',
        [name]: { prototype: 1 },
      })
      expect(status).toBe(200)
      expect(headers.get('x-plantain-ignored-params')).toBe(name)
      for (const model of [name, `models/${name}`]) {
        expect((await ask(gateway, '/v1/images/generations', { prompt: 'x', model })).status).toBe(200)
      }
    },
  )
})

test.each(['"\\ud83d"', '"a\\udc00b"', '"\\ud83d\\ud83d"'])(
  'half of a surrogate pair is no prompt: %s',
  async prompt => {
    for (const padding of ['', 'x'.repeat(5000)]) {
      const text = `{"prompt": ${prompt.replace('"', `"${padding}`)}}`
      const answer = await ask(gateway, '/v1/images/generations', text)
      expect(answer).toMatchObject({ status: 400, json: { error: { param: 'prompt', code: 'invalid_value' } } })
    }
  },
)

test('a list of pictures that is far too long is refused before anybody looks what stands in it', async () => {
  const { status, json } = await ask(gateway, '/v1/images/edits', { prompt: 'A', images: Array(10_000).fill({ x: 1 }) })
  expect([status, json.error.param]).toEqual([400, 'images'])
  expect(json.error.message).toBe('At most 16 reference pictures are allowed.')
})

describe('a chat', () => {
  const [, [path]] = routes
  const said = Array.from({ length: 5000 }, (_, turn) => ({
    role: turn % 2 ? 'model' : 'user',
    parts: [{ text: 'a' }],
  }))

  test('of five thousand turns is painted from', async () => {
    expect((await ask(gateway, path, { contents: said.slice(1) })).status).toBe(200)
  })

  test.each([
    ['contents', { contents: Array(49_000).fill({ parts: { text: 'a' } }) }],
    ['parts', { contents: [{ parts: Array(49_000).fill({ text: 'a' }) }] }],
    ['contents to count', { generateContentRequest: { contents: Array(49_000).fill({ parts: { text: 'a' } }) } }],
    ['tools', { contents: said.slice(0, 1), tools: Array(49_000).fill({}) }],
    ['fields', Object.fromEntries(Array.from({ length: 49_000 }, (_, index) => [`k${index}`, 0]))],
  ])('with tens of thousands of %s is refused before anybody looks what stands in them', async (_what, body) => {
    const answer = await send(path, JSON.stringify(body))
    expectRefused(answer, 'gemini', 400)
    expect(answer.json.error.message).toMatch(/more than 30000 fields and items/)
  })
})

test('a bomb holds up nobody for long: others are served meanwhile', async () => {
  const bombs = Array.from({ length: 4 }, () => send('/v1/images/generations', '['.repeat(4 << 20)))
  const good = await Promise.all(Array.from({ length: 4 }, () => askOpenai(gateway)))
  for (const { status } of good) expect(status).toBe(200)
  for (const { status } of await Promise.all(bombs)) expect(status).toBe(400)
})
