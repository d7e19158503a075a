/** Reference pictures by URL, from a caller's field to what the upstream gets. */

import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { ask } from '../helpers/callers.ts'
import { postForm } from '../helpers/forms.ts'
import { megabytes } from '../helpers/gateway.ts'
import { lineOf } from '../helpers/log.ts'
import { heicHead, numberedPicture } from '../helpers/pictures.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { picturesIn, type Surroundings, startSurroundings } from './setup.ts'

const maxBytes = 300_000
let all: Surroundings
let png: Buffer
let jpeg: Buffer
let webp: Buffer
let large: Buffer
let bomb: Buffer
const files = new Map<string, Buffer>()

const serve: Script = ({ url }, response) => {
  const file = files.get(url)
  response.writeHead(file ? 200 : 404, { 'content-type': 'text/plain', ...(file && { 'content-length': file.length }) })
  response.end(file)
}

beforeAll(async () => {
  all = await startSurroundings({ references: { maxBytes }, config: { requests: { memoryBytes: megabytes(8) } } })
  ;[png, jpeg, webp] = await Promise.all([
    numberedPicture('png'),
    numberedPicture('jpeg', 9, 9, 2),
    numberedPicture('webp', 10, 10, 3),
  ])
  large = Buffer.concat([png, Buffer.alloc(250_001, 7)])
  files.set('/a.png', png).set('/b.jpg', jpeg).set('/c.webp', webp).set('/large.png', large)
  bomb = gzipSync(Buffer.concat([png, Buffer.alloc(50_000_000)]))
  files.set('/d.heic', heicHead())
})
afterAll(() => all.close())
beforeEach(() => {
  all.upstream.seen.length = 0
  all.host.seen.length = 0
  all.host.script = serve
  all.upstream.script = answerWith('answers/tiny-picture.json')
})

const at = (path: string) => all.host.url + path
const generate = (body: object, path = '/v1/images/generations') =>
  ask(all.gateway, path, { prompt: 'Put them together', ...body })
const base64 = (bytes: Buffer) => bytes.toString('base64')

function sentUp(): readonly Buffer[] {
  const [seen, ...more] = all.upstream.seen
  if (!seen || more.length > 0) throw new Error(`${all.upstream.seen.length} calls went up.`)
  return picturesIn(seen)
}

async function refused(body: object, param = 'image', code = 'invalid_image', status = 400): Promise<string> {
  const answer = await generate(body)
  expect(answer.json.error).toMatchObject({ type: 'invalid_request_error', param, code })
  expect(answer.status).toBe(status)
  expect(all.upstream.seen).toHaveLength(0)
  expect(answer.line).toMatchObject({ attempts: 0, outcome: 'failed' })
  return answer.json.error.message
}

