// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how the file refers to variables

import { expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Config } from '../../src/config/config.ts'
import { ConfigError } from '../../src/config/config-error.ts'
import { hashKey } from '../../src/config/keys.ts'
import { renderConfig } from '../../src/config/print.ts'
import { load } from './setup.ts'

const canary = 'Canary5ecret'

/** One leaf of every kind the file knows. */
const everything = `
listen: { host: localhost, port: 1, max_body: 1KiB, public_url: https://p.example, cors: { origins: [https://a.example] } }
admin: { host: localhost, port: 2, token: t }
auth: keys
callers: [{ id: a, key: k, models: [m], limits: { requests_per_minute: 1, concurrent: 1 } }, { id: b, key_sha256: ${'a'.repeat(64)} }]
upstreams: { u: { protocol: gemini, dialect: google, base_url: https://u.example, keys: [k], models: { x: y }, connections: 1,
  timeouts: { connect_s: 1, first_byte_s: 1, idle_s: 1, total_s: 1 }, allow_private_network: false } }
routing: [{ model: m, upstreams: [u] }]
store: { redis: "redis://r.example" }
answers: { memory: 1KiB, spill: 1KiB, spill_dir: d, max_document: 1KiB, write_timeout_s: 1, strict_parameters: false,
  response_format: auto, legacy_aliases: true, default_model: m }
assets: { dir: d, ttl: 1h, max_bytes: 16MiB, signing_secret: ${'s'.repeat(32)}, s3: { bucket: bbb, endpoint: https://s.example,
  region: r, access_key: k, secret_key: k, prefix: p/, path_style: true } }
requests: { memory: 1KiB }
references: { fetch: public, allow: [a.example], max_bytes: 1KiB, max_count: 1, timeout_s: 1 }
drain: { grace_s: 1, timeout_s: 1 }
log: { level: info }
`

const wholeTree: unknown = parse(everything)

type Step = string | number

function leaves(node: unknown, path: readonly Step[] = []): (readonly Step[])[] {
  if (typeof node !== 'object' || node === null) return [path]
  const entries: [Step, unknown][] = Array.isArray(node) ? [...node.entries()] : Object.entries(node)
  return entries.flatMap(([step, inner]) => leaves(inner, [...path, step]))
}

/** `everything` with another value at the path. */
function withValue(path: readonly Step[], value: unknown): string {
  const tree = structuredClone(wholeTree)
  const holder = path.slice(0, -1).reduce((node, step) => (node as Record<Step, unknown>)[step], tree)
  Object.assign(holder as object, { [path.at(-1) ?? '']: value })
  return JSON.stringify(tree)
}

