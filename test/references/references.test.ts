/** Fetching by itself: what it holds is given back, what an answer names is fetched from where its upstream is. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { join } from '../../src/images/bytes.ts'
import { BufferPool } from '../../src/memory/buffer-pool.ts'
import { createRoom } from '../../src/memory/room.ts'
import { createReferences, type FetchFacts, type ReferencesParts } from '../../src/references/references.ts'
import { askOpenai } from '../helpers/callers.ts'
import { megabytes } from '../helpers/gateway.ts'
import { numberedPicture } from '../helpers/pictures.ts'
import { json, type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'
import { countConnections, startSurroundings } from './setup.ts'

let host: ScriptedUpstream
let png: Buffer
beforeAll(async () => {
  host = await startUpstream(() => {})
  png = await numberedPicture('png')
})
afterAll(() => host.close())
beforeEach(() => {
  host.seen.length = 0
  host.script = (_request, response) => void response.end(png)
})

function setUp(more: Partial<ReferencesParts> = {}) {
  const room = createRoom(megabytes(100))
  const facts: FetchFacts[] = []
  const references = createReferences({
    fetch: 'public',
    allow: [new URL(host.url).host],
    maxBytes: megabytes(1),
    maxAnswerBytes: megabytes(2),
    timeoutMs: 2000,
    room,
    buffers: new BufferPool(),
    userAgent: 'test',
    observe: fact => facts.push(fact),
    ...more,
  })
  return { references, room, facts }
}

const never = new AbortController().signal
const link = (path: string, param = 'image') => ({ url: host.url + path, param })
const notThere = (param: string) => ({ url: 'https://127.0.0.1/', param })

test('what was fetched takes room until it is released, once and for all', async () => {
  const { references, room } = setUp()
  const { images, release } = await references.fetch([link('/1'), link('/2')], never)
  expect(
    await Promise.all(images.map(async ({ base64 }) => Buffer.from((await join(base64)).toString(), 'base64'))),
  ).toEqual([png, png])
  expect(room.bytesInUse).toBeGreaterThan(0)
  release()
  release()
  expect(room.bytesInUse).toBe(0)
})

test.each([
  ['one of them is not there', () => [link('/1'), notThere('b')], undefined],
  ['one is no picture', () => [link('/text'), link('/1')], undefined],
  ['one is too large', () => [link('/1'), link('/large')], undefined],
  ['one is cut', () => [link('/cut'), link('/1')], undefined],
  ['the caller leaves', () => [link('/1'), link('/silent')], 50],
])('no room is kept where %s', async (_what, links, leaveAfterMs) => {
  host.script = ({ url }, response) => {
    if (url === '/silent') return void response.writeHead(200, { 'content-length': 100 }).write(png)
    if (url === '/cut') return void response.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n\x89PNG\r\n')
    response.end(url === '/text' ? 'no picture' : url === '/large' ? Buffer.alloc(megabytes(1) + 1, png) : png)
  }
  const { references, room } = setUp()
  const left = new AbortController()
  if (leaveAfterMs) setTimeout(() => left.abort(new Error('left')), leaveAfterMs)
  await expect(references.fetch(links(), left.signal)).rejects.toThrow()
  expect(room.bytesInUse).toBe(0)
})

test('the rest are not asked once one has failed, and never more than four at once', async () => {
  let [underWay, most] = [0, 0]
  host.script = async (_request, response) => {
    underWay += 1
    most = Math.max(most, underWay)
    await new Promise(resolve => setTimeout(resolve, 20))
    underWay -= 1
    response.end(png)
  }
  const many = Array.from({ length: 10 }, (_, number) => link(`/${number}`))
  const { references } = setUp()
  const { images } = await references.fetch(many, never)
  expect([images.length, most]).toEqual([10, 4])
  host.seen.length = 0
  await expect(references.fetch([notThere('a'), ...many], never)).rejects.toMatchObject({ facts: { param: 'a' } })
  expect(host.seen.length).toBeLessThan(4)
})

test('time that ran out for want of room is our own fault', async () => {
  const room = createRoom(1000)
  const full = room.tryTake(1000)
  const { references, facts } = setUp({ room, timeoutMs: 100 })
  await expect(references.fetch([link('/1')], never)).rejects.toMatchObject({ kind: 'overloaded' })
  expect(facts).toMatchObject([{ outcome: 'limited' }])
  full?.()
  expect(room.bytesInUse).toBe(0)
})

test('requests that have fetched some of their pictures don’t wait for each other’s room for the rest', async () => {
  const file = Buffer.concat([png, Buffer.alloc(900_000)])
  const both = Promise.withResolvers<void>()
  host.script = async ({ url }, response) => {
    // Each request has its first picture before either may have its second.
    if (url.endsWith('/2')) await both.promise
    response.writeHead(200, { 'content-length': file.length }).end(file)
  }
  // For two pictures.
  const room = createRoom(megabytes(3))
  const { references, facts } = setUp({ room, timeoutMs: 5000 })
  const fetches = ['/a', '/b'].map(async name => {
    const { images, release } = await references.fetch([link(`${name}/1`), link(`${name}/2`)], never)
    release()
    return images.length
  })
  await expect.poll(() => room.bytesInUse).toBeGreaterThan(2 * file.length)
  both.resolve()
  expect(await Promise.all(fetches)).toEqual([2, 2])
  expect([room.bytesInUse, facts.every(({ outcome }) => outcome === 'ok')]).toEqual([0, true])
})

test('a name that leads inside is refused, whoever answers for it', async () => {
  const listener = await countConnections()
  const { references, facts } = setUp({ resolve: async () => ['93.184.216.34', '127.0.0.1'] })
  const links = [{ url: 'https://rebinding.example/a.png', param: 'image' }]
  await expect(references.fetch(links, never)).rejects.toMatchObject({ kind: 'invalid-request' })
  expect(facts).toMatchObject([{ outcome: 'refused', host: 'rebinding.example' }])
  expect(listener.connections).toBe(0)
  listener.close()
})

describe("pictures of an upstream's answer", () => {
  test('come from where the upstream is, also where references are not fetched', async () => {
    const { references, room } = setUp({ fetch: 'off', allow: [] })
    host.script = (_request, response) => void response.end(Buffer.concat([png, Buffer.alloc(megabytes(1))]))
    const image = await references.fetchAnswer(`${host.url}/out/1.png`, host.url, never)
    expect(image.mediaType).toBe('image/png')
    image.release()
    expect(room.bytesInUse).toBe(0)
  })

  test.each(['/404', '/text', '/large', '/inside'])('a failure at %s tells nothing of the address', async path => {
    host.script = ({ url }, response) => {
      if (url === '/404') return void response.writeHead(404).end()
      if (url === '/inside') return void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
      response.end(url === '/text' ? 'no picture' : Buffer.alloc(megabytes(2) + 1, png))
    }
    const { references, room } = setUp({ allow: [] })
    const call = references.fetchAnswer(host.url + path, host.url, never)
    await expect(call).rejects.toMatchObject({
      kind: 'upstream-failed',
      message: "The upstream's picture could not be fetched from where the upstream put it.",
    })
    expect(room.bytesInUse).toBe(0)
  })

  test('nobody but the upstream is trusted', async () => {
    const { references } = setUp({ allow: [] })
    await expect(references.fetchAnswer(`${host.url}/1.png`, 'http://127.0.0.1:1', never)).rejects.toThrow()
    expect(host.seen).toHaveLength(0)
  })

  const answerAt = (...urls: readonly string[]) =>
    json({
      candidates: urls.map(fileUri => ({
        content: { role: 'model', parts: [{ fileData: { mimeType: 'image/png', fileUri } }] },
        finishReason: 'STOP',
      })),
    })

  test('are handed on as pictures; a caller never sees their address', async () => {
    const { upstream, gateway, close } = await startSurroundings({ allowed: false })
    try {
      const answer = answerAt(`${upstream.url}/out/1.png`)
      upstream.script = (request, response) =>
        request.method === 'GET' ? void response.end(png) : answer(request, response)
      const painted = await askOpenai(gateway)
      expect(painted.status).toBe(200)
      expect(painted.json.data).toEqual([{ b64_json: png.toString('base64') }])
      expect(painted.json).toMatchObject({ output_format: 'png', size: '8x8' })
      const got = upstream.seen.find(({ method }) => method === 'GET')
      expect(got?.headers).not.toHaveProperty('x-goog-api-key')
    } finally {
      await close()
    }
  })

  test('that cannot be had are a 502; of several, those that came are handed on', async () => {
    const { upstream, gateway, close } = await startSurroundings({ allowed: false })
    try {
      const [good, bad] = [`${upstream.url}/out/1.png`, 'https://127.0.0.1/secret.png']
      const script = (...urls: readonly string[]) => {
        const answer = answerAt(...urls)
        upstream.script = (request, response) =>
          request.method === 'GET' ? void response.end(png) : answer(request, response)
      }
      script(bad)
      const failed = await askOpenai(gateway)
      expect([failed.status, failed.json.error.code]).toEqual([502, 'upstream_failed'])
      expect(failed.text).not.toContain('secret')
      script(bad, good)
      const painted = await askOpenai(gateway)
      expect([painted.status, painted.json.data.length]).toEqual([200, 1])
    } finally {
      await close()
    }
  })
})
