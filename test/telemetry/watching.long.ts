/**
 * What is shipped for watching, on a real Prometheus that scraped two real gateways with one Redis, in good times and in bad:
 * every query of every board and rule gives data, for everything that they show has happened.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { findPrometheus, promtool, startPrometheus, type TestPrometheus } from '../helpers/prometheus.ts'
import { findRedis, freePort, type Line, openLine, type TestRedis } from '../helpers/redis.ts'
import { addressesOf, type GatewayProcess, startProcess } from '../process/gateway-process.ts'
import { panelQueries, prometheusFile, ruleQueries, rulesFile, variables } from './watching.ts'

const found = findPrometheus()
const here = import.meta.dirname
/** All of the run, as a board would show it. */
const runSeconds = 90
const token = 'a-token-of-the-operator'

describe.skipIf(!found)('promtool', () => {
  test('finds nothing wrong with the configuration and the rules', () => {
    const folder = mkdtempSync(join(tmpdir(), 'plantain-promtool-'))
    // Where the compose file writes the token, and where it mounts the rules.
    writeFileSync(join(folder, 'admin-token'), token)
    const config = readFileSync(prometheusFile, 'utf8')
    expect(config).toContain('/run/plantain/admin-token')
    writeFileSync(
      join(folder, 'prometheus.yml'),
      config.replace('/run/plantain/admin-token', join(folder, 'admin-token')),
    )
    writeFileSync(join(folder, 'rules.yml'), readFileSync(rulesFile))
    expect(promtool('check', 'config', join(folder, 'prometheus.yml'))).toMatchObject({ ok: true })
    expect(promtool('check', 'rules', rulesFile)).toMatchObject({ ok: true })
    rmSync(folder, { recursive: true })
  })

  test.each(['alerts.yml', 'budget-alerts.yml'])('sees alerts fire when they should, and not else: %s', file => {
    const { ok, output } = promtool('test', 'rules', join(here, file))
    expect(output).toContain('SUCCESS')
    expect(ok).toBe(true)
  })
})

