import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCall } from '../faults/raw-caller.ts'
import { eventually, newId, readMetrics, spillFiles } from '../faults/setup.ts'
import { chunksAt, cuts } from '../helpers/documents.ts'
import { type GatewayOptions, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { lineOf } from '../helpers/log.ts'
import { type RawScript, type RawUpstream, rawChunk, rawHead, startRawUpstream } from '../helpers/raw-upstream.ts'
import {
  ask,
  errorEvent,
  event,
  eventsIn,
  googlesHead,
  lastEvent,
  pictureEvent,
  pictureText,
  sendStream,
  streamBody,
  told,
} from './setup.ts'

const pictures = [1, 2, 3, 4].map(seed => pictureText(40_000, seed))
const [first = '', second = '', third = ''] = pictures
const path = '/v1/images/generations'

const running: { close(): Promise<void> }[] = []
let upstream: RawUpstream
let gateway: TestGateway

async function start(options: Partial<GatewayOptions> = {}): Promise<[TestGateway, RawUpstream]> {
  const own = await startRawUpstream(() => {})
  const served = await startGateway({ upstream: own.url, ...options })
  running.push(served, own)
  return [served, own]
}

beforeAll(async () => {
  ;[gateway, upstream] = await start()
})
afterAll(async () => {
  for (const each of running) await each.close()
})

const sending =
  (...pieces: readonly Buffer[]): RawScript =>
  call =>
    sendStream(call, pieces)

async function read(response: Response): Promise<readonly string[]> {
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  return told(eventsIn(await response.text()), pictures)
}

describe('a caller who asks for a stream', () => {
  test('gets thoughts as drafts, the picture, and its cost, each in an event with all fields', async () => {
    upstream.script = sending(pictureEvent(first, true), pictureEvent(second, true), pictureEvent(third), lastEvent())
    const response = await ask(gateway)
    const events = eventsIn(await response.text())
    expect(told(events, pictures)).toEqual(['draft 0 0', 'draft 1 1', 'done 2'])
    const common = {
      created_at: expect.any(Number),
      size: '64x64',
      quality: 'auto',
      background: 'auto',
      output_format: 'png',
    }
    const type = (which: string) => ({ type: `image_generation.${which}`, b64_json: expect.any(String) })
    expect(events.map(({ data }) => data)).toEqual([
      { ...type('partial_image'), ...common, partial_image_index: 0 },
      { ...type('partial_image'), ...common, partial_image_index: 1 },
      {
        ...type('completed'),
        ...common,
        usage: {
          total_tokens: 1127,
          input_tokens: 7,
          output_tokens: 1120,
          input_tokens_details: { text_tokens: 7, image_tokens: 0 },
          output_tokens_details: { text_tokens: 0, image_tokens: 1120 },
        },
      },
    ])
    expect(events.every(({ name, data }) => name === data.type)).toBe(true)
    expect(response.headers.get('x-plantain-upstream')).toBe('google')
    expect(response.headers.get('x-plantain-model')).toBe('gemini-2.5-flash-image')
  })

  test('gets pictures that others took the place of as drafts, and at most as many as asked for', async () => {
    upstream.script = sending(...pictures.map(picture => pictureEvent(picture)), lastEvent())
    expect(await read(await ask(gateway))).toEqual(['draft 0 0', 'draft 1 1', 'draft 2 2', 'done 3'])
    expect(await read(await ask(gateway, { partial_images: 1 }))).toEqual(['draft 0 0', 'done 3'])
  })

  test('gets the last thought where nothing else came', async () => {
    upstream.script = sending(pictureEvent(first, true), pictureEvent(second, true), lastEvent())
    expect(await read(await ask(gateway))).toEqual(['draft 0 0', 'draft 1 1', 'done 1'])
  })

  test('gets no draft that is no picture, and the answer all the same', async () => {
    upstream.script = sending(pictureEvent('bm8gcGljdHVyZQ=='.repeat(100), true), pictureEvent(first), lastEvent())
    expect(await read(await ask(gateway))).toEqual(['done 0'])
  })

  test('gets each draft when it comes', async () => {
    const { promise: seen, resolve: see } = Promise.withResolvers<void>()
    upstream.script = async ({ socket }) => {
      socket.write(googlesHead)
      socket.write(rawChunk(pictureEvent(first, true)))
      await seen
      socket.write(rawChunk(Buffer.concat([pictureEvent(second), lastEvent()])))
      socket.write('0\r\n\r\n')
    }
    const response = await ask(gateway)
    const pieces: Buffer[] = []
    for await (const piece of response.body ?? []) {
      pieces.push(Buffer.from(piece))
      // Only now the picture is sent: the draft did not wait for it.
      if (Buffer.concat(pieces).includes('"partial_image_index":0')) see()
    }
    expect(told(eventsIn(Buffer.concat(pieces).toString()), pictures)).toEqual(['draft 0 0', 'done 1'])
  })

  test('gets the same events however the upstream’s bytes are cut', async () => {
    const stream = Buffer.concat([
      event({ candidates: [{ content: { parts: [{ text: 'Here it is.' }] } }] }),
      pictureEvent(first, true),
      Buffer.from(': ping\n\r\n'),
      pictureEvent(second),
      lastEvent(),
    ])
    await fc.assert(
      fc.asyncProperty(cuts, async shares => {
        const chunks = chunksAt(stream, shares)
        upstream.script = async call => {
          call.socket.setNoDelay(true)
          sendStream(call, chunks)
        }
        expect(await read(await ask(gateway))).toEqual(['draft 0 0', 'done 1'])
      }),
      { numRuns: 25 },
    )
  })

  test('without drafts costs the upstream no stream', async () => {
    const answer = JSON.stringify({
      candidates: [
        { content: { parts: [{ inlineData: { mimeType: 'image/png', data: first } }] }, finishReason: 'STOP' },
      ],
    })
    const heads: string[] = []
    upstream.script = ({ socket, head }) => {
      heads.push(head.split('\r\n')[0] ?? '')
      socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${answer.length}`) + answer)
    }
    expect(await read(await ask(gateway, { partial_images: 0 }))).toEqual(['done 0'])
    expect(heads).toEqual([expect.stringContaining(':generateContent ')])
  })

  test.each([
    ['one document', (document: string) => document],
    ['an array', (document: string) => `[${document}]`],
  ])('is served by an upstream that answers a stream with %s', async (_, frame) => {
    const document = frame(
      JSON.stringify({ candidates: [{ content: { parts: [{ inlineData: { data: first } }] }, finishReason: 'STOP' }] }),
    )
    upstream.script = ({ socket }) => {
      socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${document.length}`) + document)
    }
    expect(await read(await ask(gateway))).toEqual(['done 0'])
  })

  test('gets an event for each of n pictures when it comes, those that came', async () => {
    let calls = 0
    const { promise: secondCame, resolve: secondComes } = Promise.withResolvers<void>()
    upstream.script = async call => {
      const number = calls++
      if (number === 0) await secondCame
      if (number === 2) return sendStream(call, [errorEvent])
      sendStream(call, [pictureEvent(pictures[number] ?? ''), lastEvent()])
    }
    const response = await ask(gateway, { n: 3, partial_images: 1 })
    const pieces: Buffer[] = []
    for await (const piece of response.body ?? []) {
      pieces.push(Buffer.from(piece))
      if (Buffer.concat(pieces).includes('completed')) secondComes()
    }
    expect(told(eventsIn(Buffer.concat(pieces).toString()), pictures)).toEqual(['done 1', 'done 0'])
  })

  test('is told what all n failed of', async () => {
    upstream.script = sending(errorEvent)
    const response = await ask(gateway, { n: 3 })
    expect(response.status).toBe(503)
    expect((await response.json()) as object).toMatchObject({ error: { code: 'overloaded' } })
  })
})

