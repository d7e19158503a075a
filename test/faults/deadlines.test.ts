import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { UpstreamConfig } from '../../src/config/config.ts'
import { formBytes, formType, textParts } from '../helpers/forms.ts'
import { bothVendorsAt, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { lineOf } from '../helpers/log.ts'
import { type RawScript, type RawUpstream, rawChunk, rawHead, startRawUpstream } from '../helpers/raw-upstream.ts'
import { pictureAnswer } from './answers.ts'
import { callRaw } from './raw-caller.ts'
import { ask, expectTimeout, newId, translated, type Way, ways } from './setup.ts'

vi.setConfig({ maxConcurrency: 24 })

const picture = pictureAnswer(20_000)
const running: { close(): Promise<void> }[] = []
afterAll(async () => {
  for (const each of running) await each.close()
})

// Each test makes one of them short. That one ends the exchange, which then took a small part of what the others allow.
const long: UpstreamConfig['timeouts'] = { connectSeconds: 30, firstByteSeconds: 30, idleSeconds: 30, totalSeconds: 30 }

async function start(
  script: RawScript,
  timeouts: Partial<UpstreamConfig['timeouts']> = {},
): Promise<[TestGateway, RawUpstream]> {
  const upstream = await startRawUpstream(script)
  const gateway = await startGateway({
    upstream: upstream.url,
    upstreamConfig: { timeouts: { ...long, ...timeouts } },
  })
  running.push(gateway, upstream)
  return [gateway, upstream]
}

const answering =
  (afterMs = 0): RawScript =>
  async ({ socket }) => {
    await sleep(afterMs)
    socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${picture.bytes.length}`))
    socket.write(picture.bytes)
  }

const beginning: RawScript = ({ socket }) => {
  socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${picture.bytes.length}`))
  socket.write(picture.bytes.subarray(0, picture.midImage))
}

/** Answers late, where the prompt says so, or never. */
const asToldByThePrompt: RawScript = call => {
  const afterMs = /after (\d+)/.exec(call.body.toString())?.[1]
  return afterMs === undefined ? undefined : answering(Number(afterMs))(call)
}

async function expectEndedEarly(gateway: TestGateway, id: string): Promise<void> {
  const line = await lineOf(gateway, id)
  expect(line).toMatchObject({ outcome: 'timeout', errorKind: 'upstream-timeout' })
  expect(Number(line.durationMs)).toBeLessThan(10_000)
}

describe('what callers send of their own time limits', { concurrent: true }, () => {
  let gateway: TestGateway
  let upstream: RawUpstream
  beforeAll(async () => {
    ;[gateway, upstream] = await start(asToldByThePrompt)
  })

  describe.for(ways)('$name', way => {
    test.for(['x-server-timeout', 'x-stainless-timeout'])('%s shortens the time an exchange has', async name => {
      const prompt = `${way.name}, ${name}`
      const { id, answer } = await ask(gateway, way, prompt, { headers: { [name]: '0.3' } })
      expectTimeout(way, answer)
      await expectEndedEarly(gateway, id)
      await upstream.calls.find(({ body }) => body.includes(prompt))?.closed
    })

    test('the shorter of two time limits counts', async () => {
      const headers = { 'x-server-timeout': '20', 'x-stainless-timeout': '0.3' }
      const { id, answer } = await ask(gateway, way, 'a kite', { headers })
      expectTimeout(way, answer)
      await expectEndedEarly(gateway, id)
    })

    test.for(['0', '-1', 'soon', '', 'NaN', 'Infinity', '1e400'])('a time limit of %o is none', async value => {
      const headers = { 'x-server-timeout': value, 'x-stainless-timeout': value }
      const { answer } = await ask(gateway, way, 'after 300', { headers })
      expect(way.pictureOf(answer.body.toString()) === picture.base64).toBe(true)
    })
  })
})

