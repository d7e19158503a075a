/** Google's form in, Google's form out: every path that leads there, what goes up and what stays behind. */
import { describe, expect, test } from 'vitest'
import { answerWith, fixture } from '../fixtures/gemini.ts'
import { ask, read } from '../helpers/callers.ts'
import { startGateway } from '../helpers/gateway.ts'
import { picture } from '../helpers/pictures.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'
import { startUpstream } from '../helpers/scripted-upstream.ts'

const { gateway, upstream, sentUp } = await scriptedGateway(answerWith('answers/tiny-picture.json'))

const flash25 = 'gemini-2.5-flash-image'
const call = { contents: [{ role: 'user', parts: [{ text: 'A red kite' }] }] }

describe('every path that people write leads to the model', () => {
  test.each([
    '/v1beta/models/gemini-2.5-flash-image:generateContent',
    '/v1/models/gemini-2.5-flash-image:generateContent',
    '/v1alpha/models/gemini-2.5-flash-image:generateContent',
    '/v1/v1beta/models/gemini-2.5-flash-image:generateContent',
    '/models/gemini-2.5-flash-image:generateContent',
    '/v1beta/models/models/gemini-2.5-flash-image:generateContent',
    '/v1beta/models/models%2Fgemini-2.5-flash-image:generateContent',
    '/v1beta/models%2Fgemini-2.5-flash-image:generateContent',
    '/v1beta/models/gemini-2.5-flash-image%3AgenerateContent',
    '/v1beta/models/gemini-2.5-flash-image%3agenerateContent',
    '/v1beta/models/google/gemini-2.5-flash-image:generateContent',
    '/v1beta/models/google%2Fgemini-2.5-flash-image:generateContent',
    '/v1/publishers/google/models/gemini-2.5-flash-image:generateContent',
    '/v1beta1/publishers/google/models/gemini-2.5-flash-image:generateContent',
    '/v1/projects/my-project/locations/us-central1/publishers/google/models/gemini-2.5-flash-image:generateContent',
    '/v1beta1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash-image:generateContent',
    '/v1beta/models/nano-banana:generateContent',
    '/v1beta/models/GEMINI-2.5-FLASH-IMAGE:generateContent',
    '/v1beta/models/gemini-2.5-flash-image-preview:generateContent?key=sk-1&$alt=json;enum-encoding=int',
  ])('%s', async path => {
    const { status, headers } = await ask(gateway, path, call)
    expect(status).toBe(200)
    expect(sentUp().url).toBe(`/v1beta/models/${flash25}:generateContent`)
    expect(headers.get('x-plantain-model')).toBe(flash25)
  })

  test.each([
    '/v1beta/models/..%2f..:generateContent',
    '/v1beta/models/..%2f..%2fv1%2ffiles:generateContent',
    '/v1beta/models/%2e%2e%2fx:generateContent',
    '/v1beta/models/%00:generateContent',
    '/v1beta/models/a%00b:generateContent',
    '/v1beta/models/a%0ab:generateContent',
    '/v1beta/models/%252e%252e:generateContent',
    '/v1beta/models/:generateContent',
    '/v1beta/models/x%3Fkey%3D1:generateContent',
    '/v1beta/models/x%23y:generateContent',
    '/v1beta/models/%E2%98%83:generateContent',
    '/v2/models/gemini-2.5-flash-image:generateContent',
    '/v1beta/models/gemini-2.5-flash-image/extra:generateContent/more',
  ])('%s leads nowhere', async path => {
    const { status, json } = await read(await gateway.post(path, call))
    expect(status).toBe(404)
    expect(json.error).toBeDefined()
    expect(upstream.seen).toHaveLength(0)
  })

  test.each([257, 5000])('a name of %i letters leads nowhere', async length => {
    const { status, json } = await read(
      await gateway.post(`/v1beta/models/${'x'.repeat(length)}:generateContent`, call),
    )
    expect([status, json.error.status]).toEqual([404, 'NOT_FOUND'])
    expect(json.error.message.length).toBeLessThan(500)
    expect(upstream.seen).toHaveLength(0)
  })

  test('a name nobody knows goes up as it is, with its slash encoded', async () => {
    expect((await ask(gateway, '/v1beta/models/acme/gemini-99:generateContent', call)).status).toBe(200)
    expect(sentUp().url).toBe('/v1beta/models/acme%2Fgemini-99:generateContent')
  })

  test('the publisher of Vertex’ paths is what stands before the slash of a name', async () => {
    for (const [path, model] of [
      ['/v1/projects/p/locations/l/publishers/openai/models/nano-banana', flash25],
      ['/v1beta1/publishers/acme/models/gemini-99', 'acme%2Fgemini-99'],
    ]) {
      upstream.seen.length = 0
      expect((await ask(gateway, `${path}:generateContent`, call)).status).toBe(200)
      expect(sentUp().url).toBe(`/v1beta/models/${model}:generateContent`)
    }
  })
})

