/** A real Prometheus for tests: the machine's own `prometheus` and `promtool`, on a free port and with data that nobody keeps. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { freePort } from './redis.ts'

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [seconds: number, value: string]
}

export interface RuleState {
  readonly name: string
  readonly type: 'recording' | 'alerting'
  readonly health: string
  readonly lastError?: string
  /** Of alerts. */
  readonly state?: 'inactive' | 'pending' | 'firing'
}

export interface TestPrometheus {
  /** @throws Error with Prometheus' own words where it does not understand the query. */
  query(expr: string): Promise<readonly Sample[]>
  /** Every value that the query had in the last seconds, of all its series. */
  history(expr: string, seconds: number): Promise<readonly number[]>
  labelValues(label: string, metric: string): Promise<readonly string[]>
  rules(): Promise<readonly RuleState[]>
  stop(): Promise<void>
}

/** Is there one? Compulsory where `CI=true`; elsewhere the tests that need it are left out, with a sentence that says so. */
export function findPrometheus(): boolean {
  const has = (command: string) => spawnSync(command, ['--version']).status === 0
  if (has('prometheus') && has('promtool')) return true
  if (process.env.CI === 'true') throw new Error('These tests need prometheus and promtool on the PATH.')
  process.stderr.write('\nLeft out: tests that need a real Prometheus. To run them, install prometheus.\n')
  return false
}

/** What promtool says, and whether it was content. */
export function promtool(...args: readonly string[]): { readonly ok: boolean; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' })
  return { ok: status === 0, output: stdout + stderr }
}

export async function startPrometheus(config: object): Promise<TestPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'plantain-prometheus-'))
  const file = join(folder, 'prometheus.yml')
  writeFileSync(file, stringify(config))
  const address = `127.0.0.1:${await freePort()}`
  const flags = [`--config.file=${file}`, `--storage.tsdb.path=${join(folder, 'data')}`, '--log.level=warn']
  const server = spawn('prometheus', [...flags, `--web.listen-address=${address}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  server.stderr.setEncoding('utf8').on('data', text => {
    said += text
  })
  const kill = () => server.kill('SIGKILL')
  process.once('exit', kill)
  const ended = once(server, 'exit')

  async function ask<Data>(path: string, query: Readonly<Record<string, string>> = {}): Promise<Data> {
    const answer = await fetch(`http://${address}/api/v1/${path}?${new URLSearchParams(query)}`)
    const { status, data, error } = (await answer.json()) as { status: string; data: Data; error?: string }
    if (status !== 'success') throw new Error(error)
    return data
  }
  while (!(await isReady(`http://${address}/-/ready`))) {
    if (server.exitCode !== null) throw new Error(`Prometheus did not start: ${said}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return {
    query: async expr => (await ask<{ readonly result: readonly Sample[] }>('query', { query: expr })).result,
    async history(expr, seconds) {
      const end = Date.now() / 1000
      const range = { query: expr, start: String(end - seconds), end: String(end), step: '1' }
      const { result } = await ask<{ readonly result: readonly { readonly values: readonly Sample['value'][] }[] }>(
        'query_range',
        range,
      )
      return result.flatMap(({ values }) => values.map(([, value]) => Number(value)))
    },
    labelValues: (label, metric) => ask(`label/${label}/values`, { 'match[]': metric }),
    rules: async () => {
      const { groups } = await ask<{ readonly groups: readonly { readonly rules: readonly RuleState[] }[] }>('rules')
      return groups.flatMap(group => group.rules)
    },
    async stop() {
      process.off('exit', kill)
      if (server.exitCode === null) kill()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const isReady = (url: string) =>
  fetch(url).then(
    answer => answer.ok,
    () => false,
  )
