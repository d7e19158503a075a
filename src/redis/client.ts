/** ioredis' door: one connection, tuned to fail fast, because every request waits for its answers. */
import type { Cluster, Redis } from 'ioredis'

/** Runs a Lua script. Resolves with what it returns; rejects with a RedisError. */
export type RedisScript = (keys: readonly string[], args: readonly ScriptArgument[]) => Promise<unknown>

export type ScriptArgument = string | number | Buffer

export interface RedisClient {
  /** A command is given up after this long. Redis may still carry it out later: scripts have to guard against that. */
  readonly commandTimeoutMs: number
  /** Makes a command of a script. It is sent by its hash, and whole where Redis does not know it (any more). */
  script(lua: string): RedisScript
  /** True when a command would be answered now, as far as is known without asking. */
  ready(): boolean
  /** What the server is, as far as it tells. Rejects with a RedisError where it does not answer. */
  describe(): Promise<RedisFacts>
  close(): void
}

export interface RedisFacts {
  /** `7.0.15`; of Valkey the version of Redis that it stands for. */
  readonly version: string
  /** What becomes of keys when the memory is full: `noeviction`; null: this user may not know. */
  readonly evictionPolicy: string | null
  readonly cluster: boolean
}

/** What became of the connection: told once per change, not once per attempt. */
export type RedisState = { readonly state: 'connected' } | { readonly state: 'lost'; readonly reason: string }

export interface RedisOptions {
  readonly commandTimeoutMs?: number
  readonly observe?: (state: RedisState) => void
}

/** Says what went wrong without the address, the password or the command's arguments. */
export class RedisError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'RedisError'
  }
}

/**
 * Connects to `redis://[[user]:password@]host[:port][/db]`, or `rediss://` for TLS. Resolves when the connection stands
 * or the first attempt has failed: it is tried again for as long as the client lives, so a Redis that comes later is
 * found without a restart. Throws a RedisError where the URL cannot be read.
 */
export async function connectRedis(url: string, options: RedisOptions = {}): Promise<RedisClient> {
  const { commandTimeoutMs = 100, observe = () => {} } = options
  const address = parseAddress(url)
  // A socket that owes an answer and says nothing for this long is given up. Until then a timeout leaves it in doubt.
  const silenceMs = 20 * commandTimeoutMs
  // Imported only here: without a Redis, its 10 MiB stay unloaded.
  const { Redis } = await import('ioredis')
  const perServer = {
    commandTimeout: commandTimeoutMs,
    connectTimeout: 300,
    // Nothing is kept for later: a command that cannot be sent now fails now, and none is sent twice.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // Measured slower for scripts than plain pipelining by the socket.
    enableAutoPipelining: false,
    // A connection that swallows commands is replaced, as after a failover that moved the address.
    socketTimeout: silenceMs,
    disconnectTimeout: 100,
    maxLoadingRetryTime: 500,
  }
  const again = (attempt: number) => Math.min(attempt * 50, 500)
  const redis = new Redis({
    ...address,
    ...perServer,
    retryStrategy: again,
    // A replica that was the primary a moment ago: the next connection leads to the new one.
    reconnectOnError: error => error.message.startsWith('READONLY'),
  })
  const mask = (error: unknown) => new RedisError(masked(messageOf(error), address.password))
  const scripts: string[] = []
  let cluster: Cluster | null = null
  let doubtedUntil = 0
  let closed = false

  /** A node of a cluster knows the others, and each of them its keys alone. */
  async function lookForCluster(): Promise<void> {
    if (cluster || !(await isCluster(redis))) return
    const { host, port, db: _, ...credentials } = address
    // Each node keeps its queue: it holds what is sent while the node is just being connected.
    const { commandTimeout: __, enableOfflineQueue: ___, ...quick } = perServer
    cluster = new (await import('ioredis')).Cluster([{ host, port }], {
      redisOptions: { ...credentials, ...quick },
      enableOfflineQueue: false,
      clusterRetryStrategy: again,
      slotsRefreshTimeout: 1_000,
      slotsRefreshInterval: 5_000,
      // A slot that moved, or whose primary just failed: the map is read anew between two tries.
      maxRedirections: 3,
      retryDelayOnClusterDown: 20,
      retryDelayOnFailover: 20,
      ...(address.tls && { dnsLookup: (name, tell) => tell(null, name) }),
    })
    for (const [number, lua] of scripts.entries()) cluster.defineCommand(nameOf(number), { lua })
    // Its own errors come with each command; what is not listened to would end the process.
    cluster.on('error', () => {})
    const { promise, resolve } = Promise.withResolvers<void>()
    for (const event of ['ready', 'close'] as const) cluster.once(event, resolve)
    await promise
  }

  const looked = new Promise<void>(resolve => {
    redis.on(
      'ready',
      () =>
        void lookForCluster()
          .catch(() => {})
          .then(resolve),
    )
    redis.once('close', () => resolve())
  })
  // A connection that is closed here is not lost.
  watch(redis, mask, state => closed || observe(state))
  // It would go on in database 0, where what lies may be somebody else's.
  redis.on('error', error => {
    if (isOfSelect(error)) redis.disconnect(true)
  })
  await looked

  const connection = () => cluster ?? redis
  return {
    commandTimeoutMs,
    script(lua) {
      const name = nameOf(scripts.push(lua) - 1)
      redis.defineCommand(name, { lua })
      cluster?.defineCommand(name, { lua })
      return async (keys, args) => {
        // defineCommand adds a method that the class's type cannot know.
        const commands = connection() as unknown as Record<string, (...args: ScriptArgument[]) => Promise<unknown>>
        try {
          const answer = commands[name]?.(keys.length, ...keys, ...args)
          return await (cluster ? withinMs(answer, commandTimeoutMs) : answer)
        } catch (error) {
          if (messageOf(error) === 'Command timed out') doubtedUntil = performance.now() + silenceMs
          throw mask(error)
        }
      }
    },
    ready: () => connection().status === 'ready' && performance.now() >= doubtedUntil,
    async describe() {
      try {
        return { ...(await describeServer(redis)), cluster: cluster !== null }
      } catch (error) {
        throw mask(error)
      }
    },
    close: () => {
      closed = true
      redis.disconnect()
      cluster?.disconnect()
    },
  }
}

