// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how the file refers to variables

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/config/config-error.ts'
import { fileSchema, upstreamSchema } from '../../src/config/schema.ts'
import { errorOf, load, mistakesOf, withBucket, withUpstream } from './setup.ts'

test('every mistake is told at once, in the order of the file, each with its line and the remedy', () => {
  const yaml = `listen: { prot: 80, port: 99999 }
admin:
  token: "\${TOKEN}"
callers:
  - id: a
    key: x
  - id: a
    key: "two words"
    limits: { images_per_day: 0.5, requests_per_minute: 0 }
  - key_sha256: abc
upstreams:
  google:
    protocol: gemini
    dialect: azure
    base_url: https://host.example/v1beta
  private: { protocol: gemini, keys: [k], base_url: "http://10.1.2.3" }
routing:
  - { model: "*", upstreams: [goggle, [private], private] }
retry: {}
`
  const error = errorOf(yaml, { env: { PLANTAIN_WORKERS: 'two', PLANTAIN_LOG_LEVEL: 'loud' } })
  expect(error.message).toBe(
    `The configuration has 16 mistakes:
  config/gateway.yaml:1  listen.port: must be a whole number from 0 to 65535
  config/gateway.yaml:1  listen.prot: unknown key; did you mean port?
  config/gateway.yaml:3  admin.token: refers to TOKEN, which is not set: set it, or write \${TOKEN:-default}
  config/gateway.yaml:7  callers[1].id: is the id of callers[0] (config/gateway.yaml:5) too: each caller needs its own
  config/gateway.yaml:8  callers[1].key: must be printable ASCII without spaces or line breaks, as it travels in a header
  config/gateway.yaml:9  callers[1].limits.requests_per_minute: must be a whole number from 1 to 1000000000
  config/gateway.yaml:9  callers[1].limits.images_per_day: must be a whole number from 1 to 1000000000
  config/gateway.yaml:10  callers[2].id: is missing: it must be a name
  config/gateway.yaml:10  callers[2].key_sha256: must be 64 hex digits: "npm run plantain -- hash-key" prints them
  config/gateway.yaml:14  upstreams.google.dialect: does not speak gemini: there are google, vertex, zenlayer
  config/gateway.yaml:16  upstreams.private.base_url: lies in a private network: if that is meant, its upstream must stand in the file, with allow_private_network: true
  config/gateway.yaml:18  routing[0].upstreams[1]: upstreams of equal rank are not served by this version yet: write one list
  config/gateway.yaml:18  routing[0].upstreams[0]: is no upstream; did you mean google? (there are google, private)
  config/gateway.yaml:19  retry: is not served by this version yet: take it out
  PLANTAIN_WORKERS: must be a whole number from 1 to 128
  PLANTAIN_LOG_LEVEL: must be trace, debug, info, warn, error, fatal or silent`.replace(
      '17 mistakes',
      `${error.mistakes.length} mistakes`,
    ),
  )
})

test('one mistake is told as one', () => {
  expect(errorOf('lisen: {}').message).toBe(
    'The configuration has a mistake:\n  config/gateway.yaml:1  lisen: unknown key; did you mean listen?',
  )
})

describe('a key that is not known', () => {
  test.each([
    ['answers: { memry: 1 }', 'answers.memry', 'did you mean memory?'],
    ['answers: { defaultModel: x }', 'answers.defaultModel', 'did you mean default_model?'],
    ['listen: { prot: 1 }', 'listen.prot', 'did you mean port?'],
    ['store: { redis_url: "redis://x" }', 'store.redis_url', 'did you mean redis?'],
    ['drain: { timeout: 1 }', 'drain.timeout', 'did you mean timeout_s?'],
    [withUpstream('a', 'api_keys: [x]'), 'upstreams.a.api_keys', 'did you mean keys?'],
    [withUpstream('a', 'timeouts: { conect_s: 1 }'), 'upstreams.a.timeouts.conect_s', 'did you mean connect_s?'],
    [
      'callers: [{ id: a, key: k, limits: { request_per_minute: 1 } }]',
      'callers[0].limits.request_per_minute',
      'did you mean requests_per_minute?',
    ],
    ['routing: [{ model: "*", upstream: [a] }]', 'routing[0].upstream', 'did you mean upstreams?'],
  ])('%s leads to the nearest one', (yaml, place, remedy) => {
    expect(mistakesOf(yaml)[place]).toBe(`unknown key; ${remedy}`)
  })

  test('where none is near, the known ones are listed', () => {
    expect(mistakesOf('log: { zebra: 1 }')['log.zebra']).toBe('unknown key; the keys here are level')
  })

  test('a merge key and __proto__ are keys like any other', () => {
    expect(mistakesOf('base: &b { port: 1 }\nlisten: { <<: *b }')['listen.<<']).toContain('unknown key')
    expect(errorOf('listen: { "__proto__": { port: 1 } }').message).toContain('gateway.yaml:1:11: unknown key')
  })
})