describe('a stream that fails', () => {
  const cutIn =
    (...pieces: readonly Buffer[]): RawScript =>
    async ({ socket }) => {
      socket.write(googlesHead)
      for (const piece of pieces) {
        socket.write(rawChunk(piece))
        await sleep(20)
      }
      socket.destroy()
    }
  const refusing: RawScript = ({ socket }) => void socket.write(rawHead('500 No', 'content-length: 0'))
  const half = pictureEvent(second).subarray(0, 30_000)

  test.each([
    ['with an error event', sending(errorEvent), 503, 'overloaded'],
    ['cut inside an event', cutIn(half), 502, 'upstream_failed'],
    ['ended inside an event', sending(half), 502, 'upstream_failed'],
    ['with nothing in it', sending(), 502, 'upstream_failed'],
    ['with a picture, and without its last event', sending(pictureEvent(first)), 502, 'upstream_failed'],
    ['with what is no JSON', sending(Buffer.from('data: oops\n\n')), 502, 'upstream_failed'],
    ['with a refusal', sending(lastEvent('IMAGE_SAFETY')), 400, 'moderation_blocked'],
    ['with a status', refusing, 502, 'upstream_failed'],
  ])('before anything was told has its status: %s', async (_, script, status, code) => {
    upstream.script = script
    const id = newId()
    const response = await ask(gateway, {}, { 'x-request-id': id })
    expect(response.status).toBe(status)
    expect((await response.json()) as object).toMatchObject({ error: { code } })
    expect(await lineOf(gateway, id)).toMatchObject({ status, images: 0 })
  })

  test.each([
    ['with an error event', sending(pictureEvent(first, true), errorEvent), 'overloaded', 'server_error'],
    ['cut inside an event', cutIn(pictureEvent(first, true), half), 'upstream_failed', 'server_error'],
    ['ended inside an event', sending(pictureEvent(first, true), half), 'upstream_failed', 'server_error'],
    ['without its last event', sending(pictureEvent(first, true)), 'upstream_failed', 'server_error'],
    [
      'with a refusal',
      sending(pictureEvent(first, true), lastEvent('IMAGE_SAFETY')),
      'moderation_blocked',
      'image_generation_user_error',
    ],
  ])('after a draft is told in an event, and the stream ends in good order: %s', async (_, script, code, type) => {
    upstream.script = script
    const id = newId()
    const events = eventsIn(await (await ask(gateway, {}, { 'x-request-id': id })).text())
    expect(told(events, pictures)).toEqual(['draft 0 0', `error ${code}`])
    expect(events[1]?.data).toEqual({
      error: expect.objectContaining({ type, code, param: null, message: expect.any(String) }),
    })
    const outcome = type === 'server_error' ? 'failed' : 'refused'
    expect(await lineOf(gateway, id)).toMatchObject({ status: 200, images: 0, outcome })
  })

  test('ends the upstream’s call at the error, though the upstream goes on', async () => {
    upstream.script = ({ socket }) => {
      socket.write(googlesHead)
      socket.write(rawChunk(errorEvent))
    }
    const called = upstream.nextCall()
    expect((await ask(gateway)).status).toBe(503)
    await (await called).closed
  })

  test('leaves nothing in memory, and neither does one that went well', async () => {
    const [own, painter] = await start()
    painter.script = sending(pictureEvent(first, true), pictureEvent(second), half)
    await (await ask(own)).text()
    painter.script = sending(pictureEvent(first, true), pictureEvent(second), pictureEvent(third), lastEvent())
    await (await ask(own)).text()
    await painter.hangUp()
    const metrics = await readMetrics(own)
    expect(metrics('plantain_answer_bytes_in_memory')).toBe(0)
    expect(metrics('plantain_upstream_in_flight')).toBe(0)
  })
})

