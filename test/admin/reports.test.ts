/** What the operator's listener tells of callers: what they have used, and how their limits stand. With a real gateway before it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMemoryKeeper } from '../../src/usage/memory-keeper.ts'
import { noCounts } from '../../src/usage/usage.ts'
import { answerWith } from '../fixtures/gemini.ts'
import { ask } from '../helpers/callers.ts'
import { callerOf, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'

// Los Angeles is on 20 November still.
const noonSeconds = Date.parse('2026-11-21T07:30:00Z') / 1000
const keeper = createMemoryKeeper()
let upstream: ScriptedUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startUpstream(answerWith('answers/tiny-picture.json'))
  gateway = await startGateway({
    upstream: upstream.url,
    usage: keeper,
    epochSeconds: () => noonSeconds,
    config: { limitsZone: 'America/Los_Angeles', admin: { host: '127.0.0.1', port: 0, token: 'operator-token' } },
    callers: [
      callerOf('team-a', {
        limits: { requestsPerMinute: 5, imagesPerDay: 100, concurrent: 3, budgetMicroUsdPerMonth: 2_000_000 },
        modelLimits: [
          { model: 'gemini-3-pro-*', limits: { imagesPerDay: 7 } },
          { model: 'my,own"*', limits: { imagesPerMinute: 4 } },
        ],
      }),
      callerOf('team-b'),
    ],
  })
  await paint('team-a', { n: 2 })
  await paint('team-a', { model: 'nano-banana-pro' })
  await paint('team-b')
  upstream.script = answerWith('errors/internal.json', 500)
  await paint('team-b')
  upstream.script = answerWith('answers/tiny-picture.json')
  keeper.add({
    day: '2026-11-19',
    caller: 'gone, "since"',
    model: 'other',
    counts: { ...noCounts, requests: 3, microUsd: 1 },
  })
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

const paint = (id: string, body: object = {}) =>
  ask(gateway, '/v1/images/generations', { prompt: 'A kite', ...body }, { authorization: `Bearer key-of-${id}` })

async function tell(path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(gateway.adminUrl + path, {
    headers: { authorization: 'Bearer operator-token', ...headers },
  })
  const body = await answer.text()
  const type = answer.headers.get('content-type') ?? ''
  return { status: answer.status, type, body, json: type.includes('json') ? JSON.parse(body) : null }
}

describe('usage', () => {
  test('is told by day, caller and model, with what it comes to together', async () => {
    const { status, json } = await tell('/admin/usage')
    expect(status).toBe(200)
    expect(json).toMatchObject({ zone: 'America/Los_Angeles', from: '2026-10-22', to: '2026-11-20' })
    const rows = json.rows.map(({ day, caller, model, requests, failed, images }: Record<string, unknown>) => [
      day,
      caller,
      model,
      requests,
      failed,
      images,
    ])
    expect(rows).toEqual([
      ['2026-11-19', 'gone, "since"', 'other', 3, 0, 0],
      ['2026-11-20', 'team-a', 'gemini-3-pro-image', 1, 0, 1],
      ['2026-11-20', 'team-a', 'gemini-3.1-flash-image', 1, 0, 2],
      ['2026-11-20', 'team-b', 'gemini-3.1-flash-image', 2, 1, 1],
    ])
    expect(json.total).toMatchObject({ requests: 7, failed: 1, images: 4 })
    expect(json.total.cost_usd).toBeGreaterThan(0)
    const sum = json.rows.reduce((all: number, row: { cost_usd: number }) => all + Math.round(row.cost_usd * 1e6), 0)
    expect(Math.round(json.total.cost_usd * 1e6)).toBe(sum)
    expect(json.rows[1]).toMatchObject({ tokens: expect.any(Number), input_tokens: expect.any(Number) })
    expect(json.rows[1].tokens).toBe(json.rows[1].input_tokens + json.rows[1].output_tokens)
  })

  test('is what the answers said it cost', async () => {
    const before = (await tell('/admin/usage?caller=team-b')).json.total.cost_usd
    const { headers } = await paint('team-b')
    const after = (await tell('/admin/usage?caller=team-b')).json.total.cost_usd
    expect(after - before).toBeCloseTo(Number(headers.get('x-plantain-cost-usd')), 9)
  })

  test('holds nothing of a request that was only worked out', async () => {
    const total = async () => (await tell('/admin/usage')).json.total
    const before = await total()
    for (const size of ['1024x1024', 'nonsense']) {
      const headers = { authorization: 'Bearer key-of-team-b', 'x-plantain-dry-run': 'true' }
      await ask(gateway, '/v1/images/generations', { prompt: 'A kite', size }, headers)
    }
    expect(await total()).toEqual(before)
  })

  test('can be asked for days, one caller and one model by any of its names', async () => {
    const { json } = await tell('/admin/usage?caller=team-a&model=nano-banana-pro&from=2026-11-20&to=2026-11-20')
    expect(json.rows).toHaveLength(1)
    expect(json.rows[0]).toMatchObject({ caller: 'team-a', model: 'gemini-3-pro-image' })
    expect((await tell('/admin/usage?from=2026-11-01&to=2026-11-19&model=other')).json.total.requests).toBe(3)
    expect((await tell('/admin/usage?caller=team-a&to=2026-11-19')).json).toMatchObject({ rows: [], total: noUsage })
  })

  test('is a table in CSV, where that is asked for, with fields quoted that need it', async () => {
    const { type, body } = await tell('/admin/usage?format=csv&to=2026-11-19')
    expect(type).toBe('text/csv; charset=utf-8; header=present')
    expect(body).toBe(
      'day,caller,model,requests,failed,images,input_tokens,output_tokens,tokens,cost_usd\r\n' +
        '2026-11-19,"gone, ""since""",other,3,0,0,0,0,0,0.000001\r\n',
    )
    for (const accept of ['text/csv', 'text/csv, application/json;q=0.5', 'text/html, TEXT/CSV;q=0.9, */*;q=0.1'])
      expect((await tell('/admin/usage', { accept })).type).toContain('text/csv')
    for (const accept of ['*/*', 'application/json, text/csv;q=0.9', 'text/csv;q=0', 'text/*'])
      expect((await tell('/admin/usage', { accept })).type).toContain('application/json')
    expect((await tell('/admin/usage?format=json', { accept: 'text/csv' })).type).toContain('application/json')
  })

  test.each([
    ['from=2026-02-30', 'from is "2026-02-30", and must be a day like 2026-11-21.'],
    ['to=yesterday', 'to is "yesterday", and must be a day like 2026-11-21.'],
    ['from=2026-11-21&to=2026-11-20', 'from (2026-11-21) is after to (2026-11-20). Both days are part of the answer.'],
    ['from=2026-11-22', 'from (2026-11-22) is after to (2026-11-20). Both days are part of the answer.'],
    ['from=2020-01-01', 'These are 2516 days: ask for 400 at most.'],
    ['format=xml', 'format is "xml", and may be json or csv.'],
    ['user=team-a', 'There is no parameter "user". There are: caller, model, from, to, format.'],
    ['caller=team-a&caller=team-b', 'The parameter caller is there twice.'],
    ['caller=', 'The parameter caller has no value. Leave it out, or give it one.'],
    ['__proto__=1', 'There is no parameter "__proto__". There are: caller, model, from, to, format.'],
  ])('%s is a mistake, and the answer says what would be right', async (query, message) => {
    const { status, json } = await tell(`/admin/usage?${query}`)
    expect(status).toBe(400)
    expect(json).toEqual({ error: { code: 'invalid_query', message } })
  })

  test('a name that nobody has is no empty answer, but one that lists who there is', async () => {
    const nobody = await tell('/admin/usage?caller=team-c')
    expect(nobody.status).toBe(404)
    expect(nobody.json.error).toMatchObject({ code: 'unknown_caller' })
    expect(nobody.json.error.message).toContain('team-a, team-b')
    const nothing = await tell('/admin/usage?model=nano-bananas')
    expect(nothing.status).toBe(404)
    expect(nothing.json.error).toMatchObject({ code: 'unknown_model' })
    expect(nothing.json.error.message).toContain('gemini-3-pro-image')
    expect((await tell('/admin/usage?caller=gone%2C%20%22since%22')).json.total.requests).toBe(3)
  })
})