test.each([
  [withUpstream('a', 'limits: { images_per_minute: 1 }'), 'upstreams.a.limits.images_per_minute'],
  ['routing: [{ model: "*", upstreams: [[a, b], c] }]', 'routing[0].upstreams[0]'],
  ['retry: { attempts: 3 }', 'retry'],
  ['log: { prompts: full }', 'log.prompts'],
])('%s is not served yet, and says so', (yaml, place) => {
  expect(mistakesOf(yaml)[place]).toMatch(/not served by this version yet/)
})

test.each([
  ['listen: { host: "a b" }', 'listen.host', 'a host name or an IP address'],
  ['listen: { host: "127.0.0.1:80" }', 'listen.host', 'a port goes into "port"'],
  ['listen: { host: 127 }', 'listen.host', 'in quotes'],
  ['listen: { port: -1 }', 'listen.port', 'from 0 to 65535'],
  ['listen: { port: 80.5 }', 'listen.port', 'from 0 to 65535'],
  ['listen: { port: [80] }', 'listen.port', 'from 0 to 65535'],
  ['listen: { max_body: 100MB }', 'listen.max_body', 'KiB, MiB, GiB'],
  ['listen: { max_body: 0 }', 'listen.max_body', 'above 0'],
  ['listen: { max_body: -1 }', 'listen.max_body', 'above 0'],
  ['listen: { max_body: 99999999999999999GiB }', 'listen.max_body', 'like 256MiB'],
  ['listen: { max_body: .inf }', 'listen.max_body', 'like 256MiB'],
  ['listen: { cors: { origins: https://a.example } }', 'listen.cors.origins', 'must be a list'],
  ['listen: { cors: { origins: ["*.a.example"] } }', 'listen.cors.origins[0]', 'like https://'],
  ['listen: { cors: { origins: [https://a.example/] } }', 'listen.cors.origins[0]', 'no slash'],
  ['listen: { cors: { origins: [https://A.example] } }', 'listen.cors.origins[0]', 'lower case'],
  ['listen: { cors: { origins: ["ftp://a.example"] } }', 'listen.cors.origins[0]', 'like https://'],
  ['listen: { cors: { origins: [a.example] } }', 'listen.cors.origins[0]', 'like https://'],
  ['listen: { public_url: images.example.com }', 'listen.public_url', 'like https://images.example.com'],
  ['listen: { public_url: "ftp://a.example" }', 'listen.public_url', 'with https:// or http://'],
  ['listen: { public_url: "https://a.example/?a" }', 'listen.public_url', 'without a user'],
  ['listen: { public_url: "https://u:p@a.example" }', 'listen.public_url', 'without a user'],
  ['listen: { public_url: "http://0.0.0.0:8080" }', 'listen.public_url', 'others can call'],
  ['listen: 8080', 'listen', 'a map with keys: host, port'],
  ['admin: { token: 12345 }', 'admin.token', 'in quotes'],
  ['admin: { token: "a b" }', 'admin.token', 'printable ASCII'],
  ['auth: yes', 'auth', 'must be keys or open'],
  ['callers: { a: k }', 'callers', 'must be a list'],
  ['callers: [a]', 'callers[0]', 'must be a map'],
  ['callers: [{ id: 5, key: k }]', 'callers[0].id', 'in quotes'],
  ['callers: [{ id: "a b", key: k }]', 'callers[0].id', 'letters, digits'],
  ['callers: [{ id: anonymous, key: k }]', 'callers[0].id', 'must be another'],
  [`callers: [{ id: a, key: ${'k'.repeat(257)} }]`, 'callers[0].key', 'at most 256'],
  ['callers: [{ id: a, key: "k\\u00e4" }]', 'callers[0].key', 'printable ASCII'],
  ['callers: [{ id: a, key: "k\\n" }]', 'callers[0].key', 'printable ASCII'],
  ['callers: [{ id: a, key_sha256: abc }]', 'callers[0].key_sha256', '64 hex digits'],
  ['callers: [{ id: a }]', 'callers[0].key', 'give key or key_sha256'],
  ['callers: [{ id: a, key: "" }]', 'callers[0].key', 'give key or key_sha256'],
  [`callers: [{ id: a, key: k, key_sha256: ${'a'.repeat(64)} }]`, 'callers[0].key', 'give one of the two'],
  ['callers: [{ id: a, key: k, models: [] }]', 'callers[0].models', 'leave it out'],
  ['callers: [{ id: a, key: k, models: "gemini-*" }]', 'callers[0].models', 'must be a list'],
  ['callers: [{ id: a, key: k, limits: { concurrent: 0 } }]', 'callers[0].limits.concurrent', 'from 1'],
  ['callers: [{ id: a, key: k, queue: 20 }]', 'callers[0].queue', 'a map with keys: max, wait_s'],
  ['callers: [{ id: a, key: k, queue: { max: -1 } }]', 'callers[0].queue.max', 'from 0 to 10000'],
  ['callers: [{ id: a, key: k, queue: { max: 1.5 } }]', 'callers[0].queue.max', 'whole number'],
  ['callers: [{ id: a, key: k, queue: { max: .nan } }]', 'callers[0].queue.max', 'whole number'],
  ['callers: [{ id: a, key: k, queue: { max: 10001 } }]', 'callers[0].queue.max', 'from 0 to 10000'],
  ['callers: [{ id: a, key: k, queue: { wait_s: 0 } }]', 'callers[0].queue.wait_s', 'above 0'],
  ['callers: [{ id: a, key: k, queue: { wait_s: -1 } }]', 'callers[0].queue.wait_s', 'above 0'],
  ['callers: [{ id: a, key: k, queue: { wait_s: .nan } }]', 'callers[0].queue.wait_s', 'seconds'],
  ['callers: [{ id: a, key: k, queue: { wait_s: .inf } }]', 'callers[0].queue.wait_s', 'up to 3600'],
  ['callers: [{ id: a, key: k, queue: { wait_s: 1h } }]', 'callers[0].queue.wait_s', 'without a unit'],
  ['callers: [{ id: a, key: k, queue: { wait_s: 3601 } }]', 'callers[0].queue.wait_s', 'up to 3600'],
  ['callers: [{ id: a, key: k, queue: { size: 3 } }]', 'callers[0].queue.size', 'unknown key'],
  ['upstreams: [a]', 'upstreams', 'must be a map of names'],
  ['upstreams: { a: k }', 'upstreams.a', 'must be a map with keys'],
  ['upstreams: { "a b": { protocol: gemini, keys: [k] } }', 'upstreams.a b', 'letters, digits'],
  ['upstreams: { 5: { protocol: gemini, keys: [k] } }', 'upstreams.5', 'a letter first'],
  ['upstreams: { sandbox: { protocol: gemini, keys: [k] } }', 'upstreams.sandbox', 'name of the built-in sandbox'],
  ['upstreams: { a: { keys: [k] } }', 'upstreams.a.protocol', 'is missing'],
  ['upstreams: { a: { protocol: gemini, keys: [] } }', 'upstreams.a.keys', 'at least one key'],
  ['upstreams: { a: { protocol: gemini, keys: ["${X:-}"] } }', 'upstreams.a.keys', 'at least one key'],
  ['upstreams: { a: { protocol: gemini, keys: k } }', 'upstreams.a.keys', 'must be a list'],
  ['upstreams: { a: { protocol: gemini, keys: ["a b"] } }', 'upstreams.a.keys[0]', 'printable ASCII'],
  ['upstreams: { a: { protocol: gemini, keys: [5] } }', 'upstreams.a.keys[0]', 'must be'],
  ['upstreams: { a: { protocol: gemini, keys: [{}] } }', 'upstreams.a.keys[0].key', 'is missing'],
  [withUpstream('a', 'models: [x]'), 'upstreams.a.models', 'must be a map of names'],
  [withUpstream('a', 'models: { x: 5 }'), 'upstreams.a.models.x', 'name of a model'],
  [withUpstream('a', 'connections: 0'), 'upstreams.a.connections', 'from 1'],
  [withUpstream('a', 'timeouts: { connect_s: 5s }'), 'upstreams.a.timeouts.connect_s', 'without a unit'],
  [withUpstream('a', 'timeouts: { total_s: 0 }'), 'upstreams.a.timeouts.total_s', 'above 0'],
  [withUpstream('a', 'timeouts: { total_s: 86401 }'), 'upstreams.a.timeouts.total_s', 'up to 86400'],
  [withUpstream('a', 'timeouts: { total_s: .nan }'), 'upstreams.a.timeouts.total_s', 'seconds'],
  [withUpstream('a', 'allow_private_network: 1'), 'upstreams.a.allow_private_network', 'true or false'],
  ['routing: { "*": [a] }', 'routing', 'must be a list'],
  ['routing: [{ model: "*", upstreams: [] }]', 'routing[0].upstreams', 'at least one'],
  ['routing: [{ upstreams: [sandbox] }]', 'routing[0].model', 'is missing'],
  ['store: { redis: "localhost:6379" }', 'store.redis', 'redis://'],
  ['store: { redis: "http://localhost" }', 'store.redis', 'redis://'],
  ['store: { redis: "redis://" }', 'store.redis', 'redis://'],
  ['answers: { response_format: png }', 'answers.response_format', 'auto, b64_json or url'],
  ['answers: { strict_parameters: maybe }', 'answers.strict_parameters', 'on or off'],
  ['answers: { default_model: "a b" }', 'answers.default_model', 'without spaces'],
  ['answers: { spill_dir: [a] }', 'answers.spill_dir', 'a directory'],
  ['assets: { ttl: { h: 1 } }', 'assets.ttl', 'like 90s, 30m, 1h or 7d'],
  ['assets: { ttl: 0s }', 'assets.ttl', 'from 1s'],
  ['assets: { ttl: 31d }', 'assets.ttl', 'to 30d'],
  ['assets: { ttl: 1w }', 'assets.ttl', 'like 90s'],
  ['assets: { max_bytes: 0 }', 'assets.max_bytes', '16MiB or more'],
  ['assets: { max_bytes: 15.9MiB }', 'assets.max_bytes', '16MiB or more'],
  ['assets: { signing_secret: short }', 'assets.signing_secret', 'at least 32 characters'],
  [withBucket('bucket: A'), 'assets.s3.bucket', 'name of a bucket'],
  [withBucket('endpoint: s3.example'), 'assets.s3.endpoint', 'https://'],
  [
    withBucket('bucket: pictures').replace(', endpoint: "https://s3.example"', ''),
    'assets.s3.endpoint',
    'like https://s3.',
  ],
  [withBucket('endpoint: minio:9000'), 'assets.s3.endpoint', 'like https://s3.eu-central-1.amazonaws.com or http://'],
  [withBucket('prefix: "a b/"'), 'assets.s3.prefix', 'letters, digits'],
  [withBucket('path_style: perhaps'), 'assets.s3.path_style', 'true or false'],
  [withBucket('session_token: x'), 'assets.s3.session_token', 'unknown key'],
  [withBucket('bucket: pictures').replace(', secret_key: k', ''), 'assets.s3.secret_key', 'is missing'],
  [withBucket('bucket: pictures').replace(/, signing_secret: \w+/, ''), 'assets.signing_secret', 'need one secret'],
  ['references: { max_count: -1 }', 'references.max_count', 'from 0'],
  ['references: { fetch: on }', 'references.fetch', 'public, allow-list or off'],
  ['references: { timeout_s: 0 }', 'references.timeout_s', 'above 0'],
  ['references: { allow: images.example.com }', 'references.allow', 'must be a list'],
  ['references: { allow: ["https://images.example.com"] }', 'references.allow[0]', 'must be a host'],
  ['references: { allow: ["images.example.com/cats"] }', 'references.allow[0]', 'must be a host'],
  ['references: { allow: ["user@images.example.com"] }', 'references.allow[0]', 'must be a host'],
  ['references: { allow: ["images.example.com:"] }', 'references.allow[0]', 'must be a host'],
  ['references: { allow: ["images.example.com:0"] }', 'references.allow[0]', 'must be a host'],
  ['references: { allow: ["images.example.com:70000"] }', 'references.allow[0]', 'must be a host'],
  ['references: { allow: ["fd00::5"] }', 'references.allow[0]', 'must be a host'],
  ['references: { allow: ["*"] }', 'references.allow[0]', 'must be a host'],
  ['references: { allow: ["*.*.example.com"] }', 'references.allow[0]', 'must be a host'],
  ['references: { allow: ["10.0.0.0/8"] }', 'references.allow[0]', 'must be a host'],
  ['drain: { grace_s: -1 }', 'drain.grace_s', 'from 0'],
  ['log: { level: INFO }', 'log.level', 'trace, debug, info'],
  ['models: {}', 'models', 'must be a list'],
])('%s is wrong at %s', (yaml, place, remedy) => {
  const mistakes = mistakesOf(yaml)
  expect(Object.keys(mistakes)).toEqual([place])
  expect(mistakes[place]).toContain(remedy)
})

