import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { lineOf } from '../helpers/log.ts'
import { type RawCall, type RawUpstream, rawChunk, rawHead, startRawUpstream } from '../helpers/raw-upstream.ts'
import { pictureAnswer } from './answers.ts'
import { openCall } from './raw-caller.ts'
import { newId, readMetrics } from './setup.ts'

const running: { close(): Promise<void> }[] = []
afterAll(async () => {
  for (const each of running) await each.close()
})

async function start(script: (call: RawCall) => void | Promise<void>): Promise<[TestGateway, RawUpstream]> {
  const upstream = await startRawUpstream(script)
  const gateway = await startGateway({ upstream: upstream.url })
  running.push(gateway, upstream)
  return [gateway, upstream]
}

const path = '/v1beta/models/gemini-2.5-flash-image:streamGenerateContent?alt=sse'
const body = JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'a kite' }] }] })
const stream = (gateway: TestGateway, id: string) =>
  openCall(gateway.url, path, body, { headers: { 'x-request-id': id } })

const event = (text: string) => `data: ${text}\r\n\r\n`
const words = event('{"candidates":[{"content":{"parts":[{"text":"Here it is."}]}}]}')
const picture = event(pictureAnswer(200_000).bytes.toString())
const head = rawHead('200 OK', 'content-type: text/event-stream', 'transfer-encoding: chunked')
const closingHead = rawHead('200 OK', 'content-type: text/event-stream', 'connection: close')
const chunk = (text: string) => rawChunk(Buffer.from(text))

describe('a relayed stream', { concurrent: true }, () => {
  test('passes each event on when it comes', async () => {
    let release = () => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    const [gateway] = await start(async ({ socket }) => {
      socket.write(head)
      socket.write(chunk(words))
      await released
      socket.write(chunk(picture))
      socket.write('0\r\n\r\n')
    })
    const id = newId()
    const caller = await stream(gateway, id)
    // Only now the second is sent: the first did not wait for it.
    await caller.begun
    release()
    const answer = await caller.answer
    expect(answer.whole).toBe(true)
    expect(answer.body.toString() === words + picture).toBe(true)
    expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'ok', status: 200, images: 1 })
  })

  test.for([
    ['inside an event, as its framing tells', head, chunk(words), chunk(picture).subarray(0, 100_000)],
    ['inside an event, between two chunks', head, chunk(words), chunk(picture.slice(0, 100_000))],
    ['inside an event, with nothing to tell it by', closingHead, words, picture.slice(0, 100_000)],
    ['in the name of a field', closingHead, words, 'dat'],
    ['between two events, without its last chunk', head, chunk(words), chunk(words)],
  ] as const)('that ends %s is cut', async ([, ...pieces]) => {
    const [gateway, upstream] = await start(async ({ socket }) => {
      for (const piece of pieces) {
        socket.write(piece)
        await sleep(30)
      }
      socket.end()
    })
    const id = newId()
    const answer = await (await stream(gateway, id)).answer
    expect(answer.status).toBe(200)
    expect(answer.body.toString().startsWith(words)).toBe(true)
    expect(answer.whole).toBe(false)
    expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'failed', status: 200, images: 0 })
    await upstream.hangUp()
    expect((await readMetrics(gateway))('plantain_answer_bytes_in_memory')).toBe(0)
  })

  test('that tells of an error passes it on and counts as failed', async () => {
    const failure = event('{"error":{"code":503,"message":"Overloaded.","status":"UNAVAILABLE"}}')
    const [gateway] = await start(({ socket }) => {
      socket.write(head)
      socket.write(chunk(words))
      socket.write(chunk(failure))
      socket.write('0\r\n\r\n')
    })
    const id = newId()
    const answer = await (await stream(gateway, id)).answer
    expect(answer.body.toString()).toBe(words + failure)
    expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'failed', status: 200, errorKind: 'overloaded' })
  })

  test('that nobody begins to send is an error with its status', async () => {
    const [gateway] = await start(({ socket }) => {
      socket.write(head)
      socket.end('0\r\n\r\n')
    })
    const id = newId()
    const answer = await (await stream(gateway, id)).answer
    expect({ status: answer.status, whole: answer.whole }).toEqual({ status: 503, whole: true })
    expect(JSON.parse(answer.body.toString()).error.status).toBe('UNAVAILABLE')
    expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'failed', status: 503 })
  })
})
