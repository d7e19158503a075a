/** What a terminal is told when the gateway listens. */
import { expect, test } from 'vitest'
import { greeting } from '../../src/greeting.ts'

const open = { auth: 'open', callers: [], notices: [] } as const
const at = { version: '1.2.3', address: 'http://127.0.0.1:8080', adminAddress: 'http://127.0.0.1:8081' }
const greet = (upstreams: readonly string[], modelToName: string | null = null) =>
  greeting(open, { ...at, upstreams, modelToName })

test('where nothing is configured the sandbox paints, and it is said how to get real models', () => {
  expect(greet(['sandbox'])).toMatch(/^Upstream: the built-in sandbox, .* Set GEMINI_API_KEY for real models\.$/m)
})

test('upstreams are named, and nobody is told to set what is set: the sandbox beside them too', () => {
  expect(greet(['gemini'])).toMatch(/^Upstream: gemini$/m)
  expect(greet(['gemini', 'openai'])).toMatch(/^Upstreams: gemini, openai$/m)
  expect(greet(['gemini', 'sandbox'])).toMatch(/^Upstream: gemini, and the built-in sandbox$/m)
  expect(greet(['gemini', 'sandbox'])).not.toMatch(/Set GEMINI_API_KEY/)
})

test('the line to try names a model where none is served unnamed, and a key where one is asked for', () => {
  expect(greet(['openai'], 'gpt-image-2')).toMatch(/"model": "gpt-image-2", "prompt": /)
  const callers = [{ id: 'team-a', keySha256: '0'.repeat(64), models: null, limits: {} }]
  const guarded = greeting({ auth: 'keys', callers, notices: [] }, { ...at, upstreams: ['gemini'], modelToName: null })
  expect(guarded).toMatch(/^Callers: team-a$/m)
  expect(guarded).toMatch(/authorization: Bearer YOUR_KEY/)
  expect(greet(['gemini'])).not.toMatch(/authorization|"model"/)
})
