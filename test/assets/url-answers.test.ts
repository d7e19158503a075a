/** Answers by URL, from the request to the picture: real files, real HTTP. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { ask, askOpenai, read } from '../helpers/callers.ts'
import { postForm, textParts } from '../helpers/forms.ts'
import { type GatewayOptions, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { see } from '../helpers/pictures.ts'
import { rawHttp } from '../helpers/raw-http.ts'
import { json, type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'
import { noise } from './store.contract.ts'

let upstream: ScriptedUpstream
let gateway: TestGateway
let now = Date.now() / 1000

const start = (options: Partial<GatewayOptions> = {}) =>
  startGateway({ upstream: upstream.url, epochSeconds: () => now, ...options })

beforeAll(async () => {
  upstream = await startUpstream(answerWith('answers/image-only-jpeg.json'))
  gateway = await start()
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})
beforeEach(() => {
  now = Date.now() / 1000
  upstream.seen.length = 0
  upstream.script = answerWith('answers/image-only-jpeg.json')
})

const pictures = ({ assetsDir }: TestGateway) =>
  readdirSync(assetsDir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name !== 'signing-secret')
    .map(({ name }) => name)

async function paintedUrl(from = gateway, body: object = {}): Promise<string> {
  const { json: answer } = await askOpenai(from, { response_format: 'url', ...body })
  return answer.data[0].url
}

const fetched = async (url: string, headers: Record<string, string> = {}, method = 'GET') => {
  const answer = await fetch(url, { method, headers })
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) }
}

/** A picture whose base64 is longer than a slice, and a block of the disk store. */
function largeAnswer(bytes: number) {
  const png = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), noise(bytes)])
  const part = { inlineData: { mimeType: 'image/png', data: png.toString('base64') } }
  const body = JSON.stringify({ candidates: [{ content: { parts: [part] }, finishReason: 'STOP' }] })
  // As Google writes it.
  return { png, script: json(body.replaceAll('=', '\\u003d')) }
}

describe('the answer', () => {
  test('has an address in place of the base64, and everything else as before', async () => {
    const [byUrl, base64] = [await askOpenai(gateway, { response_format: 'url' }), await askOpenai(gateway)]
    const { data, created, ...rest } = byUrl.json
    const { data: plain, created: _, ...others } = base64.json
    expect(rest).toEqual(others)
    expect(created).toBeTypeOf('number')
    expect(Object.keys(data[0])).toEqual(['url'])
    expect(Object.keys(plain[0])).toEqual(['b64_json'])
    const { bytes } = await fetched(data[0].url)
    expect(bytes.equals(Buffer.from(plain[0].b64_json, 'base64'))).toBe(true)
    expect(await see(bytes)).toMatchObject({ format: 'jpeg' })
    expect(byUrl.line).toMatchObject({ outcome: 'ok', images: 1 })
  })

  test('of several pictures has an address for each', async () => {
    const { json: answer, headers } = await askOpenai(gateway, { response_format: 'url', n: 3 })
    const urls = answer.data.map(({ url }: { url: string }) => url)
    expect(new Set(urls).size).toBe(3)
    expect(headers.get('x-plantain-images')).toBe('3/3')
    for (const url of urls) expect((await fetched(url)).status).toBe(200)
  })

  test('to an edit, in a form, has one too', async () => {
    const { json: answer } = await read(
      await postForm(`${gateway.url}/v1/images/edits`, textParts({ prompt: 'A red kite', response_format: 'url' })),
    )
    expect((await fetched(answer.data[0].url)).status).toBe(200)
  })

  test.each([1_000_000, 5_000_001])('of %i bytes is stored as it was painted', async size => {
    const { png, script } = largeAnswer(size)
    upstream.script = script
    const { bytes, headers } = await fetched(await paintedUrl())
    expect(bytes.equals(png)).toBe(true)
    expect(headers.get('content-type')).toBe('image/png')
  })

  test('is stored whole though it lay in a spill file', async () => {
    const { png, script } = largeAnswer(3_000_000)
    upstream.script = script
    const spilling = await start({ answers: { memoryBytes: 65_536 } })
    const { bytes } = await fetched(await paintedUrl(spilling))
    expect(bytes.equals(png)).toBe(true)
    await spilling.close()
  })
})

