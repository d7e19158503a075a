// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how the file refers to variables

import { expect, test } from 'vitest'
import { hashKey } from '../../src/config/keys.ts'
import { errorOf, load, mistakesOf, withUpstream } from './setup.ts'

test('a variable wins over the file', () => {
  const yaml =
    'listen: { host: localhost, port: 1 }\nadmin: { port: 2, token: old }\nlog: { level: warn }\nstore: { redis: "redis://old" }'
  const env = {
    PLANTAIN_HOST: '127.0.0.1',
    PLANTAIN_PORT: '0',
    PLANTAIN_ADMIN_HOST: '::1',
    PLANTAIN_ADMIN_PORT: '0',
    PLANTAIN_ADMIN_TOKEN: 'new',
    PLANTAIN_LOG_LEVEL: 'silent',
    REDIS_URL: 'redis://new',
  }
  const config = load(yaml, { env })
  expect(config.listen).toMatchObject({ host: '127.0.0.1', port: 0 })
  expect(config.admin).toEqual({ host: '::1', port: 0, token: 'new' })
  expect(config.logLevel).toBe('silent')
  expect(config.redisUrl).toBe('redis://new')
})

test('an empty variable is not set', () => {
  const names = [
    'PLANTAIN_CONFIG',
    'PLANTAIN_HOST',
    'PLANTAIN_PORT',
    'PLANTAIN_API_KEYS',
    'GEMINI_API_KEY',
    'OPENAI_API_KEY',
  ]
  const more = [
    'REDIS_URL',
    'REDIS_URL_FILE',
    'PLANTAIN_SANDBOX',
    'PLANTAIN_WORKERS',
    'PLANTAIN_LOG_LEVEL',
    'GEMINI_BASE_URL',
  ]
  expect(load('', { env: Object.fromEntries([...names, ...more].map(name => [name, ''])) })).toEqual(load(null))
})

test('PLANTAIN_API_KEYS adds callers behind those of the file', () => {
  const config = load('callers: [{ id: team-a, key: a }]', { env: { PLANTAIN_API_KEYS: 'one, two,,' } })
  expect(config.auth).toBe('keys')
  expect(config.callers.map(({ id, keySha256 }) => [id, keySha256])).toEqual([
    ['team-a', hashKey('a')],
    ['key-1', hashKey('one')],
    ['key-2', hashKey('two')],
  ])
  expect(config.notices).toEqual(['callers key-1 to key-2 from PLANTAIN_API_KEYS'])
})

test('PLANTAIN_API_KEYS that holds no key, or one that fits no header, is a mistake', () => {
  expect(mistakesOf('', { env: { PLANTAIN_API_KEYS: ' , ' } }).PLANTAIN_API_KEYS).toContain('holds no key')
  expect(mistakesOf('', { env: { PLANTAIN_API_KEYS: 'fine,nät' } })).toHaveProperty(['PLANTAIN_API_KEYS (key-2)'])
})

test('GEMINI_API_KEY makes the upstream gemini, with several keys and its own base address', () => {
  const config = load(withUpstream('first'), {
    env: { GEMINI_API_KEY: 'a, b', GEMINI_BASE_URL: 'https://proxy.example/' },
  })
  expect(config.upstreams.map(({ name, baseUrl, keys }) => [name, baseUrl, keys])).toEqual([
    ['first', 'https://generativelanguage.googleapis.com', ['k']],
    ['gemini', 'https://proxy.example', ['a', 'b']],
  ])
  expect(config.sandbox).toBe(false)
  expect(config.notices).toEqual(['upstream gemini from GEMINI_API_KEY and GEMINI_BASE_URL'])
})

test('GOOGLE_API_KEY does the same; where both are set GEMINI_API_KEY wins and the start says so', () => {
  expect(load('', { env: { GOOGLE_API_KEY: 'g' } }).notices).toEqual(['upstream gemini from GOOGLE_API_KEY'])
  const both = load('', { env: { GOOGLE_API_KEY: 'g', GEMINI_API_KEY: 'm' } })
  expect(both.upstreams[0]?.keys).toEqual(['m'])
  expect(both.notices).toContain('GOOGLE_API_KEY is not used: GEMINI_API_KEY is set to another key')
  expect(load('', { env: { GOOGLE_API_KEY: 'm', GEMINI_API_KEY: 'm' } }).notices).toHaveLength(1)
})

