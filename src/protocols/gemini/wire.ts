/** Google's answers, as far as the gateway reads them: forgiving (null, absent and unknown everywhere), so that only nonsense fails. */
import { z } from 'zod'
import { LongString } from '../../streams/document-reader.ts'
import { innerMessage } from '../inner-message.ts'

const Text = z.union([z.string(), z.instanceof(LongString)])
const Count = z.int().nonnegative().nullish().catch(null)

/**
 * A word of a list, or its number: some who stand before Google write messages out with numbers, and with all that nobody set.
 * `words`: those from 0 on whose numbers are the same at Google and Vertex AI. What was not set is absent.
 */
const word = (...words: readonly string[]) =>
  z
    .union([z.string(), z.int().transform(number => words[number] ?? String(number))])
    .transform(name => (name === words[0] ? null : name))
    .nullish()

// https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
const Part = z.object({
  text: Text.nullish(),
  thought: z.boolean().nullish(),
  inlineData: z.object({ mimeType: z.string().nullish(), data: Text.nullish() }).nullish(),
  // Relays in front of Google answer so where they keep the pictures themselves.
  fileData: z.object({ mimeType: z.string().nullish(), fileUri: Text.nullish() }).nullish(),
  thoughtSignature: Text.nullish().catch(null),
})

const Candidate = z.object({
  index: Count,
  content: z.object({ parts: z.array(Part).nullish() }).nullish(),
  finishReason: word('FINISH_REASON_UNSPECIFIED', 'STOP', 'MAX_TOKENS', 'SAFETY', 'RECITATION', 'OTHER'),
  finishMessage: Text.nullish(),
})

const ModalityTokens = z
  .array(z.object({ modality: word('MODALITY_UNSPECIFIED', 'TEXT', 'IMAGE'), tokenCount: Count }))
  .nullish()
  .catch(null)

const UsageMetadata = z.object({
  promptTokenCount: Count,
  candidatesTokenCount: Count,
  thoughtsTokenCount: Count,
  toolUsePromptTokenCount: Count,
  totalTokenCount: Count,
  promptTokensDetails: ModalityTokens,
  candidatesTokensDetails: ModalityTokens,
})

export const GenerateContentResponse = z.object({
  candidates: z.array(Candidate).nullish(),
  promptFeedback: z
    .object({
      blockReason: word('BLOCK_REASON_UNSPECIFIED', 'SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT'),
      blockReasonMessage: Text.nullish(),
    })
    .nullish(),
  usageMetadata: UsageMetadata.nullish().catch(null),
})

export type GenerateContentResponse = z.infer<typeof GenerateContentResponse>
export type Part = z.infer<typeof Part>
export type Candidate = z.infer<typeof Candidate>
export type UsageMetadata = z.infer<typeof UsageMetadata>
export type WireText = z.infer<typeof Text>

const Detail = z.looseObject({
  reason: z.string().nullish().catch(null),
  retryDelay: z.string().nullish().catch(null),
  violations: z
    .array(z.object({ quotaId: z.string().nullish(), quotaValue: z.string().nullish() }))
    .nullish()
    .catch(null),
})

const Word = z.string().nullish().catch(null)

const ErrorObject = z.object({
  message: Word,
  status: Word,
  details: z.array(Detail).nullish().catch(null),
  // Of gateways that tell errors in OpenAI's form on every route.
  code: Word,
  type: Word,
})
const ErrorBody = z.object({ error: z.union([ErrorObject, z.string()]).nullish().catch(null), message: Word })

const Envelope = z.object({ error: z.object({ code: z.int(), message: z.string(), status: z.string().optional() }) })

/** Is it an error as Google writes them, alone or in an array? To its SDK for Go one whose code is a text is no error at all. */
export const isErrorEnvelope = (body: Buffer): boolean => Envelope.safeParse(unwrapped(body)).success

const InnerError = z.object({ error: z.looseObject({ code: z.int().nullish().catch(null) }) })

/** The status told by an error inside a 200, alone or in an array, as some of Google's layers send it; null where there is none. */
export function innerErrorStatus(value: unknown): number | null {
  const inner: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value
  // Asked of every good answer, so it is cheap to say no.
  if (typeof inner !== 'object' || inner === null || !('error' in inner)) return null
  const { success, data } = InnerError.safeParse(inner)
  return success ? (data.error.code ?? 500) : null
}

/** What matters of a google.rpc.Status. */
export interface ErrorStatus {
  readonly message: string
  readonly status: string
  /** Of its ErrorInfo details, and what OpenAI's form has for them. */
  readonly reasons: readonly string[]
  /** Seconds, as RetryInfo has them. */
  readonly retryDelay: string | undefined
  readonly quotas: readonly { readonly quotaId: string; readonly quotaValue: string }[]
}

/** Reads an error body: also one in an array (as streams and some of Google's layers send it), and HTML or nothing as no reason. */
export function readErrorStatus(body: Buffer): ErrorStatus {
  const parsed = ErrorBody.safeParse(unwrapped(body))
  const { error, message: beside } = parsed.success ? parsed.data : {}
  const { message, status, details, code, type } = typeof error === 'object' && error !== null ? error : {}
  const all = details ?? []
  return {
    message: innerMessage(message || beside || (typeof error === 'string' ? error : '')),
    status: status ?? '',
    reasons: [...all.map(({ reason }) => reason), code, type].flatMap(reason => reason ?? []),
    retryDelay: all
      .map(detail => /^(\d+(?:\.\d+)?)s$/.exec(detail.retryDelay ?? '')?.[1])
      .find(delay => delay !== undefined),
    quotas: all.flatMap(detail =>
      (detail.violations ?? []).map(({ quotaId, quotaValue }) => ({
        quotaId: quotaId ?? '',
        quotaValue: quotaValue ?? '',
      })),
    ),
  }
}

function unwrapped(body: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(body.toString())
    return Array.isArray(value) ? value[0] : value
  } catch {
    return undefined
  }
}
