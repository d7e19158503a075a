/** The balancer's own errors are in the envelope that the gateway would have chosen: both read a call's address the same way. */
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { protocolOf } from '../../src/http/envelope.ts'

const config = readFileSync(new URL('../../docker/balancer/haproxy.cfg', import.meta.url), 'utf8')

/** The patterns of an ACL of paths. */
const patternsOf = (name: string) => {
  const [, patterns = ''] = new RegExp(`^ *acl ${name} path\\S*(?: -m reg)? (.+)$`, 'm').exec(config) ?? []
  return patterns.split(' ').map(pattern => new RegExp(pattern))
}

/** As HAProxy would, of a client that says nothing of itself. */
function isGoogles(path: string): boolean {
  const has = (name: string) => patternsOf(name).some(pattern => pattern.test(path))
  if (has('openai_path')) return false
  return has('google_path') || (has('google_version') && !has('openai_in_version'))
}

const model = 'gemini-2.5-flash-image'
const vertex = 'projects/p/locations/global/publishers/google/models'
test.each([
  '/',
  '/healthz',
  '/v1/images/generations',
  '/images/edits',
  '/v1/models',
  `/v1/models/${model}`,
  `/v1/models/${model}:generateContent`,
  `/models/${model}:streamGenerateContent`,
  '/v1beta/models',
  `/v1beta/models/${model}`,
  `/v1beta/models/${model}:countTokens`,
  '/v1beta',
  '/v1alpha/models',
  '/v1/v1beta/models',
  `/v1/v1beta/models/${model}:generateContent`,
  `/v1/${vertex}/${model}:predict`,
  `/v1beta1/${vertex}/${model}:generateContent`,
  '/v1beta1/publishers/google/models',
  '/v1/publishers/google/models',
  '/v1/publishers/openai/models',
  '/v1beta/openai/images/generations',
  '/v1beta/openai/models',
  '/v1beta1/images/edits',
  '/openai/deployments/pictures/images/generations',
  '/openai/v1/images/edits',
  '/v1/assets/a.png',
  '/v1betas/x',
])('%s', path => {
  expect(isGoogles(path)).toBe(protocolOf({ url: path, headers: {} } as IncomingMessage) === 'gemini')
})
