/** What all fake vendors have in common: the order of answers, the records, the broken and the slow connection. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KeyHeaders, postJson, rootOf } from './ask.ts'
import { azureDeployments } from './azure.ts'
import type { FakeAnswer, FakeUpstream } from './contract.ts'
import { type Vendor, vendors } from './every.ts'
import { jsonOf } from './seen.ts'
import { type FakeVertex, vertexLocation, vertexProject } from './vertex.ts'

const version = '?api-version=2025-04-01-preview'

/** A plain request as each vendor wants it. */
function plain(fake: FakeUpstream, { name, model }: Vendor): readonly [path: string, headers: KeyHeaders] {
  const byProject = `projects/${vertexProject}/locations/${vertexLocation}/publishers`
  switch (name) {
    case 'google':
      return [`/v1beta/models/${model}:generateContent`, { 'x-goog-api-key': fake.key }]
    case 'vertex, express':
      return [`/v1/publishers/google/models/${model}:generateContent`, { 'x-goog-api-key': fake.key }]
    case 'vertex, project':
      return [
        `/v1/${byProject}/google/models/${model}:generateContent`,
        { authorization: `Bearer ${tokenOf(fake as FakeVertex)}` },
      ]
    case 'zenlayer, Gemini form':
      return [`/v1/v1beta/models/${model}:generateContent`, { authorization: `Bearer ${fake.key}` }]
    case 'azure, deployments':
      return [`/openai/deployments/${model}/images/generations${version}`, { 'api-key': fake.key }]
    case 'azure, v1':
      return ['/openai/v1/images/generations', { 'api-key': fake.key }]
    default:
      return ['/v1/images/generations', { authorization: `Bearer ${fake.key}` }]
  }
}

/** As the token endpoint would give it. */
function tokenOf({ tokens }: FakeVertex): string {
  const headers = { 'metadata-flavor': 'Google' }
  const path = '/computeMetadata/v1/instance/service-accounts/default/token'
  const reply = tokens.serve({
    method: 'GET',
    path,
    query: new URLSearchParams(),
    headers,
    bytes: Buffer.alloc(0),
    body: { kind: 'none' },
    status: null,
  })
  return JSON.parse(String(reply?.pieces[0])).access_token
}

describe.each(vendors)('$name', vendor => {
  let fake: FakeUpstream
  let path: string
  let headers: KeyHeaders
  beforeAll(async () => {
    fake = await vendor.start()
    ;[path, headers] = plain(fake, vendor)
  })
  afterAll(() => fake.close())

  const body = (prompt: string) =>
    fake.protocol === 'gemini'
      ? { contents: [{ role: 'user', parts: [{ text: prompt }] }] }
      : { model: vendor.model, prompt }
  const ask = async (prompt: string, keys = headers) =>
    postJson(fake, path, body(prompt), { accept: 'application/json', ...keys })
  const statuses = async (...answers: FakeAnswer[]) => {
    fake.reset()
    const told: number[] = []
    for (const answer of answers) {
      fake.answerNext(answer)
      told.push((await ask('a hill')).status)
    }
    return told
  }

  test('its name, and where to find it', () => {
    expect(fake.name).toBe(vendor.name)
    expect(fake.baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+(\/v1|\/openai\/v1)?$/)
  })

  test('every answer is another picture, and each is written down', async () => {
    fake.reset()
    expect([(await ask('one')).status, (await ask('two')).status]).toEqual([200, 200])
    const [one, two] = fake.pictures
    expect(one?.sha256).not.toBe(two?.sha256)
    expect(fake.requests.map(jsonOf)).toEqual([body('one'), body('two')])
    expect(fake.problems).toEqual([])
  })

  test('orders are taken in turn, then all is well again', async () => {
    fake.reset()
    fake.answerNext({ kind: 'rate-limited' })
    fake.answerNext({ kind: 'server-error', status: 503 }, 2)
    const told: number[] = []
    for (let turn = 0; turn < 4; turn++) told.push((await ask('a hill')).status)
    expect(told).toEqual([429, 503, 503, 200])
    expect([fake.ordered, fake.problems]).toEqual([0, []])
  })

  test('failures have their status', async () => {
    expect(await statuses({ kind: 'server-error', status: 500 }, { kind: 'server-error', status: 502 })).toEqual([
      500, 502,
    ])
    const [empty, wrongKey] = await statuses({ kind: 'quota-exhausted' }, { kind: 'unauthorized' })
    expect([429, 403]).toContain(empty)
    expect([400, 401]).toContain(wrongKey)
    expect(fake.problems).toEqual([])
  })

  test('a refusal is 200 where the vendor speaks Gemini, else 400', async () => {
    expect(await statuses({ kind: 'refusal' })).toEqual([fake.protocol === 'gemini' ? 200 : 400])
    expect(fake.pictures).toEqual([])
  })

  test('a cut answer is no answer', async () => {
    fake.reset()
    fake.answerNext({ kind: 'cut', weight: 200_000 })
    await expect(ask('a hill')).rejects.toThrow()
    expect(fake.abandoned).toBe(0)
  })

  test('a slow answer comes late and whole', async () => {
    fake.reset()
    fake.answerNext({ kind: 'slow', delayMs: 30 })
    const started = performance.now()
    expect((await ask('a hill')).status).toBe(200)
    expect(performance.now() - started).toBeGreaterThan(25)
  })

  test('a caller who leaves is counted', async () => {
    fake.reset()
    fake.answerNext({ kind: 'slow', delayMs: 60_000 })
    const leaving = new AbortController()
    const call = fetch(rootOf(fake) + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body: JSON.stringify(body('a hill')),
      signal: leaving.signal,
    })
    await expect.poll(() => fake.requests.length).toBe(1)
    leaving.abort()
    await expect(call).rejects.toThrow()
    await expect.poll(() => fake.abandoned).toBe(1)
    expect(fake.problems).toEqual([])
  })

  test('a request with a wrong key is written down as a problem, and takes no order', async () => {
    fake.reset()
    fake.answerNext({ kind: 'empty' })
    const { status } = await ask('a hill', {
      authorization: 'Bearer nobody',
      'api-key': 'nobody',
      'x-goog-api-key': 'nobody',
    })
    expect([400, 401]).toContain(status)
    expect([fake.ordered, fake.problems.length, fake.requests[0]?.status]).toEqual([1, 1, status])
  })

  test('an answer it never gives is not to be ordered', () => {
    const kinds: readonly FakeAnswer['kind'][] = ['text-only', 'lost-picture', 'error-in-stream', 'drafts']
    const never = kinds.filter(kind => !fake.answers.has(kind))
    expect(never.length).toBeGreaterThan(0)
    for (const kind of never) expect(() => fake.answerNext({ kind } as FakeAnswer)).toThrow(vendor.name)
  })
})

test('no deployment is named as its model', () => {
  for (const [deployment, model] of Object.entries(azureDeployments)) expect(deployment).not.toBe(model)
})
