/** What became of a relayed call: what of a refusal passes, and what is written down. */
import { UpstreamRefusal } from '../gateway/gateway.ts'
import { bytesOf } from '../images/bytes.ts'
import { type ErrorKind, type Outcome, outcomeOf } from '../images/error.ts'
import type { EncodeError, Observation } from '../protocols/protocol.ts'
import type { Conversation } from './serve.ts'

/** Writes down what a relayed answer was. */
export function note(
  { images, usage, refusal, failure }: Observation,
  { exchange: { record } }: Conversation,
): Outcome {
  record.images = images
  if (usage) record.usage = usage
  if (images > 0) return 'ok'
  if (failure) {
    record.error = { kind: failure.kind, message: failure.message }
    return outcomeOf(failure)
  }
  if (!refusal) return 'ok'
  record.refusalReason = refusal
  return 'refused'
}

const passing: ReadonlySet<ErrorKind> = new Set([
  'invalid-request',
  'content-refused',
  'model-unknown',
  'too-large',
  'rate-limited',
  'quota-exhausted',
])
// What these say is between the upstream and the gateway's operator.
const operators: ReadonlySet<number> = new Set([401, 402, 403])

/** How the caller's protocol tells errors. */
export interface ErrorForm {
  readonly encodeError: EncodeError
  /** Can the protocol's SDKs read an error in this document? */
  readonly isErrorEnvelope: (body: Buffer) => boolean
}

/**
 * Tells a caller of an upstream's refusal in its own words, where the caller can act on them and read them. A 429 gets the wait as
 * headers, which upstreams may tell only in the body. @throws the error itself where it is to be told neutrally.
 */
export async function passRefusal(
  error: unknown,
  { exchange: { record }, answer: reply }: Conversation,
  { encodeError, isErrorEnvelope }: ErrorForm,
): Promise<Outcome> {
  if (!(error instanceof UpstreamRefusal && passes(error) && isErrorEnvelope(error.answer.body))) throw error
  const { status, body } = error.answer
  const outcome = outcomeOf(error)
  // A refusal's message may repeat the prompt: that is the caller's alone.
  record.error = { kind: error.kind, message: outcome === 'refused' ? '' : error.message }
  if (error.facts.reason) record.refusalReason = error.facts.reason
  const told = encodeError(error)
  await reply({ ...told, status, body: bytesOf(body) })
  return outcome
}

const passes = ({ kind, answer: { status, headers, body } }: UpstreamRefusal): boolean =>
  passing.has(kind) &&
  !operators.has(status) &&
  body.length > 0 &&
  (headers['content-type'] ?? '').startsWith('application/json')