describe('what goes up', () => {
  test('is the caller’s body, byte for byte', async () => {
    const text = `\n{ "contents" : [{"parts":[{"text":"\\u003cA\\/kite\\u2028 \u{1f3f4} ${'x'.repeat(3000)}"},
      {"inline_data":{"mime_type":"image/png","data":"${'-_Ab'.repeat(900)}"}}]}],
      "generationConfig":{"seed":1.0e0,"imageConfig":{"aspectRatio":"99:1"},"candidateCount":1,"unheard_of":null},
      "safetySettings":{"category":"X"}, "model_": "models/x" }\r\n\t`
    expect((await ask(gateway, `/v1beta/models/${flash25}:generateContent`, text)).status).toBe(200)
    expect(sentUp().text).toBe(text)
  })

  test.each([
    '{"model":"models/nano-banana","contents":[]}',
    '{"contents":[], "model" : "nano-banana" }',
    '{"generateContentRequest":{"model":"models/nano-banana","contents":[]}}',
    '{"generate_content_request":{"contents":[],"model":"google/nano-banana"}}',
  ])('only a model named inside is called what it is called above: %s', async text => {
    expect((await ask(gateway, '/v1beta/models/nano-banana:countTokens', text)).status).toBe(200)
    expect(sentUp().text).toBe(text.replace(/"(?:models\/|google\/)?nano-banana"/, `"models/${flash25}"`))
  })

  test('a name that asks for a size asks for none where tokens are counted', async () => {
    const text = JSON.stringify(call)
    expect((await ask(gateway, '/v1beta/models/nano-banana-hd:countTokens', text)).status).toBe(200)
    expect(sentUp().text).toBe(text)
  })

  test.each([
    [
      '{"generationConfig":{"responseFormat":[{"image":{"aspectRatio":"16:9","imageSize":"2k"}}]}}',
      '{"generationConfig":{"imageConfig":{"imageSize":"2K","aspectRatio":"16:9"},"responseFormat":',
    ],
    [
      '{"generation_config":{"response_format":{"image":{"aspect_ratio":"ASPECT_RATIO_FOUR_BY_FIVE","image_size":null}}}}',
      '{"generation_config":{"imageConfig":{"aspectRatio":"4:5"},"response_format":',
    ],
    [
      '{"generationConfig":{"responseFormat":[{"text":{}},{"image":{"imageSize":"IMAGE_SIZE_FOUR_K","aspectRatio":"1:1"}}],"image_config":{"aspect_ratio":"3:4"}}}',
      '"image_config":{"imageSize":"4K","aspect_ratio":"3:4"}}}',
    ],
  ])('a shape that is told where Google passes it over is told where it looks: %s', async (text, expected) => {
    expect((await ask(gateway, '/v1beta/models/nano-banana-2:generateContent', text)).status).toBe(200)
    expect(sentUp().text).toContain(expected)
  })

  test.each([
    ['responseFormat', { responseFormat: [{ image: { mimeType: 'image/webp' } }] }],
    ['Vertex’ imageOutputOptions', { image_config: { imageOutputOptions: { mimeType: 'image/webp' } } }],
  ])(
    'a file type that is asked for by %s is made here, of whatever the model makes',
    async (_how, generationConfig) => {
      const body = { ...call, generationConfig }
      const { json } = await ask(gateway, `/v1beta/models/${flash25}:generateContent`, body)
      const [{ inlineData }] = json.candidates[0].content.parts
      expect([inlineData.mimeType, Buffer.from(inlineData.data, 'base64').toString('latin1', 8, 12)]).toEqual([
        'image/webp',
        'WEBP',
      ])
      expect(JSON.parse(sentUp().text)).toEqual(call)
    },
  )

  test('no header of the caller’s, no key of the caller’s, and nothing of the query but the kind of stream', async () => {
    const headers = {
      authorization: 'Bearer caller-secret-1',
      'x-goog-api-key': 'caller-secret-2',
      'api-key': 'caller-secret-3',
      cookie: 'session=caller-secret-4',
      'user-agent': 'google-genai-sdk/3.1.0 gl-node/v24',
      'x-goog-api-client': 'google-genai-sdk/3.1.0',
      'x-forwarded-for': '10.0.0.1',
      referer: 'https://example.com/?key=caller-secret-5',
      'x-goog-user-project': 'p',
      te: 'trailers',
    }
    const path = `/v1beta/models/${flash25}:streamGenerateContent?key=caller-secret-6&alt=sse&$fields=x`
    expect((await ask(gateway, path, call, headers)).status).toBe(200)
    const { url, headers: seen } = sentUp()
    expect(url).toBe(`/v1beta/models/${flash25}:streamGenerateContent?alt=sse`)
    expect(JSON.stringify(seen)).not.toMatch(/caller-secret|10\.0\.0\.1|google-genai/)
    const allowed = ['accept', 'accept-encoding', 'connection', 'content-length', 'content-type', 'host', 'user-agent']
    expect(
      Object.keys(seen)
        .filter(name => !allowed.includes(name))
        .toSorted(),
    ).toEqual(['x-goog-api-key', 'x-plantain-trail'])
    expect(seen['x-goog-api-key']).toBe('upstream-key')
    expect(JSON.stringify(gateway.log)).not.toMatch(/caller-secret/)
  })
})