describe('a file that is no YAML', () => {
  test.each([
    ['listen: [1\nadmin: {}', 'config/gateway.yaml:2:1'],
    ['listen:\n\tport: 1', 'config/gateway.yaml:2:1'],
    ['listen:\n  host: @here', 'config/gateway.yaml:2:9'],
    ['admin:\n  token: *secret', 'config/gateway.yaml:2:10'],
    ['listen: &a [*a]', 'config/gateway.yaml:1:13'],
    ['admin: { token: !secret x }', 'config/gateway.yaml:1:17'],
    ['listen: {}\nlisten: {}', 'config/gateway.yaml:2:1'],
    ['a: 1\n---\nb: 2', 'config/gateway.yaml:2:1'],
    ['- listen', 'config/gateway.yaml:1:1'],
    ['listen', 'config/gateway.yaml:1:1'],
  ])('%j is told with line and column', (yaml, location) => {
    expect(errorOf(yaml).mistakes[0]?.location).toBe(location)
  })

  test('hides no mistake of the environment, and makes none up', () => {
    const error = errorOf('listen: [', { env: { PLANTAIN_HOST: '0.0.0.0', PLANTAIN_PORT: 'x' } })
    expect(error.mistakes.map(({ place }) => place)).toEqual(['', 'PLANTAIN_PORT'])
  })

  test('a crowd of aliases is refused, not unfolded', () => {
    const layers = Array.from(
      { length: 8 },
      (_, layer) => `l${layer + 1}: &l${layer + 1} [${`*l${layer}, `.repeat(9)}]`,
    )
    expect(() => load(['l0: &l0 [x]', ...layers].join('\n'))).toThrow('too many aliases')
  })
})

