/** Waiting for a limit instead of being refused, in front of a sandbox that takes its time. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StartedSandbox, startSandbox } from '../../src/sandbox/start.ts'
import { ask } from '../helpers/callers.ts'
import type { GatewayOptions } from '../helpers/gateway.ts'
import { inTurn, openGateway, paint } from './queueing.ts'

let sandbox: StartedSandbox
beforeAll(async () => {
  sandbox = await startSandbox({ port: 0, host: '127.0.0.1' })
})
afterAll(() => sandbox.close())

const open = (options: Partial<GatewayOptions> = {}) => openGateway({ upstream: sandbox.url, ...options })
const slow = (ms: number) => `A red kite [sandbox delay=${ms}ms]`

test('requests beyond the limit are served one after the other, in order, and say how long they waited', async () => {
  const gateway = await open()
  const order: number[] = []
  const asks = [0, 1, 2].map(
    nth => () => paint(gateway, 'steady', { prompt: slow(120) }).finally(() => order.push(nth)),
  )
  const [first, ...later] = await Promise.all(await inTurn(gateway, asks))
  expect(order).toEqual([0, 1, 2])
  expect(first?.status).toBe(200)
  expect(first?.line).not.toHaveProperty('queuedMs')
  expect(first?.headers.get('server-timing')).not.toContain('queue')
  for (const { status, headers, line } of later) {
    expect(status).toBe(200)
    expect(headers.get('server-timing')).toMatch(/^upstream;dur=[\d.]+, gateway;dur=[\d.]+, queue;dur=[\d.]+$/)
    expect(line.queuedMs).toBeGreaterThan(0)
    // Each is told in tenths.
    expect(Number(line.durationMs) + 0.2).toBeGreaterThan(Number(line.queuedMs) + Number(line.upstreamMs))
  }
})

test('wait_s ends the wait with the refusal that it would have been', async () => {
  const gateway = await open()
  const [first, waiting] = await inTurn(gateway, [
    () => paint(gateway, 'short', { prompt: slow(600) }),
    () => paint(gateway, 'short'),
  ])
  const { status, headers, line } = (await waiting) ?? expect.fail()
  expect([status, headers.get('retry-after')]).toEqual([429, '1'])
  expect(headers.get('server-timing')).toMatch(/^queue;dur=[\d.]+$/)
  expect(line.queuedMs).toBeGreaterThanOrEqual(195)
  expect((await first)?.status).toBe(200)
})

test('the time that the caller gives us ends it too, as a refusal and not as a timeout', async () => {
  const gateway = await open()
  const [first, waiting] = await inTurn(gateway, [
    () => paint(gateway, 'steady', { prompt: slow(700) }),
    () => paint(gateway, 'steady', {}, { 'x-stainless-timeout': '0.4' }),
  ])
  const { status, reason } = (await waiting) ?? expect.fail()
  expect([status, reason]).toEqual([429, 'rate_limit_exceeded'])
  expect((await first)?.status).toBe(200)
})

test('a stream says that it lives while it waits', async () => {
  const gateway = await open({ heartbeatMs: 40 })
  const [first, waiting] = await inTurn(gateway, [
    () => paint(gateway, 'steady', { prompt: slow(300) }),
    () => paint(gateway, 'steady', { stream: true }),
  ])
  const { status, text } = (await waiting) ?? expect.fail()
  expect(status).toBe(200)
  expect(text).toMatch(/^:/)
  expect(text).toContain('event: image_generation.completed')
  expect((await first)?.status).toBe(200)
})

test('more pictures than an upstream may paint at once all come, and count once for their caller', async () => {
  const gateway = await open({ upstreamConfig: { limits: { concurrent: 2 } } })
  const { status, json, headers } = await paint(gateway, 'calm', { prompt: slow(60), n: 5 })
  expect([status, json.data.length]).toEqual([200, 5])
  expect(headers.get('x-ratelimit-remaining-requests')).toBe('8')
  expect(headers.get('server-timing')).toContain('queue;dur=')
  const impatient = await paint(gateway, 'impatient', { prompt: slow(60), n: 5 })
  expect(impatient.json.data).toHaveLength(2)
})

test('relayed calls wait for an upstream as translated ones do', async () => {
  const gateway = await open({ upstreamConfig: { limits: { concurrent: 1 } } })
  const relayed = () =>
    ask(
      gateway,
      '/v1beta/models/gemini-3.1-flash-image:generateContent',
      { contents: [{ parts: [{ text: 'A kite [sandbox delay=50ms]' }] }] },
      { 'x-goog-api-key': 'key-of-calm' },
    )
  const answers = await Promise.all(
    await inTurn(gateway, [
      () => paint(gateway, 'calm', { prompt: slow(150) }),
      relayed,
      () => paint(gateway, 'impatient'),
      relayed,
    ]),
  )
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 200])
})
