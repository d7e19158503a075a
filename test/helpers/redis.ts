/** A real Redis for tests: `REDIS_URL`, else a container, else the machine's own `redis-server`; and a bad line to it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RedisClient } from '../../src/redis/client.ts'

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
  if (process.env.CI === 'true' || process.env.PLANTAIN_TEST_REQUIRE?.includes('redis'))
    throw new Error(`These tests need a real Redis. ${howToRun}`)
  process.stderr.write(`\nLeft out: tests that need a real Redis. ${howToRun}\n`)
  return null
}

/** The client, with something to be done before each script is sent, or with each answer before it is handed on. */
export function attended(
  client: RedisClient,
  { before, after }: { readonly before?: () => Promise<void>; readonly after?: (reply: unknown) => Promise<void> },
): RedisClient {
  return {
    ...client,
    script(lua) {
      const run = client.script(lua)
      return async (keys, args) => {
        await before?.()
        const reply = await run(keys, args)
        await after?.(reply)
        return reply
      }
    },
  }
}

const howToRun = 'To run them, set REDIS_URL, start Docker, or install redis-server.'

/** Is there a `redis-server` that a test may start, stop and kill as it likes? */
export function findRedisServer(): boolean {
  if (spawnSync('redis-server', ['--version']).status === 0) return true
  if (process.env.CI === 'true' || process.env.PLANTAIN_TEST_REQUIRE?.includes('redis'))
    throw new Error('These tests need redis-server on the PATH.')
  process.stderr.write('\nLeft out: tests that start and stop a Redis. To run them, install redis-server.\n')
  return false
}

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

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A line to Redis that can go bad and recover. */
export interface Line extends AsyncDisposable {
  /** The address of Redis by way of this line. */
  readonly url: string
  /**
   * From now on the connections that stand keep back their bytes in that direction; new ones do not. What was sent
   * arrives when it is released, even if its sender is gone by then.
   */
  hold(direction: Direction): void
  release(): void
  /** Cuts all connections and accepts no others. */
  cut(): Promise<void>
  mend(): Promise<void>
}

type Direction = 'commands' | 'answers'

export async function openLine(redisUrl: string): Promise<Line> {
  const redis = new URL(redisUrl)
  const lanes = new Set<Lane>()

  function accept(caller: Socket) {
    const server = connect(Number(redis.port || 6379), redis.hostname)
    for (const lane of [openLane('commands', caller, server), openLane('answers', server, caller)]) {
      lanes.add(lane)
      lane.from.on('close', () => lane.held || lanes.delete(lane))
    }
  }
  function release() {
    for (const lane of lanes) lane.release()
  }

  const port = await freePort()
  let listener = createServer(accept)
  async function mend() {
    listener = createServer(accept).listen(port, '127.0.0.1')
    await once(listener, 'listening')
  }
  async function cut() {
    listener.close()
    for (const { from } of lanes) from.destroy()
    await once(listener, 'close')
  }
  await mend()
  const url = new URL(redisUrl)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  return {
    url: url.href,
    hold(direction) {
      for (const lane of lanes) lane.held ||= lane.direction === direction
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

/** One direction of one connection. */
interface Lane {
  readonly direction: Direction
  readonly from: Socket
  held: boolean
  release(): void
}

function openLane(direction: Direction, from: Socket, to: Socket): Lane {
  let late: (() => void)[] = []
  const lane: Lane = {
    direction,
    from,
    held: false,
    release() {
      lane.held = false
      const acts = late
      late = []
      for (const act of acts) act()
    },
  }
  const pass = (act: () => void) => (lane.held ? late.push(act) : act())
  from.on('data', bytes => pass(() => to.write(bytes)))
  from.on('close', () => pass(() => to.end()))
  from.on('error', () => {})
  return lane
}
