import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { json, startUpstream } from '../helpers/scripted-upstream.ts'
import { addressesOf, type GatewayProcess, type ProcessOptions, startProcess } from './gateway-process.ts'

vi.setConfig({ maxConcurrency: 4 })

const running: { close(): unknown }[] = []
afterAll(async () => {
  for (const each of running) await each.close()
})

function start(options: ProcessOptions): GatewayProcess {
  const gateway = startProcess(options)
  running.push(gateway)
  return gateway
}

async function listening(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  running.push(server)
  return server
}

describe('a process', { concurrent: true }, () => {
  test('with nothing configured serves its own sandbox, on free ports that it prints', async () => {
    const gateway = start({})
    const { url, adminUrl } = await addressesOf(gateway)
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/)
    expect(adminUrl).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/)
    expect((await fetch(`${adminUrl}/readyz`)).status).toBe(200)
    const answer = await fetch(`${url}/v1/images/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'A red kite', model: 'gemini-2.5-flash-image' }),
    })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-plantain-upstream')).toBe('sandbox')
  })

  test('that serves no default model says so, and which model can be named', async () => {
    const gateway = start({ env: { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' } })
    await addressesOf(gateway)
    expect(gateway.lines()).toContainEqual(
      expect.objectContaining({ level: 'warn', defaultModel: 'nano-banana-2', served: 'gpt-image-2' }),
    )
    const other = start({ config: { answers: { default_model: 'gemini-2.5-flash-image' } } })
    await addressesOf(other)
    expect(other.lines()).not.toContainEqual(expect.objectContaining({ level: 'warn' }))
  })

  test('with a wrong configuration says all that is wrong with it and exits with 78', async () => {
    const gateway = start({
      env: { PLANTAIN_PORT: 'eighty', GEMINI_API_KEY: 'canary-of-a-key', GEMINI_BASE_URL: 'not an address' },
      config: { listen: { hots: '127.0.0.1' }, answers: { memory: 'plenty' }, models: [{ id: 'mine' }] },
    })
    expect(await gateway.exited).toEqual({ code: 78, signal: null })
    expect(gateway.output.err).toMatch(/PLANTAIN_PORT/)
    expect(gateway.output.err).toMatch(/GEMINI_BASE_URL/)
    expect(gateway.output.err).toMatch(/listen\.hots/)
    expect(gateway.output.err).toMatch(/answers\.memory/)
    expect(gateway.output.err).toMatch(/models\[0\]\.protocol/)
    expect(gateway.output.err + gateway.output.out).not.toMatch(/canary|\bat .*\.ts/)
    expect(gateway.output.out).toBe('')
  })

  test('that cannot write where answers and pictures are to lie names both settings and exits with 78', async () => {
    const gateway = start({ config: { answers: { spill_dir: '/dev/null' }, assets: { dir: '/dev/null/assets' } } })
    expect(await gateway.exited).toEqual({ code: 78, signal: null })
    expect(gateway.output.err).toMatch(/^ {2}answers\.spill_dir: no file can be written in \/dev\/null \(/m)
    expect(gateway.output.err).toMatch(/^ {2}assets\.dir: no file can be written in \/dev\/null\/assets/m)
    expect(gateway.output.out).toBe('')
  })

  test('whose port is taken says so and exits with 1', async () => {
    const { port } = (await listening()).address() as AddressInfo
    const gateway = start({ env: { PLANTAIN_PORT: String(port) } })
    expect(await gateway.exited).toEqual({ code: 1, signal: null })
    expect(gateway.output.err).toContain(`127.0.0.1:${port}`)
    expect(gateway.output.err).toContain('PLANTAIN_PORT')
    expect(gateway.output.err).not.toMatch(/\bat .*\.[jt]s/)
  })

  test.each([
    ['an address that this machine lacks', { PLANTAIN_ADMIN_HOST: '192.0.2.1' }, '192.0.2.1:0', 'PLANTAIN_ADMIN_HOST'],
    ['an IPv6 address that it lacks', { PLANTAIN_HOST: '2001:db8::1' }, '[2001:db8::1]:0', 'PLANTAIN_HOST'],
    ['a name that leads nowhere', { PLANTAIN_HOST: 'nowhere.invalid' }, 'nowhere.invalid:0', 'PLANTAIN_HOST'],
  ])('that is to listen on %s says so and which variable chooses another', async (_, env, place, variable) => {
    const keys = { PLANTAIN_API_KEYS: 'k', PLANTAIN_ADMIN_TOKEN: 't', PLANTAIN_SANDBOX: 'on' }
    const gateway = start({ env: { ...keys, ...env } })
    expect(await gateway.exited).toEqual({ code: 1, signal: null })
    expect(gateway.output.err).toContain(`cannot listen on ${place}: `)
    expect(gateway.output.err).toContain(`${variable} chooses another host`)
  })
})

test('no key appears in what a process prints, answers or counts', async () => {
  const canaries = {
    GEMINI_API_KEY: 'canary-upstream-1,canary-upstream-2',
    PLANTAIN_API_KEYS: 'canary-caller-1,canary-caller-2',
    PLANTAIN_ADMIN_TOKEN: 'canary-admin-token-of-some-length',
    REDIS_URL: 'redis://canary-user:canary-password@127.0.0.1:1/0',
  }
  const upstream = await startUpstream((request, response) => {
    // An upstream that repeats the key wherever it can.
    const key = String(request.headers['x-goog-api-key'])
    const message = `The key ${key} at ${request.url} is no good.`
    const status = Number(/answer (\d+)/.exec(request.body.toString())?.[1] ?? 200)
    response.setHeader('x-key', key)
    const body = { error: { code: status, message, status: key, details: [{ reason: key }] } }
    return json(status === 200 ? { candidates: [] } : body, status)(request, response)
  })
  running.push(upstream)
  const gateway = start({ env: { ...canaries, GEMINI_BASE_URL: upstream.url, PLANTAIN_LOG_LEVEL: 'trace' } })
  const { url, adminUrl } = await addressesOf(gateway)

  const told: string[] = []
  async function ask(address: string, init: RequestInit = {}): Promise<void> {
    const answer = await fetch(address, init)
    told.push(`${answer.status} ${answer.statusText}`, ...[...answer.headers].flat(), await answer.text())
  }
  const post = (path: string, body: object, headers: Record<string, string>) =>
    ask(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const relay = '/v1beta/models/gemini-2.5-flash-image:generateContent'
  for (const status of [200, 400, 401, 403, 404, 429, 500, 503]) {
    const prompt = `answer ${status}`
    await post('/v1/images/generations', { prompt }, { authorization: 'Bearer canary-caller-1' })
    await post(relay, { contents: [{ parts: [{ text: prompt }] }] }, { 'x-goog-api-key': 'canary-caller-2' })
    await post(`${relay}?key=canary-caller-1`, { contents: [{ parts: [{ text: prompt }] }] }, {})
  }
  await post('/v1/images/generations', { prompt: 'x' }, { authorization: 'Bearer canary-caller-9' })
  await post(
    '/v1/images/generations',
    { prompt: 'x' },
    { authorization: 'Bearer canary-caller-1', 'api-key': 'canary-caller-2' },
  )
  await post(`/nowhere?key=canary-caller-1`, {}, {})
  await ask(`${url}/v1/models?key=canary-caller-1`)
  await ask(`${url}/%zz?key=canary-caller-1`)
  await ask(`${adminUrl}/metrics`)
  await ask(`${adminUrl}/metrics`, { headers: { authorization: `Bearer ${canaries.PLANTAIN_ADMIN_TOKEN}` } })
  await ask(`${adminUrl}/readyz`)
  expect(upstream.seen.length).toBe(24)
  expect(told.join('\n')).toContain('plantain_requests_total')
  expect(told.filter(text => text.includes('canary'))).toEqual([])

  gateway.signal('SIGINT')
  expect(await gateway.exited).toEqual({ code: 0, signal: null })
  expect(gateway.lines().filter(({ msg }) => msg === 'exchange').length).toBeGreaterThanOrEqual(26)
  expect(gateway.output.out + gateway.output.err).not.toContain('canary')
})
