import { afterAll, describe, expect, test } from 'vitest'
import { startGateway } from '../helpers/gateway.ts'
import { lineOf } from '../helpers/log.ts'
import { type RawScript, rawHead, startRawUpstream } from '../helpers/raw-upstream.ts'
import { pictureAnswer } from './answers.ts'
import { callRaw } from './raw-caller.ts'
import { eventually, newId, readMetrics, spillFiles, translated } from './setup.ts'

const picture = pictureAnswer(200_000)
const running: { close(): Promise<void> }[] = []
afterAll(async () => {
  for (const each of running) await each.close()
})

const answering =
  (status: string, body: Buffer | string): RawScript =>
  ({ socket }) => {
    socket.write(rawHead(status, 'content-type: application/json', `content-length: ${Buffer.byteLength(body)}`))
    socket.write(body)
  }
const failing = (code: number, message: string) =>
  answering(`${code} Failed`, JSON.stringify({ error: { code, message, status: 'X' } }))

const paint = answering('200 OK', picture.bytes)
const die: RawScript = ({ socket }) => {
  socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${picture.bytes.length}`))
  socket.end(picture.bytes.subarray(0, picture.midImage))
}
const reset: RawScript = ({ socket }) => void socket.resetAndDestroy()
const refuse = answering(
  '200 OK',
  JSON.stringify({ candidates: [{ finishReason: 'IMAGE_SAFETY', finishMessage: 'Not that.' }] }),
)

/** Asks for as many pictures as there are scripts: each call is answered by one. */
async function askForSeveral(scripts: readonly RawScript[]) {
  const left = [...scripts]
  const upstream = await startRawUpstream(call => left.shift()?.(call))
  const gateway = await startGateway({ upstream: upstream.url, answers: { memoryBytes: 65_536 } })
  running.push(gateway, upstream)
  const id = newId()
  const body = JSON.stringify({ model: 'gemini-2.5-flash-image', prompt: 'a kite', n: scripts.length })
  const answer = await callRaw(gateway.url, translated.path, body, { headers: { 'x-request-id': id } })
  const line = await lineOf(gateway, id)
  await eventually(() => spillFiles(gateway).length === 0)
  await upstream.hangUp()
  const metrics = await readMetrics(gateway)
  expect(metrics('plantain_answer_bytes_in_memory')).toBe(0)
  expect(metrics('plantain_upstream_in_flight')).toBe(0)
  expect(metrics('plantain_upstream_requests_total')).toBe(scripts.length)
  return { answer, line, json: JSON.parse(answer.body.toString()), metrics }
}

describe('several pictures', { concurrent: true }, () => {
  test('of which some fail are those that came, and the failed ones leave nothing behind', async () => {
    const { answer, line, json, metrics } = await askForSeveral([die, paint, reset, paint])
    expect({ status: answer.status, whole: answer.whole }).toEqual({ status: 200, whole: true })
    expect(answer.headers.get('x-plantain-images')).toBe('2/4')
    expect(json.data.map((each: { b64_json: string }) => each.b64_json === picture.base64)).toEqual([true, true])
    expect(line).toMatchObject({ outcome: 'ok', images: 2, attempts: 4 })
    expect(metrics('plantain_upstream_requests_total', { outcome: 'ok' })).toBe(2)
    expect(metrics('plantain_upstream_requests_total', { outcome: 'failed' })).toBe(2)
    expect(metrics('plantain_images_total')).toBe(2)
  })

  test.for([
    ['a refusal', [die, failing(500, 'Oh.'), refuse], 400, 'moderation_blocked'],
    ['a mistake of the caller', [reset, failing(403, 'Key.'), failing(400, 'Too long.')], 400, null],
    ['a wait', [die, failing(302, 'There.'), failing(429, 'Retry in 3s.')], 429, 'rate_limit_exceeded'],
    ['the first, where none tells the caller anything', [failing(503, 'Busy.'), die, reset], 503, 'overloaded'],
  ] as const)('that all fail are told by what the caller can act on: %s', async ([, scripts, status, code]) => {
    const { answer, line, json } = await askForSeveral(scripts)
    expect(answer.status).toBe(status)
    expect(json.error.code).toBe(code)
    expect(line).toMatchObject({ status, images: 0, attempts: scripts.length })
  })
})
