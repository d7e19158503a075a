/** Which addresses there are, what each says where it is asked wrongly, and the headers that every answer has. */
import { describe, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { ask, askOpenai, read } from '../helpers/callers.ts'
import { formType, postForm, textParts } from '../helpers/forms.ts'
import { startGateway } from '../helpers/gateway.ts'
import { open, rawHttp, readAnswer } from '../helpers/raw-http.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'

const { gateway, upstream } = await scriptedGateway(answerWith('answers/tiny-picture.json'), {
  config: { listen: { maxBodyBytes: 1 << 20, corsOrigins: ['https://app.example'] } },
})

const send = async (method: string, path: string, headers: Record<string, string> = {}) =>
  read(await fetch(gateway.url + path, { method, headers }))

const imageFolders = [
  '/v1/images',
  '/images',
  '/openai/v1/images',
  '/v1beta/openai/images',
  '/v1beta1/images',
  '/openai/deployments/gemini-2.5-flash-image/images',
]

describe('image routes', () => {
  test.each(imageFolders)('%s/generations', async folder => {
    const { status, json, line } = await ask(gateway, `${folder}/generations?api-version=2025-04-01-preview`, {
      prompt: 'A red kite',
    })
    expect(status).toBe(200)
    expect(json.data).toHaveLength(1)
    expect(line).toMatchObject({ protocol: 'openai', operation: 'generate' })
  })

  test.each(imageFolders)('%s/edits', async folder => {
    const { status, json } = await read(
      await postForm(`${gateway.url}${folder}/edits`, textParts({ prompt: 'A red kite' })),
    )
    expect(status).toBe(200)
    expect(json.data).toHaveLength(1)
  })

  test('an Azure deployment’s name is the model, whatever the body says', async () => {
    for (const path of [
      '/openai/deployments/nano-banana/images/generations',
      '/openai/deployments/google%2Fnano-banana/images/generations',
    ]) {
      const { headers } = await ask(gateway, path, { prompt: 'A red kite', model: 'gpt-image-1.5' })
      expect(headers.get('x-plantain-model')).toBe('gemini-2.5-flash-image')
    }
  })

  test('a deployment whose name no model can have does not exist', async () => {
    for (const name of ['..%2f..', '%00', 'x'.repeat(900), 'x'.repeat(5000)]) {
      const { status, json } = await read(
        await gateway.post(`/openai/deployments/${name}/images/generations`, { prompt: 'A red kite' }),
      )
      expect(status).toBe(404)
      expect(json.error).toMatchObject({ type: 'invalid_request_error', param: expect.toBeOneOf(['model', null]) })
    }
    expect(upstream.seen).toHaveLength(0)
  })
})

describe('a method that an address does not take', () => {
  const posts = [
    ...imageFolders.flatMap(folder => [`${folder}/generations`, `${folder}/edits`]),
    '/v1beta/models/x:generateContent',
  ]
  const gets = [
    '/v1/models',
    '/v1/models/nano-banana',
    '/v1beta/models',
    '/v1beta/models/nano-banana',
    '/v1beta1/publishers/google/models',
    '/v1/publishers/google/models',
    '/healthz',
  ]

  test.each(posts)('%s is posted to', async path => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers, json, reason } = await send(method, path)
      expect([method, status, headers.get('allow')]).toEqual([method, 405, 'POST'])
      const google = path.includes(':')
      expect(reason).toBe(google ? 'UNIMPLEMENTED' : 'method_not_allowed')
      expect(json.error.code).toBe(google ? 405 : 'method_not_allowed')
    }
  })

  test.each(gets)('%s is read', async path => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers, json } = await send(method, path)
      expect([method, status, headers.get('allow')]).toEqual([method, 405, 'GET, HEAD'])
      expect(json.error.message).toMatch(/Use GET/)
    }
  })

  test.each(gets)('HEAD %s is GET without the body', async path => {
    const [head, get] = [await send('HEAD', path), await send('GET', path)]
    expect([head.status, head.text]).toEqual([200, ''])
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'))
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'))
  })

  test.each(['TRACE', 'PROPFIND', 'LINK', 'SEARCH', 'PURGE'])('%s is told so too', async method => {
    const answer = await rawHttp(gateway.url, `${method} /v1/images/generations HTTP/1.1\r\nhost: x\r\n\r\n`)
    expect(answer.status).toBe(405)
    expect(JSON.parse(answer.body).error.code).toBe('method_not_allowed')
  })
})

