// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how the file refers to variables

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { hashKey } from '../../src/config/keys.ts'
import { loadConfig } from '../../src/config/load.ts'
import { errorOf, load } from './setup.ts'

const directory = mkdtempSync(join(tmpdir(), 'plantain-config-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('without a file and without variables the gateway is open on loopback and the sandbox serves', () => {
  expect(load(null)).toEqual({
    listen: { host: '127.0.0.1', port: 8080, maxBodyBytes: 104_857_600, corsOrigins: [], publicUrl: null },
    admin: { host: '127.0.0.1', port: 8081, token: null },
    auth: 'open',
    callers: [],
    upstreams: [],
    routing: [],
    sandbox: true,
    redisUrl: null,
    onStoreError: 'local-share',
    limitsZone: 'America/Los_Angeles',
    answers: {
      memoryBytes: 268_435_456,
      spillBytes: 2_147_483_648,
      spillDir: '/srv/data/spill',
      maxDocumentBytes: 268_435_456,
      writeTimeoutSeconds: 60,
      strictParameters: false,
      responseFormat: 'auto',
      legacyAliases: true,
      defaultModel: 'nano-banana-2',
    },
    assets: {
      dir: '/srv/data/assets',
      ttlSeconds: 3600,
      maxBytes: 10_737_418_240,
      signingSecret: null,
      s3: null,
    },
    requests: { memoryBytes: 536_870_912 },
    references: { fetch: 'public', allow: [], maxBytes: 52_428_800, maxCount: 16, timeoutSeconds: 10 },
    drain: { graceSeconds: 0, timeoutSeconds: 630 },
    logLevel: 'info',
    workers: 1,
    models: [],
    notices: [],
  })
})

test('an empty file, a file of comments and sections without content mean the defaults', () => {
  for (const yaml of ['', '# nothing\n', 'listen:\nanswers:\nupstreams:\ncallers:\n', '{}', 'admin: { token: "" }']) {
    expect(load(yaml)).toEqual(load(null))
  }
})

test('an upstream with nothing below its name is no upstream, and the sandbox does not paint in its place', () => {
  expect(() => load('upstreams:\n  google:\n')).toThrow('upstreams.google.protocol: is missing')
})