describe('every field that takes a picture takes its address', () => {
  test.each([
    ['image', (url: string) => ({ image: url })],
    ['image: a list', (url: string) => ({ image: [url] })],
    ['images: [{ image_url }]', (url: string) => ({ images: [{ image_url: url }] })],
    ['images: [{ image_url: { url } }]', (url: string) => ({ images: [{ image_url: { url } }] })],
    ['images: [{ url }]', (url: string) => ({ images: [{ url }] })],
    ['image_urls', (url: string) => ({ image_urls: [url] })],
    ['imageUrls', (url: string) => ({ imageUrls: [url] })],
    ['input_references', (url: string) => ({ input_references: [{ type: 'image_url', image_url: { url } }] })],
  ])('%s, in both operations', async (_what, body) => {
    for (const path of ['/v1/images/generations', '/v1/images/edits']) {
      all.upstream.seen.length = 0
      expect((await generate(body(at('/a.png')), path)).status).toBe(200)
      expect(sentUp()).toEqual([png])
    }
  })

  test.each(['image', 'image[]', 'image_urls[]', 'images[0]'])('a text part %s of a form', async name => {
    const parts = [
      { name: 'prompt', value: 'x' },
      { name, value: at('/a.png') },
    ]
    expect((await postForm(`${all.gateway.url}/v1/images/edits`, parts)).status).toBe(200)
    expect(sentUp()).toEqual([png])
  })

  test('files, addresses, data URLs and base64 mixed, in their order', async () => {
    const image = (value: string) => ({ name: 'image[]', value })
    const parts = [
      image(at('/c.webp')),
      { name: 'image[]', value: jpeg, fileName: 'b.jpg' },
      { name: 'prompt', value: 'x' },
      image(base64(png)),
      image(at('/large.png')),
      image(`data:image/webp;base64,${base64(webp)}`),
      image(at('/b.jpg')),
    ]
    expect((await postForm(`${all.gateway.url}/v1/images/edits`, parts)).status).toBe(200)
    expect(sentUp()).toEqual([webp, jpeg, png, large, webp, jpeg])
  })

  test('in order, though the first comes last', async () => {
    all.host.script = async (request, response) => {
      if (request.url === '/a.png') await expect.poll(() => all.host.seen).toHaveLength(3)
      return serve(request, response)
    }
    expect((await generate({ image: [at('/a.png'), at('/b.jpg'), at('/c.webp')] })).status).toBe(200)
    expect(sentUp()).toEqual([png, jpeg, webp])
  })

  test('an address of more than a kilobyte, with its slashes escaped or not', async () => {
    const path = `/a.png?signature=${'x'.repeat(1500)}`
    files.set(path, png)
    const body = JSON.stringify({ prompt: 'x', image: at(path) })
    for (const text of [body, body.replaceAll('/', '\\/')]) {
      all.upstream.seen.length = 0
      expect((await ask(all.gateway, '/v1/images/generations', text)).status).toBe(200)
      expect(sentUp()).toEqual([png])
    }
  })
})

test('a picture is what its bytes are, and heic is one', async () => {
  expect((await generate({ image: at('/d.heic') })).status).toBe(200)
  expect(sentUp()).toEqual([heicHead()])
})

test('one address in several places, or for several pictures, is fetched once', async () => {
  expect((await generate({ n: 3, image: [at('/a.png'), at('/b.jpg'), at('/a.png')] })).status).toBe(200)
  expect(all.upstream.seen.map(picturesIn)).toEqual(Array(3).fill([png, jpeg, png]))
  expect(all.host.seen).toHaveLength(2)
})

test("nothing of the caller's request reaches the host", async () => {
  const headers = {
    authorization: 'Bearer secret',
    cookie: 'a=b',
    referer: 'https://a.example/',
    'x-goog-api-key': 'k',
  }
  const body = { prompt: 'x', image: at('/a.png') }
  expect((await ask(all.gateway, '/v1/images/generations', body, headers)).status).toBe(200)
  const { host } = new URL(all.host.url)
  expect(all.host.seen[0]?.headers).toEqual({
    host,
    connection: 'keep-alive',
    accept: 'image/*',
    'accept-encoding': 'identity',
    'user-agent': 'plantain/test',
  })
})

test('addresses count among the pictures of a request', async () => {
  const image = [...Array(15).keys()].map(number => (number % 2 === 0 ? at('/a.png') : base64(png)))
  expect(await refused({ image }, 'image', 'invalid_value')).toMatch(/at most 14/)
  const many = [...Array(17).keys()].map(() => at('/a.png'))
  expect(await refused({ model: 'nano-banana', image: many }, 'image', 'invalid_value')).toMatch(/At most 16/)
  expect(all.host.seen).toHaveLength(0)
})

test('what a request lacks otherwise is told before anything is fetched', async () => {
  await refused({ image: at('/a.png'), image_size: '9K' }, 'image_size', 'invalid_value')
  expect(all.host.seen).toHaveLength(0)
})