describe('heartbeats', () => {
  test('go out in silence, commit to 200 with what is known, and errors are events from then on', async () => {
    const [own, painter] = await start({ heartbeatMs: 20 })
    const { promise: waited, resolve: go } = Promise.withResolvers<void>()
    painter.script = async call => {
      await waited
      sendStream(call, [errorEvent])
    }
    const response = await ask(own)
    expect(response.headers.get('x-plantain-upstream')).toBe('google')
    const pieces: string[] = []
    for await (const piece of response.body ?? []) {
      pieces.push(Buffer.from(piece).toString())
      if (pieces.join('').split(': ping\n').length > 3) go()
    }
    const body = pieces.join('')
    expect(body).toMatch(/^(: ping\n){3,}event: error\n/)
    expect(told(eventsIn(body), pictures)).toEqual(['error overloaded'])
  })

  test('do not go out before their time', async () => {
    upstream.script = async call => {
      await sleep(60)
      sendStream(call, [pictureEvent(first), lastEvent()])
    }
    expect(await (await ask(gateway)).text()).not.toContain(': ping')
  })

  test('never stand inside an event', async () => {
    const [own, painter] = await start({ heartbeatMs: 1 })
    painter.script = async ({ socket }) => {
      socket.write(googlesHead)
      for (const picture of [pictureEvent(first, true), pictureEvent(second, true), pictureEvent(third), lastEvent()]) {
        await sleep(20)
        socket.write(rawChunk(picture))
      }
      socket.write('0\r\n\r\n')
    }
    const body = await (await ask(own)).text()
    expect(body).toContain(': ping\n')
    expect(told(eventsIn(body), pictures)).toEqual(['draft 0 0', 'draft 1 1', 'done 2'])
  })
})