const noUsage = { requests: 0, failed: 0, images: 0, input_tokens: 0, output_tokens: 0, tokens: 0, cost_usd: 0 }

describe('limits', () => {
  test('are told rule by rule: what there is, what is used and left, and until when', async () => {
    const { status, json } = await tell('/admin/limits/team-a')
    expect(status).toBe(200)
    expect(json).toMatchObject({ caller: 'team-a', zone: 'America/Los_Angeles' })
    const cost = (await tell('/admin/usage?caller=team-a')).json.total.cost_usd
    const [requests, images, calls, money, ofModel, ofOthers] = json.rules
    expect(json.rules).toHaveLength(6)
    expect(requests).toMatchObject({
      scope: 'caller',
      models: '*',
      dimension: 'requests',
      setting: 'requests_per_minute',
      limit: 5,
      used: 2,
      remaining: 3,
    })
    expect(requests.reset_s).toBeGreaterThan(30)
    expect(requests.reset_s).toBeLessThanOrEqual(61)
    expect(images).toMatchObject({ dimension: 'images-day', setting: 'images_per_day', limit: 100, used: 3 })
    expect(calls).toMatchObject({ dimension: 'concurrent', limit: 3, used: 0, remaining: 3, reset_s: null })
    expect(money).toMatchObject({ setting: 'budget_usd_per_month', limit: 2, used: cost, remaining: 2 - cost })
    expect(ofModel).toMatchObject({
      scope: 'caller-model',
      models: 'gemini-3-pro-*',
      setting: 'images_per_day',
      limit: 7,
      used: 1,
      remaining: 6,
    })
    expect(ofOthers).toMatchObject({ models: 'my,own"*', setting: 'images_per_minute', used: 0, reset_s: 0 })
  })

  test('stand as they were however often one looks, and a call that runs is among them', async () => {
    for (let n = 0; n < 10; n++) await tell('/admin/limits/team-a')
    const held = Promise.withResolvers<void>()
    upstream.script = async (request, response) => {
      await held.promise
      await answerWith('answers/tiny-picture.json')(request, response)
    }
    const answer = paint('team-a', { model: 'nano-banana-pro' })
    const calls = async () => (await tell('/admin/limits/team-a')).json.rules[2].used
    await expect.poll(calls).toBe(1)
    held.resolve()
    expect((await answer).headers.get('x-ratelimit-remaining-requests')).toBe('2')
    await expect.poll(calls).toBe(0)
    upstream.script = answerWith('answers/tiny-picture.json')
  })

  test('can be asked for one model: of several patterns the first that fits counts', async () => {
    const models = async (query: string) =>
      (await tell(`/admin/limits/team-a?${query}`)).json.rules.map((rule: { models: string }) => rule.models)
    expect(await models('model=nano-banana-pro')).toEqual(['*', '*', '*', '*', 'gemini-3-pro-*'])
    expect(await models('model=nano-banana-2')).toEqual(['*', '*', '*', '*'])
    expect(await models('model=my%2Cown%22one')).toEqual(['*', '*', '*', '*', 'my,own"*'])
  })

  test('are a table in CSV too', async () => {
    const { type, body } = await tell('/admin/limits/team-a?format=csv&model=my%2Cown%22one')
    expect(type).toContain('text/csv')
    const lines = body.split('\r\n')
    expect(lines[0]).toBe('caller,scope,models,dimension,setting,limit,used,remaining,reset_s')
    expect(lines[3]).toBe('team-a,caller,*,concurrent,concurrent,3,0,3,')
    expect(lines[5]).toBe('team-a,caller-model,"my,own""*",images,images_per_minute,4,0,4,0')
    expect(lines.slice(6)).toEqual([''])
  })

  test('of a caller without any are an empty list', async () => {
    expect((await tell('/admin/limits/team-b')).json).toMatchObject({ caller: 'team-b', rules: [] })
    expect((await tell('/admin/limits/team-b?format=csv')).body.split('\r\n')).toHaveLength(2)
  })

  test.each([
    ['/admin/limits/team-c', 404, 'unknown_caller', 'There is no caller "team-c". There are: team-a, team-b.'],
    ['/admin/limits/__proto__', 404, 'unknown_caller', 'There is no caller "__proto__". There are: team-a, team-b.'],
    [
      '/admin/limits/team-a?model=nano-bananas',
      404,
      'unknown_model',
      'The catalogue has no model "nano-bananas". It has:',
    ],
    [
      '/admin/limits/team-a?from=2026-11-01',
      400,
      'invalid_query',
      'There is no parameter "from". There are: model, format.',
    ],
  ])('%s is answered with %d', async (path, status, code, message) => {
    const answer = await tell(path)
    expect(answer.status).toBe(status)
    expect(answer.json.error.code).toBe(code)
    expect(answer.json.error.message).toContain(message)
  })
})

