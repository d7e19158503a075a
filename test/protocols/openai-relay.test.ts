/** OpenAI's form in, OpenAI's form out: what is passed on as it came, what is not, and what comes back. */

import { createHash, randomBytes } from 'node:crypto'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { UpstreamConfig } from '../../src/config/config.ts'
import { ask, askOpenai, read, told } from '../helpers/callers.ts'
import { boundary, type FormPart, formBytes, formType, postForm, textParts } from '../helpers/forms.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { numberedPicture } from '../helpers/pictures.ts'
import { json, type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'
import { startAzure } from '../upstreams/azure.ts'
import type { FakeUpstream } from '../upstreams/contract.ts'
import { startOpenAI } from '../upstreams/openai.ts'

const answer = '{ "created": 17,\n "data": [ {"b64_json": "iVBORw0KGgo=", "revised_prompt": null} ], "later": [1.0] }'
let upstream: ScriptedUpstream
let gateway: TestGateway
let png: Buffer

beforeAll(async () => {
  png = await numberedPicture('png', 64, 48)
  upstream = await startUpstream(json(answer))
  gateway = await startGateway({ upstream: upstream.url, upstreamConfig: openaiAt(`${upstream.url}/v1`) })
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})
beforeEach(() => {
  upstream.seen.length = 0
  upstream.script = json(answer)
})

const openaiAt = (baseUrl: string, more: Partial<UpstreamConfig> = {}) =>
  ({ name: 'openai', protocol: 'openai', dialect: 'openai', baseUrl, ...more }) as const

function sentUp() {
  const [seen] = upstream.seen
  if (!seen || upstream.seen.length > 1) throw new Error(`${upstream.seen.length} calls went up.`)
  return { ...seen, text: seen.body.toString() }
}

const file = (more: Partial<FormPart> = {}): FormPart => ({
  name: 'image',
  value: png,
  fileName: 'käse.png',
  type: 'image/png',
  ...more,
})
const edit = async (...parts: FormPart[]) => told(gateway, await postForm(`${gateway.url}/v1/images/edits`, parts))
const prompt: FormPart = { name: 'prompt', value: 'Put a hat on it' }

describe('a JSON body', () => {
  test('goes up byte for byte, values that nobody here would send among it', async () => {
    const body =
      '{ "model":"gpt-image-2", "prompt":"", "n": 99.50, "size":"huge", "user":null,\n"tomorrow": {"a": "\\u003d"} }'
    expect((await ask(gateway, '/v1/images/generations', body)).status).toBe(200)
    const { url, text, headers } = sentUp()
    expect([url, text]).toEqual(['/v1/images/generations', body])
    expect(headers).toMatchObject({ authorization: 'Bearer upstream-key', 'content-type': 'application/json' })
  })

  test.each([
    [
      'an alias',
      '{"prompt":"A", "model": "openai/GPT-Image-2", "n":1 }',
      '{"prompt":"A", "model": "gpt-image-2", "n":1 }',
    ],
    ['an id that is nowhere known', '{"prompt":"A","model":"local/flux"}', '{"prompt":"A","model":"local/flux"}'],
  ])('has only its model replaced: %s', async (_name, body, expected) => {
    expect((await ask(gateway, '/v1/images/generations', body)).status).toBe(200)
    expect(sentUp().text).toBe(expected)
  })

  test('of an edit goes to the edits', async () => {
    const body = `{"model":"gpt-image-2","prompt":"A hat","images":[{"image_url":"data:image/png;base64,${png.toString('base64')}"},{"file_id":"file-1"}]}`
    expect((await ask(gateway, '/v1/images/edits', body)).status).toBe(200)
    const { url, text } = sentUp()
    expect([url, text]).toEqual(['/v1/images/edits', body])
  })

  test('that names no model gets the default', async () => {
    const own = await startGateway({
      upstream: upstream.url,
      upstreamConfig: openaiAt(`${upstream.url}/v1`),
      answers: { defaultModel: 'gpt-image-1.5' },
    })
    await ask(own, '/v1/images/generations', '{ "prompt": "A" }')
    await own.close()
    expect(sentUp().text).toBe('{"model":"gpt-image-1.5", "prompt": "A" }')
  })

  test('of an Azure path is for the model in the path', async () => {
    await ask(
      gateway,
      '/openai/deployments/gpt-image-1.5/images/generations?api-version=1',
      '{"prompt":"A","model":"x"}',
    )
    expect(sentUp().text).toBe('{"prompt":"A","model":"gpt-image-1.5"}')
  })
})

describe('a form', () => {
  test('goes up byte for byte, its boundary said', async () => {
    const parts = [
      file({ name: 'image[]' }),
      file({ name: 'mask' }),
      prompt,
      ...textParts({ model: 'gpt-image-2', n: 'x' }),
    ]
    expect((await edit(...parts)).status).toBe(200)
    const { url, body, headers } = sentUp()
    expect(url).toBe('/v1/images/edits')
    expect(body.equals(formBytes(parts))).toBe(true)
    expect(headers).toMatchObject({
      'content-type': `multipart/form-data; boundary="${boundary}"`,
      'content-length': String(body.length),
    })
  })

  test('has only its model replaced', async () => {
    const heavy = file({ value: Buffer.concat([png, randomBytes(3_000_000)]) })
    const parts = (model: string) => [heavy, { name: 'model', value: model }, prompt]
    expect((await edit(...parts('openai/gpt-image-2'))).status).toBe(200)
    const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
    expect(sum(sentUp().body)).toBe(sum(formBytes(parts('gpt-image-2'))))
  })

  test('without a model gets a part that names it', async () => {
    const bytes = formBytes([prompt, file()])
    const headers = { 'content-type': formType }
    const path = `${gateway.url}/openai/deployments/gpt-image-2/images/edits`
    expect((await fetch(path, { method: 'POST', headers, body: new Uint8Array(bytes) })).status).toBe(200)
    const { body } = sentUp()
    expect(body.subarray(body.length - bytes.length).equals(bytes)).toBe(true)
    const form = await new Response(new Uint8Array(body), { headers }).formData()
    expect([form.get('model'), form.get('prompt')]).toEqual(['gpt-image-2', 'Put a hat on it'])
  })
})

describe('what cannot go up as it came is translated', () => {
  const model = 'gpt-image-2'
  test.each([
    ['aspect_ratio', { aspect_ratio: '16:9' }, { size: '1376x768' }],
    ['image_size', { imageSize: '2K' }, { size: '2048x2048' }],
    ['width and height', { width: 1024, height: 1536 }, { size: '1024x1536' }],
    ['camelCase', { outputFormat: 'webp' }, { output_format: 'webp' }],
    ['a field in camelCase that only OpenAI has', { safetyIdentifier: 'me' }, { safety_identifier: 'me' }],
    ['response_format, which GPT models refuse', { response_format: 'b64_json' }, {}],
  ])('%s', async (_name, more, expected) => {
    upstream.script = json({ data: [{ b64_json: png.toString('base64') }] })
    expect((await askOpenai(gateway, { model, ...more })).status).toBe(200)
    expect(JSON.parse(sentUp().text)).toEqual({ model, prompt: 'A red kite', ...expected })
  })

  test('a retired name, and the words that belong to it', async () => {
    upstream.script = json({ data: [{ b64_json: png.toString('base64') }] })
    const { headers } = await askOpenai(gateway, {
      model: 'dall-e-3',
      style: 'vivid',
      quality: 'hd',
      size: '1024x1024',
    })
    expect(JSON.parse(sentUp().text)).toEqual({ model, prompt: 'A red kite', size: '1024x1024' })
    expect(headers.get('x-plantain-ignored-params')).toBe('style, quality')
  })

  test.each([
    ['an address that is asked for', { model: 'local/flux', response_format: 'url' }],
    ['an address that is asked for in camelCase', { model: 'local/flux', responseFormat: 'url' }],
    ['an address that a retired name promises', { model: 'dall-e-3' }],
  ])('%s is the gateway’s own', async (_name, body) => {
    upstream.script = json({ data: [{ b64_json: png.toString('base64') }] })
    const { json: said } = await askOpenai(gateway, body)
    expect(said.data).toEqual([{ url: expect.stringContaining(`${gateway.url}/v1/assets/`) }])
    expect(Buffer.from(await (await fetch(said.data[0].url)).arrayBuffer()).equals(png)).toBe(true)
    expect(JSON.parse(sentUp().text).response_format).not.toBe('url')
  })

  test('a form that asks for an address gets the gateway’s own too', async () => {
    upstream.script = json({ data: [{ b64_json: png.toString('base64') }] })
    const named = ['local/flux', 'url'].map((value, at) => ({ name: at ? 'response_format' : 'model', value }))
    const { json: said } = await edit(file(), prompt, ...named)
    expect(said.data[0].url).toContain(`${gateway.url}/v1/assets/`)
  })

  test('every call is, where the configuration answers by URL', async () => {
    upstream.script = json({ data: [{ b64_json: png.toString('base64') }] })
    const byUrl = await startGateway({
      upstream: upstream.url,
      upstreamConfig: openaiAt(`${upstream.url}/v1`),
      answers: { responseFormat: 'url' },
    })
    const { json: said } = await askOpenai(byUrl, { model })
    expect(said.data[0].url).toContain(`${byUrl.url}/v1/assets/`)
    await byUrl.close()
  })

  test('a picture on a host of the operator’s own is fetched for whoever could not reach it', async () => {
    const host = await startUpstream((_request, response) => void response.end(png))
    const own = await startGateway({
      upstream: upstream.url,
      upstreamConfig: openaiAt(`${upstream.url}/v1`),
      config: { references: { allow: [new URL(host.url).host] } },
    })
    upstream.script = json({ data: [{ b64_json: png.toString('base64') }] })
    for (const where of ['images', 'mask']) {
      upstream.seen.length = 0
      const elsewhere = { image_url: `data:image/png;base64,${png.toString('base64')}` }
      const here = { image_url: `${host.url}/kite.png` }
      const pictures = { images: [where === 'images' ? here : elsewhere], mask: where === 'mask' ? here : elsewhere }
      expect((await ask(own, '/v1/images/edits', { model, prompt: 'x', ...pictures })).status).toBe(200)
      expect(sentUp().body.includes(png)).toBe(true)
      expect(sentUp().text).not.toContain(host.url)
    }
    await own.close()
    await host.close()
  })

  test('pictures beside a prompt become an edit', async () => {
    upstream.script = json({ data: [{ b64_json: png.toString('base64') }] })
    expect((await askOpenai(gateway, { model, image: [png.toString('base64')] })).status).toBe(200)
    expect(sentUp().url).toBe('/v1/images/edits')
  })

  test.each([
    ['files of no type', () => [file({ type: 'application/octet-stream' })]],
    ['pictures of one name', () => [file(), file(), file()]],
    ['a picture beside a list of them', () => [file(), file({ name: 'image[]' })]],
    ['pictures that are numbered', () => [file({ name: 'image[0]' }), file({ name: 'image[1]' })]],
    ['pictures as texts', () => [{ name: 'image', value: `data:image/png;base64,${png.toString('base64')}` }]],
  ] as const)('%s get what OpenAI asks for', async (_name, pictures) => {
    upstream.script = json({ data: [{ b64_json: png.toString('base64') }] })
    expect((await edit(...pictures(), prompt, { name: 'model', value: model })).status).toBe(200)
    const { body, headers } = sentUp()
    const type = { 'content-type': headers['content-type'] ?? '' }
    const files = (await new Response(new Uint8Array(body), { headers: type }).formData()).getAll('image[]')
    const types = files.map(each => typeof each !== 'string' && each.type)
    expect(types).toEqual(pictures().map(() => 'image/png'))
  })

  test('an edit without a picture is painted from its prompt', async () => {
    upstream.script = json({ data: [{ b64_json: png.toString('base64') }] })
    expect((await edit(prompt, { name: 'model', value: model })).status).toBe(200)
    expect(sentUp().url).toBe('/v1/images/generations')
  })

  test('two models in one form are refused', async () => {
    const models = ['gpt-image-2', 'gpt-image-1.5'].map(value => ({ name: 'model', value }))
    const { status, json: said } = await edit(prompt, file(), ...models)
    expect([status, said.error.param]).toEqual([400, 'model'])
    expect(upstream.seen).toEqual([])
  })

  test('a model that a caller may not use is not there, whatever the form looks like', async () => {
    const keySha256 = createHash('sha256').update('k').digest('hex')
    const callers = [{ id: 'a', keySha256, models: ['gpt-image-1.5'], limits: {} }]
    const own = await startGateway({ upstream: upstream.url, upstreamConfig: openaiAt(`${upstream.url}/v1`), callers })
    const headers = { authorization: 'Bearer k' }
    const parts = (model: string) => [prompt, file(), { name: 'model', value: model }]
    const path = `${own.url}/v1/images/edits`
    expect((await read(await postForm(path, parts('gpt-image-2'), { headers }))).status).toBe(404)
    expect((await read(await postForm(path, parts('gpt-image-1.5'), { headers }))).status).toBe(200)
    await own.close()
    expect(upstream.seen).toHaveLength(1)
  })
})

describe('the answer', () => {
  const body = { model: 'gpt-image-2' }

  test('comes down byte for byte, and what it held is written down', async () => {
    const usage = { input_tokens: 5, output_tokens: 7, total_tokens: 12 }
    const text = JSON.stringify({ data: [{ b64_json: png.toString('base64') }], usage }, null, 3)
    upstream.script = json(text, 200, { 'x-ratelimit-limit-requests': '5', 'set-cookie': 'a=b' })
    const told = await askOpenai(gateway, body)
    expect(told.text).toBe(text)
    expect(told.headers.get('set-cookie')).toBeNull()
    expect(told.headers.get('x-plantain-upstream')).toBe('openai')
    expect(told.line).toMatchObject({ outcome: 'ok', images: 1, status: 200 })
  })

  test('is called JSON, whatever the upstream calls it: SDKs take it for a text otherwise', async () => {
    for (const type of ['text/plain', 'application/octet-stream']) {
      upstream.script = json(answer, 200, { 'content-type': type })
      const { headers, text } = await askOpenai(gateway, { model: 'gpt-image-2' })
      expect([headers.get('content-type'), text]).toEqual(['application/json; charset=UTF-8', answer])
    }
  })

  test('of a stream comes event by event', async () => {
    const event = (type: string) =>
      `event: ${type}\ndata: {"type":"${type}","b64_json":"${png.toString('base64')}"}\n\n`
    const [first, last] = [event('image_generation.partial_image'), event('image_generation.completed')]
    let proceed = () => {}
    upstream.script = async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(first)
      await new Promise<void>(resolve => {
        proceed = resolve
      })
      response.end(last)
    }
    const response = await gateway.post('/v1/images/generations', {
      ...body,
      prompt: 'A',
      stream: true,
      partial_images: 1,
    })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const reader = response.body?.getReader()
    let text = ''
    for (;;) {
      const { value, done } = (await reader?.read()) ?? { value: undefined, done: true }
      if (done) break
      text += Buffer.from(value ?? []).toString()
      if (text === first) proceed()
    }
    expect(text).toBe(first + last)
    expect(sentUp().text).toContain('"stream":true')
  })

  test.each(['\n', ''])('of a stream ends with a whole event, though the upstream left out its end: %j', async end => {
    const document = { type: 'image_generation.completed', b64_json: png.toString('base64') }
    const event = `event: image_generation.completed\ndata: ${JSON.stringify(document)}`
    upstream.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(event + end)
    }
    const { text, line } = await askOpenai(gateway, { model: 'gpt-image-2', stream: true })
    expect(text).toBe(`${event}\n\n`)
    expect(line).toMatchObject({ outcome: 'ok', images: 1 })
  })

  const error = (more: object) =>
    `{ "error": ${JSON.stringify({ message: 'Told.', type: 'x', param: null, code: null, ...more })} }`
  test.each([
    [400, error({ param: 'size', code: 'invalid_value' })],
    [400, error({ code: 'moderation_blocked', type: 'image_generation_user_error' })],
    [404, error({ code: 'model_not_found' })],
    [413, error({})],
    [422, error({})],
    [429, error({ type: 'insufficient_quota', code: 'insufficient_quota' })],
  ])('%i passes as it came', async (status, text) => {
    upstream.script = json(text, status)
    const { line, ...told } = await askOpenai(gateway, body)
    expect([told.status, told.text]).toEqual([status, text])
    expect(line.status).toBe(status)
  })

  test.each([
    ['in another language', '参数错误'],
    ['of two lines', 'bad\r\nx-injected: yes'],
    ['of a page', 'a'.repeat(10_000)],
  ])('an error whose code is a text %s reaches the caller, passed on and translated', async (_name, code) => {
    upstream.script = json({ error: { message: 'No such size.', type: 'invalid_request_error', code } }, 400)
    for (const more of [{}, { aspect_ratio: '1:1' }]) {
      const { status, reason, headers, json: told } = await askOpenai(gateway, { model: 'gpt-image-2', ...more })
      expect([status, reason, headers.get('x-injected')]).toEqual([400, 'invalid_request_error', null])
      expect(told.error).toMatchObject({ message: 'No such size.', code })
    }
  })

  test.each([
    ['in an array', [{ error: { code: 400, message: 'No such size.', status: 'INVALID_ARGUMENT' } }]],
    ['that is a mere text', { error: 'No such size.' }],
    ['of a web framework', { detail: 'No such size.' }],
    ['of many sentences', { statusCode: 400, error: 'Bad Request', message: ['No', 'such size.'] }],
  ])('an error %s is told in OpenAI’s words: SDKs read no other', async (_name, document) => {
    upstream.script = json(document, 400)
    const { status, json: told } = await askOpenai(gateway, body)
    expect(status).toBe(400)
    expect(told.error).toMatchObject({ message: 'No such size.', type: 'invalid_request_error', param: null })
  })

  test('429 is told with the wait that only its words had', async () => {
    const text = error({ message: 'Rate limit reached. Please try again in 1.5s.', code: 'rate_limit_exceeded' })
    upstream.script = json(text, 429)
    const told = await askOpenai(gateway, body)
    expect([told.status, told.text]).toEqual([429, text])
    expect([told.headers.get('retry-after'), told.headers.get('retry-after-ms')]).toEqual(['2', '1500'])
  })

  test.each([
    [401, error({ code: 'invalid_api_key' }), 502],
    [403, error({}), 502],
    [500, error({}), 502],
    [502, '<html></html>', 502],
    [503, error({}), 503],
    [504, error({}), 504],
  ])('%i is the operator’s or nobody’s: told neutrally', async (status, text, expected) => {
    upstream.script = json(text, status)
    const told = await askOpenai(gateway, body)
    expect(told.status).toBe(expected)
    expect(told.json.error.type).toBe('server_error')
  })

  test('a refused prompt is written down as refused, without the words', async () => {
    upstream.script = json(error({ code: 'moderation_blocked', message: 'No naked kites.' }), 400)
    const { line } = await askOpenai(gateway, body)
    expect(line.outcome).toBe('refused')
    expect(JSON.stringify(line)).not.toContain('naked')
  })

  test('a dry run shows what would go up', async () => {
    const { json: said } = await askOpenai(gateway, { model: 'openai/gpt-image-2' }, { 'x-plantain-dry-run': 'true' })
    expect(said.calls[0].body).toEqual({ model: 'gpt-image-2', prompt: 'A red kite' })
    expect(upstream.seen).toEqual([])
  })
})