test('every key of the file reaches the configuration', () => {
  const yaml = `
listen: { host: localhost, port: 9000, max_body: 1.5MiB, public_url: https://images.example.com/plantain/, cors: { origins: ["https://app.example.com", "http://localhost:3000", "*"] } }
admin: { host: "::1", port: 9001, token: operator-token }
auth: keys
callers:
  - { id: team-a, key: key-of-a, models: [nano-banana-2, "gemini-*"], limits: { requests_per_minute: 60, concurrent: 8 },
      model_limits: { "gemini-3-*": { images_per_day: 5 } }, queue: { max: 20, wait_s: 2.5 }, charge_on_disconnect: off }
  - { id: team-b, key_sha256: ${hashKey('key-of-b').toUpperCase()}, limits: { requests_per_minute: 1, requests_per_day: 2,
      images_per_minute: 3, images_per_day: 4, tokens_per_minute: 5, concurrent: 6, budget_usd_per_day: "7.5",
      budget_usd_per_month: 0.000001 } }
upstreams:
  google:
    protocol: gemini
    dialect: google
    base_url: https://proxy.example/google/
    keys: [g1, { key: g2, project: other, limits: { requests_per_minute: 9 } }, "g3,g4"]
    limits: { requests_per_minute: 1, requests_per_day: 2, images_per_day: 3, concurrent: 4 }
    project_limits: { concurrent: 2 }
    models: { ours: theirs }
    connections: 7
    timeouts: { connect_s: 1, first_byte_s: 2.5, idle_s: 3, total_s: 4 }
    allow_private_network: on
  second: { protocol: gemini, keys: [s1] }
routing: [{ model: "gemini-*", upstreams: [second, google] }]
store: { redis: "rediss://user:pass@redis.example:6380/2", on_error: closed }
limits: { zone: Europe/Rome }
answers: { memory: 1024, spill: 0, spill_dir: /var/spill, max_document: 1KiB, write_timeout_s: 0.5,
           strict_parameters: true, response_format: b64_json, legacy_aliases: off, default_model: nano-banana-pro }
assets: { dir: /var/assets, ttl: 2d, max_bytes: 1GiB, signing_secret: ${'s'.repeat(32)},
          s3: { bucket: pictures, endpoint: "https://s3.example/", region: eu-1, access_key: a, secret_key: b, prefix: p/, path_style: off } }
requests: { memory: 1GiB }
references: { fetch: allow-list, allow: ["*.example.com", "10.0.0.5:8000", "[fd00::5]:81"], max_bytes: 2MiB, max_count: 3, timeout_s: 2.5 }
drain: { grace_s: 5, timeout_s: 10 }
log: { level: debug }
models: [{ id: mine, note: null }]
`
  expect(load(yaml)).toEqual({
    listen: {
      host: 'localhost',
      port: 9000,
      maxBodyBytes: 1_572_864,
      corsOrigins: ['https://app.example.com', 'http://localhost:3000', '*'],
      publicUrl: 'https://images.example.com/plantain',
    },
    admin: { host: '::1', port: 9001, token: 'operator-token' },
    auth: 'keys',
    callers: [
      {
        id: 'team-a',
        keySha256: hashKey('key-of-a'),
        models: ['nano-banana-2', 'gemini-*'],
        limits: { requestsPerMinute: 60, concurrent: 8 },
        modelLimits: [{ model: 'gemini-3-*', limits: { imagesPerDay: 5 } }],
        queue: { max: 20, waitSeconds: 2.5 },
        chargeOnDisconnect: false,
      },
      {
        id: 'team-b',
        keySha256: hashKey('key-of-b'),
        models: null,
        limits: {
          requestsPerMinute: 1,
          requestsPerDay: 2,
          imagesPerMinute: 3,
          imagesPerDay: 4,
          tokensPerMinute: 5,
          concurrent: 6,
          budgetMicroUsdPerDay: 7_500_000,
          budgetMicroUsdPerMonth: 1,
        },
        modelLimits: [],
        queue: { max: 0, waitSeconds: 30 },
        chargeOnDisconnect: true,
      },
    ],
    upstreams: [
      {
        name: 'google',
        protocol: 'gemini',
        dialect: 'google',
        baseUrl: 'https://proxy.example/google',
        keys: ['g1', 'g2', 'g3', 'g4'],
        keySettings: [
          { project: null, limits: {} },
          { project: 'other', limits: { requestsPerMinute: 9 } },
          { project: null, limits: {} },
          { project: null, limits: {} },
        ],
        limits: { requestsPerMinute: 1, requestsPerDay: 2, imagesPerDay: 3, concurrent: 4 },
        projectLimits: { concurrent: 2 },
        models: new Map([['ours', 'theirs']]),
        connections: 7,
        timeouts: { connectSeconds: 1, firstByteSeconds: 2.5, idleSeconds: 3, totalSeconds: 4 },
        allowPrivateNetwork: true,
      },
      {
        name: 'second',
        protocol: 'gemini',
        dialect: 'google',
        baseUrl: 'https://generativelanguage.googleapis.com',
        keys: ['s1'],
        keySettings: [{ project: null, limits: {} }],
        limits: {},
        projectLimits: {},
        models: new Map(),
        connections: 1024,
        timeouts: { connectSeconds: 5, firstByteSeconds: 300, idleSeconds: 60, totalSeconds: 600 },
        allowPrivateNetwork: false,
      },
    ],
    routing: [{ model: 'gemini-*', upstreams: ['second', 'google'] }],
    sandbox: false,
    redisUrl: 'rediss://user:pass@redis.example:6380/2',
    onStoreError: 'closed',
    limitsZone: 'Europe/Rome',
    answers: {
      memoryBytes: 1024,
      spillBytes: 0,
      spillDir: '/var/spill',
      maxDocumentBytes: 1024,
      writeTimeoutSeconds: 0.5,
      strictParameters: true,
      responseFormat: 'b64_json',
      legacyAliases: false,
      defaultModel: 'nano-banana-pro',
    },
    assets: {
      dir: '/var/assets',
      ttlSeconds: 172_800,
      maxBytes: 1_073_741_824,
      signingSecret: 's'.repeat(32),
      s3: {
        bucket: 'pictures',
        endpoint: 'https://s3.example',
        region: 'eu-1',
        accessKey: 'a',
        secretKey: 'b',
        prefix: 'p/',
        pathStyle: false,
      },
    },
    requests: { memoryBytes: 1_073_741_824 },
    references: {
      fetch: 'allow-list',
      allow: ['*.example.com', '10.0.0.5:8000', '[fd00::5]:81'],
      maxBytes: 2_097_152,
      maxCount: 3,
      timeoutSeconds: 2.5,
    },
    drain: { graceSeconds: 5, timeoutSeconds: 10 },
    logLevel: 'debug',
    workers: 1,
    models: [{ id: 'mine', note: null }],
    notices: [],
  })
})