describe('who gets an address', () => {
  const kindOf = async (from: TestGateway, body: object, path = '/v1/images/generations') => {
    const { json: answer } = await ask(from, path, { prompt: 'A red kite', ...body })
    return Object.keys(answer.data[0]).join()
  }

  test.each([
    [{}, 'b64_json'],
    [{ response_format: null }, 'b64_json'],
    [{ model: 'gpt-image-1' }, 'b64_json'],
    [{ model: 'dall-e-3' }, 'url'],
    [{ model: 'dall-e-2', response_format: null }, 'url'],
    [{ model: 'openai/DALL-E-3' }, 'url'],
    [{ model: 'dall-e-3', response_format: 'b64_json' }, 'b64_json'],
    [{ model: 'nano-banana-2', responseFormat: 'url' }, 'url'],
  ])('by default, %j: %s', async (body, kind) => {
    expect(await kindOf(gateway, body)).toBe(kind)
  })

  test('an Azure deployment named after a dall-e model does', async () => {
    expect(await kindOf(gateway, {}, '/openai/deployments/dall-e-3/images/generations')).toBe('url')
  })

  test('the configuration decides where the caller says nothing', async () => {
    const [byUrl, base64] = [
      await start({ answers: { responseFormat: 'url' } }),
      await start({ answers: { responseFormat: 'b64_json' } }),
    ]
    expect(await kindOf(byUrl, {})).toBe('url')
    expect(await kindOf(byUrl, { response_format: 'b64_json' })).toBe('b64_json')
    expect(await kindOf(base64, { model: 'dall-e-3' })).toBe('b64_json')
    expect(await kindOf(base64, { response_format: 'url' })).toBe('url')
    // Google's answers have no word for it.
    const instances = { instances: [{ prompt: 'A red kite' }] }
    const { json: imagen } = await ask(byUrl, '/v1beta/models/nano-banana-2:predict', instances)
    expect(Object.keys(imagen.predictions[0]).toSorted()).toEqual(['bytesBase64Encoded', 'mimeType'])
    await Promise.all([byUrl.close(), base64.close()])
  })
})

test('a stream brings its pictures as base64, says so to who asked for addresses, and a dry run stores nothing', async () => {
  const streaming = await start()
  const { text, headers } = await askOpenai(streaming, { response_format: 'url', stream: true })
  expect(text).toMatch(/image_generation\.completed.*b64_json/s)
  expect(headers.get('x-plantain-ignored-params')).toBe('response_format')
  const unasked = await askOpenai(streaming, { model: 'dall-e-3', stream: true })
  expect(unasked.headers.get('x-plantain-ignored-params')).toBeNull()
  const strict = { 'x-plantain-strict': 'true' }
  const { status, json } = await askOpenai(streaming, { responseFormat: 'url', stream: true }, strict)
  expect([status, json.error.param]).toEqual([400, 'responseFormat'])
  const dry = await askOpenai(streaming, { response_format: 'url' }, { 'x-plantain-dry-run': 'true' })
  expect(dry.json.dry_run).toBe(true)
  expect(pictures(streaming)).toEqual([])
  await streaming.close()
})

