/** A real Redis for tests: `REDIS_URL`, else a container, else the machine's own `redis-server`; and a bad line to it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TestRedis {
  readonly url: string
  stop(): Promise<void>
}

/**
 * Null where there is none: then the tests that need it are left out, with a sentence that says so, unless `CI=true`
 * or `PLANTAIN_TEST_REQUIRE=redis` makes them compulsory.
 */
export async function findRedis(): Promise<TestRedis | null> {
  const url = process.env.REDIS_URL
  if (url) return { url, stop: async () => {} }
  const found = (await redisContainer()) ?? (await redisServer())
  if (found) return found
  if (process.env.CI === 'true' || process.env.PLANTAIN_TEST_REQUIRE?.includes('redis')) throw new Error(howToRun)
  process.stderr.write(`\nLeft out: tests that need a real Redis. ${howToRun}\n`)
  return null
}

const howToRun = 'Set REDIS_URL, start Docker, or install redis-server to run them.'

/** A container of the version that docker-compose.yml runs. Null without a Docker engine that answers at once. */
async function redisContainer(): Promise<TestRedis | null> {
  if (!(await dockerAnswers())) return null
  try {
    const { GenericContainer } = await import('testcontainers')
    const container = await new GenericContainer('redis:8-bookworm').withExposedPorts(6379).start()
    return {
      url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
      stop: async () => void (await container.stop()),
    }
  } catch {
    return null
  }
}

async function dockerAnswers(): Promise<boolean> {
  const host = new URL(process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock')
  const where = host.protocol === 'unix:' ? { socketPath: host.pathname } : { host: host.hostname, port: host.port }
  const ping = request({ ...where, path: '/_ping', timeout: 500 })
  const { promise, resolve } = Promise.withResolvers<boolean>()
  ping.on('response', answer => resolve(answer.statusCode === 200))
  ping.on('timeout', () => resolve(false))
  ping.on('error', () => resolve(false))
  ping.end()
  const answers = await promise
  ping.destroy()
  return answers
}

/** Null where `redis-server` is not on the PATH. */
async function redisServer(): Promise<TestRedis | null> {
  const directory = await mkdtemp(join(tmpdir(), 'plantain-redis-'))
  const port = await freePort()
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no']
  const server = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'ignore'] })
  const kill = () => server.kill('SIGKILL')
  process.once('exit', kill)

  async function stop() {
    process.off('exit', kill)
    if (server.exitCode === null && kill()) await once(server, 'exit')
    await rm(directory, { recursive: true, force: true })
  }
  if (await started(server)) return { url: `redis://127.0.0.1:${port}`, stop }
  await stop()
  return null
}

async function started(server: ChildProcess): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  let log = ''
  server.stdout?.on('data', text => {
    log += text
    if (log.includes('Ready to accept connections')) resolve(true)
  })
  server.once('error', () => resolve(false))
  server.once('exit', () => resolve(false))
  return promise
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A line to Redis that can go bad and recover. */
export interface Line {
  /** The address of Redis by way of this line. */
  readonly url: string
  /** Bytes in that direction are kept back from now on. What was sent arrives late, even if its sender is gone. */
  hold(direction: 'commands' | 'answers'): void
  /** Lets go what was kept back. */
  release(): void
  /** Cuts all connections and accepts no others. */
  cut(): Promise<void>
  mend(): Promise<void>
}

export async function openLine(redisUrl: string): Promise<Line & AsyncDisposable> {
  const redis = new URL(redisUrl)
  const held = { commands: false, answers: false }
  const sockets = new Set<Socket>()
  let waiting: (() => void)[] = []

  function forward(from: Socket, to: Socket, direction: keyof typeof held) {
    const pass = (act: () => void) => (held[direction] ? waiting.push(act) : act())
    from.on('data', bytes => pass(() => to.write(bytes)))
    from.on('close', () => pass(() => to.end()))
    from.on('error', () => {})
    sockets.add(from)
    from.on('close', () => sockets.delete(from))
  }
  function accept(caller: Socket) {
    const server = connect(Number(redis.port || 6379), redis.hostname)
    forward(caller, server, 'commands')
    forward(server, caller, 'answers')
  }

  const port = await freePort()
  let listener = createServer(accept)
  async function mend() {
    listener = createServer(accept).listen(port, '127.0.0.1')
    await once(listener, 'listening')
  }
  function release() {
    held.commands = held.answers = false
    const late = waiting
    waiting = []
    for (const act of late) act()
  }
  async function cut() {
    listener.close()
    for (const socket of sockets) socket.destroy()
    await once(listener, 'close')
  }
  await mend()
  const url = new URL(redisUrl)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  return {
    url: url.href,
    hold: direction => {
      held[direction] = true
    },
    release,
    cut,
    mend,
    async [Symbol.asyncDispose]() {
      release()
      if (listener.listening) await cut()
    },
  }
}