describe('redirects', () => {
  const redirect =
    (to: string, status = 302): Script =>
    (request, response) =>
      request.url === '/a.png' ? serve(request, response) : void response.writeHead(status, { location: to }).end()

  test.each([301, 302, 303, 307, 308])('%i is followed', async status => {
    all.host.script = redirect('a.png', status)
    expect((await generate({ image: at('/elsewhere') })).status).toBe(200)
    expect(sentUp()).toEqual([png])
  })

  test('three times, not four, and not round and round', async () => {
    all.host.script = (request, response) => {
      const left = Number(request.url.slice(1))
      if (left === 0) return serve({ ...request, url: '/a.png' }, response)
      return void response.writeHead(302, { location: `/${left - 1}` }).end()
    }
    expect((await generate({ image: at('/3') })).status).toBe(200)
    all.upstream.seen.length = 0
    await refused({ image: at('/4') })
    all.host.script = redirect('/round')
    all.host.seen.length = 0
    await refused({ image: at('/round') })
    expect(all.host.seen).toHaveLength(4)
  })

  test.each([
    '',
    'file:///etc/passwd',
    'gopher://x/',
    'data:image/png;base64,AAAA',
    'http://',
    'http://a:b@c/',
    'javascript:1',
  ])('to %j is none to follow', async to => {
    all.host.script = redirect(to)
    await refused({ image: at('/elsewhere') })
  })
})

