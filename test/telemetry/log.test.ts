/** The log: what a line says, and what it never says. */
import { expect, test } from 'vitest'
import { createLog, type Log, type LogParams } from '../../src/telemetry/log.ts'
import { startRecord } from '../../src/telemetry/record.ts'

function captured(params: Partial<LogParams> = {}): { log: Log; lines: () => Record<string, unknown>[] } {
  const written: string[] = []
  const log = createLog({ level: 'info', destination: { write: line => void written.push(line) }, ...params })
  return { log, lines: () => written.map(line => JSON.parse(line)) }
}

test('an exchange is one line with the facts an operator looks for', () => {
  const { log, lines } = captured()
  log.exchangeLine({
    ...startRecord('req-1', 'openai', 'edit'),
    caller: 'team-a',
    modelAsked: 'nano-banana-2',
    model: 'gemini-3.1-flash-image',
    modelKnown: true,
    upstream: 'google',
    attempts: 2,
    outcome: 'ok',
    status: 200,
    images: 1,
    resolution: '2K',
    bytesIn: 4_000_000,
    bytesOut: 2_000_000,
    durationMs: 12_345.678,
    upstreamMs: 12_300,
    firstByteMs: 12_000,
    usage: { inputTokens: 12, outputTokens: 1120, totalTokens: 1132 },
  })
  expect(lines()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      msg: 'exchange',
      requestId: 'req-1',
      caller: 'team-a',
      protocol: 'openai',
      operation: 'edit',
      modelAsked: 'nano-banana-2',
      model: 'gemini-3.1-flash-image',
      upstream: 'google',
      attempts: 2,
      outcome: 'ok',
      status: 200,
      images: 1,
      resolution: '2K',
      bytesIn: 4_000_000,
      bytesOut: 2_000_000,
      durationMs: 12_345.7,
      upstreamMs: 12_300,
      firstByteMs: 12_000,
      inputTokens: 12,
      outputTokens: 1120,
    },
  ])
})

test('a fact that nobody listed stays out of the line', () => {
  const { log, lines } = captured()
  const record = { ...startRecord('req-1', 'gemini', 'generateContent'), prompt: 'a secret garden', apiKey: 'k' }
  log.exchangeLine(record)
  expect(JSON.stringify(lines())).not.toMatch(/secret garden|prompt|apiKey/)
})

test('a failure tells its kind and its message without the keys in it', () => {
  const { log, lines } = captured({ secrets: ['an-upstream-key'] })
  log.exchangeLine({
    ...startRecord('req-1', 'gemini', 'generateContent'),
    modelAsked: `AIza${'x'.repeat(35)}${'y'.repeat(500)}`,
    outcome: 'failed',
    status: 502,
    error: { kind: 'upstream-failed', message: 'The upstream said: an-upstream-key is not valid.' },
  })
  expect(lines()).toMatchObject([
    {
      level: 'warn',
      modelAsked: '[redacted]',
      errorKind: 'upstream-failed',
      errorMessage: 'The upstream said: [redacted] is not valid.',
    },
  ])
})

test.each([
  ['a fault of the gateway', 'error', { status: 500, error: { kind: 'internal', message: 'x' } as const }],
  ['a dead upstream', 'warn', { status: 502, outcome: 'failed' } as const],
  ['a late upstream', 'warn', { status: 504, outcome: 'timeout' } as const],
  ['a wrong request', 'info', { status: 400, outcome: 'failed' } as const],
  ['a caller over the limit', 'info', { status: 429, outcome: 'limited' } as const],
])('%s is logged as %s', (_what, level, facts) => {
  const { log, lines } = captured()
  log.exchangeLine({ ...startRecord('req-1', 'openai', 'generate'), ...facts })
  expect(lines()).toMatchObject([{ level }])
})

test('an error is logged with its stack and its cause, scrubbed, and without what else hangs on it', () => {
  const { log, lines } = captured({ secrets: ['hunter2'] })
  const cause = new Error('AUTH hunter2 failed')
  const error = Object.assign(new Error('no store at redis://:hunter2@localhost', { cause }), {
    code: 'ECONNREFUSED',
    request: { headers: { authorization: 'Bearer x' } },
  })
  log.error('the limit store is away', { error, tries: 3 })
  expect(lines()).toMatchObject([
    { level: 'error', msg: 'the limit store is away', tries: 3, error: { name: 'Error', code: 'ECONNREFUSED' } },
  ])
  const text = JSON.stringify(lines())
  expect(text).toContain('AUTH [redacted] failed')
  expect(text).toContain('log.test.ts')
  expect(text).not.toMatch(/hunter2|authorization/)
})

test('a line break in a message cannot forge a second line', () => {
  const written: string[] = []
  const log = createLog({ level: 'info', destination: { write: line => void written.push(line) } })
  log.warn('first\n{"level":"fatal","msg":"forged"}')
  expect(written).toHaveLength(1)
  expect(written[0]?.trimEnd()).not.toContain('\n')
})

test('a level below the configured one writes nothing', () => {
  const { log, lines } = captured({ level: 'error' })
  log.info('hello')
  log.exchangeLine(startRecord('req-1', 'openai', 'generate'))
  expect(lines()).toEqual([])
})
