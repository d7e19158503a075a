/** What a dry run tells: the very request that would go up, and nobody is called. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/limits/memory-store.ts'
import { answerWith } from '../fixtures/gemini.ts'
import { ask } from '../helpers/callers.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const sha256 = createHash('sha256').update(png).digest('hex')
const dry = { 'x-plantain-dry-run': 'true' }

let upstream: ScriptedUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startUpstream(answerWith('answers/tiny-picture.json'))
  gateway = await startGateway({
    upstream: upstream.url,
    callers: [
      {
        id: 'a',
        keySha256: createHash('sha256').update('key-a').digest('hex'),
        models: null,
        limits: { requestsPerMinute: 1 },
      },
    ],
    limitStore: createMemoryStore({ now: () => performance.now() }),
  })
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})
beforeEach(() => {
  upstream.seen.length = 0
})

const askDry = (path: string, body: object) => ask(gateway, path, body, { ...dry, authorization: 'Bearer key-a' })

test('a translated request is told as it would go up, with pictures in a few words and without the key', async () => {
  const { status, json, text } = await askDry('/v1/images/edits', {
    model: 'nano-banana-2',
    prompt: 'Make it blue',
    images: [{ image_url: `data:image/png;base64,${png.toString('base64')}` }],
    size: '1536x1024',
    n: 2,
    quality: 'high',
  })
  expect(status).toBe(200)
  const body = {
    contents: [
      {
        role: 'user',
        parts: [
          { text: 'Make it blue' },
          { inlineData: { mimeType: 'image/png', data: { picture: 'image/png', bytes: png.length, sha256 } } },
        ],
      },
    ],
    generationConfig: { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '3:2', imageSize: '1K' } },
  }
  const call = {
    upstream: 'google',
    method: 'POST',
    url: `${upstream.url}/v1beta/models/gemini-3.1-flash-image:generateContent`,
    headers: expect.objectContaining({ 'x-goog-api-key': '***', 'content-type': 'application/json' }),
    body,
  }
  expect(json).toEqual({
    dry_run: true,
    model: { asked: 'nano-banana-2', id: 'gemini-3.1-flash-image', known: true },
    upstreams: ['google'],
    calls: [call, call],
    ignored: [{ name: 'quality', why: 'it has no effect on this call to google' }],
    estimated_cost_usd: 0.134,
  })
  expect(text).not.toContain('upstream-key')
  expect(upstream.seen).toHaveLength(0)
})

test('a relayed call is told too', async () => {
  const { json } = await askDry('/v1beta/models/nano-banana:generateContent', {
    contents: [{ parts: [{ text: 'A kite' }] }],
  })
  expect(json.calls).toMatchObject([
    {
      url: expect.stringContaining('/v1beta/models/gemini-2.5-flash-image:'),
      body: { contents: [{ parts: [{ text: 'A kite' }] }] },
    },
  ])
  expect(upstream.seen).toHaveLength(0)
})

test.each([
  ['/v1beta/models/nano-banana:generateContent', {}, 0.039],
  ['/v1beta/models/nano-banana-2:generateContent', { generationConfig: { imageConfig: { imageSize: '4K' } } }, 0.151],
  ['/v1beta/models/nano-banana-2:generateContent', { generationConfig: { candidateCount: 2 } }, 0.134],
  ['/v1beta/models/nano-banana-2:countTokens', {}, 0],
])('what the pictures would cost is told of calls in Google’s form too: %s %j', async (path, body, usd) => {
  const contents = [{ role: 'user', parts: [{ text: 'A kite' }] }]
  expect((await askDry(path, { contents, ...body })).json.estimated_cost_usd).toBe(usd)
})

test('and of models that are priced by quality and size', async () => {
  const baseUrl = `${upstream.url}/v1`
  const upstreamConfig = { name: 'openai', protocol: 'openai', dialect: 'openai', baseUrl } as const
  const openai = await startGateway({ upstream: upstream.url, upstreamConfig })
  for (const asked of [{ size: '1536x1024' }, { size: '1536x1024', response_format: 'b64_json' }]) {
    const body = { prompt: 'A kite', model: 'gpt-image-1.5', quality: 'high', n: 2, ...asked }
    expect((await ask(openai, '/v1/images/generations', body, dry)).json.estimated_cost_usd).toBe(0.4)
  }
  await openai.close()
})

test('it takes nothing from the caller’s limits, and what is wrong is refused as ever', async () => {
  for (let turn = 0; turn < 3; turn++)
    expect((await askDry('/v1/images/generations', { prompt: 'A kite' })).status).toBe(200)
  const { status, json } = await askDry('/v1/images/generations', { prompt: 'A kite', aspect_ratio: '7:5' })
  expect([status, json.error.param]).toEqual([400, 'aspect_ratio'])
  const unknown = await ask(gateway, '/v1/images/generations', { prompt: 'A kite' }, dry)
  expect(unknown.status).toBe(401)
})

test('pictures by address are not fetched, and told as their addresses', async () => {
  const url = 'https://pictures.example/kite.png'
  const { json } = await askDry('/v1/images/edits', { prompt: 'Make it blue', images: [{ image_url: url }] })
  expect(json.calls[0].body.contents[0].parts[1].inlineData.data).toEqual({ picture_at: url })
})