describe.skipIf(!found)('a Prometheus that scraped two gateways', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plantain-watching-'))
  let redis: TestRedis | null
  let line: Line
  let sandbox: Sandbox
  const gateways: GatewayProcess[] = []
  let urls: readonly string[] = []
  let prometheus: TestPrometheus

  beforeAll(async () => {
    redis = await findRedis()
    if (!redis) throw new Error('These tests need a Redis too.')
    line = await openLine(redis.url)
    sandbox = await startSandbox()
    const ports = [await freePort(), await freePort()]
    const config = gatewayConfig(sandbox.url, await freePort(), ports)
    for (const port of ports) gateways.push(startProcess({ env: environment(port), config }))
    const addresses = await Promise.all(gateways.map(addressesOf))
    urls = addresses.map(({ url }) => url)
    prometheus = await startPrometheus(scraping(addresses.map(({ adminUrl }) => new URL(adminUrl).host)))
    await until(async () => (await value('sum(up{job="plantain"})')) === 2)
    await goodAndBadTimes()
  })
  afterAll(async () => {
    await prometheus?.stop()
    await Promise.all(gateways.map(gateway => gateway.close()))
    sandbox?.process.kill()
    await line?.[Symbol.asyncDispose]()
    await redis?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const environment = (port: number) => ({
    PLANTAIN_PORT: String(port),
    PLANTAIN_ADMIN_TOKEN: token,
    REDIS_URL: line.url,
  })

  /** The configuration that is shipped, in a hurry, with these gateways in place of the compose file's. */
  function scraping(targets: readonly string[]): object {
    const config = parse(readFileSync(prometheusFile, 'utf8'))
    const groups = parse(readFileSync(rulesFile, 'utf8')).groups.map(
      ({ interval: _, ...group }: { interval?: string }) => group,
    )
    writeFileSync(join(folder, 'rules.yml'), stringify({ groups }))
    writeFileSync(join(folder, 'admin-token'), token)
    const job = {
      job_name: config.scrape_configs[0].job_name,
      authorization: { credentials_file: join(folder, 'admin-token') },
      static_configs: [{ targets }],
    }
    return {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [join(folder, 'rules.yml')],
      scrape_configs: [job],
    }
  }

  async function value(expr: string): Promise<number | undefined> {
    const [sample] = await prometheus.query(expr)
    return sample && Number(sample.value[1])
  }

  async function goodAndBadTimes(): Promise<void> {
    for (let round = 0; round < 6; round++) {
      await Promise.all([...urls.map(everythingOnce), sleep(1200)])
    }
    await line.cut()
    for (let round = 0; round < 5; round++) {
      await Promise.all([...urls.map(url => image(url, 'key-a')), sleep(1200)])
    }
    // The last scrape, and the rules after it.
    await sleep(2500)
  }

  test('scrapes both, with the token', async () => {
    expect(await value('sum(up{job="plantain"})')).toBe(2)
  })

  test('has something to show in every panel', async () => {
    const empty: string[] = []
    for (const { where, expr } of panelQueries) {
      const values = (await prometheus.history(filledIn(expr), runSeconds)).filter(Number.isFinite)
      // What is counted has happened, but that Redis was away for hours.
      const isCount = /\b(?:rate|increase)\(/.test(expr) && !expr.includes('plantain_usage_lost')
      const isEmpty = values.length === 0 || (isCount && Math.max(...values) <= 0)
      if (isEmpty) empty.push(`${where}: ${expr}`)
    }
    expect(empty).toEqual([])
  })

  test('tells a fault of an upstream from what its callers asked wrongly', async () => {
    const calls = (labels: string) => value(`sum(plantain_upstream_requests_total{upstream="google",${labels}})`)
    const faults = (await calls('status=~"403|500|503",outcome="failed"')) ?? 0
    expect(faults).toBe(await calls('status=~"403|500|503"'))
    expect(await value('upstream:plantain_upstream_failures:ratio_rate5m{upstream="dead"}')).toBe(1)
    expect(await value('upstream:plantain_upstream_failures:ratio_rate5m{upstream="narrow"} or vector(0)')).toBe(0)
  })

  test('has something to choose from in every list of a board', async () => {
    for (const { metric, label } of variables) expect(await prometheus.labelValues(label, metric)).not.toEqual([])
  })

  test('has data for every rule', async () => {
    // Nobody can order a fault of ours, and there is always a gateway here.
    const unheard = ['PlantainNotScraped', 'PlantainInternalErrors']
    const empty: string[] = []
    for (const { where, expr } of ruleQueries) {
      if ((await prometheus.query(withoutThresholds(expr))).length === 0) empty.push(where)
    }
    expect(empty).toEqual(unheard)
  })

  test('reads every rule without a fault', async () => {
    const states = await prometheus.rules()
    expect(states).toHaveLength(ruleQueries.length)
    expect(states.filter(({ health }) => health !== 'ok')).toEqual([])
  })

  test('calls for somebody: a key of ours was refused, and the limit store is away', async () => {
    const calling = (await prometheus.rules()).filter(({ state }) => state === 'firing' || state === 'pending')
    const names = calling.map(({ name }) => name)
    expect(names).toEqual(
      expect.arrayContaining(['PlantainUpstreamKeyRefused', 'PlantainLimitStoreDegraded', 'PlantainOverloaded']),
    )
    expect(names).not.toContain('PlantainDown')
    expect(names).not.toContain('PlantainInternalErrors')
  })
})

interface Sandbox {
  readonly url: string
  readonly process: ChildProcess
}

/** In a process of its own: painting would hold up the line to Redis, and then that counts as away. */
async function startSandbox(): Promise<Sandbox> {
  const port = await freePort()
  const child = spawn(process.execPath, [join(here, '../../src/sandbox/main.ts')], {
    env: { PATH: process.env.PATH, PLANTAIN_SANDBOX_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return { url: `http://127.0.0.1:${port}`, process: child }
}

/** Three callers; three upstreams, of which one is hardly to be called and one is not there; memory for hardly an answer. */
function gatewayConfig(sandboxUrl: string, deadPort: number, ownPorts: readonly number[]) {
  return {
    callers: [
      {
        id: 'team-a',
        key: 'key-a',
        limits: { requests_per_minute: 10_000, budget_usd_per_day: 200, budget_usd_per_month: 900 },
      },
      { id: 'limited', key: 'key-b', limits: { requests_per_minute: 1 } },
      { id: 'patient', key: 'key-c', limits: { concurrent: 2 }, queue: { max: 10, wait_s: 10 } },
    ],
    upstreams: {
      google: { protocol: 'gemini', base_url: sandboxUrl, keys: ['one'], limits: { requests_per_minute: 1000 } },
      narrow: { protocol: 'gemini', base_url: sandboxUrl, keys: ['two'], limits: { requests_per_minute: 1 } },
      dead: { protocol: 'gemini', base_url: `http://127.0.0.1:${deadPort}`, keys: ['three'] },
    },
    routing: [
      { model: 'gemini-2.5-flash-image', upstreams: ['dead'] },
      { model: 'gemini-3-pro-image', upstreams: ['narrow'] },
      { model: '*', upstreams: ['google'] },
    ],
    answers: { memory: '64KiB' },
    // Pictures that they answered by URL come back as references.
    references: { allow: ownPorts.map(port => `127.0.0.1:${port}`) },
  }
}

/** Each thing that a board shows, done once. */
async function everythingOnce(url: string): Promise<void> {
  const painted = await image(url, 'key-a', { response_format: 'url' })
  // A busy machine may take Redis for away, now and then: the next round has one.
  const address = painted.data?.[0]?.url
  if (address === undefined) return
  await Promise.all([
    download(address),
    download(`${address}0`),
    chat(url, 'A red kite'),
    chat(url, '[sandbox status=500]'),
    image(url, 'key-a', { images: [{ image_url: address }] }, 'edits'),
    image(url, 'key-a', { prompt: '[sandbox refuse=IMAGE_SAFETY]' }),
    ...[400, 403, 429, 503].map(status => image(url, 'key-a', { prompt: `[sandbox status=${status}]` })),
    image(url, 'key-b'),
    image(url, 'key-b'),
    // Long enough for a scrape to see who waits.
    image(url, 'key-c', { prompt: '[sandbox delay=1200ms]' }),
    image(url, 'key-c', { prompt: '[sandbox delay=1200ms]' }),
    image(url, 'no-key-at-all'),
    image(url, 'key-a', { model: 'gemini-2.5-flash-image' }),
    image(url, 'key-a', { model: 'gemini-3-pro-image' }),
    leave(url),
  ])
}

/** Without data: an error. */
interface Painted {
  readonly data?: readonly { readonly url: string }[]
}

async function image(url: string, key: string, fields: object = {}, operation = 'generations'): Promise<Painted> {
  const answer = await fetch(`${url}/v1/images/${operation}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'A red kite', model: 'nano-banana-2', size: '512x512', ...fields }),
  })
  return (await answer.json()) as Painted
}

async function chat(url: string, text: string): Promise<void> {
  const answer = await fetch(`${url}/v1beta/models/gemini-3.1-flash-image:generateContent`, {
    method: 'POST',
    headers: { 'x-goog-api-key': 'key-a', 'content-type': 'application/json' },
    body: JSON.stringify({ contents: [{ parts: [{ text }] }] }),
  })
  await answer.arrayBuffer()
}

async function download(address: string): Promise<void> {
  await (await fetch(address)).arrayBuffer()
}

async function leave(url: string): Promise<void> {
  await fetch(`${url}/v1/images/generations`, {
    method: 'POST',
    headers: { authorization: 'Bearer key-a', 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: '[sandbox delay=5s] A red kite', model: 'nano-banana-2' }),
    signal: AbortSignal.timeout(500),
  }).catch(() => {})
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(200)
}

/** As Grafana asks, with all callers, models and upstreams chosen. */
const filledIn = (expr: string) =>
  expr
    .replaceAll('$__rate_interval', '2m')
    .replaceAll('$__range', '5m')
    .replace(/\$(?:caller|model|upstream)\b/g, '.*')

/** What a rule looks at, whatever its value. */
const withoutThresholds = (expr: string) => expr.replace(/\s*(?:==|>)\s*[\d.]+/g, '')
