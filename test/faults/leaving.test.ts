import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test, vi } from 'vitest'
import type { CallerConfig } from '../../src/config/config.ts'
import { callerOf, type GatewayOptions, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { lineOf } from '../helpers/log.ts'
import { type RawScript, type RawUpstream, rawHead, startRawUpstream } from '../helpers/raw-upstream.ts'
import { type PictureAnswer, pictureAnswer, sha256 } from './answers.ts'
import { openCall, rawRequest } from './raw-caller.ts'
import { ask, eventually, newId, readMetrics, relayed, spillFiles, translated, type Way, ways } from './setup.ts'

const small = pictureAnswer(20_000)
const large = pictureAnswer(15_000_000)
const limited = (id: string, limits: CallerConfig['limits']) => callerOf(id, { limits })
const authorization = { 'x-goog-api-key': 'key-of-one-at-a-time' }
const unlimited = { 'x-goog-api-key': 'key-of-unlimited' }
const callers = [limited('one-at-a-time', { concurrent: 1 }), limited('unlimited', {})]

// Most of the time is spent waiting: for slow callers, and for a fresh text of metrics.
vi.setConfig({ maxConcurrency: 30 })

const running: { close(): Promise<void> }[] = []
afterAll(async () => {
  for (const each of running) await each.close()
})

async function start(script: RawScript, options: Partial<GatewayOptions> = {}): Promise<[TestGateway, RawUpstream]> {
  const upstream = await startRawUpstream(script)
  const gateway = await startGateway({ upstream: upstream.url, callers, ...options })
  running.push(gateway, upstream)
  return [gateway, upstream]
}

const answering =
  ({ bytes }: PictureAnswer): RawScript =>
  ({ socket }) => {
    socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${bytes.length}`))
    socket.write(bytes)
  }

const open = (gateway: TestGateway, way: Way, id: string, prompt = 'a kite') =>
  openCall(gateway.url, way.path, way.body(prompt), { headers: { ...authorization, 'x-request-id': id } })

/** The slot is free again, and the gateway serves. */
async function expectNextServed(gateway: TestGateway, upstream: RawUpstream, way: Way): Promise<void> {
  upstream.script = answering(small)
  const { answer } = await ask(gateway, way, 'the next one', { headers: authorization })
  expect(way.pictureOf(answer.body.toString()) === small.base64).toBe(true)
}

async function expectNothingHeld(gateway: TestGateway, upstream: RawUpstream): Promise<void> {
  await eventually(() => spillFiles(gateway).length === 0)
  await upstream.hangUp()
  const metrics = await readMetrics(gateway)
  expect(metrics('plantain_answer_bytes_in_memory')).toBe(0)
  expect(metrics('plantain_upstream_in_flight')).toBe(0)
}

describe.for(ways)('$name: a caller who leaves', { concurrent: true }, way => {
  test('while it uploads is noticed at once and gives its room back', async () => {
    const prompt = 'x'.repeat(30_000)
    const [gateway, upstream] = await start(answering(small), {
      // One such body fits, a second does not.
      config: { requests: { memoryBytes: 45_000 } },
    })
    const id = newId()
    const caller = await openCall(gateway.url, way.path, way.body(prompt), {
      headers: { ...authorization, 'x-request-id': id },
      onlyBytes: 15_000,
    })
    await sleep(50)
    caller.leave()
    expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'left', status: 499, errorKind: 'caller-left' })
    expect(upstream.calls).toHaveLength(0)
    const { answer } = await ask(gateway, way, prompt, { headers: authorization })
    expect(answer.status).toBe(200)
  })

  test('while the upstream paints ends the call, and its slot is free', async () => {
    // How long it would paint: what "at once" is measured by.
    const paintingMs = 3_000
    let painted = 0
    const paint: RawScript = async call => {
      await sleep(paintingMs)
      if (!call.socket.destroyed) painted += 1
    }
    const [gateway, upstream] = await start(paint)
    const id = newId()
    const called = upstream.nextCall()
    const caller = await open(gateway, way, id)
    const call = await called
    caller.leave()
    const leftMs = performance.now()
    await call.closed
    expect(performance.now() - leftMs).toBeLessThan(paintingMs / 3)
    expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'left', status: 499, images: 0 })
    await expectNextServed(gateway, upstream, way)
    await expectNothingHeld(gateway, upstream)
    expect(painted).toBe(0)
  })

  test.for([
    ['held in memory', 256 * 1024 * 1024],
    ['held in a file', 65_536],
  ] as const)('while it takes a large answer leaves nothing behind, %s', async ([, memoryBytes]) => {
    const [gateway, upstream] = await start(answering(large), { answers: { memoryBytes } })
    const id = newId()
    const caller = await open(gateway, way, id)
    await caller.begun
    caller.socket.pause()
    // So much that the kernels of both sides hold what they hold, and the gateway the rest.
    await sleep(100)
    caller.leave()
    expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'left', status: 200, images: 0 })
    await expectNextServed(gateway, upstream, way)
    await expectNothingHeld(gateway, upstream)
  })
})

test.concurrent('a caller who leaves while three pictures are painted ends all three calls', async () => {
  const [gateway, upstream] = await start(() => {})
  const id = newId()
  const body = JSON.stringify({ model: 'gemini-2.5-flash-image', prompt: 'a kite', n: 3 })
  const caller = await openCall(gateway.url, translated.path, body, {
    headers: { ...authorization, 'x-request-id': id },
  })
  await eventually(() => upstream.calls.length === 3)
  caller.leave()
  await Promise.all(upstream.calls.map(call => call.closed))
  expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'left', status: 499, attempts: 3 })
})

test.concurrent('a relay whose caller leaves stops the upstream in the middle of its answer', async () => {
  let sent = 0
  const [gateway, upstream] = await start(async ({ socket }) => {
    socket.write(rawHead('200 OK', 'content-type: application/json', 'content-length: 1000000000'))
    socket.write('{"text":"')
    const piece = Buffer.alloc(65_536, 'a')
    while (!socket.destroyed) {
      sent += piece.length
      if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {})
    }
  })
  const id = newId()
  const called = upstream.nextCall()
  const caller = await open(gateway, relayed, id)
  await caller.begun
  const call = await called
  caller.leave()
  await call.closed
  expect(sent).toBeLessThan(1_000_000_000)
  expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'left', status: 200 })
  await expectNextServed(gateway, upstream, relayed)
  await expectNothingHeld(gateway, upstream)
})

describe.for(ways)('$name: a caller who is slow', { concurrent: true }, way => {
  const writeTimeoutSeconds = 0.6

  test.for([
    ['held in memory', 256 * 1024 * 1024],
    ['held in a file', 65_536],
  ] as const)('gets every byte of a large answer, however long it takes, %s', async ([, memoryBytes]) => {
    const [gateway, upstream] = await start(answering(large), { answers: { writeTimeoutSeconds, memoryBytes } })
    const id = newId()
    const { socket, answer } = await open(gateway, way, id)
    const startedMs = performance.now()
    const inAll = large.bytes.length
    let taken = 0
    socket.on('data', chunk => {
      taken += chunk.length
      // Spread over three times the limit, and never silent for as long as the limit.
      const dueMs = startedMs + (taken / inAll) * writeTimeoutSeconds * 3_000
      if (dueMs <= performance.now()) return
      socket.pause()
      setTimeout(() => socket.resume(), dueMs - performance.now())
    })
    const { body, whole } = await answer
    expect(whole).toBe(true)
    expect(sha256(way.pictureOf(body.toString()))).toBe(large.sha256)
    expect(performance.now() - startedMs).toBeGreaterThan(writeTimeoutSeconds * 2_000)
    expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'ok', status: 200, images: 1 })
    await expectNothingHeld(gateway, upstream)
  })

  test.for([
    ['memory', 256 * 1024 * 1024],
    ['a file', 65_536],
  ] as const)('and takes nothing at all is cut off, and its answer no longer held in %s', async ([, memoryBytes]) => {
    const [gateway, upstream] = await start(answering(large), { answers: { writeTimeoutSeconds, memoryBytes } })
    const id = newId()
    const { socket, begun, answer } = await open(gateway, way, id)
    await begun
    socket.pause()
    expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'left', status: 200, images: 0 })
    await expectNothingHeld(gateway, upstream)
    socket.resume()
    expect((await answer).whole).toBe(false)
    await expectNextServed(gateway, upstream, way)
  })

  test('because the upstream is slow is not cut off', async () => {
    const [gateway] = await start(
      async ({ socket }) => {
        await sleep(writeTimeoutSeconds * 1_500)
        socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${small.bytes.length}`))
        socket.write(small.bytes.subarray(0, small.midImage))
        await sleep(writeTimeoutSeconds * 1_500)
        socket.write(small.bytes.subarray(small.midImage))
      },
      { answers: { writeTimeoutSeconds } },
    )
    const { answer } = await ask(gateway, way, 'a kite', { headers: authorization })
    expect(answer.whole).toBe(true)
    expect(way.pictureOf(answer.body.toString()) === small.base64).toBe(true)
  })
})

