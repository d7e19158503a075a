/** Bytes that are no HTTP, or two kinds of it at once: refused in JSON, the connection closed, the gateway alive. */
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { askOpenai } from '../helpers/callers.ts'
import { open, type RawAnswer, rawHttp, readAnswer } from '../helpers/raw-http.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'

const { gateway, upstream } = await scriptedGateway(answerWith('answers/tiny-picture.json'))
afterEach(async () => {
  expect((await askOpenai(gateway)).status).toBe(200)
})

const body = '{"prompt":"A red kite"}'
const path = '/v1/images/generations'
const type = 'content-type: application/json'

/** A request with these header lines; the usual ones are left to the test. */
const request = (lines: readonly string[], content = body, first = `POST ${path} HTTP/1.1`) =>
  `${[first, ...lines].join('\r\n')}\r\n\r\n${content}`

function expectRefused({ status, body: text, headers }: RawAnswer, wanted: number): void {
  expect(status).toBe(wanted)
  expect(headers['content-type']).toMatch(/^application\/json/)
  expect(Object.keys(JSON.parse(text).error)).toEqual(['message', 'type', 'param', 'code'])
  expect(upstream.seen).toHaveLength(0)
}

const length = `content-length: ${body.length}`
const host = 'host: gateway.example'

describe('what could be read in two ways is not read at all', () => {
  test.each([
    ['a length and chunks', [host, type, length, 'transfer-encoding: chunked'], '0\r\n\r\n'],
    ['two lengths', [host, type, length, 'content-length: 5'], body],
    ['the same length twice', [host, type, length, length], body],
    ['a length with a plus', [host, type, 'content-length: +13'], body],
    ['a length below zero', [host, type, 'content-length: -1'], body],
    ['a length with an exponent', [host, type, 'content-length: 1e1'], body],
    ['a length in hexadecimal', [host, type, 'content-length: 0x7'], body],
    ['a length of two words', [host, type, 'content-length: 7 7'], body],
    ['a length of nothing', [host, type, 'content-length:'], body],
    ['a length past all computers', [host, type, 'content-length: 18446744073709551616'], body],
    ['another coding', [host, type, 'transfer-encoding: xchunked'], '0\r\n\r\n'],
    ['chunks inside of another coding', [host, type, 'transfer-encoding: chunked, identity'], '0\r\n\r\n'],
    ['two codings', [host, type, 'transfer-encoding: chunked', 'transfer-encoding: chunked'], '0\r\n\r\n'],
    ['a space before the colon', [host, type, `content-length : ${body.length}`], body],
    ['a folded header', [host, type, length, 'x-a: 1\r\n 2'], body],
    ['a NUL in a header', [host, type, length, 'x-a: 1\u00002'], body],
    ['a header without a name', [host, type, length, ': 1'], body],
    ['a bare line feed', [host, type, `${length}\nx-smuggled: 1`], body],
    ['a bare carriage return', [host, type, `${length}\rx-smuggled: 1`], body],
    ['a chunk without a size', [host, type, 'transfer-encoding: chunked'], 'zz\r\nabc\r\n0\r\n\r\n'],
    ['a chunk past all computers', [host, type, 'transfer-encoding: chunked'], 'fffffffffffffffff\r\nabc'],
    ['a chunk that is longer than it says', [host, type, 'transfer-encoding: chunked'], '3\r\nabcdef\r\n0\r\n\r\n'],
  ] as const)('%s', async (_what, lines, content) => {
    expectRefused(await rawHttp(gateway.url, request(lines, content)), 400)
  })

  test('nor is what follows it on the same connection', async () => {
    const smuggled = `GET /healthz HTTP/1.1\r\n${host}\r\n\r\n`
    const socket = await open(gateway.url)
    let text = ''
    socket.on('data', chunk => {
      text += chunk
    })
    const closed = new Promise(resolve => socket.once('close', resolve))
    socket.write(request([host, type, length, 'transfer-encoding: chunked'], `0\r\n\r\n${smuggled}`))
    await closed
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(text).toMatch(/connection: close/i)
  })

  test('chunk extensions of 20 KB', async () => {
    const content = `3;${'x'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`
    const answer = await rawHttp(gateway.url, request([host, type, 'transfer-encoding: chunked'], content))
    expect([400, 413]).toContain(answer.status)
    expect(JSON.parse(answer.body).error.type).toBe('invalid_request_error')
  })
})

