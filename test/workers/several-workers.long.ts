/** `PLANTAIN_WORKERS=2` as operators run it: real processes, a real Redis. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { pictureAnswer } from '../faults/answers.ts'
import { findRedis } from '../helpers/redis.ts'
import { type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'
import { addressesOf, type GatewayProcess, type ProcessOptions, startProcess } from '../process/gateway-process.ts'

const redis = await findRedis()
const picture = pictureAnswer(50_000)
const running: { close(): unknown }[] = []
afterAll(async () => {
  for (const each of running) await each.close()
  await redis?.stop()
})

interface Machine {
  readonly gateway: GatewayProcess
  readonly upstream: ScriptedUpstream
  readonly url: string
  readonly adminUrl: string
}

/** Answers with a picture, held back while `holding`. */
const held: (() => void)[] = []
let holding = false
/** Of the gateway that was started last. */
let callerId = ''

async function start(limits: object | null, options: Partial<ProcessOptions> = {}): Promise<Machine> {
  const upstream = await startUpstream(async (_request, response) => {
    if (holding) await new Promise<void>(resolve => held.push(resolve))
    response.writeHead(200, { 'content-type': 'application/json' }).end(picture.bytes)
  })
  callerId = `caller-${randomUUID()}`
  const gateway = startProcess({
    env: {
      PLANTAIN_WORKERS: '2',
      GEMINI_API_KEY: 'key-of-a-test',
      GEMINI_BASE_URL: upstream.url,
      ...(redis && { REDIS_URL: redis.url }),
      ...options.env,
    },
    // The Redis may have been there before: each test counts for a caller of its own.
    config: {
      ...(limits && {
        callers: [
          { id: callerId, key, limits },
          { id: 'unlimited', key: unlimitedKey },
        ],
      }),
      ...options.config,
    },
  })
  running.push(gateway, upstream)
  return { gateway, upstream, ...(await addressesOf(gateway)) }
}

const key = 'key-of-a-caller-in-a-test'
const unlimitedKey = 'key-of-another-caller-in-a-test'