test('a key that the file itself refers to makes no second upstream', () => {
  const yaml = 'upstreams: { gemini: { protocol: gemini, keys: ["${GEMINI_API_KEY}"] } }'
  const config = load(yaml, { env: { GEMINI_API_KEY: 'a,b' } })
  expect(config.upstreams.map(({ name, keys }) => [name, keys])).toEqual([['gemini', ['a', 'b']]])
  expect(config.notices).toEqual([])
  const env = { GEMINI_API_KEY: 'a', GEMINI_BASE_URL: 'https://proxy.example' }
  expect(load(yaml, { env }).notices).toEqual([
    'GEMINI_BASE_URL makes no upstream: the file has an upstream with GEMINI_API_KEY',
  ])
})

test('the file and GEMINI_API_KEY cannot both make an upstream named gemini', () => {
  const problem = mistakesOf(withUpstream('gemini'), { env: { GEMINI_API_KEY: 'x' } }).GEMINI_API_KEY
  expect(problem).toContain('config/gateway.yaml:1')
})

test('what a variable gives is wrong at the variable', () => {
  const env = {
    GEMINI_API_KEY: 'with space',
    GEMINI_BASE_URL: 'https://host.example/v1beta',
    PLANTAIN_PORT: '80 80',
    PLANTAIN_ADMIN_PORT: '65536',
    PLANTAIN_LOG_LEVEL: 'loud',
    PLANTAIN_HOST: '[::1]',
    REDIS_URL: 'localhost:6379',
  }
  expect(Object.keys(mistakesOf('', { env })).toSorted()).toEqual(Object.keys(env).toSorted())
})

test('a base address in a private network names a remedy that a variable has too', () => {
  const env = { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'http://10.0.0.1/v1' }
  expect(mistakesOf('', { env }).OPENAI_BASE_URL).toMatch(/in the file, with allow_private_network: true/)
})

test('a port that Kubernetes has put there says so', () => {
  expect(mistakesOf('', { env: { PLANTAIN_PORT: 'tcp://10.0.0.1:80' } }).PLANTAIN_PORT).toContain('enableServiceLinks')
})

test('OPENAI_API_KEY makes the upstream openai, beside the one of GEMINI_API_KEY', () => {
  const env = { GEMINI_API_KEY: 'g', OPENAI_API_KEY: 'o', OPENAI_BASE_URL: 'https://proxy.example/v1' }
  const { upstreams, sandbox, notices } = load('', { env })
  expect(sandbox).toBe(false)
  expect(upstreams.map(({ name, dialect, baseUrl }) => [name, dialect, baseUrl])).toEqual([
    ['gemini', 'google', 'https://generativelanguage.googleapis.com'],
    ['openai', 'openai', 'https://proxy.example/v1'],
  ])
  expect(notices).toEqual([
    'upstream gemini from GEMINI_API_KEY',
    'upstream openai from OPENAI_API_KEY and OPENAI_BASE_URL',
  ])
})

test('a sandbox mode that is none is told', () => {
  expect(mistakesOf('', { env: { PLANTAIN_SANDBOX: 'maybe' } }).PLANTAIN_SANDBOX).toBe('must be auto, on or off')
})

test('a base address without a key, and a variable that is nearly ours, are noted', () => {
  expect(
    load('', { env: { GEMINI_BASE_URL: 'https://x.example', PLANTAIN_PROT: '1', PLANTAIN_SERVICE_HOST: 'x' } }).notices,
  ).toEqual([
    'GEMINI_BASE_URL makes no upstream: GEMINI_API_KEY is not set',
    'PLANTAIN_PROT is not read: perhaps PLANTAIN_PORT is meant',
  ])
})

test('as many workers as are asked for', () => {
  expect(load('').workers).toBe(1)
  expect(load('', { env: { PLANTAIN_WORKERS: '4' } }).workers).toBe(4)
})

test.each(['x', '0', '-1', '1.5', '129', '1000', '1e2'])('PLANTAIN_WORKERS=%s is a mistake', value => {
  expect(mistakesOf('', { env: { PLANTAIN_WORKERS: value } }).PLANTAIN_WORKERS).toBe(
    'must be a whole number from 1 to 128',
  )
})

const caller = 'callers: [{ id: a, key: key-of-a-caller'
test.each([
  ['a caller', `${caller}, limits: { concurrent: 2 } }]`, 'callers[0]'],
  ["a caller's model", `${caller}, model_limits: { "gemini-*": { images_per_day: 5 } } }]`, 'callers[0]'],
  ['an upstream', withUpstream('u', 'limits: { concurrent: 2 }'), 'upstreams.u'],
  ["an upstream's projects", withUpstream('u', 'project_limits: { requests_per_day: 2 }'), 'upstreams.u'],
  [
    "an upstream's key",
    'upstreams: { u: { protocol: gemini, keys: [{ key: k, limits: { concurrent: 1 } }] } }',
    'upstreams.u',
  ],
])('limits of %s need Redis where several workers would count them', (_whose, yaml, place) => {
  const workers = { PLANTAIN_WORKERS: '3' }
  expect(mistakesOf(yaml, { env: workers })).toEqual({
    PLANTAIN_WORKERS: `asks for 3 processes, which can't share the limits of ${place} (config/gateway.yaml:1) without Redis: set REDIS_URL, or unset this`,
  })
  expect(load(yaml, { env: { ...workers, REDIS_URL: 'redis://r' } }).workers).toBe(3)
  expect(load(yaml).workers).toBe(1)
})