describe('the host', () => {
  test('must be there', async () => {
    expectRefused(await rawHttp(gateway.url, request([type, length])), 400)
    expectRefused(await rawHttp(gateway.url, 'GET /healthz HTTP/1.1\r\n\r\n'), 400)
  })

  test('must be one', async () => {
    expectRefused(await rawHttp(gateway.url, request([host, 'host: other.example', type, length])), 400)
    expectRefused(await rawHttp(gateway.url, `GET /healthz HTTP/1.1\r\n${host}\r\n${host}\r\n\r\n`), 400)
  })

  test.each(['x/?#', 'a@b', 'a b', 'a,b', 'http://x', 'x?key=1', '<x>', ''])(
    'must be a host: %j is none',
    async name => {
      expectRefused(await rawHttp(gateway.url, `GET /healthz HTTP/1.1\r\nhost: ${name}\r\n\r\n`), 400)
    },
  )

  test.each([
    'gateway.example',
    'gateway.example:8080',
    '127.0.0.1',
    '[::1]:8080',
    'my_host',
    'xn--bcher-kva.example',
    'LOCALHOST',
  ])('%s is one, and means nothing', async name => {
    expect((await rawHttp(gateway.url, `GET /healthz HTTP/1.1\r\nhost: ${name}\r\n\r\n`)).status).toBe(200)
  })

  test('HTTP/1.0 may do without', async () => {
    const socket = await open(gateway.url)
    const answer = readAnswer(socket)
    socket.write('GET /healthz HTTP/1.0\r\n\r\n')
    expect((await answer).status).toBe(200)
    socket.destroy()
  })

  test.each([
    ['GET', '/healthz', 200],
    ['GET', '/v1/models', 200],
    ['GET', '/v1beta/models?key=nobody', 200],
    ['POST', '/healthz', 405],
    ['GET', '/v1beta/models/nano-banana-2:generateContent', 405],
    ['POST', '/v1/images/generations', 200],
    ['POST', '/v1beta/models/nano-banana-2:generateContent', 200],
    ['GET', '/v1/assets/x.png', 404],
  ])('an address in the request line is its path: %s %s', async (method, path, status) => {
    const answers = await Promise.all(
      ['', 'http://evil.example', 'HTTPS://evil.example:8443'].map(async origin => {
        const body = JSON.stringify({ prompt: 'A kite', contents: [{ parts: [{ text: 'A kite' }] }] })
        const head = [`${method} ${origin}${path} HTTP/1.1`, host, type, `content-length: ${body.length}`]
        const answer = await rawHttp(gateway.url, `${head.join('\r\n')}\r\n\r\n${body}`)
        return [answer.status, answer.status === 200 ? '' : answer.body]
      }),
    )
    expect(answers[0]?.[0]).toBe(status)
    expect(answers.slice(1)).toEqual([answers[0], answers[0]])
  })
})

describe('what is no HTTP', () => {
  test.each([
    ['a TLS hello', Buffer.from('16030100c8010000c40303', 'hex')],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['noise', Buffer.from([0, 255, 1, 254, 13, 10, 13, 10])],
    ['a method nobody knows', `BREW ${path} HTTP/1.1\r\nhost: x\r\n\r\n`],
    ['no version', 'GET /healthz\r\n\r\n'],
    ['another version', 'GET /healthz HTTP/3.7\r\nhost: x\r\n\r\n'],
    ['a path with raw bytes', Buffer.from('GET /\u00ff\u0001 HTTP/1.1\r\nhost: x\r\n\r\n', 'latin1')],
    ['a path with a space', 'GET /a b HTTP/1.1\r\nhost: x\r\n\r\n'],
  ])('%s', async (_what, bytes) => expectRefused(await rawHttp(gateway.url, bytes), 400))
})

describe('heads that are too large', () => {
  test.each([
    ['one header of 20 KB', [`x-a: ${'x'.repeat(20_000)}`]],
    ['2100 headers', Array.from({ length: 2100 }, (_, index) => `x-${index}: 12345678`)],
    ['a key of 100 KB', [`authorization: Bearer ${'x'.repeat(100_000)}`]],
  ])('%s', async (_what, lines) => {
    expectRefused(await rawHttp(gateway.url, request([host, type, length, ...lines])), 431)
  })

  test('are told so in the words of the route, with an id', async () => {
    const head = [
      'POST /v1beta/models/nano-banana:generateContent HTTP/1.1',
      host,
      type,
      length,
      `x-a: ${'x'.repeat(20_000)}`,
    ]
    const { status, reason, headers, body: told } = await rawHttp(gateway.url, `${head.join('\r\n')}\r\n\r\n${body}`)
    expect([status, reason, JSON.parse(told).error]).toEqual([
      431,
      'INVALID_ARGUMENT',
      { code: 431, status: 'INVALID_ARGUMENT', message: expect.stringMatching(/too large/) },
    ])
    expect(headers['x-request-id']).toMatch(/^req_/)
  })

  test('a path of 20 KB', async () => {
    const answer = await rawHttp(gateway.url, `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n\r\n`)
    expect([400, 414, 431]).toContain(answer.status)
    expect(JSON.parse(answer.body).error.message).not.toBe('')
  })
})