test('whatever the file holds, the answer is a configuration or a list of mistakes', () => {
  const keys = [fileSchema, upstreamSchema, ...Object.values(fileSchema.shape)].flatMap(schema => {
    const inner = 'unwrap' in schema ? schema.unwrap() : schema
    return 'shape' in inner ? Object.keys(inner.shape) : []
  })
  const { node } = fc.letrec(tie => ({
    node: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.constantFrom(
        '',
        'on',
        'gemini',
        '256MiB',
        'https://a.example',
        '${X}',
        '${X:-y}',
        'a,b',
        null,
        true,
        0,
        1,
        -1,
        1e300,
      ),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys, 'a', 'google'), tie('node'), { maxKeys: 8 }),
    ),
  }))
  fc.assert(
    fc.property(node, tree => {
      try {
        load(JSON.stringify(tree))
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError)
        expect((error as ConfigError).mistakes.length).toBeGreaterThan(0)
      }
    }),
    { numRuns: 300 },
  )
})

test.each([
  ['callers: [{ id: a, key: k, limits: { images_per_day: -1 } }]', 'callers[0].limits.images_per_day', 'from 1'],
  ['callers: [{ id: a, key: k, limits: { tokens_per_minute: .nan } }]', 'callers[0].limits.tokens_per_minute', 'whole'],
  ['callers: [{ id: a, key: k, limits: { concurrent: 0 } }]', 'callers[0].limits.concurrent', 'from 1'],
  [
    'callers: [{ id: a, key: k, limits: { budget_usd_per_day: 0 } }]',
    'callers[0].limits.budget_usd_per_day',
    'above 0',
  ],
  [
    'callers: [{ id: a, key: k, limits: { budget_usd_per_day: .inf } }]',
    'callers[0].limits.budget_usd_per_day',
    'above',
  ],
  [
    'callers: [{ id: a, key: k, limits: { budget_usd_per_month: "$5" } }]',
    'callers[0].limits.budget_usd_per_month',
    '20',
  ],
  ['callers: [{ id: a, key: k, limits: { budget_usd: 5 } }]', 'callers[0].limits.budget_usd', 'did you mean'],
  ['callers: [{ id: a, key: k, model_limits: { "a b": {} } }]', 'callers[0].model_limits.a b', 'without spaces'],
  [
    'callers: [{ id: a, key: k, model_limits: { x: { concurrent: 0 } } }]',
    'callers[0].model_limits.x.concurrent',
    'from 1',
  ],
  [withUpstream('a', 'limits: { concurrent: 0 }'), 'upstreams.a.limits.concurrent', 'from 1'],
  [withUpstream('a', 'project_limits: { images_per_day: 0.5 }'), 'upstreams.a.project_limits.images_per_day', 'whole'],
  ['limits: { zone: Mars/Olympus }', 'limits.zone', 'America/Los_Angeles'],
  ['store: { on_error: panic }', 'store.on_error', 'local-share, closed or open'],
])('an impossible rule is refused at the start: %s', (yaml, place, remedy) => {
  expect(mistakesOf(yaml)[place]).toContain(remedy)
})
