import { describe, expect, test } from 'vitest'
import { hashKey } from '../../src/config/keys.ts'
import { load, mistakesOf, type Surroundings, withUpstream } from './setup.ts'

const outside = { PLANTAIN_HOST: '0.0.0.0' }
const gemini = { GEMINI_API_KEY: 'k' }

describe('who may come in', () => {
  test('off loopback the gateway does not start open by accident', () => {
    expect(mistakesOf('', { env: { ...outside, ...gemini } }).PLANTAIN_HOST).toMatch(
      /no caller has a key.*PLANTAIN_API_KEYS.*auth: open/,
    )
    expect(mistakesOf('listen: { host: "::" }', { env: gemini })).toHaveProperty(['listen.host'])
    expect(mistakesOf('listen: { host: gateway.example }', { env: gemini })).toHaveProperty(['listen.host'])
  })

  test('it does with keys, or with auth: open written out', () => {
    expect(load('', { env: { ...outside, ...gemini, PLANTAIN_API_KEYS: 'a' } }).auth).toBe('keys')
    expect(load('auth: open', { env: { ...outside, ...gemini } }).auth).toBe('open')
  })

  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost', '::ffff:127.0.0.1'])('%s is loopback', host => {
    expect(load(`listen: { host: "${host}" }`).auth).toBe('open')
  })

  test('auth: keys needs somebody who has one', () => {
    expect(mistakesOf('auth: keys').auth).toContain('PLANTAIN_API_KEYS')
  })

  test('a caller who could not be read is not told as absent', () => {
    expect(Object.keys(mistakesOf('auth: keys\ncallers: [{ id: a, key: "a b" }]'))).toEqual(['callers[0].key'])
    expect(Object.keys(mistakesOf('auth: keys\ncallers: 5'))).toEqual(['callers'])
    const env = { ...outside, ...gemini, PLANTAIN_API_KEYS_FILE: '/absent' }
    expect(Object.keys(mistakesOf('', { env }))).toEqual(['PLANTAIN_API_KEYS_FILE'])
  })
})

describe('callers', () => {
  test('two cannot have one id, not even one that a variable makes', () => {
    expect(mistakesOf('callers: [{ id: a, key: x }, { id: a, key: y }]')).toHaveProperty(['callers[1].id'])
    const mistakes = mistakesOf('callers: [{ id: key-1, key: x }]', { env: { PLANTAIN_API_KEYS: 'y' } })
    expect(mistakes['PLANTAIN_API_KEYS (key-1)']).toContain('callers[0] (config/gateway.yaml:1)')
  })

  test('two cannot have one key, whether it is written out, hashed or in a variable', () => {
    const hashed = `callers: [{ id: a, key: x }, { id: b, key_sha256: ${hashKey('x').toUpperCase()} }]`
    expect(mistakesOf(hashed)).toHaveProperty(['callers[1].key_sha256'])
    expect(mistakesOf('callers: [{ id: a, key: x }]', { env: { PLANTAIN_API_KEYS: 'y,x' } })).toHaveProperty([
      'PLANTAIN_API_KEYS (key-2)',
    ])
    expect(mistakesOf('', { env: { PLANTAIN_API_KEYS: 'y,y' } })).toHaveProperty(['PLANTAIN_API_KEYS (key-2)'])
  })
})

describe('the operator’s listener', () => {
  test('needs a token where others reach it', () => {
    expect(mistakesOf('admin: { host: 0.0.0.0 }')['admin.host']).toContain('PLANTAIN_ADMIN_TOKEN')
    expect(load('admin: { host: 0.0.0.0, token: t }').admin.token).toBe('t')
    expect(load('', { env: { PLANTAIN_ADMIN_HOST: '::', PLANTAIN_ADMIN_TOKEN: 't' } }).admin.token).toBe('t')
  })

  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['localhost', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['127.0.0.1', '0.0.0.0'],
    ['::', '::1'],
  ])('on %s the public one cannot share its port on %s', (host, adminHost) => {
    const yaml = `auth: open\nlisten: { host: "${host}", port: 9000 }\nadmin: { host: "${adminHost}", port: 9000, token: t }`
    expect(Object.keys(mistakesOf(yaml, { env: gemini }))).toEqual(['admin.port'])
  })

  test('may have the same port on another address, and both may have any', () => {
    load('listen: { host: 127.0.0.1, port: 9000 }\nadmin: { host: 127.0.0.2, port: 9000 }')
    load('', { env: { PLANTAIN_PORT: '0', PLANTAIN_ADMIN_PORT: '0' } })
  })
})