describe('an address that is not there', () => {
  test.each([
    ['POST', '/v1/images/variations', /retired.*\/v1\/images\/edits/],
    ['POST', '/images/variations', /retired/],
    ['POST', '/v1/chat/completions', /\/v1\/images\/generations/],
    ['POST', '/v1/responses', /not served/],
    ['GET', '/v1/responses/resp_1', /not served/],
    ['POST', '/v1/embeddings', /images only/],
    ['POST', '/v1beta/interactions', /:generateContent/],
    ['POST', '/v1beta/files', /inlineData/],
    ['POST', '/upload/v1beta/files', /inlineData/],
    ['GET', '/v1/files', /inlineData/],
    ['POST', '/v1/publishers/google/models/veo-3.0:predictLongRunning', /:predict/],
    ['POST', '/v1beta1/publishers/google/models/nano-banana:computeTokens', /:countTokens/],
    ['POST', '/v1beta/models/nano-banana%3AembedContent', /:generateContent/],
    ['POST', '/v1/cachedContents', /no batches, caches/],
    ['GET', '/v1beta/batches/b-1', /no batches/],
    ['GET', '/v1beta1/projects/p/locations/l/tuningJobs', /tunings/],
  ])('but at a vendor says what to use instead: %s %s', async (method, path, says) => {
    const { status, json } = await send(method, path)
    expect(status).toBe(404)
    expect(json.error.message).toMatch(says)
  })

  test.each([
    '/',
    '/v1',
    '/v1/',
    '/v1/images',
    '/v1/images/generations/',
    '/V1/Images/Generations',
    '//v1/images/generations',
    '/v1/images/generations;x=1',
    '/v1//images/generations',
    '/v1/../v1/images/generations/x',
    '/metrics',
    '/livez',
    '/readyz',
    '/admin',
    '/admin/usage',
    '/docs',
    '/debug',
    '/.env',
    '/favicon.ico',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/%00',
    '/v1/images/generations%00',
    '/☃',
    `/${'x'.repeat(8000)}`,
    '/v1/images/gener ations?x[__proto__]=1',
    '/constructor',
    '/__proto__',
  ])('is told in JSON: %s', async path => {
    for (const method of ['GET', 'POST']) {
      const { status, json, headers, reason } = await send(method, path)
      expect([method, status]).toEqual([method, 404])
      expect(json.error).toMatchObject({ type: 'invalid_request_error', param: null, code: 'unknown_url' })
      expect(reason).toBe('unknown_url')
      expect(headers.get('x-request-id')).toMatch(/^req_/)
      expect(json.error.message.length).toBeLessThan(500)
    }
  })

  test.each([
    '/v1beta/nothing',
    '/v1beta/models/x:brew',
    '/v1/v1beta/nothing',
    '/v1beta1/publishers/google/nothing',
    '/v1/publishers/google/nothing',
    '/v1beta1/projects/p',
  ])('is told in Google’s words where it looks like Google’s: %s', async path => {
    const { status, json, reason } = await send('POST', path)
    expect([status, reason]).toEqual([404, 'NOT_FOUND'])
    expect(json.error).toMatchObject({ code: 404, status: 'NOT_FOUND' })
  })

  test.each(['/%zz', '/v1/models/%', '/v1beta/models/%c3:generateContent', '/v1/images/generations%'])(
    'or is malformed: %s',
    async path => {
      for (const method of ['GET', 'POST']) {
        const { status, json } = await send(method, path)
        expect([400, 404]).toContain(status)
        expect(json.error.message).not.toBe('')
      }
    },
  )
})

describe('the reason phrase', () => {
  test('of a success is the usual one', async () => {
    expect((await send('GET', '/healthz')).reason).toBe('OK')
    expect((await askOpenai(gateway)).reason).toBe('OK')
    expect((await ask(gateway, '/v1beta/models/x:generateContent', {})).reason).toBe('OK')
  })

  test('of an error is its code, where there is none its type, on Google’s routes its status', async () => {
    expect((await askOpenai(gateway, { n: 11 })).reason).toBe('invalid_value')
    expect((await ask(gateway, '/v1/images/generations', '{')).reason).toBe('invalid_request_error')
    expect((await ask(gateway, '/v1beta/models/x:generateContent', '{')).reason).toBe('INVALID_ARGUMENT')
  })
})

