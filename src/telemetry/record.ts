/** The facts of one exchange: filled in while it runs, then read once by the metrics and once by the log. */
import type { ErrorKind, Outcome } from '../images/error.ts'
import type { Usage } from '../images/result.ts'

export type Protocol = 'openai' | 'gemini'

export type Operation = 'generate' | 'edit' | 'generateContent' | 'streamGenerateContent' | 'countTokens' | 'predict'

/** Times in milliseconds, sizes in bytes. Mutable: whoever learns a fact writes it down. */
export interface ExchangeRecord {
  readonly requestId: string
  readonly protocol: Protocol
  readonly operation: Operation
  /** The caller's configured id; null until somebody was recognised. Never a key. */
  caller: string | null
  /** Nobody was to be called: it was worked out and told. */
  dryRun: boolean
  /** As the caller spelt it; null where none was named. */
  modelAsked: string | null
  /** The id really called; null until routing. */
  model: string | null
  /** Is `model` in the catalogue? Only such names become metric labels: callers could invent any number of others. */
  modelKnown: boolean
  upstream: string | null
  /** Calls made for this exchange, retries and parallel ones included. */
  attempts: number
  outcome: Outcome
  /** The HTTP status the caller got; 499 where the caller left before one was sent. */
  status: number
  images: number
  /** The tier of the images: `1K`. */
  resolution: string | null
  bytesIn: number
  bytesOut: number
  durationMs: number
  /** In line for limits, instead of being refused. */
  queuedMs: number
  /** From the first call to the end of the last upstream answer; null where no upstream was called. */
  upstreamMs: number | null
  /** From the first call to the first byte of the answer that was used; null where none came. */
  firstByteMs: number | null
  usage?: Usage
  /** What upstreams counted for calls that gave no picture. */
  readonly usageOfFailures: Usage[]
  /** What upstreams bill for it, in micro-USD, whatever the caller pays of that; absent: nothing, or nobody knows. */
  costMicroUsd?: number
  /** Images of answers that upstreams began to send: those are painted, and will be billed. */
  begun: number
  /** The upstream's own word for a refusal: `IMAGE_SAFETY`. */
  refusalReason?: string
  /** The message as the caller was told it, so it holds neither keys nor prompts. `cause`: what only the operator is told. */
  error?: { readonly kind: ErrorKind; readonly message: string; readonly cause?: string }
}

/** An exchange of which nothing is known yet but its id and its route. `failed` until somebody says otherwise. */
export function startRecord(requestId: string, protocol: Protocol, operation: Operation): ExchangeRecord {
  return {
    requestId,
    protocol,
    operation,
    caller: null,
    dryRun: false,
    modelAsked: null,
    model: null,
    modelKnown: false,
    upstream: null,
    attempts: 0,
    outcome: 'failed',
    status: 0,
    images: 0,
    resolution: null,
    bytesIn: 0,
    bytesOut: 0,
    durationMs: 0,
    queuedMs: 0,
    upstreamMs: null,
    firstByteMs: null,
    usageOfFailures: [],
    begun: 0,
  }
}
