/** A real gateway in this process, on free ports, in front of whatever upstream the test brings. */
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, buildApp } from '../../src/app.ts'
import type { CallerConfig, Config, UpstreamConfig } from '../../src/config/config.ts'
import { hashKey } from '../../src/config/keys.ts'
import { createMemoryStore } from '../../src/limits/memory-store.ts'
import type { LimitStore } from '../../src/limits/store.ts'
import { createLog } from '../../src/telemetry/log.ts'
import type { UsageKeeper } from '../../src/usage/usage.ts'

export interface GatewayOptions {
  /** The upstream's root. */
  readonly upstream: string
  readonly config?: Partial<Omit<Config, 'listen' | 'assets' | 'references'>> & {
    readonly listen?: Partial<Config['listen']>
    readonly assets?: Partial<Config['assets']>
    readonly references?: Partial<Config['references']>
  }
  readonly answers?: Partial<Config['answers']>
  readonly upstreamConfig?: Partial<UpstreamConfig>
  readonly callers?: readonly CallerConfig[]
  readonly limitStore?: LimitStore
  readonly usage?: UsageKeeper
  readonly slabs?: boolean
  readonly upstreamCa?: string
  readonly heartbeatMs?: number
  readonly epochSeconds?: () => number
}

export interface TestGateway {
  readonly url: string
  readonly adminUrl: string
  readonly app: App
  /** One parsed line per exchange, and whatever else was logged. */
  readonly log: readonly Record<string, unknown>[]
  readonly spillDir: string
  readonly assetsDir: string
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
  /** A metric's value, summed over its series whose labels match. */
  metric(name: string, labels?: Record<string, string>): Promise<number>
  close(): Promise<void>
}

export async function startGateway(options: GatewayOptions): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'plantain-gateway-'))
  const config = testConfig(options, folder)
  const log: Record<string, unknown>[] = []
  const app = await buildApp(config, {
    log: createLog({ level: 'debug', destination: { write: line => void log.push(JSON.parse(line)) } }),
    limitStore: options.limitStore ?? createMemoryStore({ now: () => performance.now() }),
    sandboxUrl: null,
    version: 'test',
    slabs: options.slabs ?? true,
    ...(options.usage && { usage: options.usage }),
    ...(options.upstreamCa && { upstreamCa: options.upstreamCa }),
    ...(options.heartbeatMs && { heartbeatMs: options.heartbeatMs }),
    ...(options.epochSeconds && { epochSeconds: options.epochSeconds }),
  })
  await app.server.listen({ port: 0, host: '127.0.0.1' })
  await app.admin.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${(app.server.server.address() as AddressInfo).port}`
  const adminUrl = `http://127.0.0.1:${(app.admin.server.address() as AddressInfo).port}`
  return {
    url,
    adminUrl,
    app,
    log,
    spillDir: config.answers.spillDir,
    assetsDir: config.assets.dir,
    post: (path, body, headers = {}) =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    metric: async (name, labels = {}) => {
      // The text is made at most once a second: ask until a fresh one can be there.
      await new Promise(resolve => setTimeout(resolve, 1100))
      return sumOf(await (await fetch(`${adminUrl}/metrics`)).text(), name, labels)
    },
    close: async () => {
      app.startDraining()
      app.server.server.closeAllConnections()
      await app.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A caller whose key is `key-of-<id>`, who may do everything but for what is told otherwise. */
export const callerOf = (id: string, otherwise: Partial<CallerConfig> = {}): CallerConfig => ({
  id,
  keySha256: hashKey(`key-of-${id}`),
  models: null,
  limits: {},
  ...otherwise,
})

/** An upstream of Google's, but for what is told otherwise. */
export const googleAt = (baseUrl: string, otherwise: Partial<UpstreamConfig> = {}): UpstreamConfig => ({
  name: 'google',
  protocol: 'gemini',
  dialect: 'google',
  baseUrl,
  keys: ['upstream-key'],
  models: new Map(),
  connections: 1024,
  timeouts: { connectSeconds: 5, firstByteSeconds: 300, idleSeconds: 60, totalSeconds: 600 },
  allowPrivateNetwork: false,
  ...otherwise,
})

/** Google's and OpenAI's side by side: forms are read as they came then, since they might be passed on. */
export const bothVendorsAt = (root: string): readonly UpstreamConfig[] => [
  googleAt(root),
  googleAt(`${root}/v1`, { name: 'openai', protocol: 'openai', dialect: 'openai' }),
]

export const megabytes = (count: number): number => count * 1024 * 1024

function testConfig(options: GatewayOptions, folder: string): Config {
  return {
    admin: { host: '127.0.0.1', port: 0, token: null },
    auth: options.callers ? 'keys' : 'open',
    callers: options.callers ?? [],
    upstreams: [googleAt(options.upstream, options.upstreamConfig)],
    routing: [],
    sandbox: false,
    redisUrl: null,
    onStoreError: 'local-share',
    limitsZone: 'UTC',
    requests: { memoryBytes: megabytes(512) },
    drain: { graceSeconds: 0, timeoutSeconds: 630 },
    logLevel: 'info',
    workers: 1,
    models: [],
    notices: [],
    ...options.config,
    listen: {
      host: '127.0.0.1',
      port: 0,
      maxBodyBytes: megabytes(100),
      corsOrigins: [],
      publicUrl: null,
      ...options.config?.listen,
    },
    assets: {
      dir: join(folder, 'assets'),
      ttlSeconds: 3600,
      maxBytes: megabytes(1024),
      signingSecret: null,
      s3: null,
      ...options.config?.assets,
    },
    references: {
      fetch: 'public',
      allow: [],
      maxBytes: megabytes(50),
      maxCount: 16,
      timeoutSeconds: 10,
      ...options.config?.references,
    },
    answers: {
      memoryBytes: megabytes(256),
      spillBytes: megabytes(2048),
      spillDir: join(folder, 'spill'),
      maxDocumentBytes: megabytes(256),
      writeTimeoutSeconds: 60,
      strictParameters: false,
      responseFormat: 'auto',
      legacyAliases: true,
      defaultModel: 'nano-banana-2',
      ...options.answers,
    },
  }
}

function sumOf(text: string, name: string, labels: Record<string, string>): number {
  return text
    .split('\n')
    .filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter(line => Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