describe('the request’s id', () => {
  test.each(['abc', 'A-1_2.3', 'x'.repeat(128)])('is the caller’s own where that is plain: %s', async id => {
    const { headers, line } = await ask(gateway, '/v1/images/generations', { prompt: 'x' }, { 'x-request-id': id })
    expect(headers.get('x-request-id')).toBe(id)
    expect(line).toMatchObject({ requestId: id })
  })

  test.each(['', ' ', 'a b', 'a/b', '<script>', 'é', 'x'.repeat(129), 'x'.repeat(10_000), '{"a":1}'])(
    'is a new one where it is not: %j',
    async id => {
      const { headers } = await send('GET', '/healthz', { 'x-request-id': id })
      expect(headers.get('x-request-id')).toMatch(/^req_[0-9a-f-]{36}$/)
    },
  )

  test('is a new one where there are two', async () => {
    const answer = await rawHttp(
      gateway.url,
      'GET /healthz HTTP/1.1\r\nhost: x\r\nx-request-id: a\r\nx-request-id: b\r\n\r\n',
    )
    expect(answer.headers['x-request-id']).toMatch(/^req_/)
  })

  test('is on errors of every kind', async () => {
    for (const [method, path] of [
      ['GET', '/nowhere'],
      ['PUT', '/v1/models'],
      ['POST', '/v1/images/generations'],
      ['GET', '/%zz'],
    ] as const) {
      const { headers } = await send(method, path, { 'x-request-id': 'mine' })
      expect(headers.get('x-request-id')).toBe('mine')
    }
  })
})

describe('the headers of an exchange', () => {
  const timing = /^upstream;dur=\d+\.\d, gateway;dur=\d+\.\d$/

  test('tell who answered, as what, in how many attempts, and whose time it took', async () => {
    const { headers } = await askOpenai(gateway, { model: 'nano-banana' })
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-plantain-upstream': 'google',
      'x-plantain-model': 'gemini-2.5-flash-image',
      'x-plantain-attempts': '1',
      'server-timing': expect.stringMatching(timing),
    })
  })

  test('tell so of a failure too', async () => {
    upstream.script = answerWith('errors/internal.json', 500)
    const { headers } = await askOpenai(gateway)
    upstream.script = answerWith('answers/tiny-picture.json')
    expect(headers.get('x-plantain-upstream')).toBe('google')
    expect(headers.get('server-timing')).toMatch(timing)
  })

  test('tell nothing of an upstream that was not called', async () => {
    const { headers } = await askOpenai(gateway, { n: 11 })
    for (const name of ['x-plantain-upstream', 'x-plantain-attempts', 'server-timing'])
      expect(headers.get(name)).toBeNull()
  })
})

describe('a ring of gateways', () => {
  test('is noticed where the request comes round', async () => {
    const ring = await startGateway({ upstream: gateway.url })
    const start = upstream.script
    upstream.script = async (request, response) => {
      const trail = String(request.headers['x-plantain-trail'])
      const again = await ask(ring, '/v1beta/models/x:generateContent', {}, { 'x-plantain-trail': trail })
      response.writeHead(again.status, { 'content-type': 'application/json' }).end(again.text)
    }
    const { line } = await ask(ring, '/v1beta/models/x:generateContent', {})
    upstream.script = start
    await ring.close()
    expect(line).toMatchObject({ outcome: 'failed' })
    expect(ring.log.find(({ errorKind }) => errorKind === 'loop')).toMatchObject({ status: 508 })
  })

  test('is told in both envelopes, and that a retry is no use', async () => {
    await askOpenai(gateway)
    const trail = String(upstream.seen[0]?.headers['x-plantain-trail'])
    expect(trail).toMatch(/^[0-9a-f]{8}$/)
    const openai = await askOpenai(gateway, {}, { 'x-plantain-trail': `other,${trail}` })
    expect(openai).toMatchObject({ status: 508, reason: 'loop_detected', json: { error: { code: 'loop_detected' } } })
    expect(openai.headers.get('x-should-retry')).toBe('false')
    const gemini = await ask(gateway, '/v1beta/models/x:generateContent', {}, { 'x-plantain-trail': trail })
    expect(gemini).toMatchObject({ status: 508, json: { error: { code: 508, status: 'FAILED_PRECONDITION' } } })
    expect(upstream.seen).toHaveLength(1)
  })

  test('is presumed where the trail is longer than any sane one', async () => {
    const trail = Array.from({ length: 21 }, (_, index) => `g${index}`).join(',')
    expect((await askOpenai(gateway, {}, { 'x-plantain-trail': trail })).status).toBe(508)
  })
})

