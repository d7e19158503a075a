/** Programs that cannot be run here, by what they send: each request is replayed as it is, and each answer read as that program reads it. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { read } from '../helpers/callers.ts'
import { postForm } from '../helpers/forms.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { picture, see } from '../helpers/pictures.ts'
import { maskWith } from '../pixels/masked-pictures.ts'
import { fromBase64 } from '../sdk/setup.ts'
import type { FakeUpstream, SeenRequest } from '../upstreams/contract.ts'
import { startGoogle } from '../upstreams/google.ts'
import { jsonOf } from '../upstreams/seen.ts'
import { type Files, key, type Replay, replays } from './replays.ts'

const site = 'https://chat.example.org'
const files = await makeFiles()
let google: FakeUpstream
let gateway: TestGateway

beforeAll(async () => {
  google = await startGoogle()
  const keySha256 = createHash('sha256').update(key).digest('hex')
  gateway = await startGateway({
    upstream: google.baseUrl,
    upstreamConfig: { keys: [google.key] },
    callers: [{ id: 'team', keySha256, models: null, limits: {} }],
    config: { listen: { host: '127.0.0.1', port: 0, maxBodyBytes: 1 << 24, corsOrigins: [site] } },
  })
})
afterAll(async () => {
  await gateway.close()
  await google.close()
})
beforeEach(() => google.reset())

async function makeFiles(): Promise<Files> {
  const [png, jpeg] = [await picture('png'), await picture('jpeg')]
  return { png, jpeg, mask: await maskWith({ width: 64, height: 48 }, [{ left: 8, top: 8, width: 30, height: 20 }]) }
}

const send = async ({ path, headers = {}, body }: Pick<Replay, 'path' | 'headers' | 'body'>) =>
  read(
    await (Array.isArray(body)
      ? postForm(gateway.url + path, body, { headers: { ...headers } })
      : gateway.post(path, body, { ...headers })),
  )
const get = async (path: string, headers: Record<string, string> = {}) =>
  read(await fetch(gateway.url + path, { headers }))

const partsOf = (request: SeenRequest): readonly object[] => jsonOf(request).contents.at(-1).parts
const picturesIn = (request: SeenRequest) =>
  partsOf(request).filter(part => 'inlineData' in part || 'inline_data' in part).length
// Short, and in an order that says nothing: of calls side by side any may be the first.
const prints = (pictures: readonly Buffer[]) =>
  pictures.map(file => createHash('md5').update(file).digest('hex')).sort()

test.each(replays(files).map(replay => [replay.client, replay] as const))('%s', async (_, replay) => {
  const { model, size, references = 0, calls = 1, madeInto } = replay.asks
  const answer = await send(replay)

  expect([answer.status, google.problems]).toEqual([200, []])
  const pictures = (await replay.reads(answer)).map(fromBase64)
  if (madeInto === undefined) expect(prints(pictures)).toEqual(prints(google.pictures.map(({ bytes }) => bytes)))
  else expect((await Promise.all(pictures.map(see))).map(({ format }) => format)).toEqual(Array(calls).fill(madeInto))
  expect(google.requests.map(({ path }) => path)).toEqual(Array(calls).fill(`/v1beta/models/${model}:generateContent`))
  expect(google.requests.map(picturesIn)).toEqual(Array(calls).fill(references))
  if (size !== undefined) {
    expect(google.pictures.map(({ width, height }) => `${width}x${height}`)).toEqual(Array(calls).fill(size))
  }
  // A caller's key goes nowhere.
  for (const { headers, query } of google.requests) expect(JSON.stringify([headers, [...query]])).not.toContain(key)
})

describe('models, by what programs choose them by', () => {
  test('Open WebUI, Roo and many more: ids', async () => {
    const { json } = await get('/v1/models', { authorization: `Bearer ${key}` })
    const ids = json.data.map(({ id }: { id: string }) => id)
    expect(ids).toEqual(expect.arrayContaining(['gemini-3.1-flash-image', 'nano-banana-2']))
  })

  test('n8n tries its credential with an organization that is empty', async () => {
    const { status } = await get('/v1/models', { authorization: `Bearer ${key}`, 'openai-organization': '' })
    expect(status).toBe(200)
  })

  test('n8n’s Gemini node puts a listed name into its path as it stands', async () => {
    const { json } = await get(`/v1beta/models?pageSize=1000&key=${key}`)
    const names = json.models.map(({ name }: { name: string }) => name)
    const editors = names.filter((name: string) =>
      /^models\/(?:gemini-3\.1-flash-image|gemini-2\.5-flash-image|gemini-3-pro-image)/.test(name),
    )
    expect(editors.length).toBeGreaterThanOrEqual(3)
    for (const name of editors) {
      const body = { contents: [{ role: 'user', parts: [{ text: 'A red kite' }] }] }
      expect(await send({ path: `/v1beta/${name}:generateContent?key=${key}`, body })).toMatchObject({ status: 200 })
    }
    expect(google.problems).toEqual([])
  })

  test('Cherry Studio: how a model is asked for', async () => {
    const { json } = await get('/v1/models', { authorization: `Bearer ${key}` })
    for (const { supported_endpoint_types } of json.data) expect(supported_endpoint_types).toContain('image-generation')
  })
})

describe('what else programs read', () => {
  test('Dify and others: a usage with its details, or none', async () => {
    const body = { model: 'nano-banana-2', prompt: 'A red kite', size: '512x512' }
    const { json } = await send({ path: '/v1/images/generations', headers: { authorization: `Bearer ${key}` }, body })
    expect(json.usage.input_tokens_details).toEqual({ text_tokens: expect.any(Number), image_tokens: 0 })
  })

  test('Open WebUI shows its users the reason phrase and nothing else: it tells what went wrong', async () => {
    const asked = { path: '/v1/images/generations', headers: { authorization: `Bearer ${key}` } }
    const refusal = await send({ ...asked, body: { prompt: 'x', size: 'huge' } })
    expect([refusal.status, refusal.reason]).toEqual([400, 'invalid_value'])
    google.answerNext({ kind: 'refusal' })
    expect((await send({ ...asked, body: { prompt: 'x' } })).reason).toBe('moderation_blocked')
    google.answerNext({ kind: 'rate-limited' })
    const path = '/v1beta/models/nano-banana-2:predict'
    const limited = await send({ path, headers: { 'x-goog-api-key': key }, body: { instances: { prompt: 'x' } } })
    expect([limited.status, limited.reason]).toEqual([429, 'RESOURCE_EXHAUSTED'])
  })

  test('NextChat asks from a page in a browser, which asks first whether it may', async () => {
    const path = `${gateway.url}/v1/images/generations`
    const preflight = await fetch(path, {
      method: 'OPTIONS',
      headers: {
        origin: site,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-requested-with',
      },
    })
    expect(preflight.ok).toBe(true)
    expect(preflight.headers.get('access-control-allow-origin')).toBe(site)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('x-requested-with')

    const headers = { authorization: `Bearer ${key}`, origin: site }
    const answer = await send({
      path: '/v1/images/generations',
      headers,
      body: { model: 'dall-e-3', prompt: 'x', response_format: 'b64_json' },
    })
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, site])
  })

  test.each([
    ['n8n’s Gemini edit', '/upload/v1beta/files', 'Files API'],
    ['LobeChat’s chat models, Roo, NextChat', '/v1/chat/completions', 'Chat completions'],
    ['the Agents SDK', '/v1/responses', 'Responses API'],
  ])('%s is told what is not served here', async (_, path, named) => {
    const { status, json } = await send({ path, headers: { authorization: `Bearer ${key}` }, body: {} })
    expect(status).toBe(404)
    expect(json.error.message).toContain(named)
  })
})
