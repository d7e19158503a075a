/** A Redis Cluster of six `redis-server` processes on this machine: three primaries, each with a replica. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './redis.ts'

export interface TestCluster {
  /** Of any node. */
  readonly url: string
  readonly urls: readonly string[]
  /** Kills the primary that has the key's slot; resolves when its replica has taken over. */
  killPrimaryOf(key: string): Promise<void>
  stop(): Promise<void>
}

const cli = promisify(execFile)

export async function startCluster(): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'plantain-cluster-'))
  const nodes = new Map<number, ChildProcess>()
  const stop = async () => {
    await Promise.all([...nodes.values()].map(end))
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const ports: number[] = []
    for (let n = 0; n < 6; n++) ports.push(await freeBusPort())
    for (const port of ports) nodes.set(port, spawnNode(port, directory))
    await Promise.all([...nodes.values()].map(ready))
    const hosts = ports.map(port => `127.0.0.1:${port}`)
    await cli('redis-cli', ['--cluster', 'create', ...hosts, '--cluster-replicas', '1', '--cluster-yes'])
    await until(async () => (await ask(ports[0], ['CLUSTER', 'INFO'])).includes('cluster_state:ok'))
    // A replica that has nothing yet cannot take over.
    const linked = async (port: number) =>
      /role:master|master_link_status:up/.test(await ask(port, ['INFO', 'replication']))
    await until(async () => (await Promise.all(ports.map(linked))).every(Boolean))
    return {
      url: `redis://${hosts[0]}`,
      urls: hosts.map(host => `redis://${host}`),
      stop,
      async killPrimaryOf(key) {
        const slot = Number(await ask(ports[0], ['CLUSTER', 'KEYSLOT', key]))
        const primary = async (asked: number | undefined) => {
          const lines = (await ask(asked, ['CLUSTER', 'NODES'])).split('\n')
          const its = lines.find(line => line.includes('master') && !line.includes('fail') && has(line, slot))
          return Number(/:(\d+)@/.exec(its ?? '')?.[1] ?? 0)
        }
        const doomed = await primary(ports[0])
        const server = nodes.get(doomed)
        if (!server) throw new Error(`no node of the cluster has slot ${slot}`)
        const other = ports.find(port => port !== doomed)
        await end(server)
        await until(async () => ![0, doomed].includes(await primary(other)))
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function spawnNode(port: number, directory: string): ChildProcess {
  const flags = {
    port: String(port),
    bind: '127.0.0.1',
    dir: directory,
    dbfilename: `${port}.rdb`,
    save: '',
    appendonly: 'no',
    'cluster-enabled': 'yes',
    'cluster-config-file': join(directory, `nodes-${port}.conf`),
    'cluster-node-timeout': '2000',
    'repl-diskless-sync-delay': '0',
  }
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  process.once('exit', () => server.kill('SIGKILL'))
  return server
}

async function ready(server: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let log = ''
  server.stdout?.on('data', text => {
    log += text
    if (log.includes('Ready to accept connections')) resolve()
  })
  server.once('exit', () => reject(new Error(`redis-server ended: ${log}`)))
  return promise
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode === null && server.signalCode === null && server.kill('SIGKILL')) await once(server, 'exit')
}

async function ask(port: number | undefined, command: readonly string[]): Promise<string> {
  return (await cli('redis-cli', ['-p', String(port), ...command])).stdout
}

/** A line of CLUSTER NODES ends in the slots of its node. */
function has(line: string, slot: number): boolean {
  return line
    .split(' ')
    .slice(8)
    .some(range => {
      const [from = Number.NaN, to = from] = range.split('-').map(Number)
      return slot >= from && slot <= to
    })
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await isSo().catch(() => false)) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error('the cluster did not become what it should')
}

/** The cluster's bus takes the port 10000 above, which must be one as well. */
async function freeBusPort(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (port < 55_000) return port
  }
}