function outcome(yaml: string, env: Record<string, string> = {}): Config | ConfigError {
  try {
    return load(yaml, { env })
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

test('what the file holds in whole is right, so that each change below stands for itself', () => {
  expect(outcome(everything)).not.toBeInstanceOf(ConfigError)
})

test.each(leaves(wholeTree).map(path => [path.join('.'), path] as const))(
  'a secret that was put into %s by mistake is in no message',
  (_, path) => {
    const misplaced = [
      canary,
      `${canary}\n`,
      `https://u.example/?key=${canary}`,
      [canary],
      `redis://x:${canary}@[`,
      '${SECRET}',
      `\${${canary}:`,
    ]
    for (const value of misplaced) {
      const result = outcome(withValue(path, value), { SECRET: `${canary} ` })
      if (result instanceof ConfigError) expect(result.message).not.toContain(canary)
      else expect(result.notices.join()).not.toContain(canary)
    }
  },
)

test.each([
  `admin: { token: ${canary}`,
  `admin: { token: "${canary}`,
  `admin:\n  token: 'x' ${canary}`,
  `admin:\n  token: | ${canary}\n`,
  `admin:\n  token: "\\x${canary}"`,
  `admin:\n  token: *${canary}`,
  `admin:\n  token: &${canary} &${canary} x`,
  `admin:\n  token: !${canary} x`,
  `admin:\n  token: @${canary}`,
  `admin:\n  token: %${canary}: [`,
  `%${canary}\nadmin: {}`,
  `admin:\n token: a\n${canary}\n`,
  `admin: {}\n} ${canary}`,
  `--- ${canary}\n... ${canary}\n`,
  canary,
  `- ${canary}`,
])('a file that cannot be read is not quoted: %j', yaml => {
  expect(outcome(yaml)).toBeInstanceOf(ConfigError)
  expect((outcome(yaml) as ConfigError).message).not.toContain(canary)
})

test('no variable’s value is in a message or a notice', () => {
  const names = ['PLANTAIN_HOST', 'PLANTAIN_PORT', 'PLANTAIN_ADMIN_HOST', 'PLANTAIN_ADMIN_PORT', 'PLANTAIN_API_KEYS']
  const more = [
    'PLANTAIN_ADMIN_TOKEN',
    'PLANTAIN_ASSET_SECRET',
    'GEMINI_API_KEY',
    'GOOGLE_API_KEY',
    'GEMINI_BASE_URL',
    'OPENAI_API_KEY',
    'REDIS_URL',
  ]
  const rest = [
    'PLANTAIN_SANDBOX',
    'PLANTAIN_WORKERS',
    'PLANTAIN_LOG_LEVEL',
    'GEMINI_API_KEY_FILE',
    'PLANTAIN_LOG_LEVL',
  ]
  for (const name of [...names, ...more, ...rest]) {
    for (const value of [canary, `${canary} ${canary}`, `x,${canary},${canary}`, `https://x:${canary}@host`]) {
      const result = outcome('', { [name]: value })
      const said = result instanceof ConfigError ? result.message : result.notices.join('\n')
      expect(said).not.toContain(canary)
    }
  }
})

test('print-config shows everything but secrets', () => {
  const yaml = `
admin: { token: ${canary}-token }
callers: [{ id: team-a, key: ${canary}-caller, models: [m], limits: { concurrent: 3 } }]
upstreams: { google: { protocol: gemini, keys: [${canary}-1, ${canary}-2], models: { ours: theirs } } }
assets: { signing_secret: ${canary}-${'s'.repeat(32)}, s3: { bucket: pictures, endpoint: "https://s3.example",
  access_key: ${canary}-access, secret_key: ${canary}-secret } }
store: { redis: "rediss://${canary}-user:${canary}-pass@redis.example:6380/2?password=${canary}" }
`
  const config = load(yaml, { env: { PLANTAIN_API_KEYS: `${canary}-more`, GEMINI_API_KEY: `${canary}-gemini` } })
  const printed = renderConfig(config)
  expect(printed).not.toContain(canary)
  expect(printed).not.toContain(hashKey(`${canary}-caller`))
  expect(printed).toContain(
    '# upstream gemini from GEMINI_API_KEY\n# caller key-1 from PLANTAIN_API_KEYS\n'.split('\n')[0],
  )
  expect(parse(printed)).toMatchObject({
    admin: { token: '***' },
    callers: [
      { id: 'team-a', key_sha256: '***', models: ['m'], limits: { concurrent: 3 } },
      { id: 'key-1', key_sha256: '***' },
    ],
    upstreams: { google: { keys: ['***', '***'], models: { ours: 'theirs' } }, gemini: { keys: ['***'] } },
    assets: { signing_secret: '***', s3: { bucket: 'pictures', access_key: '***', secret_key: '***' } },
    store: { redis: 'rediss://***@redis.example:6380/2?***' },
  })
})

test('what print-config prints is a file that means the same', () => {
  const yaml = `
listen: { port: 9000, max_body: 3000, public_url: "https://p.example/x", cors: { origins: [https://a.example] } }
upstreams: { a: { protocol: gemini, keys: ["***"], models: { x: y }, timeouts: { idle_s: 1.5 } } }
routing: [{ model: "gemini-*", upstreams: [a] }]
answers: { spill: 0, memory: 1MiB, response_format: b64_json }
assets: { dir: d, ttl: 90m, max_bytes: 1GiB }
models: [{ id: mine }]
`
  for (const file of ['', yaml]) expect(load(renderConfig(load(file)))).toEqual(load(file))
})