test('callers make keys compulsory, unless the file says open', () => {
  expect(load('callers: [{ id: a, key: k }]').auth).toBe('keys')
  expect(load('auth: open\ncallers: [{ id: a, key: k }]').auth).toBe('open')
})

test('an anchor gives several upstreams the same timeouts', () => {
  const { upstreams } = load(`
upstreams:
  a: { protocol: gemini, keys: [k], timeouts: &slow { total_s: 900 } }
  b: { protocol: gemini, keys: [k], timeouts: *slow }
`)
  expect(upstreams.map(({ timeouts }) => timeouts.totalSeconds)).toEqual([900, 900])
})

test('nobody can change a configuration, down to the map of model names', () => {
  const config = load(
    'upstreams: { a: { protocol: gemini, keys: [k], models: { ours: theirs } } }\ncallers: [{ id: c, key: k }]\nmodels: [{ id: m }]',
  )
  const { keys, models } = config.upstreams[0] ?? { keys: [], models: new Map() }
  const thaw = (change: () => unknown) => expect(change).toThrow(TypeError)
  thaw(() => Object.assign(config.listen, { port: 1 }))
  thaw(() => Object.assign(config.callers[0]?.limits ?? {}, { concurrent: 1 }))
  thaw(() => Object.assign(config.models[0] as object, { id: 'other' }))
  thaw(() => (keys as string[]).push('other'))
  thaw(() => (models as Map<string, string>).set('ours', 'other'))
  thaw(() => (models as Map<string, string>).delete('ours'))
  thaw(() => (models as Map<string, string>).clear())
  expect(models.get('ours')).toBe('theirs')
})

test('the file and what it refers to are read from the disk, relative to the directory that was handed in', () => {
  writeFileSync(join(directory, 'mine.yaml'), 'admin: { token: "${file:token}" }\nlog: { level: warn }\n')
  writeFileSync(join(directory, 'token'), 'from-a-file\n')
  const config = loadConfig({ env: { PLANTAIN_CONFIG: 'mine.yaml' }, cwd: directory })
  expect(config.logLevel).toBe('warn')
  expect(config.admin.token).toBe('from-a-file')
})

test('a file that PLANTAIN_CONFIG names must be there and be a file', () => {
  expect(errorOf(null, { env: { PLANTAIN_CONFIG: 'mine.yaml' } }).mistakes).toEqual([
    { place: 'PLANTAIN_CONFIG', location: null, problem: 'mine.yaml cannot be read: there is no such file' },
  ])
  expect(() => loadConfig({ env: { PLANTAIN_CONFIG: '.' }, cwd: directory })).toThrow('it is a directory')
})