describe('the address', () => {
  test('begins where the gateway listens, whatever host the caller names', async () => {
    const body = JSON.stringify({ prompt: 'A red kite', response_format: 'url' })
    const head = ['POST /v1/images/generations HTTP/1.1', 'host: evil.example', 'x-forwarded-host: evil.example']
    const lines = [...head, 'content-type: application/json', `content-length: ${body.length}`, 'connection: close']
    const { body: answer } = await rawHttp(gateway.url, `${lines.join('\r\n')}\r\n\r\n${body}`)
    expect(answer).toContain(`"url":"${gateway.url}/v1/assets/`)
    expect(answer).not.toContain('evil')
  })

  test('begins with listen.public_url where that is configured', async () => {
    const behindProxy = await start({ config: { listen: { publicUrl: 'https://images.example.com/plantain' } } })
    const url = await paintedUrl(behindProxy)
    expect(url).toMatch(/^https:\/\/images\.example\.com\/plantain\/v1\/assets\/[0-9a-f]{32}\.jpg\?exp=\d{10}&sig=/)
    const { pathname, search } = new URL(url)
    expect((await fetched(behindProxy.url + pathname.replace('/plantain', '') + search)).status).toBe(200)
    await behindProxy.close()
  })

  test('needs no key, and asking for a picture needs one', async () => {
    const keySha256 = '2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683' // of "key"
    const closed = await start({ callers: [{ id: 'a', keySha256, models: null, limits: {} }] })
    expect((await askOpenai(closed, { response_format: 'url' })).status).toBe(401)
    const { json: answer } = await askOpenai(closed, { response_format: 'url' }, { authorization: 'Bearer key' })
    expect((await fetched(answer.data[0].url)).status).toBe(200)
    await closed.close()
  })

  test('leads nowhere once it has expired, though the picture still lies there', async () => {
    const url = await paintedUrl()
    now += 3599
    expect((await fetched(url)).status).toBe(200)
    now += 2
    expect((await fetched(url)).status).toBe(404)
    now -= 1000
    expect((await fetched(url)).status).toBe(200)
  })

  test('is served by another gateway on the same folder', async () => {
    const twin = await start({ config: { assets: { dir: gateway.assetsDir } } })
    const { pathname, search } = new URL(await paintedUrl())
    expect((await fetched(twin.url + pathname + search)).status).toBe(200)
    const other = await start()
    expect((await fetched(other.url + pathname + search)).status).toBe(404)
    await Promise.all([twin.close(), other.close()])
  })
})