describe.for(ways)('$name', { concurrent: true }, way => {
  test('a caller cannot lengthen the time an exchange has', async () => {
    const [gateway] = await start(() => {}, { totalSeconds: 0.5 })
    const { id, answer } = await ask(gateway, way, 'a kite', { headers: { 'x-server-timeout': '25' } })
    expectTimeout(way, answer)
    await expectEndedEarly(gateway, id)
  })

  test('an upstream that does not begin to answer is given up at first_byte_s', async () => {
    const [gateway, upstream] = await start(() => {}, { firstByteSeconds: 0.5 })
    const { id, answer } = await ask(gateway, way, 'a kite')
    expectTimeout(way, answer)
    await expectEndedEarly(gateway, id)
    await upstream.calls[0]?.closed
  })

  test('an upstream that stops in its answer is given up at idle_s', async () => {
    const [gateway, upstream] = await start(beginning, { idleSeconds: 0.5 })
    const { id, answer } = await ask(gateway, way, 'a kite')
    expectCutByTime(way, answer)
    await expectEndedEarly(gateway, id)
    await upstream.calls[0]?.closed
  })

  test('an upstream that never stops answering is given up at total_s', async () => {
    const [gateway, upstream] = await start(
      async call => {
        call.socket.write(rawHead('200 OK', 'content-type: application/json', 'transfer-encoding: chunked'))
        call.socket.write('1\r\n[\r\n')
        while (!call.socket.destroyed) {
          call.socket.write('2\r\n1,\r\n')
          await sleep(20)
        }
      },
      { totalSeconds: 0.7 },
    )
    const { id, answer } = await ask(gateway, way, 'a kite')
    expectCutByTime(way, answer)
    await expectEndedEarly(gateway, id)
    await upstream.calls[0]?.closed
  })

  test('the next exchange after a timeout has a connection of its own', async () => {
    let calls = 0
    const [gateway, upstream] = await start(call => {
      calls += 1
      return calls === 1 ? undefined : answering()(call)
    })
    await ask(gateway, way, 'a kite', { headers: { 'x-server-timeout': '0.3' } })
    const { answer } = await ask(gateway, way, 'a kite')
    expect(way.pictureOf(answer.body.toString()) === picture.base64).toBe(true)
    expect(upstream.accepted).toBe(2)
  })
})

test.concurrent('what was painted by the deadline is delivered', async () => {
  let calls = 0
  const [gateway] = await start(call => {
    calls += 1
    return calls === 2 ? undefined : answering()(call)
  })
  const id = newId()
  const body = JSON.stringify({ model: 'gemini-2.5-flash-image', prompt: 'a kite', n: 3 })
  const answer = await callRaw(gateway.url, translated.path, body, {
    headers: { 'x-request-id': id, 'x-stainless-timeout': '1' },
  })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('x-plantain-images')).toBe('2/3')
  expect(JSON.parse(answer.body.toString()).data).toHaveLength(2)
  expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'ok', images: 2, attempts: 3 })
})

const events = ['{"later":1}', '{"later":2}'].map(data => Buffer.from(`data: ${data}\n\n`))
const streamOf = (path: string, body: object) => ({ path, type: 'application/json', body: JSON.stringify(body) })

describe('a stream that is passed on may be as silent between two events as before the first', {
  concurrent: true,
}, () => {
  test.each([
    streamOf('/v1beta/models/gemini-2.5-flash-image:streamGenerateContent?alt=sse', {
      contents: [{ role: 'user', parts: [{ text: 'a kite' }] }],
    }),
    streamOf('/v1/images/generations', { model: 'gpt-image-2', prompt: 'a kite', stream: true }),
    {
      path: '/v1/images/edits',
      type: formType,
      body: formBytes([
        ...textParts({ model: 'gpt-image-2', prompt: 'a kite', stream: 'true' }),
        { name: 'image', value: 'a picture', fileName: 'a.png', type: 'image/png' },
      ]).toString(),
    },
  ])('$path', async ({ path, type, body }) => {
    const upstream = await startRawUpstream(async ({ socket }) => {
      socket.write(rawHead('200 OK', 'content-type: text/event-stream', 'transfer-encoding: chunked'))
      for (const [index, event] of events.entries()) {
        if (index > 0) await sleep(1200)
        socket.write(rawChunk(event))
      }
      socket.write('0\r\n\r\n')
    })
    const upstreams = bothVendorsAt(upstream.url).map(each => ({ ...each, timeouts: { ...long, idleSeconds: 0.3 } }))
    const gateway = await startGateway({ upstream: upstream.url, config: { upstreams } })
    running.push(gateway, upstream)
    const answer = await callRaw(gateway.url, path, body, { headers: { 'content-type': type } })
    expect([answer.whole, answer.body.toString()]).toEqual([true, events.join('')])
  })
})

/** A relayed answer had begun: all that can be done is to end it visibly. */
function expectCutByTime(way: Way, answer: Awaited<ReturnType<typeof callRaw>>): void {
  if (way === translated) expectTimeout(way, answer)
  else expect(answer.whole).toBe(false)
}