test('neither is told to who has no token', async () => {
  for (const path of ['/admin/usage', '/admin/usage?format=csv', '/admin/limits/team-a', '/admin/limits/nobody']) {
    for (const headers of [{}, { authorization: 'Bearer key-of-team-a' }]) {
      const answer = await fetch(gateway.adminUrl + path, { headers })
      expect(answer.status).toBe(401)
      expect(await answer.json()).toMatchObject({ error: { code: 'unauthenticated' } })
    }
  }
})

test('nor by any other method, nor by another spelling of the address', async () => {
  const ask = async (path: string, method: string, headers = {}) =>
    (await fetch(gateway.adminUrl + path, { method, headers })).status
  for (const path of ['/metrics', '/admin/usage', '/admin/limits/team-a', '/admin/limits/team%2Da', '/admin/%75sage']) {
    expect(await ask(path, 'HEAD')).toBe(401)
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect(await ask(path, method)).toBe(404)
  }
  for (const path of ['//admin/usage', '/admin/usage/', '/ADMIN/usage']) expect(await ask(path, 'GET')).toBe(404)
  expect(await ask('/admin/usage', 'HEAD', { authorization: 'Bearer operator-token' })).toBe(200)
})

test('callers’ keys open nothing on the public listener', async () => {
  for (const path of ['/admin/usage', '/admin/limits/team-a']) {
    const answer = await fetch(gateway.url + path, { headers: { authorization: 'Bearer operator-token' } })
    expect(answer.status).toBe(404)
  }
})