describe('the picture’s route', () => {
  let url = ''
  let file = Buffer.alloc(0)
  let tag = ''
  beforeAll(async () => {
    upstream.script = answerWith('answers/image-only-jpeg.json')
    now = Date.now() / 1000
    url = await paintedUrl()
    const { bytes, headers } = await fetched(url)
    file = bytes
    tag = headers.get('etag') ?? ''
  })

  test('tells browsers exactly what it is, how long it lives, and to run nothing in it', async () => {
    const { headers } = await fetched(url)
    const id = /assets\/([0-9a-f]{32})/.exec(url)?.[1]
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'image/jpeg',
      'content-length': String(file.length),
      'accept-ranges': 'bytes',
      etag: `"${id}"`,
      'cache-control': expect.stringMatching(/^private, max-age=3[56]\d\d, immutable$/),
      'content-disposition': `inline; filename="${id}.jpg"`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'cross-origin',
    })
    expect(headers.get('x-request-id')).not.toBeNull()
  })

  test.each([
    ['bytes=0-99', 206, [0, 100]],
    ['bytes=100-', 206, [100, 3575]],
    ['bytes=-75', 206, [3500, 3575]],
    ['bytes=3574-9999', 206, [3574, 3575]],
    ['bytes=0-', 206, [0, 3575]],
    ['bytes=3575-', 416, null],
    ['bytes=0-1,2-3', 200, [0, 3575]],
    [`bytes=${'0-,'.repeat(1000)}`, 416, null],
    ['bytes=2-1', 200, [0, 3575]],
    ['pages=1-2', 200, [0, 3575]],
  ] as const)('range %s: %i', async (range, status, part) => {
    const answer = await fetched(url, { range })
    expect(answer.status).toBe(status)
    if (part) expect(answer.bytes.equals(file.subarray(...part))).toBe(true)
    else expect(JSON.parse(answer.bytes.toString()).error.code).toBe('range_not_satisfiable')
    const told =
      status === 206 ? `bytes ${part?.[0]}-${(part?.[1] ?? 0) - 1}/3575` : status === 416 ? 'bytes */3575' : null
    expect(answer.headers.get('content-range')).toBe(told)
  })

  test('gives a part only to whom has the rest of the same picture', async () => {
    const range = 'bytes=0-9'
    expect((await fetched(url, { range, 'if-range': tag })).status).toBe(206)
    for (const other of ['"other"', `W/${tag}`, new Date().toUTCString()]) {
      expect((await fetched(url, { range, 'if-range': other })).status).toBe(200)
    }
  })

  test('says that nothing has changed to whom knows the picture', async () => {
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      for (const method of ['GET', 'HEAD']) {
        const { status, bytes, headers } = await fetched(url, { 'if-none-match': known }, method)
        expect([known, status, bytes.length, headers.get('etag')]).toEqual([known, 304, 0, tag])
        expect(headers.get('content-length')).toBeNull()
      }
    }
    expect((await fetched(url, { 'if-none-match': '"other"' })).status).toBe(200)
  })

  test('HEAD is GET without the picture', async () => {
    const [head, get] = [await fetched(url, {}, 'HEAD'), await fetched(url)]
    const plain = ({ headers }: typeof head) =>
      Object.fromEntries(
        [...headers].filter(([name]) => !/^(x-request-id|date|cache-control|connection|keep-alive)$/.test(name)),
      )
    expect(head.bytes).toHaveLength(0)
    expect(plain(head)).toEqual(plain(get))
    expect((await fetched(url, { range: 'bytes=0-1' }, 'HEAD')).status).toBe(200)
  })

  test('is only read', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers } = await fetched(url, {}, method)
      expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    }
    expect((await fetched(url)).status).toBe(200)
  })

  test('tells origins that may ask what they may see', async () => {
    const cross = await start({
      config: { listen: { corsOrigins: ['https://app.example'] }, assets: { dir: gateway.assetsDir } },
    })
    const { pathname, search } = new URL(url)
    const { headers } = await fetched(cross.url + pathname + search, { origin: 'https://app.example' })
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(headers.get('access-control-expose-headers')).toMatch(/etag.*content-range/)
    const lost = await fetched(`${cross.url}/v1/assets/x.png`, { origin: 'https://app.example' })
    expect([lost.status, lost.headers.get('access-control-allow-origin')]).toEqual([404, 'https://app.example'])
    await cross.close()
  })

  test('answers whatever is wrong with an address in the same words', async () => {
    const { pathname, search, searchParams } = new URL(url)
    const gone = await paintedUrl()
    rmSync(join(gateway.assetsDir, folderOf(gateway, gone)), { recursive: true })
    const [id = ''] = /[0-9a-f]{32}/.exec(pathname) ?? []
    const wrong = [
      gone,
      `${gateway.url}${pathname}`,
      `${gateway.url}${pathname}?exp=${searchParams.get('exp')}&sig=${'A'.repeat(43)}`,
      `${gateway.url}${pathname.replace(id, 'f'.repeat(32))}${search}`,
      `${gateway.url}${pathname.replace('.jpg', '.png')}${search}`,
      `${gateway.url}/v1/assets/x${search}`,
      `${gateway.url}/v1/assets/..%2f..%2fetc%2fpasswd${search}`,
      `${gateway.url}/v1/assets/....//....//signing-secret${search}`,
      `${gateway.url}/v1/assets/%00${search}`,
      `${gateway.url}/v1/assets/${'a'.repeat(9000)}`,
    ]
    const answers = await Promise.all(wrong.map(each => fetched(each, { 'x-goog-api-key': 'any' })))
    for (const { status, headers, bytes } of answers) {
      expect(status).toBe(404)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(JSON.parse(bytes.toString())).toEqual({
        error: {
          message: 'There is no picture at this address: it has expired, or the address is not complete.',
          type: 'invalid_request_error',
          param: null,
          code: 'asset_not_found',
        },
      })
    }
  })
})

const folderOf = ({ assetsDir }: TestGateway, url: string): string => {
  const name = new URL(url).pathname.split('/').at(-1) ?? ''
  return readdirSync(assetsDir, { recursive: true, encoding: 'utf8' }).find(path => path.endsWith(name)) ?? ''
}

