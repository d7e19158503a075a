/** One call, with what is held for it: what never went up is no call of the upstream's. */
import { expect, onTestFinished, test } from 'vitest'
import { createCall, type UpstreamCallFacts } from '../../src/gateway/call.ts'
import type { Exchange } from '../../src/gateway/exchange.ts'
import type { Candidate } from '../../src/gateway/routing.ts'
import { GatewayError } from '../../src/images/error.ts'
import { createLimits } from '../../src/limits/limits.ts'
import { createMemoryStore } from '../../src/limits/memory-store.ts'
import { loadCatalogue } from '../../src/models/catalogue.ts'
import { readShippedCatalogue } from '../../src/models/shipped.ts'
import { startRecord } from '../../src/telemetry/record.ts'

const now = () => performance.now()
const resolution = loadCatalogue(readShippedCatalogue(), []).resolve('nano-banana-2')
const candidate = { upstream: { name: 'google' } } as Candidate

function exchangeOf(signal: AbortSignal): Exchange {
  return {
    record: startRecord('r', 'openai', 'generate'),
    caller: { id: 'team-a', models: null, limits: {} },
    signal,
    deadlineMs: now() + 10_000,
    patience: null,
    trail: '',
    headers: new Map(),
    strict: false,
    dryRun: null,
    ignored: new Set(),
  }
}

test('a caller who leaves while the limits are asked uses up nothing of the upstream’s, and counts as no call', async () => {
  const store = createMemoryStore({ now })
  const upstreams = [{ name: 'google', keys: ['k'], limits: { requestsPerMinute: 1 } }]
  const leaving = new AbortController()
  const limits = createLimits({
    store: {
      ...store,
      reserve: async (...question) => {
        const verdict = await store.reserve(...question)
        leaving.abort(new GatewayError('caller-left', 'The caller left.'))
        return verdict
      },
    },
    now,
    upstreams,
  })
  onTestFinished(() => limits.close())
  const begun: string[] = []
  const ended: UpstreamCallFacts[] = []
  const call = createCall({
    limits,
    now,
    onUpstreamStart: name => begun.push(name),
    onUpstreamCall: facts => ended.push(facts),
  })

  const left = exchangeOf(leaving.signal)
  const sends = async () => expect.fail('sent')
  await expect(call(left, resolution, candidate, sends)).rejects.toMatchObject({ kind: 'caller-left' })
  expect([left.record.attempts, begun, ended]).toEqual([0, [], []])
  const another = exchangeOf(new AbortController().signal)
  expect(await call(another, resolution, candidate, async () => 'painted')).toBe('painted')
  expect([another.record.attempts, begun.length, ended.length]).toEqual([1, 1, 1])
})