/** As the library says it of an answer to the command that chooses the address's database. */
const isOfSelect = (error: Error & { readonly command?: { readonly name?: string } }) =>
  error.command?.name === 'select'

const nameOf = (number: number) => `plantainScript${number}`

async function isCluster(redis: Redis): Promise<boolean> {
  return /^cluster_enabled:1/m.test(await redis.info('cluster'))
}

async function describeServer(redis: Redis) {
  const version = /^redis_version:(\S+)/m.exec(await redis.info('server'))?.[1] ?? 'unknown'
  // Many a hosted Redis keeps its settings to itself.
  const policy = await redis.config('GET', 'maxmemory-policy').catch(() => null)
  return { version, evictionPolicy: Array.isArray(policy) ? String(policy[1] ?? '') || null : null }
}

/** A cluster may follow several redirections for one command: all of them have the time of one. */
async function withinMs<T>(answer: Promise<T> | undefined, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Command timed out')), ms)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

type Address = ReturnType<typeof parseAddress>

function parseAddress(text: string) {
  const url = URL.canParse(text) ? new URL(text) : null
  const db = url?.pathname.replace(/^\//, '') || '0'
  const [username, password] = [decoded(url?.username), decoded(url?.password)]
  const fits = url && /^rediss?:$/.test(url.protocol) && url.hostname && /^\d+$/.test(db) && !url.search && !url.hash
  if (!fits || username === null || password === null) {
    throw new RedisError('The address of Redis must look like redis://user:password@host:6379/0, or rediss:// for TLS.')
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const tls = url.protocol === 'rediss:' && { tls: {} }
  return { host, port: Number(url.port || 6379), db: Number(db), username, password, ...tls }
}

/** Null where a `%` is followed by no code. */
function decoded(part = ''): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}

function watch(redis: Redis, mask: (error: unknown) => RedisError, observe: (state: RedisState) => void) {
  let state: RedisState['state'] | null = null
  // The first error is why; others follow from it.
  let reason: string | null = null
  redis.on('error', error => {
    reason ??= mask(error).message
  })
  redis.on('ready', () => {
    reason = null
    state = 'connected'
    observe({ state })
  })
  redis.on('close', () => {
    const why = reason ?? 'The connection was closed.'
    reason = null
    if (state === 'lost') return
    state = 'lost'
    observe({ state, reason: why })
  })
}

function messageOf(error: unknown): string {
  // Where a name has several addresses, the error of trying them all has a code and no message.
  return error instanceof Error ? error.message || ('code' in error ? String(error.code) : error.name) : String(error)
}

/** Some servers repeat the arguments of a command they do not know, and a command may be AUTH. */
function masked(message: string, password: Address['password']): string {
  return password ? message.replaceAll(password, '***') : message
}