describe('manners of HTTP that mean nothing here', () => {
  test.each([
    ['expect: banana'],
    ['upgrade: h2c'],
    ['connection: upgrade\r\nupgrade: websocket'],
    ['connection: keep-alive, x-foo'],
    ['te: trailers'],
    ['x-http-method-override: DELETE'],
    ['x-original-url: /admin'],
    ['x-forwarded-for: 127.0.0.1'],
    ['x-forwarded-host: evil.example'],
    ['traceparent: junk'],
    ['idempotency-key: ünïcode'],
    ['x-server-timeout: junk'],
    ['x-stainless-timeout: -5'],
    ['range: bytes=0-,0-,0-'],
    ['if-none-match: *'],
  ])('%s', async line => {
    const answer = await rawHttp(gateway.url, request([host, type, length, line]))
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body).data).toHaveLength(1)
  })

  test('expect: 100-continue is told to continue', async () => {
    const socket = await open(gateway.url)
    const first = readAnswer(socket)
    socket.write(request([host, type, length, 'expect: 100-continue'], ''))
    expect((await first).status).toBe(100)
    const second = readAnswer(socket)
    socket.write(body)
    expect((await second).status).toBe(200)
    socket.destroy()
  })

  test('CONNECT opens no tunnel', async () => {
    const socket = await open(gateway.url)
    const closed = new Promise(resolve => socket.once('close', resolve))
    let text = ''
    socket.on('data', chunk => {
      text += chunk
    })
    socket.write('CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n')
    await closed
    expect(text).not.toMatch(/^HTTP\/1\.1 2/)
    socket.destroy()
  })

  test.each(['OPTIONS *', 'OPTIONS /', 'TRACE /', 'HEAD /nowhere', 'HEAD /v1/images/generations'])(
    '%s',
    async first => {
      const { status, headers } = await rawHttp(
        gateway.url,
        `${first} HTTP/1.1\r\n${host}\r\nconnection: close\r\n\r\n`,
      )
      expect([404, 405]).toContain(status)
      expect(headers['content-type']).toMatch(/^application\/json/)
    },
  )

  test('requests in one packet are answered in their order', async () => {
    const socket = await open(gateway.url)
    let text = ''
    socket.on('data', chunk => {
      text += chunk
    })
    const get = (id: string) => `GET /healthz HTTP/1.1\r\n${host}\r\nx-request-id: ${id}\r\n\r\n`
    const post = request([host, type, length, 'x-request-id: two'])
    socket.write(get('one') + post + get('three'))
    await expect.poll(() => text.match(/x-request-id: (\w+)/gi)?.length).toBe(3)
    expect([...text.matchAll(/x-request-id: (\w+)/gi)].map(match => match[1])).toEqual(['one', 'two', 'three'])
    socket.destroy()
  })
})

test('a connection that is left open after noise is closed all the same', async () => {
  const { hostname, port } = new URL(gateway.url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  socket.on('error', () => {})
  const ended = new Promise(resolve => socket.once('end', resolve))
  socket.write('noise\r\n\r\n')
  socket.resume()
  await ended
  // This side never ends; the other does not wait for it.
  const server = gateway.app.server.server
  const open = () => new Promise<number>(resolve => server.getConnections((_error, count) => resolve(count)))
  const before = await open()
  await expect.poll(open).toBeLessThan(before)
  socket.destroy()
})

test('noise behind a request cuts its answer, and never gets into it', async () => {
  let finish = () => {}
  upstream.script = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"candidates":[]}\n\n')
    finish = () => response.end('data: {}\n\n')
  }
  const socket = await open(gateway.url)
  let text = ''
  socket.on('data', chunk => {
    text += chunk
  })
  const closed = new Promise(resolve => socket.once('close', resolve))
  const call = '/v1beta/models/x:streamGenerateContent?alt=sse'
  socket.write(request([host, type, 'content-length: 2'], '{}', `POST ${call} HTTP/1.1`))
  await expect.poll(() => text).toMatch(/candidates/)
  socket.write('\u0000\u0001 this is no HTTP\r\n\r\n')
  await closed
  finish()
  upstream.script = answerWith('answers/tiny-picture.json')
  expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1)
  expect(text).not.toMatch(/not valid HTTP/)
})
