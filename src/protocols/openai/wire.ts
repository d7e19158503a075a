/** OpenAI's image answers as they may lie on the wire, whole and as events, and errors as vendors write them. */
import { z } from 'zod'
import { LongString } from '../../streams/document-reader.ts'
import { innerMessage } from '../inner-message.ts'

const Text = z.union([z.string(), z.instanceof(LongString)])

const Count = z.int().nonnegative().nullish().catch(null)
const Details = z.object({ text_tokens: Count, image_tokens: Count })
const Usage = z.object({
  input_tokens: Count,
  output_tokens: Count,
  total_tokens: Count,
  input_tokens_details: Details.nullish().catch(null),
  output_tokens_details: Details.nullish().catch(null),
})

const Remark = z.string().max(20).nullish().catch(null)

/** An upstream's answer, or one event of its stream: forgiving, so that only nonsense fails. */
export const ImagesAnswer = z.object({
  data: z
    .array(
      z.object({ b64_json: Text.nullish(), url: Text.nullish(), revised_prompt: Text.nullish().catch(null) }).nullish(),
    )
    .nullish(),
  output_format: Remark,
  quality: Remark,
  background: Remark,
  usage: Usage.nullish().catch(null),
  type: z.string().nullish().catch(null),
  b64_json: Text.nullish(),
})

export type ImagesAnswer = z.infer<typeof ImagesAnswer>
export type WireText = z.infer<typeof Text>
export type WireUsage = z.infer<typeof Usage>
export type WireDetails = z.infer<typeof Details>

const Word = z
  .union([z.string(), z.number().transform(String)])
  .nullish()
  .catch(null)
// A sentence, several, or what Python's servers say of each field.
const Message = z
  .union([
    z.string(),
    z
      .array(z.union([z.string(), z.object({ msg: z.string() }).transform(({ msg }) => msg)]))
      .transform(all => all.join(' ')),
  ])
  .nullish()
  .catch(null)

const ErrorObject = z.object({
  message: Message,
  type: Word,
  code: Word,
  param: Word,
  moderation_details: z
    .object({
      moderation_stage: Word,
      categories: z.array(z.string()).nullish().catch(null),
    })
    .nullish()
    .catch(null),
  // Azure: https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter
  innererror: z.object({ code: Word }).nullish().catch(null),
})

/** Vendors put the sentence in all of these places. */
const ErrorBody = z.object({
  error: z.union([ErrorObject, z.string()]).nullish().catch(null),
  message: Message,
  detail: Message,
  code: Word,
})

/** What matters of an error. */
export interface UpstreamError {
  readonly message: string
  readonly type: string
  readonly code: string
  readonly param: string
  /** What Azure says below. */
  readonly innerCode: string
  readonly stage: string
  readonly categories: readonly string[]
}

/** Reads an error body: also one in an array, one that is a mere string, and HTML or nothing as no reason. */
export function readUpstreamError(body: Buffer): UpstreamError {
  const parsed = ErrorBody.safeParse(unwrapped(body))
  const { error, message, detail, code } = parsed.success ? parsed.data : {}
  const inner = typeof error === 'object' ? error : null
  return {
    // Beside a sentence, a mere text in `error` is the name of the status.
    message: innerMessage(inner?.message || message || (typeof error === 'string' && error) || detail || ''),
    type: inner?.type ?? '',
    code: inner?.code ?? code ?? '',
    param: inner?.param ?? '',
    innerCode: inner?.innererror?.code ?? '',
    stage: inner?.moderation_details?.moderation_stage ?? '',
    categories: inner?.moderation_details?.categories ?? [],
  }
}

const Envelope = z.object({ error: z.object({ message: z.string() }) })

/** Is it an error as OpenAI writes them? Of an array, a mere text or another vendor's words, SDKs read no code, or nothing. */
export const isErrorEnvelope = (body: Buffer): boolean => Envelope.safeParse(parsed(body)).success

function unwrapped(body: Buffer): unknown {
  const value = parsed(body)
  return Array.isArray(value) ? value[0] : value
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

/** The status of an error that came inside a 200 or a stream; null where there is none. */
export function innerErrorStatus(value: unknown): number | null {
  const inner: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value
  if (typeof inner !== 'object' || inner === null || !('error' in inner) || !inner.error) return null
  const { type, code } = readUpstreamError(Buffer.from(JSON.stringify(inner)))
  if (/^[45]\d\d$/.test(code)) return Number(code)
  if (/rate_limit|quota/.test(`${type} ${code}`)) return 429
  return /^(?:invalid_request|image_generation_user)_error$/.test(type) ? 400 : 500
}