describe('a base address', () => {
  const at = (baseUrl: string, more = '', surroundings: Surroundings = {}) =>
    mistakesOf(`${more}\n${withUpstream('u', `base_url: "${baseUrl}"`)}`, surroundings)['upstreams.u.base_url']
  const taken = (baseUrl: string, ...lines: string[]) =>
    load(withUpstream('u', `base_url: "${baseUrl}"`, ...lines)).upstreams[0]?.baseUrl

  test.each([
    ['https://host.example', 'https://host.example'],
    ['https://host.example/', 'https://host.example'],
    ['http://host.example:8443/google//', 'http://host.example:8443/google'],
    ['https://HOST.example/v1/proxy', 'https://HOST.example/v1/proxy'.toLowerCase()],
    ['http://127.0.0.1:9999', 'http://127.0.0.1:9999'],
    ['http://[::1]:9999', 'http://[::1]:9999'],
    ['http://localhost:9999', 'http://localhost:9999'],
    ['https://8.8.8.8', 'https://8.8.8.8'],
    ['https://172.32.0.1', 'https://172.32.0.1'],
    ['https://[2001:db8::1]', 'https://[2001:db8::1]'],
  ])('%s is taken', (baseUrl, result) => {
    expect(taken(baseUrl)).toBe(result)
  })

  test.each(['/v1beta', '/v1', '/v1beta1/', '/google/v1alpha', '/v1/v1beta'])(
    'does not end in the version %s',
    path => {
      expect(at(`https://host.example${path}`)).toContain('must be the root')
    },
  )

  test.each([
    ['host.example', 'like https://host.example'],
    ['ftp://host.example', 'must begin with https:// or http://'],
    ['https://user:pass@host.example', 'credentials go into "keys"'],
    ['https://host.example?key=x', 'credentials go into "keys"'],
    ['https://host.example/?', '"?"'],
    ['https://host.example/#x', '"#"'],
    ['http://0.0.0.0:9999', 'write 127.0.0.1'],
  ])('%s is refused', (baseUrl, remedy) => {
    expect(at(baseUrl)).toContain(remedy)
  })

  test.each([
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '168.63.129.16',
    // However it is spelt.
    '0xa.1',
    '167772161',
    '[fd00::1]',
    '[fe80::1]',
    '[::ffff:10.0.0.1]',
  ])('%s is private and needs leave', host => {
    expect(at(`http://${host}:9999`)).toContain('allow_private_network: true')
    expect(taken(`http://${host}:9999`, 'allow_private_network: true')).toMatch(/^http:/)
  })

  test.each([
    ['http://127.0.0.1:8080', '127.0.0.1'],
    ['http://localhost:8080/path', '127.0.0.1'],
    ['http://LOCALHOST.:8080', '127.0.0.1'],
    ['http://[::1]:8080', '127.0.0.1'],
    ['http://127.0.0.1:8080', 'localhost'],
    ['http://127.0.0.1:8080', '0.0.0.0'],
    ['http://127.0.0.2:8080', '0.0.0.0'],
    ['http://localhost:8080', '::'],
    ['http://gateway.example:8080', 'gateway.example'],
  ])('%s is the gateway itself when it listens on %s', (baseUrl, host) => {
    expect(at(baseUrl, `auth: open\nlisten: { host: "${host}" }`)).toContain('is the gateway itself')
  })

  test('is neither of the gateway’s listeners, also on the port a scheme implies', () => {
    expect(at('http://127.0.0.1:8081')).toContain('is the gateway itself')
    expect(at('http://127.0.0.1', 'listen: { port: 80 }')).toContain('is the gateway itself')
    expect(at('https://127.0.0.1', 'listen: { port: 443 }')).toContain('is the gateway itself')
    expect(mistakesOf('', { env: { ...gemini, GEMINI_BASE_URL: 'http://127.0.0.1:8080' } }).GEMINI_BASE_URL).toContain(
      'itself',
    )
  })
})