/** On a connection of its own, so that the workers take turns. */
async function paint(url: string, by = key): Promise<{ status: number | undefined; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${by}` }
  const agent = new Agent({ keepAlive: false })
  request(`${url}/v1/images/generations`, { method: 'POST', agent, headers })
    .on('response', resolve)
    .on('error', reject)
    .end(JSON.stringify({ model: 'gemini-2.5-flash-image', prompt: 'a kite' }))
  const answer = await promise
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece)
  return { status: answer.statusCode, body: Buffer.concat(pieces).toString() }
}

const workersOf = ({ pid }: GatewayProcess): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

/** The sum over all series. The text is made at most once a second. */
async function metric(adminUrl: string, name: string): Promise<number> {
  await sleep(1_100)
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  const lines = text.split('\n').filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

const readinessOf = async (adminUrl: string) => {
  const answer = await fetch(`${adminUrl}/readyz`)
  return { status: answer.status, ...((await answer.json()) as { checks: Record<string, boolean> }) }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(50)
}

const lives = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

describe.skipIf(!redis)('two workers on one Redis', () => {
  test('admit exactly the limit that they share, and are counted as one', async () => {
    const { gateway, upstream, url, adminUrl } = await start({ requests_per_minute: 5 })
    expect(workersOf(gateway)).toHaveLength(2)
    const statuses = (await Promise.all(Array.from({ length: 12 }, () => paint(url)))).map(({ status }) => status)
    expect(statuses.filter(status => status === 200)).toHaveLength(5)
    expect(statuses.filter(status => status === 429)).toHaveLength(7)
    const seen = () => new Set(upstream.seen.map(({ headers }) => headers['x-plantain-trail'])).size
    let more = 0
    for (; seen() < 2; more++) expect((await paint(url, unlimitedKey)).status).toBe(200)

    expect(await metric(adminUrl, 'plantain_requests_total')).toBe(12 + more)
    expect(await metric(adminUrl, 'plantain_request_duration_seconds_count')).toBe(12 + more)
    expect(await metric(adminUrl, 'plantain_images_total')).toBe(5 + more)
    expect(await metric(adminUrl, 'plantain_workers')).toBe(2)
    expect(await metric(adminUrl, 'plantain_limit_store_degraded')).toBe(0)
    expect(await readinessOf(adminUrl)).toMatchObject({ status: 200, checks: { workers: true, limitStore: true } })
    expect(gateway.lines().filter(({ msg }) => msg === 'listening')).toHaveLength(1)
    expect(gateway.lines().filter(({ msg }) => msg === 'exchange')).toHaveLength(12 + more)
    // Each worker's trial of its own sockets is its own.
    expect(gateway.lines().filter(({ level }) => level === 'warn')).toEqual([])
  })

  test('one of them killed is started again, its counts stay, and what it held is free after its lease', async () => {
    const { gateway, url, adminUrl } = await start({ concurrent: 1 })
    expect((await paint(url)).status).toBe(200)
    expect((await paint(url)).status).toBe(200)
    expect(await metric(adminUrl, 'plantain_requests_total')).toBe(2)

    holding = true
    const cut = expect(paint(url)).rejects.toThrow()
    await until(async () => held.length === 1)
    const before = workersOf(gateway)
    // Whoever has the call: the other one is killed too.
    for (const pid of before) process.kill(pid, 'SIGKILL')
    const killedMs = performance.now()
    await cut
    holding = false
    for (const answer of held.splice(0)) answer()

    await until(async () => (await readinessOf(adminUrl).catch(() => null))?.status === 200)
    expect(workersOf(gateway).filter(pid => before.includes(pid))).toEqual([])
    expect(gateway.lines().filter(({ msg }) => msg === 'a worker ended, and is started again')).toHaveLength(2)
    expect(await metric(adminUrl, 'plantain_worker_restarts_total')).toBe(2)
    expect(await metric(adminUrl, 'plantain_workers')).toBe(2)
    expect(await metric(adminUrl, 'plantain_requests_total')).toBeGreaterThanOrEqual(2)

    await until(async () => {
      const { status } = await paint(url)
      if (status !== 200) await sleep(500)
      return status === 200
    })
    expect(performance.now() - killedMs).toBeLessThan(35_000)
  })

  test('of which one ends while another keeps a scrape waiting count nothing twice', async () => {
    const { gateway, url, adminUrl } = await start({ requests_per_minute: 99 })
    for (let n = 0; n < 12; n++) await paint(url)
    expect(await metric(adminUrl, 'plantain_requests_total')).toBe(12)
    const [one, other] = workersOf(gateway)
    if (one === undefined || other === undefined) return expect.fail('no two workers')
    process.kill(other, 'SIGSTOP')
    onTestFinished(() => void (lives(other) && process.kill(other, 'SIGCONT')))
    const scraped = metric(adminUrl, 'plantain_requests_total')
    await sleep(1_500)
    process.kill(one, 'SIGKILL')
    expect(await scraped).toBe(12)
    process.kill(other, 'SIGCONT')
    expect(await metric(adminUrl, 'plantain_requests_total')).toBe(12)
  })

  test('finish what they have begun when the first process is told to end, and exit with 0', async () => {
    const { gateway, url, adminUrl } = await start(null, { config: { drain: { grace_s: 1 } } })
    holding = true
    const answers = [paint(url), paint(url), paint(url), paint(url)]
    await until(async () => held.length === 4)
    holding = false
    gateway.signal('SIGTERM')
    await gateway.line('draining')
    expect(await readinessOf(adminUrl)).toMatchObject({ status: 503, checks: { accepting: false, workers: true } })
    expect((await fetch(`${adminUrl}/livez`)).status).toBe(200)
    // Others learn only now that it leaves.
    expect((await paint(url)).status).toBe(200)
    await until(async () =>
      fetch(`${url}/healthz`).then(
        () => false,
        () => true,
      ),
    )
    // A terminal's signal goes to each of them: to some after the first process has told them to end.
    for (const pid of workersOf(gateway).filter(lives)) process.kill(pid, 'SIGTERM')
    await readinessOf(adminUrl)
    for (const answer of held.splice(0)) answer()
    for (const { status, body } of await Promise.all(answers)) {
      expect(status).toBe(200)
      expect(JSON.parse(body).data[0].b64_json === picture.base64).toBe(true)
    }
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
    expect(gateway.lines().filter(({ msg }) => msg === 'draining')).toHaveLength(1)
    expect(gateway.lines().filter(({ msg, outcome }) => msg === 'exchange' && outcome === 'ok')).toHaveLength(5)
    expect(gateway.output.err).toBe('')
  })

  test('tell the operator what callers have used and have left, whichever of them served', async () => {
    const { url, adminUrl } = await start({ images_per_day: 50 })
    for (let call = 0; call < 4; call++) expect((await paint(url, unlimitedKey)).status).toBe(200)
    expect((await paint(url)).status).toBe(200)
    // Written once a second. The Redis may have been there before: usage of today counts on.
    await until(async () => {
      const usage = await fetch(`${adminUrl}/admin/usage?caller=${callerId}`)
      return usage.status === 200 && ((await usage.json()) as { total: { images: number } }).total.images === 1
    })
    const standing = await fetch(`${adminUrl}/admin/limits/${callerId}`)
    expect([standing.status, await standing.text()]).toEqual([200, expect.stringContaining('49')])
    expect((await fetch(`${adminUrl}/admin/limits/nobody`)).status).toBe(404)
  })

  test.each(['the first process', 'all processes'])('end at once on a second signal to %s', async whom => {
    const { gateway, url } = await start(null)
    const workers = workersOf(gateway)
    holding = true
    const cut = expect(paint(url)).rejects.toThrow()
    await until(async () => held.length === 1)
    holding = false
    const signal = () => {
      gateway.signal('SIGINT')
      // A terminal's Ctrl-C goes to each of them. By the second, the one that serves nobody may have ended.
      if (whom === 'all processes') for (const pid of workers.filter(lives)) process.kill(pid, 'SIGINT')
    }
    signal()
    await gateway.line('draining')
    signal()
    expect(await gateway.exited).toEqual({ code: 1, signal: null })
    await cut
    await until(async () => !workers.some(lives))
    held.splice(0)
  })

  test('do not outlive the first process', async () => {
    const { gateway } = await start(null)
    const workers = workersOf(gateway)
    gateway.signal('SIGKILL')
    await gateway.exited
    await until(async () => !workers.some(lives))
  })
})

describe('several workers', () => {
  test('with nothing configured paint with one sandbox, and need no Redis', async () => {
    const gateway = startProcess({ env: { PLANTAIN_WORKERS: '3' } })
    running.push(gateway)
    const { url, adminUrl } = await addressesOf(gateway)
    for (let call = 0; call < 3; call++) expect((await paint(url)).status).toBe(200)
    expect(await metric(adminUrl, 'plantain_images_total')).toBe(3)
    const usage = await fetch(`${adminUrl}/admin/usage`)
    expect([usage.status, await usage.text()]).toEqual([501, expect.stringContaining('REDIS_URL')])
  })

  test('with limits and without Redis are a mistake in the configuration: exit code 78', async () => {
    const gateway = startProcess({
      env: { PLANTAIN_WORKERS: '2' },
      config: { callers: [{ id: 'app', key, limits: { requests_per_minute: 5 } }] },
    })
    running.push(gateway)
    expect(await gateway.exited).toEqual({ code: 78, signal: null })
    expect(gateway.output.err).toMatch(/PLANTAIN_WORKERS: asks for 2 processes, .* callers\[0\] .* set REDIS_URL/)
  })

  test('say once that the port is taken, and exit with 1', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    running.push({ close: () => other.close() })
    await new Promise(resolve => other.once('listening', resolve))
    const address = other.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const gateway = startProcess({ env: { PLANTAIN_WORKERS: '2', PLANTAIN_PORT: String(port) } })
    running.push(gateway)
    expect(await gateway.exited).toEqual({ code: 1, signal: null })
    expect(gateway.output.err.match(/another process listens there/g)).toHaveLength(1)
  })
})