describe('browsers of another origin', () => {
  const preflight = (path: string, origin = 'https://app.example') =>
    send('OPTIONS', path, {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-stainless-lang',
    })

  test.each(['/v1/images/generations', '/v1beta/models/x:generateContent', '/v1/models', '/nowhere'])(
    'may ask whether they may ask, without a key: %s',
    async path => {
      const { status, headers, text } = await preflight(path)
      expect([status, text]).toEqual([204, ''])
      expect(headers.get('access-control-allow-origin')).toBe('https://app.example')
      expect(headers.get('access-control-allow-methods')).toMatch(/POST/)
      expect(headers.get('access-control-allow-headers')).toBe('authorization,content-type,x-stainless-lang')
      expect(headers.get('access-control-allow-credentials')).toBeNull()
      expect(headers.get('vary')).toMatch(/origin/i)
      expect(headers.get('content-length')).toBeNull()
      expect(headers.get('x-request-id')).not.toBeNull()
    },
  )

  test('of an origin that was not named may not', async () => {
    const { status, headers } = await preflight('/v1/images/generations', 'https://evil.example')
    expect(status).toBe(405)
    expect(headers.get('access-control-allow-origin')).toBeNull()
    const answer = await ask(gateway, '/v1/images/generations', { prompt: 'x' }, { origin: 'https://evil.example' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    expect(answer.headers.get('vary')).toMatch(/origin/i)
  })

  test('read answers and errors of every kind, and the headers that matter', async () => {
    const origin = { origin: 'https://app.example' }
    for (const { headers } of [
      await askOpenai(gateway, {}, origin),
      await askOpenai(gateway, { n: 11 }, origin),
      await ask(gateway, '/v1beta/models/x:generateContent', {}, origin),
      await send('GET', '/v1/models', origin),
      await send('GET', '/nowhere', origin),
      await send('PUT', '/v1/models', origin),
      await send('POST', '/v1/images/generations', { ...origin, 'content-type': 'a/b, c/d' }),
      await send('GET', '/%zz', origin),
    ]) {
      expect(headers.get('access-control-allow-origin')).toBe('https://app.example')
      const exposed = headers.get('access-control-expose-headers') ?? ''
      for (const name of ['x-request-id', 'retry-after', 'x-plantain-model', 'x-plantain-cost-usd']) {
        expect(exposed).toContain(name)
      }
      for (const limited of ['requests', 'images', 'tokens']) {
        for (const what of ['limit', 'remaining', 'reset']) expect(exposed).toContain(`x-ratelimit-${what}-${limited}`)
      }
    }
  })

  test('are told nothing where the operator named no origin', async () => {
    const closed = await startGateway({ upstream: upstream.url })
    const answer = await fetch(`${closed.url}/v1/models`, { headers: { origin: 'https://app.example' } })
    expect([...answer.headers.keys()].filter(name => name.startsWith('access-control'))).toEqual([])
    const asked = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
    expect((await fetch(`${closed.url}/v1/models`, { method: 'OPTIONS', headers: asked })).status).toBe(405)
    await closed.close()
  })

  test('of every origin may, where the operator says so', async () => {
    const any = await startGateway({
      upstream: upstream.url,
      config: { listen: { host: '127.0.0.1', port: 0, maxBodyBytes: 1 << 20, corsOrigins: ['*'] } },
    })
    const answer = await fetch(`${any.url}/v1/models`, { headers: { origin: 'https://anyone.example' } })
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    await any.close()
  })
})

test('a connection is used again after an error that left a body unread', async () => {
  const socket = await open(gateway.url)
  const body = JSON.stringify({ prompt: 'A red kite' })
  const post = (path: string, type: string) =>
    `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  for (const [path, type, status] of [
    ['/nowhere', 'application/json', 404],
    ['/v1/images/generations', 'text/plain', 415],
    ['/v1/images/edits', formType, 400],
    ['/v1/images/generations', 'application/json', 200],
  ] as const) {
    const answer = readAnswer(socket)
    socket.write(post(path, type))
    expect((await answer).status).toBe(status)
  }
  socket.destroy()
})
