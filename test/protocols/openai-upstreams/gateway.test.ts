/** The way of a translated request through the whole gateway to an upstream of OpenAI's protocol, and back. */

import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { UpstreamConfig } from '../../../src/config/config.ts'
import { ask, askOpenai, told } from '../../helpers/callers.ts'
import { postForm, textParts } from '../../helpers/forms.ts'
import { startGateway, type TestGateway } from '../../helpers/gateway.ts'
import { numberedPicture } from '../../helpers/pictures.ts'
import { json, type ScriptedUpstream, startUpstream } from '../../helpers/scripted-upstream.ts'

let upstream: ScriptedUpstream
let png: Buffer
const gateways = new Map<UpstreamConfig['dialect'], TestGateway>()

beforeAll(async () => {
  png = await numberedPicture('png', 64, 48)
  upstream = await startUpstream(json({}))
  for (const dialect of ['openai', 'zenlayer'] as const) {
    const upstreamConfig = { name: dialect, protocol: 'openai', dialect, baseUrl: `${upstream.url}/v1` } as const
    gateways.set(dialect, await startGateway({ upstream: upstream.url, upstreamConfig }))
  }
})
afterAll(async () => {
  for (const gateway of gateways.values()) await gateway.close()
  await upstream.close()
})
beforeEach(() => {
  upstream.seen.length = 0
  upstream.script = json({ created: 1, data: [{ b64_json: png.toString('base64') }] })
})

function gatewayTo(dialect: UpstreamConfig['dialect']): TestGateway {
  const gateway = gateways.get(dialect)
  if (!gateway) throw new Error(`No gateway to ${dialect}.`)
  return gateway
}

test('three pictures are one call, with the upstream’s key and nothing of the caller’s', async () => {
  upstream.script = json({ data: [1, 2, 3].map(() => ({ b64_json: png.toString('base64') })) })
  const body = { model: 'gpt-image-2', n: 3, aspect_ratio: '16:9', seed: 3 }
  const answer = await askOpenai(gatewayTo('openai'), body, { authorization: 'Bearer caller' })
  expect(answer.status).toBe(200)
  expect(answer.json.data).toHaveLength(3)
  expect(answer.headers.get('x-plantain-ignored-params')).toBe('seed')
  const [seen] = upstream.seen
  expect(upstream.seen).toHaveLength(1)
  expect(seen?.url).toBe('/v1/images/generations')
  expect(seen?.headers).toMatchObject({ authorization: 'Bearer upstream-key', 'content-type': 'application/json' })
  expect(JSON.parse(String(seen?.body))).toEqual({ model: 'gpt-image-2', prompt: 'A red kite', n: 3, size: '1376x768' })
})

test('uploads of several megabytes arrive byte for byte, with their length announced', async () => {
  const files = [1, 2, 3].map(() => Buffer.concat([png, randomBytes(4_000_001)]))
  const parts = files.map(value => ({ name: 'image[]', value, fileName: 'a.bin', type: 'application/octet-stream' }))
  const fields = textParts({ model: 'gpt-image-2', prompt: 'A kite', aspect_ratio: '1:1' })
  const gateway = gatewayTo('openai')
  const { status } = await told(gateway, await postForm(`${gateway.url}/v1/images/edits`, [...fields, ...parts]))
  expect(status).toBe(200)
  const [seen] = upstream.seen
  if (!seen) throw new Error('Nothing went up.')
  expect(seen.headers['content-length']).toBe(String(seen.body.length))
  const headers = { 'content-type': seen.headers['content-type'] ?? '' }
  const form = await new Response(new Uint8Array(seen.body), { headers }).formData()
  const sums = await Promise.all(form.getAll('image[]').map(file => sumOf(file)))
  expect(sums).toEqual(files.map(file => createHash('sha256').update(file).digest('hex')))
})

async function sumOf(file: File | string): Promise<string> {
  if (typeof file === 'string') throw new Error('It should be a file.')
  return createHash('sha256')
    .update(Buffer.from(await file.arrayBuffer()))
    .digest('hex')
}

test('a Gemini model at an OpenAI-form vendor is called by the vendor’s name, once for each picture', async () => {
  const answer = await askOpenai(gatewayTo('zenlayer'), { model: 'nano-banana-2', n: 2, size: '1536x1024' })
  expect(answer.status).toBe(200)
  expect(answer.json.data).toHaveLength(2)
  const bodies = upstream.seen.map(({ body }) => JSON.parse(body.toString()))
  const sent = { model: 'gemini-3.1-flash-image-preview', prompt: 'A red kite', aspect_ratio: '3:2', image_size: '1K' }
  expect(bodies).toEqual([sent, sent])
})