describe('a store without room, or none at all', () => {
  test('is told before the upstream is called, with the time to wait', async () => {
    const full = await start({ config: { assets: { maxBytes: 3900 } } })
    expect((await askOpenai(full, { response_format: 'url' })).status).toBe(200)
    upstream.seen.length = 0
    const { status, headers, json: answer, line } = await askOpenai(full, { response_format: 'url' })
    expect(status).toBe(503)
    expect(answer.error).toMatchObject({ type: 'server_error', code: 'overloaded' })
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(line).toMatchObject({ outcome: 'limited', attempts: 0 })
    expect(upstream.seen).toHaveLength(0)
    // Whoever takes base64 needs no room there.
    expect((await askOpenai(full)).status).toBe(200)
    now += 3700
    expect((await askOpenai(full, { response_format: 'url' })).status).toBe(200)
    await full.close()
  })

  test('a folder that became a file is 503 before the call, and the log says why', async () => {
    const broken = await start()
    rmSync(broken.assetsDir, { recursive: true })
    writeFileSync(broken.assetsDir, '')
    const { status, headers } = await askOpenai(broken, { response_format: 'url' })
    expect([status, headers.get('retry-after')]).toEqual([503, '10'])
    expect(upstream.seen).toHaveLength(0)
    expect(broken.log.filter(({ level }) => level === 'error').at(-1)?.msg).toBe('the store of pictures failed')
    await broken.close()
  })

  test('a store that was away when it was last looked for shows in /readyz, and the gateway serves on', async () => {
    const s3 = {
      endpoint: 'http://127.0.0.1:1',
      bucket: 'nowhere',
      region: 'us-east-1',
      accessKey: 'a',
      secretKey: 'b',
      prefix: 'p/',
      pathStyle: true,
    }
    const away = await start({ config: { assets: { s3 } } })
    const ready = async ({ adminUrl }: TestGateway) => {
      const answer = await fetch(`${adminUrl}/readyz`)
      return { status: answer.status, body: await answer.json() }
    }
    try {
      await expect.poll(() => ready(away)).toMatchObject({ status: 200, body: { checks: { assets: false } } })
      expect((await askOpenai(away, { response_format: 'url' })).status).toBe(503)
      expect((await askOpenai(away)).status).toBe(200)
      expect(await ready(gateway)).toMatchObject({ status: 200, body: { checks: { assets: true } } })
    } finally {
      await away.close()
    }
  })

  test('a folder that is lost while the model paints is an error in the envelope, never a dead link', async () => {
    const broken = await start()
    upstream.script = async (request, response) => {
      rmSync(broken.assetsDir, { recursive: true, force: true })
      await answerWith('answers/image-only-jpeg.json')(request, response)
    }
    const { status, headers, json: answer, line } = await askOpenai(broken, { response_format: 'url' })
    expect(status).toBe(500)
    expect(answer.error.code).toBe('internal_error')
    // The next try would be paid for too.
    expect(headers.get('x-should-retry')).toBe('false')
    expect(line).toMatchObject({ outcome: 'failed', images: 0 })
    await broken.close()
  })
})

describe('nothing is left of an exchange', () => {
  let quiet: TestGateway
  beforeAll(async () => {
    quiet = await start()
  })
  afterAll(() => quiet.close())

  test('that was refused, failed or cut', async () => {
    for (const script of [
      answerWith('refusals/image-safety.json'),
      answerWith('errors/internal.json', 500),
      answerWith('broken/cut.json'),
      answerWith('broken/html-as-picture.json'),
    ]) {
      upstream.script = script
      expect((await askOpenai(quiet, { response_format: 'url' })).status).toBeGreaterThanOrEqual(400)
    }
    expect(pictures(quiet)).toEqual([])
  })

  test('whose picture is base64 at its ends only', async () => {
    const { script } = largeAnswer(200_000)
    upstream.script = (request, response) =>
      script(request, {
        writeHead: (...head: unknown[]) => {
          Reflect.apply(response.writeHead, response, head)
          return { end: (body: string) => response.end(`${body.slice(0, 150_000)}*${body.slice(150_001)}`) }
        },
      } as unknown as typeof response)
    const { status, json: answer } = await askOpenai(quiet, { response_format: 'url' })
    expect([status, answer.error.code]).toEqual([502, 'upstream_failed'])
    expect(pictures(quiet)).toEqual([])
  })

  test('whose caller left before it was told the address', async () => {
    const { script } = largeAnswer(3_000_000)
    let painted = () => {}
    upstream.script = async (request, response) => {
      await new Promise<void>(resolve => {
        painted = resolve
      })
      await script(request, response)
    }
    const leaving = new AbortController()
    const asked = fetch(`${quiet.url}/v1/images/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'A red kite', response_format: 'url', n: 2 }),
      signal: leaving.signal,
    }).catch(() => null)
    await expect.poll(() => upstream.seen.length).toBe(2)
    const lines = quiet.log.length
    leaving.abort()
    await asked
    painted()
    await expect.poll(() => quiet.log.slice(lines).some(({ msg }) => msg === 'exchange')).toBe(true)
    expect(pictures(quiet)).toEqual([])
  })
})