describe('OpenAI’s SDK', () => {
  test.each([
    ['OpenAI', startOpenAI, undefined, new Map<string, string>()],
    ['Azure', () => startAzure('deployments'), '2025-04-01-preview', new Map([['gpt-image-2', 'pictures-2']])],
    ['Azure’s v1', () => startAzure('v1'), undefined, new Map([['gpt-image-2', 'pictures-2']])],
  ] as const)('through the gateway to %s', async (_name, start, apiVersion, models) => {
    const fake: FakeUpstream = await start()
    const { dialect, baseUrl, key } = fake
    const upstreamConfig = openaiAt(baseUrl, { dialect, keys: [key], models, ...(apiVersion && { apiVersion }) })
    const own = await startGateway({ upstream: fake.baseUrl, upstreamConfig })
    const client = new OpenAI({ baseURL: `${own.url}/v1`, apiKey: 'any', maxRetries: 0 })
    const model = 'gpt-image-2'
    const painted = await client.images.generate({ model, prompt: 'A kite', n: 2, size: '1024x1536', quality: 'low' })
    expect([painted.data?.length, painted.size]).toEqual([2, '1024x1536'])
    const files = await Promise.all([1, 2].map(number => toFile(png, `${number}.png`, { type: 'image/png' })))
    const edited = await client.images.edit({ model, prompt: 'A hat', image: files, output_format: 'webp' })
    expect(edited.output_format).toBe('webp')
    fake.answerNext({ kind: 'drafts', count: 1 })
    const types: string[] = []
    for await (const event of await client.images.generate({
      model,
      prompt: 'A kite',
      stream: true,
      partial_images: 1,
    })) {
      types.push(event.type)
    }
    expect(types).toEqual(['image_generation.partial_image', 'image_generation.completed'])
    fake.answerNext({ kind: 'refusal', stage: 'input' })
    await expect(client.images.generate({ model, prompt: 'A kite' })).rejects.toMatchObject({ status: 400 })
    expect(fake.problems).toEqual([])
    await own.close()
    await fake.close()
  })
})