describe('what comes down', () => {
  const chunk = (name: string) => JSON.parse(fixture(name).toString())
  const [thoughts, last] = [
    { candidates: [{ content: { role: 'model', parts: [{ text: 'Hm, a kite.', thought: true }] }, index: 0 }] },
    chunk('answers/text-then-image.json'),
  ]

  test('server-sent events pass as they come, and the reader beside them counts', async () => {
    const events = [thoughts, last].map(event => `data: ${JSON.stringify(event)}\r\n\r\n`).join('')
    upstream.script = async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let at = 0; at < events.length; at += 1000) {
        response.write(events.slice(at, at + 1000))
        await new Promise(resolve => setImmediate(resolve))
      }
      response.end()
    }
    const { status, headers, text, line } = await ask(gateway, `/v1beta/models/x:streamGenerateContent?alt=sse`, call)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/event-stream')
    expect(text).toBe(events)
    expect(line).toMatchObject({
      operation: 'streamGenerateContent',
      outcome: 'ok',
      images: 1,
      inputTokens: 8,
      outputTokens: 1290,
      bytesOut: events.length,
    })
  })

  test.each([
    ['an event', '?alt=sse', 'text/event-stream', ['data: ', '\n\n', 'data: ', '\n\n']],
    ['an item of an array', '', 'application/json; charset=UTF-8', ['[', '\n', ',\r\n', '\n]']],
  ] as const)(
    '%s reaches the caller before the next is there',
    async (_what, query, type, [start, end, next, last_]) => {
      let sendRest = () => {}
      upstream.script = (_request, response) => {
        response.writeHead(200, { 'content-type': type }).write(start + JSON.stringify(thoughts) + end)
        sendRest = () => response.end(next + JSON.stringify(last) + last_)
      }
      const response = await gateway.post(`/v1beta/models/x:streamGenerateContent${query}`, call)
      const reader = response.body?.getReader()
      const first = Buffer.from((await reader?.read())?.value ?? []).toString()
      expect(first).toBe(start + JSON.stringify(thoughts) + end)
      sendRest()
      while (!(await reader?.read())?.done);
    },
  )

  test('proxies on the way are told not to collect the events of a stream', async () => {
    const tellings = ['x-accel-buffering', 'cache-control']
    const told = (headers: Headers) => tellings.map(name => headers.get(name))
    upstream.script = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${JSON.stringify(last)}\n\n`)
    const stream = await ask(gateway, '/v1beta/models/x:streamGenerateContent?alt=sse', call)
    expect(told(stream.headers)).toEqual(['no', 'no-cache'])
    upstream.script = answerWith('answers/tiny-picture.json')
    const whole = await ask(gateway, '/v1beta/models/x:generateContent', call)
    expect(told(whole.headers)).toEqual([null, null])
  })

  test('a JSON array passes too', async () => {
    const array = `[${JSON.stringify(thoughts)}\n,\r\n${JSON.stringify(last)}\n]`
    upstream.script = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8' }).end(array)
    const { text, line } = await ask(gateway, '/v1beta/models/x:streamGenerateContent', call)
    expect(sentUp().url).toBe('/v1beta/models/x:streamGenerateContent')
    expect(text).toBe(array)
    expect(line).toMatchObject({ outcome: 'ok', images: 1, inputTokens: 8 })
  })

  test('a proxy’s page in the place of an array is a failure, and no answer that breaks off', async () => {
    upstream.script = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'text/html' }).write('<html>Sign in</html>', () => response.end())
    const { status, json } = await ask(gateway, '/v1beta/models/x:streamGenerateContent', call)
    expect([status, json.error.status]).toEqual([503, 'UNAVAILABLE'])
  })

  test.each([
    [
      'a refusal',
      { candidates: [{ finishReason: 'IMAGE_SAFETY' }] },
      { outcome: 'refused', refusalReason: 'IMAGE_SAFETY' },
    ],
    [
      'a blocked prompt',
      { promptFeedback: { blockReason: 'SAFETY' } },
      { outcome: 'refused', refusalReason: 'SAFETY' },
    ],
    ['an error', { error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } }, { outcome: 'failed' }],
  ])('%s at the end of a stream is noticed beside it', async (_what, event, logged) => {
    upstream.script = (_request, response) =>
      void response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(`data: ${JSON.stringify(thoughts)}\n\ndata: ${JSON.stringify(event)}\n\n`)
    const { line } = await ask(gateway, '/v1beta/models/x:streamGenerateContent?alt=sse', call)
    expect(line).toMatchObject({ status: 200, images: 0, ...logged })
  })

  test('a count of tokens passes, and makes no picture', async () => {
    upstream.script = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end('{"totalTokens":31}')
    const { text, line } = await ask(gateway, '/v1beta/models/nano-banana:countTokens', call)
    expect(sentUp().url).toBe(`/v1beta/models/${flash25}:countTokens`)
    expect(text).toBe('{"totalTokens":31}')
    expect(line).toMatchObject({ operation: 'countTokens', outcome: 'ok', images: 0 })
  })

  test('what the gateway adds stands in headers, its own time too', async () => {
    const { headers } = await ask(gateway, '/v1beta/models/nano-banana:generateContent', call)
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-plantain-upstream': 'google',
      'x-plantain-model': flash25,
      'x-plantain-attempts': '1',
      'server-timing': expect.stringMatching(/^upstream;dur=\d+(\.\d)?, gateway;dur=\d+(\.\d)?$/),
    })
  })
})

describe('what is no call', () => {
  test.each(['[]', '"text"', '7', 'null', 'true'])('%s', async text => {
    const { status, reason, json } = await ask(gateway, `/v1beta/models/${flash25}:generateContent`, text)
    expect([status, reason]).toEqual([400, 'INVALID_ARGUMENT'])
    expect(json.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' })
    expect(upstream.seen).toHaveLength(0)
  })

  test.each(['embedContent', 'batchGenerateContent', 'predictLongRunning', 'brew'])(
    ':%s is not served here, in Google’s words',
    async method => {
      const { status, reason, json } = await read(
        await gateway.post(`/v1beta/models/imagen-4.0-generate-001:${method}`, call),
      )
      expect([status, reason]).toEqual([404, 'NOT_FOUND'])
      expect(json.error).toMatchObject({ code: 404, status: 'NOT_FOUND' })
    },
  )

  test.each(['GET', 'PUT', 'DELETE', 'HEAD'])('%s on a method’s path is told to post', async method => {
    const url = `${gateway.url}/v1beta/models/${flash25}:generateContent`
    const answer = await read(await fetch(url, { method }))
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
    if (method !== 'HEAD') expect(answer.json.error).toMatchObject({ code: 405, status: 'UNIMPLEMENTED' })
  })
})

test.each([
  ['fileData', 'fileUri'],
  ['file_data', 'file_uri'],
])(
  'a picture on a host of the operator’s own is fetched for Google, which could not reach it: %s',
  async (data, uri) => {
    const bytes = await picture('png')
    const host = await startUpstream((_request, response) => void response.end(bytes))
    const config = { references: { allow: [new URL(host.url).host] } }
    const own = await startGateway({ upstream: upstream.url, config })
    const parts = [{ text: 'Bluer' }, { [data]: { [uri]: `${host.url}/kite.png`, mime_type: 'image/png' } }]
    const answer = await ask(own, `/v1beta/models/${flash25}:generateContent`, { contents: [{ parts }] })
    expect(answer.status).toBe(200)
    expect(sentUp().text).toContain(bytes.toString('base64'))
    expect(sentUp().text).not.toContain(host.url)
    await own.close()
    await host.close()
  },
)