describe.for(ways)('$name: pipelined requests', { concurrent: true }, way => {
  const twice = (ids: readonly [string, string]) =>
    Buffer.concat(
      ids.map((id, index) =>
        rawRequest(way.path, way.body(`number ${index + 1}`), {
          headers: { ...unlimited, 'x-request-id': id, connection: index === 0 ? 'keep-alive' : 'close' },
        }),
      ),
    )

  test('are answered in order', async () => {
    const [gateway, upstream] = await start(answering(small))
    const ids = [newId(), newId()] as const
    const { answer } = await openCall(gateway.url, way.path, '', { raw: twice(ids) })
    await answer
    expect(upstream.calls.map(({ body }) => /number \d/.exec(body.toString())?.[0])).toEqual(['number 1', 'number 2'])
    for (const id of ids) expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'ok' })
  })

  test('of a caller who leaves at the first are not served', async () => {
    const [gateway, upstream] = await start(() => {})
    const ids = [newId(), newId()] as const
    const called = upstream.nextCall()
    const { leave } = await openCall(gateway.url, way.path, '', { raw: twice(ids) })
    const call = await called
    leave()
    await call.closed
    expect(await lineOf(gateway, ids[0])).toMatchObject({ outcome: 'left' })
    await expectNextServed(gateway, upstream, way)
    expect(upstream.calls).toHaveLength(2)
  })
})

test.concurrent('a relay to a caller of HTTP/1.0, who knows an answer by the end of its connection, is cut by a reset', async () => {
  const [gateway] = await start(({ socket }) => {
    socket.write(rawHead('200 OK', 'content-type: application/json', 'transfer-encoding: chunked'))
    socket.write('4\r\n{"a"\r\n')
    setTimeout(() => socket.write('2\r\n:1\r\n'), 50)
    setTimeout(() => socket.destroy(), 100)
  })
  const { answer } = await ask(gateway, relayed, 'a kite', { headers: authorization, version: '1.0' })
  expect(answer.headers.has('content-length') || answer.headers.has('transfer-encoding')).toBe(false)
  expect(answer.whole).toBe(false)
})
