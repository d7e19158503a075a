/** Secrets in text from elsewhere: gone, however they are wrapped. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createScrub } from '../../src/telemetry/scrub.ts'

const scrub = createScrub()

test.each([
  ["a Google API key in Google's own error", `consumer: api_key:AIza${'Sy0-_aB'.repeat(5)}`],
  ['an OpenAI key', 'Incorrect API key provided: sk-proj-Abc_123-defGHI456.'],
  ['an access token', 'token ya29.a0AfH6SMBx-_.q was refused'],
  ['a JWT', 'got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl instead'],
  ['a bearer token', 'authorization: Bearer abc.def~ghi/jkl='],
  ['a key in a query', 'POST https://example.com/v1/models/m:generateContent?alt=sse&key=whatever-it-is failed'],
  ['a password in an address', 'connect ECONNREFUSED redis://user:hunter2@10.0.0.1:6379'],
])('%s does not reach the log', (_what, text) => {
  const secret = /AIza\w+|sk-proj\S+|ya29\S+|eyJ\S+|abc\.def\S+|whatever-it-is|hunter2/
  expect(text).toMatch(secret)
  expect(scrub(text)).not.toMatch(secret)
  expect(scrub(text)).toContain('[redacted]')
})

test('the words around a secret stay', () => {
  expect(scrub('key=AIzaSyA1234567890123456789012345678901 is bad')).toBe('key=[redacted] is bad')
  expect(scrub('The risk-assessment of task-force 7 failed: 503.')).toBe(
    'The risk-assessment of task-force 7 failed: 503.',
  )
})

test('a picture in base64 becomes a word', () => {
  expect(scrub(`inlineData: ${'iVBORw0K'.repeat(100)}== is too large`)).toBe('inlineData: [data] is too large')
})

test('a secret handed in is gone wherever it stands, also where one holds another', () => {
  const alphabet = fc.string({ unit: fc.constantFrom('a', 'b', '$', '.', '*', '&'), minLength: 4, maxLength: 12 })
  fc.assert(
    fc.property(
      fc.array(alphabet, { minLength: 1, maxLength: 4 }),
      fc.string(),
      fc.string(),
      (secrets, before, after) => {
        const safe = createScrub(secrets)(`${before}${secrets.join('')}${after}`)
        // Apart: what stands before a redacted one and after it may make up a secret that was nowhere in the text.
        for (const rest of safe.split('[redacted]')) for (const secret of secrets) expect(rest).not.toContain(secret)
      },
    ),
  )
})

test('a text of megabytes costs no more than its beginning', () => {
  const started = performance.now()
  const hostile = ['eyJ', 'AIza', 'sk-', '//', '?key=', 'Bearer ', 'ya29.', 'A'].map(it => it.repeat(500_000))
  for (const text of hostile) expect(scrub(text).length).toBeLessThanOrEqual(2001)
  expect(performance.now() - started).toBeLessThan(5000)
})
