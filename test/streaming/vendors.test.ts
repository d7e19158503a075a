/** Streams from vendors who have them, and from those who have none: against strict stand-ins for their servers. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { postForm, textParts } from '../helpers/forms.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { numberedPicture } from '../helpers/pictures.ts'
import { startAzure } from '../upstreams/azure.ts'
import type { FakeUpstream } from '../upstreams/contract.ts'
import { startGoogle } from '../upstreams/google.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { startZenlayer } from '../upstreams/zenlayer.ts'
import { ask as askForStream, eventsIn, told } from './setup.ts'

const vendors = [
  { name: 'google', start: startGoogle, model: 'gemini-3.1-flash-image', there: {}, streams: true },
  { name: 'openai', start: startOpenAI, model: 'gpt-image-2', there: {}, streams: true },
  {
    name: 'azure',
    start: () => startAzure('v1'),
    model: 'gpt-image-2',
    there: { 'gpt-image-2': 'pictures-2' },
    streams: true,
  },
  {
    name: 'zenlayer, Gemini form',
    start: () => startZenlayer('gemini'),
    model: 'gemini-3-pro-image',
    there: {},
    streams: false,
  },
  {
    name: 'zenlayer, OpenAI form',
    start: () => startZenlayer('openai'),
    model: 'gemini-3-pro-image',
    there: {},
    streams: false,
  },
] as const

// A word that is not OpenAI's: a call in OpenAI's own form would be passed on to it as it came.
const shape = { aspect_ratio: '1:1' }
const ask = (gateway: TestGateway, body: object) => askForStream(gateway, { ...shape, ...body })

describe.for(vendors)('$name', ({ start, model, there, streams }) => {
  let fake: FakeUpstream
  let gateway: TestGateway

  beforeAll(async () => {
    fake = await start()
    const { protocol, dialect, baseUrl, key } = fake
    const models = new Map<string, string>(Object.entries(there))
    const upstreamConfig = { name: dialect, protocol, dialect, baseUrl, keys: [key], models }
    gateway = await startGateway({ upstream: baseUrl, upstreamConfig })
  })
  afterAll(async () => {
    await gateway.close()
    await fake.close()
  })
  afterEach(() => {
    expect(fake.problems).toEqual([])
    fake.reset()
  })

  const painted = () => fake.pictures.map(({ bytes }) => bytes.toString('base64'))

  test('gives its drafts and its picture byte for byte, or its picture alone', async () => {
    if (streams) fake.answerNext({ kind: 'drafts', count: 2 })
    const events = eventsIn(await (await ask(gateway, { model, partial_images: 2 })).text())
    expect(told(events, painted())).toEqual(streams ? ['draft 0 0', 'draft 1 1', 'done 2'] : ['done 0'])
    const last = events.at(-1)?.data
    expect(last.size).toMatch(/^\d+x\d+$/)
    expect(last.output_format).toMatch(/^(?:png|jpeg)$/)
  })

  test('edits, and the events say so', async () => {
    const fields = textParts({ ...shape, model, prompt: 'Hang it', stream: 'true', partial_images: '1' })
    const file = { name: 'image', value: await numberedPicture('png', 64, 48), fileName: 'a.png', type: 'image/png' }
    const response = await postForm(`${gateway.url}/v1/images/edits`, [...fields, file])
    const events = eventsIn(await response.text())
    expect(events.at(-1)?.name).toBe('image_edit.completed')
    expect(told(events, painted()).at(-1)).toBe(`done ${painted().length - 1}`)
  })

  test('gives n pictures as an event each, with what all of them cost', async () => {
    const events = eventsIn(await (await ask(gateway, { model, n: 2, partial_images: 0 })).text())
    expect(told(events, painted()).toSorted()).toEqual(['done 0', 'done 1'])
    const whole = (await (await ask(gateway, { model, n: 2, partial_images: 0, stream: false })).json()) as {
      usage?: { total_tokens: number }
    }
    const sum = events.reduce((total, { data }) => total + (data.usage?.total_tokens ?? 0), 0)
    expect(sum).toBe(whole.usage?.total_tokens ?? 0)
  })

  if (streams) {
    test('tells of an error in the middle', async () => {
      // Google's draft is known to be one only when the next picture is there.
      fake.answerNext({ kind: 'error-in-stream' })
      const response = await ask(gateway, { model, partial_images: 1 })
      if (fake.protocol === 'gemini') expect(response.status).toBe(503)
      else expect(told(eventsIn(await response.text()), painted())).toEqual(['draft 0 0', 'error upstream_failed'])
    })
  }

  test('that is cut is never an end in good order', async () => {
    fake.answerNext({ kind: 'cut' })
    const response = await ask(gateway, { model, partial_images: 1 })
    const body = await response.text()
    if (response.status === 200) expect(told(eventsIn(body), painted())).toEqual(['draft 0 0', 'error upstream_failed'])
    else expect([response.status, JSON.parse(body).error.code]).toEqual([502, 'upstream_failed'])
  })

  test('that refuses says so with its status', async () => {
    fake.answerNext({ kind: 'refusal', stage: 'input' })
    const response = await ask(gateway, { model, partial_images: 1 })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'moderation_blocked' } })
  })
})
