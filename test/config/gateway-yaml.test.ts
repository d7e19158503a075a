// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how the file refers to variables

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { callerLimitsSchema, rateLimitsSchema } from '../../src/config/limits.ts'
import { callerSchema, fileSchema, routeSchema, s3Schema, upstreamSchema } from '../../src/config/schema.ts'
import { load } from './setup.ts'

const shipped = readFileSync(new URL('../../config/gateway.yaml', import.meta.url), 'utf8')

/** With the # taken from the examples: those lines have a key or an indented item right behind it, prose has one space. */
const examples = shipped.replaceAll(/^#(?=[a-z]| {2,})/gm, '').replaceAll(/^ +# .*$/gm, '')

const env = {
  GEMINI_API_KEY: 'k',
  TEAM_A_KEY: 'k',
  AZURE_OPENAI_API_KEY: 'k',
  SHARED_KEY_1: 'k',
  SHARED_KEY_2: 'k',
  S3_ACCESS_KEY: 'k',
  S3_SECRET_KEY: 'k',
  PLANTAIN_ASSET_SECRET: 's'.repeat(32),
}

test('the shipped file means the defaults', () => {
  expect(load(shipped)).toEqual(load(null))
})

test('the shipped file with its examples is taken too', () => {
  const config = load(examples, { env })
  expect(config.auth).toBe('keys')
  expect(config.callers.map(({ id }) => id)).toEqual(['team-a', 'team-b'])
  expect(config.upstreams.map(({ name }) => name)).toEqual(['google', 'vertex', 'azure', 'shared'])
  expect(config.routing).toEqual([{ model: 'gemini-*', upstreams: ['google'] }])
})

test('what the examples show beside keys and names is the default as well', () => {
  const { upstreams, assets, callers: _, auth: __, routing: ___, sandbox: ____, ...rest } = load(examples, { env })
  const plain = load(null)
  expect({ ...plain, ...rest }).toEqual(plain)
  expect({ ...assets, s3: null, signingSecret: null }).toEqual(plain.assets)
  expect(assets.s3).toMatchObject({ region: 'us-east-1', prefix: 'plantain/', pathStyle: true })
  expect(upstreams[0]).toEqual(load('upstreams: { google: { protocol: gemini, keys: [k] } }').upstreams[0])
})

test('every key that is accepted stands in it once', () => {
  const tree = parse(examples)
  const keysOf = (node: object) => Object.keys(node).toSorted()
  const keysIn = (list: readonly object[]) => [...new Set(list.flatMap(keysOf))].toSorted()
  expect(keysOf(tree)).toEqual(keysOf(fileSchema.shape))
  // The sections, where defaults are all there is: what an empty file is parsed to has every key that has a default.
  for (const [name, section] of Object.entries(fileSchema.parse({}))) {
    if (['callers', 'upstreams', 'routing', 'models'].includes(name)) continue
    expect(keysOf(tree[name]), name).toEqual(expect.arrayContaining(keysOf(section as object)))
  }
  expect(tree.listen.cors).toHaveProperty('origins')
  expect(tree.admin).toHaveProperty('token')
  expect(tree.store).toHaveProperty('redis')
  expect(tree.listen).toHaveProperty('public_url')
  expect(keysOf(tree.assets)).toEqual(['dir', 'max_bytes', 's3', 'signing_secret', 'ttl'])
  expect(keysOf(tree.assets.s3)).toEqual(keysOf(s3Schema.shape))
  expect(keysIn(tree.callers)).toEqual(keysOf(callerSchema.shape))
  expect(tree.callers[0].queue).toEqual({ max: 0, wait_s: 30 })
  expect(keysIn(tree.callers.flatMap(({ limits }: { limits?: object }) => limits ?? []))).toEqual(
    keysOf(callerLimitsSchema.shape),
  )
  expect(keysOf(tree.upstreams.shared.limits)).toEqual(keysOf(rateLimitsSchema.shape))
  expect(keysIn(Object.values(tree.upstreams))).toEqual(keysOf(upstreamSchema.shape))
  expect(keysOf(tree.upstreams.google.timeouts)).toEqual(['connect_s', 'first_byte_s', 'idle_s', 'total_s'])
  expect(keysIn(tree.routing)).toEqual(keysOf(routeSchema.shape))
})