describe('large pictures', () => {
  const large = [11, 12].map(seed => pictureText(8_000_000, seed))
  const [draft = '', final = ''] = large
  const script = sending(pictureEvent(draft, true), pictureEvent(final), lastEvent())

  test.each([
    ['in memory', 256 * 1024 * 1024],
    ['in a file', 65_536],
  ])('come to the byte, held %s', async (_, memoryBytes) => {
    const [own, painter] = await start({ answers: { memoryBytes } })
    painter.script = script
    const events = eventsIn(await (await ask(own)).text())
    expect(told(events, large)).toEqual(['draft 0 0', 'done 1'])
    await eventually(() => spillFiles(own).length === 0)
    await painter.hangUp()
    expect((await readMetrics(own))('plantain_answer_bytes_in_memory')).toBe(0)
  })

  test('come to the byte to a slow reader, while the upstream is done long before', async () => {
    const [own, painter] = await start()
    const { promise: allSent, resolve: sent } = Promise.withResolvers<void>()
    painter.script = async call => {
      await script(call)
      call.socket.write('', () => sent())
    }
    const id = newId()
    const caller = await openCall(own.url, path, JSON.stringify(streamBody()), { headers: { 'x-request-id': id } })
    await caller.begun
    caller.socket.pause()
    await allSent
    caller.socket.resume()
    const answer = await caller.answer
    expect(answer.whole).toBe(true)
    expect(told(eventsIn(answer.body.toString()), large)).toEqual(['draft 0 0', 'done 1'])
    expect(await lineOf(own, id)).toMatchObject({ outcome: 'ok', images: 1, bytesOut: answer.body.length })
  })

  test('are given up when the caller does not read, or leaves', async () => {
    const [own, painter] = await start({ answers: { writeTimeoutSeconds: 1 } })
    painter.script = script
    const ids = [newId(), newId()]
    const [idle, leaver] = await Promise.all(
      ids.map(id => openCall(own.url, path, JSON.stringify(streamBody()), { headers: { 'x-request-id': id } })),
    )
    await Promise.all([idle?.begun, leaver?.begun])
    idle?.socket.pause()
    leaver?.leave()
    for (const id of ids) expect(await lineOf(own, id)).toMatchObject({ outcome: 'left', status: 200 })
    await painter.hangUp()
    expect((await readMetrics(own))('plantain_answer_bytes_in_memory')).toBe(0)
  })
})

test('a caller who leaves between two events ends the upstream’s call', async () => {
  upstream.script = ({ socket }) => {
    socket.write(googlesHead)
    socket.write(rawChunk(pictureEvent(first, true)))
  }
  const id = newId()
  const called = upstream.nextCall()
  const caller = await openCall(gateway.url, path, JSON.stringify(streamBody()), { headers: { 'x-request-id': id } })
  await caller.begun
  caller.leave()
  await (await called).closed
  expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'left', status: 200 })
})

test('a stream that comes too late is told of in an event', async () => {
  upstream.script = ({ socket }) => {
    socket.write(googlesHead)
    socket.write(rawChunk(pictureEvent(first, true)))
  }
  const body = await (await ask(gateway, {}, { 'x-stainless-timeout': '0.3' })).text()
  expect(told(eventsIn(body), pictures)).toEqual(['draft 0 0', 'error timeout'])
})

test('what is ignored is still named, and drafts without a stream are', async () => {
  upstream.script = sending(pictureEvent(first), lastEvent())
  expect((await ask(gateway, { style: 'vivid' })).headers.get('x-plantain-ignored-params')).toBe('style')
  const document = JSON.stringify({ candidates: [{ content: { parts: [{ inlineData: { data: first } }] } }] })
  upstream.script = ({ socket }) => {
    socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${document.length}`) + document)
  }
  const whole = await ask(gateway, { stream: false })
  expect(whole.headers.get('content-type')).toBe('application/json')
  expect(whole.headers.get('x-plantain-ignored-params')).toBe('partial_images')
})

test('a dry run tells of the stream that would be asked for, and is no stream itself', async () => {
  const response = await ask(gateway, {}, { 'x-plantain-dry-run': 'true' })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
  expect(await response.json()).toMatchObject({
    dry_run: true,
    calls: [
      {
        url: expect.stringMatching(/:streamGenerateContent\?alt=sse$/),
        headers: { accept: expect.stringContaining('text/event-stream') },
      },
    ],
  })
})
