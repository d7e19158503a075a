/** The model lists of both APIs, in every form that clients ask for them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { read } from '../helpers/callers.ts'
import { callerOf, startGateway, type TestGateway } from '../helpers/gateway.ts'

let gateway: TestGateway
beforeAll(async () => {
  // No upstream is asked for a list.
  gateway = await startGateway({ upstream: 'http://127.0.0.1:9' })
})
afterAll(() => gateway.close())

const get = async (path: string, headers: Record<string, string> = {}) =>
  read(await fetch(gateway.url + path, { headers }))

interface Entry {
  readonly id: string
  readonly name: string
}

const canonical = [
  'gemini-nano-banana-2.1',
  'gemini-3.1-flash-image',
  'gemini-3-pro-image',
  'gemini-3.1-flash-lite-image',
  'gemini-2.5-flash-image',
]

describe('/v1/models', () => {
  test('is both lists in one: canonical ids first, then aliases', async () => {
    const { status, headers, json } = await get('/v1/models')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^application\/json/)
    expect(headers.get('x-request-id')).toMatch(/^req_/)
    expect(json.object).toBe('list')
    const ids = json.data.map(({ id }: Entry) => id)
    expect(ids.slice(0, canonical.length)).toEqual(canonical)
    expect(ids).toEqual(expect.arrayContaining(['nano-banana', 'nano-banana-2', 'nano-banana-pro', 'nano-banana-hd']))
    expect(json.models.map(({ name }: Entry) => name)).toEqual(ids.map((id: string) => `models/${id}`))
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('has every field that clients choose models by', async () => {
    const { json } = await get('/v1/models')
    for (const model of json.data) {
      expect(model).toMatchObject({
        object: 'model',
        owned_by: 'google',
        supported_endpoint_types: ['image-generation', 'openai', 'gemini'],
      })
      expect(Number.isInteger(model.created)).toBe(true)
    }
    for (const model of json.models) {
      expect(model.supportedGenerationMethods).toEqual(expect.arrayContaining(['generateContent', 'countTokens']))
      expect(model).toMatchObject({ displayName: expect.any(String), description: expect.any(String) })
    }
  })

  test('shows neither retired names nor models that no upstream here serves', async () => {
    const { text } = await get('/v1/models')
    expect(text).not.toMatch(/dall-e|imagen|gpt-image/)
  })

  test.each(['/models', '/openai/v1/models', '/openai/models?api-version=2025-04-01-preview', '/v1beta/openai/models'])(
    '%s is the same',
    async path => {
      expect((await get(path)).json).toEqual((await get('/v1/models')).json)
    },
  )
})

describe('Google’s lists', () => {
  test.each(['/v1beta/models', '/v1alpha/models', '/v1/v1beta/models'])('%s has Google’s half alone', async path => {
    const { json } = await get(path)
    expect(Object.keys(json)).toEqual(['models'])
    expect(json.models).toEqual((await get('/v1/models')).json.models)
  })

  test.each(['/v1beta1', '/v1', ''])('Vertex’ list under «%s» has its own names', async version => {
    const { json } = await get(`${version}/publishers/google/models`)
    expect(json.publisherModels[0]).toMatchObject({ name: `publishers/google/models/${canonical[0]}` })
    for (const publisher of ['google', 'openai']) {
      const one = await get(`${version}/publishers/${publisher}/models/${canonical[0]}`)
      expect(one.json).toEqual(json.publisherModels[0])
    }
  })

  test.each(['/v1beta/models', '/v1/models', '/v1beta1/publishers/google/models'])('%s comes in pages', async path => {
    const names: string[] = []
    let token = ''
    let pages = 0
    do {
      const { status, json } = await get(`${path}?pageSize=3&pageToken=${token}`)
      expect(status).toBe(200)
      const page: readonly Entry[] = json.models ?? json.publisherModels
      expect(page.length).toBeLessThanOrEqual(3)
      names.push(...page.map(({ name }) => name))
      token = json.nextPageToken ?? ''
      pages += 1
    } while (token !== '')
    const { json } = await get(path)
    expect(names).toEqual((json.models ?? json.publisherModels).map(({ name }: Entry) => name))
    expect(pages).toBe(Math.ceil(names.length / 3))
  })

  test('a page of size 0 or of more than there are is the whole list', async () => {
    for (const query of ['pageSize=0', 'pageSize=1000', 'pageSize=999999', 'pageSize=', 'pageToken=0']) {
      const { json } = await get(`/v1beta/models?${query}`)
      expect(json).toEqual((await get('/v1beta/models')).json)
    }
    expect((await get('/v1beta/models?pageToken=500')).json).toEqual({ models: [] })
  })

  test.each(['pageSize=-1', 'pageSize=ten', 'pageToken=abc', 'pageSize=1e3', `pageToken=${'9'.repeat(50)}`])(
    '%s is refused by name',
    async query => {
      const { status, json } = await get(`/v1beta/models?${query}`)
      expect(status).toBe(400)
      expect(json.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' })
      expect(json.error.details[0].fieldViolations[0].field).toBe(query.split('=')[0])
    },
  )
})

describe('a single model', () => {
  test.each(['/v1/models/', '/models/', '/openai/v1/models/'])('%s tells of it to the clients of both', async path => {
    const { status, json } = await get(`${path}gemini-2.5-flash-image`)
    expect(status).toBe(200)
    expect(json).toMatchObject({
      id: 'gemini-2.5-flash-image',
      object: 'model',
      owned_by: 'google',
      name: 'models/gemini-2.5-flash-image',
    })
    expect(json).not.toHaveProperty('baseModelId')
  })

  test('an alias tells whose it is', async () => {
    const { json } = await get('/v1beta/models/nano-banana')
    expect(json).toMatchObject({ name: 'models/nano-banana', baseModelId: 'gemini-2.5-flash-image' })
    expect(json).not.toHaveProperty('id')
  })

  test.each([
    'models%2Fgemini-2.5-flash-image',
    'google%2Fgemini-2.5-flash-image',
    'google/gemini-2.5-flash-image',
    'models/gemini-2.5-flash-image',
    'Gemini-2.5-Flash-Image',
  ])('%s is a way to write it', async name => {
    expect((await get(`/v1/models/${name}`)).status).toBe(200)
    expect((await get(`/v1beta/models/${name}`)).status).toBe(200)
  })

  test('models/x is no alias of x', async () => {
    expect((await get('/v1beta/models/models%2Fgemini-2.5-flash-image')).json).not.toHaveProperty('baseModelId')
  })

  test.each([
    'nobody-knows',
    'google%2Fgemini%20x',
    '..%2f..%2fetc',
    '%00',
    'dall-e-3',
    'gpt-image-2',
    'x'.repeat(3000),
  ])('one that is not there is told so: %s', async name => {
    const openai = await get(`/v1/models/${name}`)
    expect([openai.status, openai.json.error.code]).toEqual([404, 'model_not_found'])
    const gemini = await get(`/v1beta/models/${name}`)
    expect([gemini.status, gemini.json.error.status]).toEqual([404, 'NOT_FOUND'])
    expect(gemini.json.error.message.length).toBeLessThan(500)
  })

  test('whoever presents himself as Google’s client is told in its words on a shared path', async () => {
    for (const [path, headers] of [
      ['/v1/models/nope', { 'x-goog-api-key': 'k' }],
      ['/v1/models/nope', { 'x-goog-api-client': 'google-genai-sdk/3.1.0' }],
      ['/v1/models/nope?key=k', {}],
      ['/nowhere?key=k', {}],
    ] as const) {
      expect((await get(path, headers)).json.error).toMatchObject({ code: 404, status: 'NOT_FOUND' })
    }
  })
})

describe('models that operators name and the catalogue does not know', () => {
  const models = new Map([
    ['Our-Painter', 'vendor-painter-7'],
    ['nano-banana-2', 'their-banana'],
  ])
  let named: TestGateway
  beforeAll(async () => {
    const callers = [callerOf('any'), callerOf('some', { models: ['gemini-*'] })]
    named = await startGateway({
      upstream: 'http://127.0.0.1:9',
      upstreamConfig: { models },
      callers,
      config: { auth: 'keys' },
    })
  })
  afterAll(() => named.close())

  const asked = async (path: string, caller: string) =>
    read(await fetch(named.url + path, { headers: { authorization: `Bearer key-of-${caller}` } }))

  test('stand in the lists behind all others, as they were written', async () => {
    const { json } = await asked('/v1/models', 'any')
    expect(json.data.at(-1)).toMatchObject({ id: 'Our-Painter', object: 'model', owned_by: 'custom' })
    expect(json.models.at(-1)).toMatchObject({ name: 'models/Our-Painter', displayName: 'Our-Painter' })
    expect(json.data.filter(({ id }: Entry) => id.toLowerCase() === 'nano-banana-2')).toHaveLength(1)
  })

  test.each(['Our-Painter', 'our-painter', 'models%2FOur-Painter'])('%s is told of by itself', async name => {
    const { status, json } = await asked(`/v1/models/${name}`, 'any')
    expect(status).toBe(200)
    expect(json).toMatchObject({ id: 'Our-Painter', name: 'models/Our-Painter' })
  })

  test('are shown to nobody who may not use them', async () => {
    const { text } = await asked('/v1/models', 'some')
    expect(text).not.toContain('Our-Painter')
    expect((await asked('/v1/models/Our-Painter', 'some')).status).toBe(404)
  })

  test('are among those that somebody is told of who asks for a model that is not served', async () => {
    const told = async (caller: string) => {
      const asking = { authorization: `Bearer key-of-${caller}` }
      const answer = await named.post('/v1/images/generations', { model: 'no such model', prompt: 'A hill' }, asking)
      expect(answer.status).toBe(404)
      return answer.text()
    }
    expect(await told('any')).toMatch(/served here: .*Our-Painter/)
    expect(await told('some')).not.toContain('Our-Painter')
  })
})