describe('one sentence for whatever is not there', () => {
  const scripts: readonly (readonly [string, Script])[] = [
    ['404', (_, response) => void response.writeHead(404).end('no')],
    ['401', (_, response) => void response.writeHead(401).end()],
    ['500', (_, response) => void response.writeHead(500).end()],
    ['204', (_, response) => void response.writeHead(204).end()],
    ['206', (_, response) => void response.writeHead(206).end(png)],
    ['304', (_, response) => void response.writeHead(304).end()],
    ['a connection that is cut at once', (_, response) => void response.destroy()],
    ['no HTTP', (_, response) => void response.socket?.end('HELLO\r\n\r\n')],
    [
      'a picture that is cut',
      (_, response) => {
        response.writeHead(200, { 'content-length': 1000 }).write(png)
        setTimeout(() => response.destroy(), 20)
      },
    ],
    [
      'a length that lies',
      (_, response) => void response.socket?.end(`HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n${png}`),
    ],
    [
      'heads without end',
      (_, response) => void response.socket?.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`),
    ],
  ]

  test.each(scripts)('%s', async (_what, script) => {
    all.host.script = script
    const message = await refused({ image: [base64(png), at('/secret.png')] }, 'image[1]')
    expect(message).toBe(
      "The picture at 'image[1]' could not be fetched. It must be at a public https address that answers quickly with a picture; else send a file, a data URL or base64 text.",
    )
  })

  test('the same for who may not be asked', async () => {
    const message = await refused({ image: [base64(png), 'https://127.0.0.1/secret.png'] }, 'image[1]')
    all.host.script = serve
    expect(await refused({ image: [base64(png), at('/nowhere')] }, 'image[1]')).toBe(message)
  })
})

describe('what is no picture', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['HTML', Buffer.from('<!doctype html><html><body>hello there, this is a page</body></html>')],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')],
    ['credentials', Buffer.from('{"AccessKeyId":"ASIA…","SecretAccessKey":"…","Token":"…"}')],
  ])('%s', async (_what, bytes) => {
    all.host.script = (_, response) => void response.writeHead(200, { 'content-type': 'image/png' }).end(bytes)
    const message = await refused({ image: at('/cat.png') })
    expect(message).toBe("Invalid picture 'image': its bytes are no png, jpeg, webp, heic or heif.")
  })

  test('a GIF', async () => {
    const gif = await numberedPicture('gif')
    all.host.script = (_, response) => void response.end(gif)
    expect(await refused({ image: at('/cat.gif') })).toMatch(/gif is not supported/)
  })

  test('what is no picture is not read to its end', async () => {
    let closed = false
    all.host.script = async (_, response) => {
      response.writeHead(200, { 'content-length': maxBytes }).write('no picture, and it is more than thirty-two bytes')
      await once(response, 'close')
      closed = true
    }
    await refused({ image: at('/cat.png') })
    await expect.poll(() => closed).toBe(true)
  })

  test.each(['gzip', 'br', 'deflate', 'gzip, gzip'])('a body in %s is never inflated', async encoding => {
    all.host.script = (_, response) => void response.writeHead(200, { 'content-encoding': encoding }).end(bomb)
    expect(await refused({ image: at('/cat.png') })).toMatch(/compressed/)
  })
})

describe('what is too large', () => {
  test('by its declared length: not a byte of it is read', async () => {
    all.host.script = (_, response) => {
      response.writeHead(200, { 'content-length': maxBytes + 1 }).write(png)
    }
    const message = await refused({ image: at('/a.png') }, 'image', 'request_too_large', 413)
    expect(message).toMatch(/300000 bytes/)
  })

  test('a body without end', async () => {
    let written = 0
    all.host.script = async (_, response) => {
      const closed = once(response, 'close')
      response.writeHead(200).write(png)
      while (!response.destroyed) {
        written += 65_536
        if (!response.write(Buffer.alloc(65_536))) await Promise.race([once(response, 'drain'), closed])
      }
    }
    await refused({ image: at('/a.png') }, 'image', 'request_too_large', 413)
    expect(written).toBeLessThan(megabytes(30))
  })

  test('exactly the bound is not', async () => {
    const bytes = Buffer.concat([png, Buffer.alloc(maxBytes)]).subarray(0, maxBytes)
    all.host.script = (_, response) => void response.end(bytes)
    expect((await generate({ image: at('/a.png') })).status).toBe(200)
    expect(sentUp()).toEqual([bytes])
  })
})

test('when one fails, the others are let go and nothing is held', async () => {
  let abandoned = 0
  all.host.script = async (request, response) => {
    if (request.url !== '/slow') return serve(request, response)
    response.writeHead(200).write(png)
    await once(response, 'close')
    abandoned += 1
  }
  const image = [at('/slow'), at('/a.png'), at('/nowhere'), at('/slow?2')]
  await refused({ image }, 'image[2]')
  await expect.poll(() => abandoned).toBe(1)
  // More than there is room for, if anything were left in it.
  for (let round = 0; round < 4; round++) await refused({ image }, 'image[2]')
})

test('a caller who leaves ends the fetch', async () => {
  let left = false
  const asked = new Promise<void>(resolve => {
    all.host.script = async (_, response) => {
      resolve()
      await once(response, 'close')
      left = true
    }
  })
  const body = JSON.stringify({ prompt: 'x', image: at('/a.png') })
  const socket = connect(Number(new URL(all.gateway.url).port), '127.0.0.1')
  socket.write(
    `POST /v1/images/generations HTTP/1.1\r\nhost: x\r\nx-request-id: leaver\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  await asked
  socket.destroy()
  await expect.poll(() => left).toBe(true)
  expect(await lineOf(all.gateway, 'leaver')).toMatchObject({ outcome: 'left', attempts: 0 })
  expect(all.upstream.seen).toHaveLength(0)
})

test('references.fetch: off fetches nothing, and says so', async () => {
  const off = await startSurroundings({ references: { fetch: 'off' } })
  try {
    const { status, json } = await ask(off.gateway, '/v1/images/generations', {
      prompt: 'x',
      image: `${off.host.url}/a.png`,
    })
    expect(status).toBe(400)
    expect(json.error).toMatchObject({ code: 'unsupported_parameter', param: 'image' })
    expect(off.host.seen).toHaveLength(0)
  } finally {
    await off.close()
  }
})

test('a slow host has as long as references.timeout_s for all of it, however lively it is', async () => {
  const slow = await startSurroundings({ references: { timeoutSeconds: 0.5 } })
  try {
    slow.host.script = async (_, response) => {
      response.writeHead(200)
      for (const byte of png) {
        if (response.destroyed) return
        response.write(Buffer.of(byte))
        await new Promise(resolve => setTimeout(resolve, 30))
      }
    }
    const image = [1, 2, 3].map(number => `${slow.host.url}/${number}.png`)
    const { status, json } = await ask(slow.gateway, '/v1/images/generations', { prompt: 'x', image })
    expect(status).toBe(400)
    expect(json.error.message).toMatch(/could not be fetched/)
    await expect.poll(() => slow.host.abandoned).toBe(3)
  } finally {
    await slow.close()
  }
})

test("what is fetched takes its room among the requests', gives it back, and waits for it in line", async () => {
  const tight = await startSurroundings({ config: { requests: { memoryBytes: megabytes(6) } } })
  try {
    const file = Buffer.concat([png, Buffer.alloc(megabytes(3))])
    tight.host.script = (_, response) => void response.writeHead(200, { 'content-length': file.length }).end(file)
    // 4 MB each as base64: there is room for one.
    const answers = [1, 2, 3, 4].map(number =>
      ask(tight.gateway, '/v1/images/generations', { prompt: 'x', image: `${tight.host.url}/${number}` }),
    )
    for (const answer of answers) expect((await answer).status).toBe(200)
    expect(tight.upstream.seen.map(seen => picturesIn(seen)[0]?.equals(file))).toEqual([true, true, true, true])
  } finally {
    await tight.close()
  }
})

test('what became of fetches is counted, and told to the operator', async () => {
  const { gateway } = all
  await generate({ image: [at('/a.png'), at('/b.jpg')] })
  await generate({ image: 'https://10.0.0.1/a.png' })
  expect(await gateway.metric('plantain_reference_fetches_total', { outcome: 'ok' })).toBeGreaterThan(1)
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  expect(text).toMatch(/^plantain_reference_fetches_total\{outcome="refused"\} [1-9]/m)
  const lines = gateway.log.filter(({ msg }) => msg === 'a reference picture was not fetched')
  expect(lines.at(-1)).toMatchObject({ host: '10.0.0.1', outcome: 'refused', why: expect.stringMatching(/not public/) })
})

test('a vendor who fetches pictures gets their addresses, but for hosts that the operator has named', async () => {
  const vendor = await startSurroundings({ upstreamConfig: { protocol: 'openai', dialect: 'nano-banana' } })
  try {
    vendor.host.script = serve
    vendor.upstream.script = (_, response) => void response.end(JSON.stringify({ data: [{ b64_json: base64(png) }] }))
    const image = ['https://images.example.com/cat.png', `${vendor.host.url}/a.png`]
    const { status } = await ask(vendor.gateway, '/v1/images/generations', { model: 'nano-banana', prompt: 'x', image })
    expect(status).toBe(200)
    expect(JSON.parse(vendor.upstream.seen[0]?.body.toString() ?? '').image).toEqual([image[0], base64(png)])
  } finally {
    await vendor.close()
  }
})

describe('pictures that lie at Google', () => {
  const file = 'https://generativelanguage.googleapis.com/v1beta/files/abc-123'

  test('are left to the upstream that can read them there', async () => {
    const image = [file, at('/a.png')]
    expect((await generate({ image })).status).toBe(200)
    const { parts } = JSON.parse(all.upstream.seen[0]?.body.toString() ?? '').contents[0]
    expect(parts).toEqual([
      { text: 'Put them together' },
      { fileData: { fileUri: file } },
      { inlineData: { mimeType: 'image/png', data: base64(png) } },
    ])
  })

  test('are not handed on as addresses: a vendor who fetches pictures has no key for them', async () => {
    const vendor = await startSurroundings({ upstreamConfig: { protocol: 'openai', dialect: 'nano-banana' } })
    try {
      const body = { model: 'nano-banana', prompt: 'x', image: file }
      const { status, json } = await ask(vendor.gateway, '/v1/images/generations', body)
      expect([status, json.error.param, vendor.upstream.seen]).toEqual([400, 'image', []])
    } finally {
      await vendor.close()
    }
  })

  test('and named where no upstream can', async () => {
    expect(await refused({ image: [at('/a.png'), 'gs://bucket/cat.png'] }, 'image[1]')).toMatch(/no upstream/)
    expect(all.host.seen).toHaveLength(0)
  })
})
