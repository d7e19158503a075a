/** What is to become of each cell of the matrix: what goes up, what comes down. Written from the policies, not from the code. */
import type { FakeAnswer } from '../upstreams/contract.ts'
import type { Asked, Caller } from './callers.ts'
import type { Heard } from './heard.ts'
import type { Sent, UpstreamKind } from './upstreams.ts'
import { type Feature, partials, prompt, waitSeconds } from './wishes.ts'

export interface Cell {
  /** The caller's own bytes go up, and the upstream's come down. */
  readonly passed: boolean
  /** What each good call is answered with. */
  readonly order: FakeAnswer
  /** Pictures sent with it. */
  readonly references: number
  /** Each call that goes up, but for its pictures. */
  readonly calls: readonly Omit<Sent, 'pictures'>[]
  /** What is told but for the pictures themselves; null: the connection breaks, since the answer had begun. */
  readonly heard: Omit<Heard, 'pictures' | 'addresses'> | null
  /** `retry-after`. */
  readonly wait: string | null
  readonly outcome: 'ok' | 'refused' | 'failed'
}

export function cellOf(caller: Caller, upstream: UpstreamKind, feature: Feature): Cell {
  const references = Math.max(feature.references, caller.leastReferences)
  const passed = isPassed(caller, upstream, { ...feature, references })
  const streamed = feature.stream && upstream.streams && (passed || wantsDrafts(caller, upstream))
  const order: FakeAnswer = streamed ? { kind: 'drafts', count: partials } : feature.order
  const perCall = Math.min(feature.count, passed ? feature.count : upstream.mostPerCall)
  const call = {
    model: upstream.modelThere,
    prompt,
    shape: upstream.shape,
    count: perCall,
    stream: streamed ? ((passed ? caller.streams : 'events') ?? 'none') : 'none',
  } as const
  return {
    passed,
    order,
    references,
    calls: Array.from({ length: feature.count / perCall }, () => call),
    ...told(caller, upstream, feature, { passed, streamed, references }),
  }
}

/** The same language on both sides, no more asked than one call gives, nothing to be understood differently. */
function isPassed({ protocol, ask }: Caller, upstream: UpstreamKind, feature: Feature): boolean {
  if (protocol !== upstream.protocol || feature.byAddress) return false
  const { form } = formOf(ask, feature)
  switch (form) {
    case 'json':
    case 'form':
      return upstream.ownForm !== null
    case 'json-edit':
      return upstream.ownForm === 'with JSON edits'
    case 'generateContent':
      return feature.count === 1
    case 'streamGenerateContent':
      return feature.count === 1 && upstream.streams
    case 'predict':
      return false
  }
}

const nothing = { type: 'image/png', bytes: Buffer.alloc(0), sha256: '' } as const

const formOf = (ask: Caller['ask'], { references, ...wish }: Feature): Asked =>
  ask({ ...wish, model: 'any', references: Array.from({ length: references }, () => nothing) })

/** Where drafts are shown: not to forms without streams, and not where the caller has no word to ask for what is billed. */
const wantsDrafts = ({ streams, protocol }: Caller, upstream: UpstreamKind) =>
  streams !== null && !(protocol === 'gemini' && upstream.protocol === 'openai')

interface Way {
  readonly passed: boolean
  readonly streamed: boolean
  readonly references: number
}

type Told = Pick<Cell, 'heard' | 'wait' | 'outcome'>

function told(caller: Caller, upstream: UpstreamKind, feature: Feature, way: Way): Told {
  switch (feature.order.kind) {
    case 'refusal':
      return { heard: refusal(caller, upstream, way), wait: null, outcome: 'refused' }
    case 'rate-limited': {
      const seconds = upstream.tellsWait ? String(waitSeconds) : null
      const heard = failure(caller, 429, azureCode(upstream, way, '429') ?? 'rate_limit_exceeded', 'RESOURCE_EXHAUSTED')
      const waitInBody = caller.protocol === 'gemini' && seconds !== null ? `${seconds}s` : null
      return { heard: { ...heard, waitInBody }, wait: seconds, outcome: 'failed' }
    }
    case 'server-error': {
      const heard =
        feature.order.status === 503
          ? failure(caller, 503, 'overloaded', 'UNAVAILABLE')
          : failure(caller, caller.protocol === 'openai' ? 502 : 503, 'upstream_failed', 'UNAVAILABLE')
      return { heard, wait: null, outcome: 'failed' }
    }
    case 'cut': {
      const heard = failure(caller, caller.protocol === 'openai' ? 502 : 503, 'upstream_failed', 'UNAVAILABLE')
      return { heard: way.passed ? null : heard, wait: null, outcome: 'failed' }
    }
    default:
      return { heard: answer(caller, upstream, feature, way), wait: null, outcome: 'ok' }
  }
}

const whole = { waitInBody: null, frames: ['a document'] }

function failure(
  { protocol }: Caller,
  status: number,
  code: string,
  word: string,
): Omit<Heard, 'pictures' | 'addresses'> {
  return { ...whole, status, usage: null, reason: protocol === 'openai' ? code : word }
}

/** Azure has words of its own, and what is passed on is passed on. */
const azureCode = ({ name }: UpstreamKind, { passed }: Way, code: string) =>
  passed && name.startsWith('azure') ? code : null

function refusal(caller: Caller, upstream: UpstreamKind, way: Way): Omit<Heard, 'pictures' | 'addresses'> {
  if (caller.protocol === 'openai') {
    return failure(caller, 400, azureCode(upstream, way, 'contentFilter') ?? 'moderation_blocked', '')
  }
  // Google bills the question; a vendor who refuses with an error bills nothing that it tells of.
  const billed = way.passed ? upstream.usage(way.references, 1) : null
  return {
    ...whole,
    status: 200,
    usage: billed && { input: billed.input, output: 0 },
    reason: caller.streams === null ? 'raiFilteredReason' : upstream.refuses === 'prompt' ? 'SAFETY' : 'IMAGE_SAFETY',
  }
}

function answer(
  caller: Caller,
  upstream: UpstreamKind,
  feature: Feature,
  way: Way,
): Omit<Heard, 'pictures' | 'addresses'> {
  const { references } = way
  const isPredict = caller.protocol === 'gemini' && caller.streams === null
  return {
    status: 200,
    waitInBody: null,
    usage: isPredict ? null : upstream.usage(references, feature.count),
    reason: caller.protocol === 'gemini' && !isPredict ? 'STOP' : null,
    frames: feature.stream ? framesOf(caller, way) : whole.frames,
  }
}

function framesOf({ protocol, streams }: Caller, { passed, streamed, references }: Way): readonly string[] {
  if (streams === null) return whole.frames
  if (streams === 'array') return ['an array']
  const drafts = streamed ? partials : 0
  if (protocol === 'openai') {
    const stem = references > 0 ? 'image_edit' : 'image_generation'
    return [...Array.from({ length: drafts }, () => `${stem}.partial_image`), `${stem}.completed`]
  }
  // Google's own streams end with an event that brings nothing but the end.
  return Array.from({ length: drafts + 1 + (passed ? 1 : 0) }, () => 'an event')
}