test.each([
  'PLANTAIN_API_KEYS',
  'PLANTAIN_ADMIN_TOKEN',
  'GEMINI_API_KEY',
  'GOOGLE_API_KEY',
  'OPENAI_API_KEY',
  'REDIS_URL',
])('%s may lie in a file, but not in both places, and the file must be there', name => {
  const twin = `${name}_FILE`
  const value = 'redis://secret-value'
  const files = { '/run/secret': `${value}\r\n` }
  expect({ ...load('', { env: { [twin]: '/run/secret' }, files }), notices: [] }).toEqual({
    ...load('', { env: { [name]: value } }),
    notices: [],
  })
  expect(mistakesOf('', { env: { [twin]: '/run/secret', [name]: value }, files })).toEqual({
    [name]: `is set, and ${twin} too: unset one of the two`,
  })
  expect(mistakesOf('', { env: { [twin]: '/run/absent' } })[twin]).toContain('there is no such file')
})

test('the notice names the variable that was set', () => {
  const files = { '/srv/relative': 'k' }
  expect(load('', { env: { GEMINI_API_KEY_FILE: 'relative' }, files }).notices).toEqual([
    'upstream gemini from GEMINI_API_KEY_FILE',
  ])
})

test('references in the file take the environment, a fallback or a file', () => {
  const yaml = `
listen: { port: "\${PORT:-9090}", max_body: "\${BODY}MiB" }
admin: { token: "\${TOKEN}" }
store: { redis: "redis://:\${file:secrets/redis}@\${REDIS_HOST:-localhost}:6379" }
answers: { strict_parameters: "\${STRICT:-on}", write_timeout_s: "\${WAIT:-1.5}" }
models: [{ id: "\${MODEL}" }]
`
  const config = load(yaml, {
    env: { BODY: '2', TOKEN_FILE: '/run/token', MODEL: 'm' },
    files: { '/run/token': 'from-file\n', '/srv/secrets/redis': 'p\n' },
  })
  expect(config.listen).toMatchObject({ port: 9090, maxBodyBytes: 2_097_152 })
  expect(config.admin.token).toBe('from-file')
  expect(config.redisUrl).toBe('redis://:p@localhost:6379')
  expect(config.answers).toMatchObject({ strictParameters: true, writeTimeoutSeconds: 1.5 })
  expect(config.models).toEqual([{ id: 'm' }])
})

test('a reference that comes out empty counts as not written', () => {
  const config = load('admin: { token: "${A:-}" }\nstore: { redis: "${B:-}" }\nlisten: { port: "${C:-}" }', {
    env: { A: '' },
  })
  expect(config).toEqual(load(null))
})

test('what a variable holds is not looked through for references', () => {
  expect(load('admin: { token: "${A}" }', { env: { A: '${B}' } }).admin.token).toBe('${B}')
})

test('a reference that leads nowhere names what is missing, once', () => {
  const yaml = [
    'admin: { token: "${TOKEN}" }',
    'upstreams:',
    '  a: { protocol: gemini, keys: ["${ONE}", "x${TWO}"] }',
    '  b: { protocol: gemini, keys: ["${file:/absent}"] }',
    'log: { level: "${not a name}" }',
    'store: { redis: "redis://${HOST" }',
    'callers: [{ id: a, key: "${BOTH}" }]',
  ].join('\n')
  const error = errorOf(yaml, { env: { BOTH: 'x', BOTH_FILE: 'y' } })
  expect(error.mistakes.map(({ location, place, problem }) => `${location} ${place} ${problem.split(':')[0]}`)).toEqual(
    [
      'config/gateway.yaml:1 admin.token refers to TOKEN, which is not set',
      'config/gateway.yaml:3 upstreams.a.keys[0] refers to ONE, which is not set',
      'config/gateway.yaml:3 upstreams.a.keys[1] refers to TWO, which is not set',
      'config/gateway.yaml:4 upstreams.b.keys[0] refers to a file that cannot be read (there is no such file)',
      'config/gateway.yaml:5 log.level holds a reference that is none',
      'config/gateway.yaml:6 store.redis holds a reference without its closing brace',
      'null BOTH is set, and BOTH_FILE too',
    ],
  )
})
