import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { type GatewayOptions, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { lineOf } from '../helpers/log.ts'
import { type RawScript, type RawUpstream, rawHead, startRawUpstream } from '../helpers/raw-upstream.ts'
import { pictureAnswer } from './answers.ts'
import { makeCertificate } from './certificates.ts'
import { callRaw } from './raw-caller.ts'
import { ask, expectFailure, expectTimeout, newId, readMetrics, relayed, translated, type Way, ways } from './setup.ts'

vi.setConfig({ maxConcurrency: 24 })

// Divisible by three: its base64 has no padding, so more may follow.
const picture = pictureAnswer(3_000)
const large = 'A'.repeat(6_000_000)
const running: { close(): Promise<void> }[] = []
afterAll(async () => {
  for (const each of running) await each.close()
})

async function start(
  script: RawScript,
  options: Partial<GatewayOptions> = {},
  tls?: Parameters<typeof startRawUpstream>[1],
): Promise<[TestGateway, RawUpstream]> {
  const upstream = await startRawUpstream(script, tls)
  const gateway = await startGateway({ upstream: upstream.url, ...options })
  running.push(gateway, upstream)
  return [gateway, upstream]
}

const paint: RawScript = ({ socket }) => {
  socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${picture.bytes.length}`))
  socket.write(picture.bytes)
}

async function expectServed(gateway: TestGateway, way: Way): Promise<void> {
  const { answer } = await ask(gateway, way, 'a kite')
  expect(way.pictureOf(answer.body.toString()) === picture.base64).toBe(true)
}

describe.for(ways)('$name: an upstream that closes an idle connection', { concurrent: true }, way => {
  test('while the next request is on its way there is asked once more, and nobody notices', async () => {
    const [gateway, upstream] = await start(call => {
      void paint(call)
      // What a server does that stops waiting: it has not read what comes now.
      call.socket.removeAllListeners('data').once('data', () => call.socket.end())
    })
    for (let nth = 0; nth < 6; nth++) await expectServed(gateway, way)
    // No request was seen twice.
    expect(upstream.calls).toHaveLength(6)
  })

  test('at any moment is no failure', async () => {
    const [gateway] = await start(call => {
      void paint(call)
      setTimeout(() => call.socket.end(), Math.random() * 4)
    })
    for (let nth = 0; nth < 25; nth++) await expectServed(gateway, way)
  })

  test.for(['plain', 'TLS'] as const)('before it ever answered is not asked again: %s', async kind => {
    const certificate = makeCertificate({ host: '127.0.0.1' })
    const [gateway, upstream] = await start(
      ({ socket }) => void socket.end(),
      { upstreamCa: certificate.cert },
      kind === 'TLS' ? certificate : undefined,
    )
    const { answer } = await ask(gateway, way, 'a kite')
    expectFailure(way, answer)
    expect(upstream.calls).toHaveLength(1)
  })

  test.for([
    ['after a part of an answer', 'HTTP/1.1 200 OK\r\n', 0],
    ['after it had time to paint', '', 1_300],
  ] as const)('%s is not asked again: it may have painted', async ([, begun, paintingMs]) => {
    let isFirst = true
    const [gateway, upstream] = await start(async call => {
      if (isFirst) return paint(call)
      call.socket.write(begun)
      await sleep(paintingMs)
      call.socket.end()
    })
    await expectServed(gateway, way)
    isFirst = false
    const { answer } = await ask(gateway, way, 'a kite')
    expectFailure(way, answer)
    expect(upstream.calls).toHaveLength(2)
    expect(upstream.accepted).toBe(1)
  })
})

describe.for(ways)('$name: a large request, and an upstream that', { concurrent: true }, way => {
  const upload = (gateway: TestGateway, id: string) =>
    callRaw(gateway.url, way.path, withPicture(way), { headers: { 'x-request-id': id } })

  test.for([
    [
      'closes',
      (upstream: RawUpstream) => (upstream.onConnection = socket => void socket.once('data', () => socket.end())),
    ],
    [
      'resets',
      (upstream: RawUpstream) =>
        (upstream.onConnection = socket => void socket.once('data', () => socket.resetAndDestroy())),
    ],
  ] as const)('%s while it is sent', async ([, prepare]) => {
    const [gateway, upstream] = await start(() => {})
    prepare(upstream)
    const id = newId()
    expectFailure(way, await upload(gateway, id))
    expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'failed', attempts: 1 })
    expect(upstream.calls).toHaveLength(0)
  })

  test('never reads it', async () => {
    const [gateway, upstream] = await start(() => {}, {
      upstreamConfig: { timeouts: { connectSeconds: 1, firstByteSeconds: 0.7, idleSeconds: 30, totalSeconds: 30 } },
    })
    upstream.onConnection = socket => void socket.pause()
    const id = newId()
    expectTimeout(way, await upload(gateway, id))
    expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'timeout' })
  })

  test('answers before it has read all of it', async () => {
    const [gateway, upstream] = await start(() => {})
    upstream.onConnection = socket =>
      void socket.once('data', () => {
        const body = '{"error":{"code":413,"message":"Too much.","status":"INVALID_ARGUMENT"}}'
        socket.write(
          rawHead('413 Payload Too Large', 'content-type: application/json', `content-length: ${body.length}`),
        )
        socket.write(body)
      })
    const answer = await upload(gateway, newId())
    expect(answer.status).toBe(413)
    expect(way.errorOf(answer.body.toString()).message).toBe('Too much.')
  })
})

describe('an answer past answers.max_document', { concurrent: true }, () => {
  const huge = pictureAnswer(400_000)
  const startHuge = () =>
    start(
      ({ socket }) => {
        socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${huge.bytes.length}`))
        socket.write(huge.bytes)
      },
      { answers: { maxDocumentBytes: 100_000 } },
    )

  test('is not held: it is an error that a retry cannot cure', async () => {
    const [gateway, upstream] = await startHuge()
    const { answer } = await ask(gateway, translated, 'a kite')
    expectFailure(translated, answer)
    expect(answer.headers.get('x-should-retry')).toBe('false')
    await upstream.calls[0]?.closed
    expect((await readMetrics(gateway))('plantain_answer_bytes_in_memory')).toBe(0)
  })

  test('is relayed, because a relay holds nothing', async () => {
    const [gateway, upstream] = await startHuge()
    const { answer } = await ask(gateway, relayed, 'a kite')
    expect(relayed.pictureOf(answer.body.toString()) === huge.base64).toBe(true)
    await upstream.hangUp()
    expect((await readMetrics(gateway))('plantain_answer_bytes_in_memory')).toBe(0)
  })
})

function withPicture(way: Way): string {
  if (way === relayed) {
    const parts = [{ inlineData: { mimeType: 'image/png', data: large } }]
    return JSON.stringify({ contents: [{ role: 'user', parts }] })
  }
  const png = `data:image/png;base64,${picture.base64}${large}`
  return JSON.stringify({ prompt: 'a kite', model: 'gemini-2.5-flash-image', image: [png] })
}
