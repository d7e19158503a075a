/** Who may ask: the four places of a key, several keys at once, and what each protocol's client is told. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { ask, read } from '../helpers/callers.ts'
import { callerOf, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { rawHttp } from '../helpers/raw-http.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'

const callers = [callerOf('team-a'), callerOf('team-b'), callerOf('narrow', { models: ['nano-banana', 'gemini-3-*'] })]
const { gateway, upstream } = await scriptedGateway(answerWith('answers/tiny-picture.json'), { callers })

const openai = (headers: Record<string, string>, query = '') =>
  ask(gateway, `/v1/images/generations${query}`, { prompt: 'A red kite' }, headers)
const gemini = (headers: Record<string, string>, query = '') =>
  ask(gateway, `/v1beta/models/nano-banana:generateContent${query}`, { contents: [] }, headers)

describe.each([
  ['an image route', openai],
  ['a Gemini route', gemini],
] as const)('on %s', (_what, call) => {
  test.each([
    ['Authorization: Bearer', { authorization: 'Bearer key-of-team-a' }],
    ['authorization: bearer', { authorization: 'bearer key-of-team-a' }],
    ['Authorization, bare', { authorization: 'key-of-team-a' }],
    ['x-goog-api-key', { 'x-goog-api-key': 'key-of-team-a' }],
    ['api-key', { 'api-key': 'key-of-team-a' }],
  ])('a key is taken from %s', async (_place, headers) => {
    const { status, line } = await call(headers)
    expect(status).toBe(200)
    expect(line).toMatchObject({ caller: 'team-a', outcome: 'ok' })
  })

  test('a key is taken from ?key=, and neither logged nor handed on', async () => {
    const { status, line } = await call({}, '?key=key-of-team-a')
    expect(status).toBe(200)
    expect(line).toMatchObject({ caller: 'team-a' })
    expect(JSON.stringify(gateway.log)).not.toMatch(/key-of-/)
    expect(upstream.seen[0]?.url).not.toMatch(/key-of-/)
    expect(JSON.stringify(upstream.seen[0]?.headers)).not.toMatch(/key-of-/)
  })

  test('a placeholder in one place does not spoil the key in another', async () => {
    const placeholders = { authorization: 'Bearer sk-placeholder', 'api-key': 'none' }
    const { status, line } = await call({ ...placeholders, 'x-goog-api-key': 'key-of-team-b' }, '?key=dummy')
    expect(status).toBe(200)
    expect(line).toMatchObject({ caller: 'team-b' })
  })

  test('one caller’s key in two places is that caller', async () => {
    const { status } = await call(
      { authorization: 'Bearer key-of-team-a', 'x-goog-api-key': 'key-of-team-a' },
      '?key=key-of-team-a',
    )
    expect(status).toBe(200)
  })

  test('the keys of two callers are a mistake', async () => {
    for (const [headers, query] of [
      [{ authorization: 'Bearer key-of-team-a', 'x-goog-api-key': 'key-of-team-b' }, ''],
      [{ authorization: 'Bearer key-of-team-a' }, '?key=key-of-team-b'],
      [{}, '?key=key-of-team-b&key=key-of-team-a'],
    ] as const) {
      const { status, json } = await call(headers, query)
      expect(status).toBe(400)
      expect(json.error.message).toMatch(/two different callers/)
    }
    expect(upstream.seen).toHaveLength(0)
  })

  test.each([
    ['an unknown key', { authorization: 'Bearer key-of-c' }],
    ['a key that is nearly right', { authorization: 'Bearer key-of-team-a ' + 'x' }],
    ['another scheme', { authorization: 'Basic a2V5LW9mLWE6' }],
    ['a scheme without a key', { authorization: 'Bearer' }],
    ['a key of 10 KB', { authorization: `Bearer ${'x'.repeat(10_000)}` }],
    ['SQL', { authorization: "Bearer ' OR 1=1--" }],
    ['bytes outside of ASCII', { 'x-goog-api-key': 'kéy' }],
    ['the hash of a key', { 'api-key': createHash('sha256').update('key-of-team-a').digest('hex') }],
  ])('%s is told to be wrong', async (_what, headers) => {
    const { status, json, line, text } = await call(headers)
    expect(status).toBe(call === openai ? 401 : 400)
    if (call === openai) expect(json.error).toMatchObject({ code: 'invalid_api_key', type: 'invalid_request_error' })
    else expect(json.error.details[0]).toMatchObject({ reason: 'API_KEY_INVALID' })
    expect(text).not.toMatch(/key-of-/)
    expect(line).toMatchObject({ caller: null, outcome: 'failed' })
    expect(upstream.seen).toHaveLength(0)
  })

  test('no key is told to be missing', async () => {
    for (const headers of [{}, { 'x-goog-api-key': '' }, { cookie: 'key=key-of-team-a' }]) {
      const { status, json, reason } = await call(headers)
      expect(status).toBe(call === openai ? 401 : 403)
      if (call === openai) expect(json.error).toMatchObject({ code: 'missing_api_key', param: null })
      else expect(json.error).toMatchObject({ code: 403, status: 'PERMISSION_DENIED' })
      expect(reason).toBe(call === openai ? 'missing_api_key' : 'PERMISSION_DENIED')
    }
  })
})

test('who is not known is told so before the body is read', async () => {
  const { status } = await ask(gateway, '/v1/images/generations', '{"not json')
  expect(status).toBe(401)
})

describe('the other routes', () => {
  const get = async (path: string, headers: Record<string, string> = {}) =>
    read(await fetch(gateway.url + path, { headers }))

  test('the model lists want a key too, in the words of the client who asks', async () => {
    expect((await get('/v1/models')).status).toBe(401)
    expect((await get('/v1/models/nano-banana')).status).toBe(401)
    expect((await get('/v1beta/models')).status).toBe(403)
    expect((await get('/v1/models', { 'x-goog-api-client': 'google-genai-sdk/3.1.0' })).status).toBe(403)
    expect((await get('/v1/models', { 'x-goog-api-key': 'wrong' })).json.error.status).toBe('INVALID_ARGUMENT')
    expect((await get('/v1/models', { authorization: 'Bearer key-of-team-a' })).status).toBe(200)
    expect((await get('/v1beta/models?key=key-of-team-a')).status).toBe(200)
  })

  test('whether the gateway lives is told to anyone', async () => {
    expect(await get('/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } })
  })
})

describe('a caller with a list of models', () => {
  const headers = { authorization: 'Bearer key-of-narrow' }

  test.each([
    'nano-banana',
    'gemini-2.5-flash-image',
    'nano-banana-pro',
    'nano-banana-hd',
    'gemini-3-pro-image-preview',
  ])('may use %s by any of its names, in both protocols', async model => {
    expect((await ask(gateway, '/v1/images/generations', { prompt: 'x', model }, headers)).status).toBe(200)
    expect((await ask(gateway, `/v1beta/models/${model}:generateContent`, { contents: [] }, headers)).status).toBe(200)
  })

  test.each(['nano-banana-2', 'gemini-3.1-flash-image', 'dall-e-3', 'nobody-knows'])(
    'finds that %s does not exist, and what does',
    async model => {
      const image = await ask(gateway, '/v1/images/generations', { prompt: 'x', model }, headers)
      expect(image.status).toBe(404)
      expect(image.json.error).toMatchObject({ code: 'model_not_found', param: 'model' })
      expect(image.json.error.message).toMatch(/gemini-2\.5-flash-image, |gemini-3-pro-image, /)
      expect(image.json.error.message).not.toMatch(/served here:.*gemini-3\.1/)
      const call = await ask(gateway, `/v1beta/models/${model}:generateContent`, { contents: [] }, headers)
      expect(call.status).toBe(404)
      expect(call.json.error).toMatchObject({ code: 404, status: 'NOT_FOUND' })
      expect(upstream.seen).toHaveLength(0)
    },
  )

  test('the default model counts as well', async () => {
    expect((await ask(gateway, '/v1/images/generations', { prompt: 'x' }, headers)).status).toBe(404)
  })

  test('sees only those in the lists', async () => {
    const { json } = await read(await fetch(`${gateway.url}/v1/models`, { headers }))
    const ids = json.data.map(({ id }: { id: string }) => id)
    expect(ids).toEqual(expect.arrayContaining(['gemini-2.5-flash-image', 'nano-banana', 'nano-banana-hd']))
    expect(ids.filter((id: string) => /3\.1|nano-banana-2/.test(id))).toEqual([])
    expect((await fetch(`${gateway.url}/v1/models/nano-banana-2`, { headers })).status).toBe(404)
    expect((await fetch(`${gateway.url}/v1/models/nano-banana-pro`, { headers })).status).toBe(200)
  })
})

describe('an open gateway', () => {
  let open: TestGateway
  beforeAll(async () => {
    open = await startGateway({ upstream: upstream.url })
  })
  afterAll(() => open.close())

  test.each([{}, { authorization: 'Bearer sk-anything' }, { 'x-goog-api-key': 'x', 'api-key': 'y' }])(
    'asks for no key, and does not mind one: %j',
    async headers => {
      const { status, line } = await ask(open, '/v1/images/generations', { prompt: 'x' }, headers)
      expect(status).toBe(200)
      expect(line).toMatchObject({ caller: 'anonymous' })
    },
  )
})

test('two Authorization headers are refused, even where both hold the same key', async () => {
  const { status, body } = await rawHttp(
    gateway.url,
    'GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key-of-team-a\r\nauthorization: Bearer key-of-team-a\r\n\r\n',
  )
  expect(status).toBe(400)
  expect(JSON.parse(body).error.message).toContain('two Authorization headers')
})