describe('the sandbox', () => {
  const callers = { PLANTAIN_API_KEYS: 'a' }

  test('steps in by itself on loopback, where no upstream is', () => {
    expect(load('').sandbox).toBe(true)
    expect(load('', { env: gemini }).sandbox).toBe(false)
  })

  test('does not step in by itself where others reach the gateway', () => {
    expect(mistakesOf('', { env: { ...outside, ...callers } }).upstreams).toMatch(/GEMINI_API_KEY.*PLANTAIN_SANDBOX=on/)
  })

  test('serves anywhere, and beside others, when it is asked for', () => {
    expect(load('', { env: { ...outside, ...callers, PLANTAIN_SANDBOX: 'on' } }).sandbox).toBe(true)
    expect(load('', { env: { ...gemini, PLANTAIN_SANDBOX: 'true' } })).toMatchObject({
      sandbox: true,
      upstreams: [{ name: 'gemini' }],
    })
  })

  test('switched off, there must be an upstream', () => {
    expect(mistakesOf('', { env: { PLANTAIN_SANDBOX: 'off' } }).upstreams).toContain('GEMINI_API_KEY')
    expect(load('', { env: { ...gemini, PLANTAIN_SANDBOX: 'off' } }).sandbox).toBe(false)
  })

  test('an upstream that could not be read is not told as absent', () => {
    const env = { PLANTAIN_SANDBOX: 'off' }
    expect(Object.keys(mistakesOf('upstreams: { a: 5 }', { env }))).toEqual(['upstreams.a'])
    expect(Object.keys(mistakesOf('upstreams: 5', { env }))).toEqual(['upstreams'])
    expect(Object.keys(mistakesOf('', { env: { ...env, GEMINI_API_KEY_FILE: '/absent' } }))).toEqual([
      'GEMINI_API_KEY_FILE',
    ])
  })
})

describe('routing', () => {
  const routed = (upstreams: string) => `${withUpstream('google')}\nrouting: [{ model: "*", upstreams: ${upstreams} }]`

  test('names upstreams that are there', () => {
    expect(load(routed('[google]')).routing).toEqual([{ model: '*', upstreams: ['google'] }])
    const mistakes = mistakesOf(routed('[gogle, zebra, google, google]'))
    expect(mistakes).toEqual({
      'routing[0].upstreams[0]': 'is no upstream; did you mean google? (there are google)',
      'routing[0].upstreams[1]': 'is no upstream; there are google',
      'routing[0].upstreams[3]': 'stands twice in this list: keep one',
    })
  })

  test('knows those of variables, and the sandbox where it serves', () => {
    load('routing: [{ model: "*", upstreams: [gemini] }]', { env: gemini })
    load('routing: [{ model: "*", upstreams: [sandbox] }]')
    expect(mistakesOf('routing: [{ model: "*", upstreams: [sandbox] }]', { env: gemini })).toHaveProperty([
      'routing[0].upstreams[0]',
    ])
  })
})

describe('what a vendor needs', () => {
  test('a file of credentials is there before the first caller needs it', () => {
    const yaml = (credentials: string) =>
      `upstreams: { a: { protocol: gemini, dialect: vertex, project: p, credentials: ${credentials} } }`
    const files = { '/srv/account.json': '{}' }
    expect(mistakesOf(yaml('acount.json'), { files })).toEqual({
      'upstreams.a.credentials': expect.stringContaining('cannot be read (there is no such file)'),
    })
    expect(load(yaml('account.json'), { files }).upstreams[0]?.credentialsFile).toBe('/srv/account.json')
    expect(load(yaml('adc')).upstreams[0]?.credentialsFile).toBeUndefined()
  })

  const at = (fields: string) => mistakesOf(`upstreams: { a: { ${fields} } }`)
  test.each([
    ['protocol: openai, dialect: google, keys: [k]', 'dialect', 'does not speak openai'],
    ['protocol: gemini, dialect: nano-banana, keys: [k]', 'dialect', 'does not speak gemini'],
    ['protocol: openai, dialect: azure, keys: [k]', 'base_url', 'is missing'],
    ['protocol: openai, dialect: nano-banana, keys: [k]', 'base_url', 'is missing'],
    ['protocol: openai, base_url: "https://x.example", keys: [k]', 'base_url', 'must end in /v1'],
    ['protocol: openai', 'keys', 'is missing'],
    ['protocol: gemini, dialect: vertex', 'keys', 'or there is a project'],
    ['protocol: gemini, dialect: vertex, project: p, keys: [k]', 'keys', 'stands beside project'],
    ['protocol: gemini, project: p', 'project', 'belongs to dialect vertex'],
    ['protocol: gemini, keys: [k], location: l', 'location', 'belongs to dialect vertex'],
    ['protocol: gemini, keys: [k], api_version: v', 'api_version', 'belongs to dialect azure'],
    ['protocol: gemini, dialect: vertex, project: "a/b"', 'project', 'may have letters'],
  ])('%s: %s %s', (fields, key, problem) => {
    expect(at(fields)[`upstreams.a.${key}`]).toContain(problem)
  })

  test('each location of Vertex has a host of its own', () => {
    const baseUrl = (more: string) =>
      load(`upstreams: { a: { protocol: gemini, dialect: vertex, project: p${more} } }`).upstreams[0]?.baseUrl
    expect(baseUrl('')).toBe('https://aiplatform.googleapis.com')
    expect(baseUrl(', location: europe-west1')).toBe('https://europe-west1-aiplatform.googleapis.com')
  })
})