test('what the vendor lacks of a model is refused before a call', async () => {
  for (const [body, param] of [
    [{ aspect_ratio: '1:8' }, 'aspect_ratio'],
    [{ image_size: '512' }, 'image_size'],
    [{ image: [png.toString('base64')] }, 'image'],
  ] as const) {
    const { status, json: told } = await askOpenai(gatewayTo('zenlayer'), { model: 'nano-banana-2', ...body })
    expect([status, told.error.param]).toEqual([400, param])
  }
  expect(upstream.seen).toEqual([])
})

test('a refusal is the caller’s to mend, a wrong key is not', async () => {
  const error = { message: 'Your request was rejected by the safety system.', type: 'image_generation_user_error' }
  upstream.script = json({ error: { ...error, code: 'moderation_blocked', param: null } }, 400)
  const body = { model: 'gpt-image-2', aspect_ratio: '1:1' }
  const refused = await askOpenai(gatewayTo('openai'), body)
  expect(refused.status).toBe(400)
  expect(refused.json.error).toMatchObject({ type: 'image_generation_user_error', code: 'moderation_blocked' })
  upstream.script = json({ error: { message: 'Incorrect API key provided.', code: 'invalid_api_key' } }, 401)
  const failed = await askOpenai(gatewayTo('openai'), body)
  expect([failed.status, failed.headers.get('x-should-retry')]).toEqual([502, 'false'])
})

test('a 429 keeps the wait that its headers tell', async () => {
  const error = { message: 'Rate limit reached.', type: 'images', code: 'rate_limit_exceeded', param: null }
  upstream.script = json({ error }, 429, { 'retry-after-ms': '1500' })
  const {
    status,
    headers,
    json: told,
  } = await askOpenai(gatewayTo('openai'), { model: 'gpt-image-2', aspect_ratio: '1:1' })
  expect(status).toBe(429)
  expect(headers.get('retry-after')).toBe('2')
  expect(headers.get('retry-after-ms')).toBe('1500')
  expect(told.error).toMatchObject({ type: 'images', code: 'rate_limit_exceeded' })
})

test.each([[['sexual', 'violence']], [[]], [null]])(
  'what a refusal is about is told as the upstream told it: %j',
  async categories => {
    const moderation_details = categories && { moderation_stage: 'output', categories }
    const error = { message: 'Rejected.', type: 'image_generation_user_error', code: 'moderation_blocked', param: null }
    upstream.script = json({ error: { ...error, moderation_details } }, 400)
    const { json: told, line } = await askOpenai(gatewayTo('openai'), { model: 'gpt-image-2', aspect_ratio: '4:3' })
    expect(told.error).toMatchObject({ ...error, moderation_details: { categories: categories ?? [] } })
    expect(line.refusalReason).toBe(categories?.join(', ') || 'moderation_blocked')
  },
)

const about = { quality: 'high', background: 'transparent' }

test('what the upstream says of its pictures is told', async () => {
  const revised = ['A red kite, "high" up', 'A red kite. '.repeat(200)]
  const data = revised.map(revised_prompt => ({ b64_json: png.toString('base64'), revised_prompt }))
  upstream.script = json({ created: 1, data, ...about })
  const { json: told } = await askOpenai(gatewayTo('openai'), { model: 'gpt-image-2', n: 2, aspect_ratio: '4:3' })
  expect(told).toMatchObject({ ...about, output_format: 'png', size: '64x48', data })
})

test('also of those in a stream', async () => {
  upstream.script = json({ created: 1, data: [{ b64_json: png.toString('base64') }], ...about })
  const { text } = await askOpenai(gatewayTo('openai'), { model: 'gpt-image-2', stream: true, aspect_ratio: '4:3' })
  expect(JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '')).toMatchObject(about)
})

test('but no whole answer says «auto», and no JPEG is transparent', async () => {
  upstream.script = json({
    data: [{ b64_json: (await numberedPicture('jpeg', 64, 48)).toString('base64') }],
    quality: 'auto',
    background: 'transparent',
  })
  const { json: told } = await askOpenai(gatewayTo('openai'), { model: 'gpt-image-2', aspect_ratio: '4:3' })
  expect(told).toMatchObject({ output_format: 'jpeg', background: 'opaque' })
  expect(told).not.toHaveProperty('quality')
})

test('an answer without a picture is an error that says so', async () => {
  upstream.script = json({ created: 1, data: [] })
  const { status, json: told } = await askOpenai(gatewayTo('zenlayer'), { model: 'nano-banana-2' })
  expect([status, told.error.code]).toEqual([400, 'no_image_generated'])
})

test('a model nobody knows goes up by the caller’s word for it', async () => {
  const { status } = await ask(gatewayTo('openai'), '/v1/images/generations', {
    model: 'local/flux',
    prompt: 'A kite',
    aspect_ratio: '16:9',
  })
  expect(status).toBe(200)
  expect(JSON.parse(String(upstream.seen[0]?.body))).toEqual({
    model: 'local/flux',
    prompt: 'A kite',
    size: '1376x768',
    response_format: 'b64_json',
  })
})
