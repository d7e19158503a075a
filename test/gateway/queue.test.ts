/** Waiting for a limit instead of being refused, as callers of a gateway see it. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { googleAt } from '../helpers/gateway.ts'
import { type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'
import { inTurn, openGateway, paint } from './queueing.ts'

/** It answers one call when it is told to. */
interface HeldUpstream extends ScriptedUpstream {
  answerOne(): Promise<void>
}

async function startHeld(): Promise<HeldUpstream> {
  const answers: (() => void)[] = []
  const answer = answerWith('answers/tiny-picture.json')
  const upstream = await startUpstream((request, response) => {
    answers.push(() => void answer(request, response))
  })
  const answerOne = async () => {
    await expect.poll(() => answers.length, { interval: 2 }).toBeGreaterThan(0)
    answers.shift()?.()
  }
  return Object.assign(upstream, { answerOne })
}

let upstream: HeldUpstream
beforeEach(async () => {
  upstream = await startHeld()
})
afterEach(() => upstream.close())

test('the line of a caller has a bound: the one too many is refused as if there were no line', async () => {
  const gateway = await openGateway({ upstream: upstream.url })
  const asks = [0, 1, 2].map(() => () => paint(gateway, 'few'))
  const [first, waiting, refused] = await inTurn(gateway, asks)
  const { status, headers, json, line } = (await refused) ?? expect.fail()
  expect([status, headers.get('retry-after')]).toEqual([429, '1'])
  expect(json.error.message).toMatch(/concurrent requests: 1 at a time/)
  expect(line).toMatchObject({ outcome: 'limited', attempts: 0 })
  await upstream.answerOne()
  expect((await first)?.status).toBe(200)
  await upstream.answerOne()
  expect((await waiting)?.status).toBe(200)
})

test('who leaves is gone from the line and reaches no upstream', async () => {
  const gateway = await openGateway({ upstream: upstream.url })
  const leaver = new AbortController()
  const leave = async () => {
    const body = JSON.stringify({ contents: [{ parts: [{ text: 'A kite' }] }] })
    const headers = { 'content-type': 'application/json', 'x-goog-api-key': 'key-of-steady' }
    const url = `${gateway.url}/v1beta/models/gemini-3.1-flash-image:generateContent`
    await fetch(url, { method: 'POST', headers, body, signal: leaver.signal }).catch(() => {})
  }
  const served = () => paint(gateway, 'steady')
  const [first, left, next] = await inTurn<unknown>(gateway, [served, leave, served])
  leaver.abort()
  await left
  const lineOf = () => gateway.log.find(({ outcome }) => outcome === 'left')
  await expect.poll(lineOf).toMatchObject({ status: 499, attempts: 0 })
  await upstream.answerOne()
  expect(await first).toMatchObject({ status: 200 })
  await upstream.answerOne()
  expect(await next).toMatchObject({ status: 200, line: { queuedMs: expect.any(Number) } })
  expect(upstream.seen).toHaveLength(2)
})

test('a dry run does not wait', async () => {
  const gateway = await openGateway({ upstream: upstream.url })
  const [first, dry] = await inTurn(gateway, [
    () => paint(gateway, 'steady'),
    () => paint(gateway, 'steady', {}, { 'x-plantain-dry-run': 'true' }),
  ])
  const { status, json, line } = (await dry) ?? expect.fail()
  expect([status, json.dry_run]).toEqual([200, true])
  expect(line).not.toHaveProperty('queuedMs')
  await upstream.answerOne()
  expect((await first)?.status).toBe(200)
})

test('nobody waits for one upstream while another has room, and then everybody for the best', async () => {
  const another = await startHeld()
  const limits = { concurrent: 1 }
  const upstreams = [googleAt(upstream.url, { name: 'best', limits }), googleAt(another.url, { name: 'other', limits })]
  const gateway = await openGateway({ upstream: upstream.url, config: { upstreams } })
  const asks = [0, 1, 2].map(() => () => paint(gateway, 'calm'))
  const answers = await inTurn(gateway, asks)
  await upstream.answerOne()
  await upstream.answerOne()
  await another.answerOne()
  const told = await Promise.all(answers)
  expect(told.map(({ headers }) => headers.get('x-plantain-upstream'))).toEqual(['best', 'other', 'best'])
  await another.close()
})
