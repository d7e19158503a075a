/** OpenAI's image request as it may lie on the wire, JSON and form alike, with the fields that resellers add to it. */
import { z } from 'zod'
import { mostPictures } from '../../images/request.ts'
import { LongString } from '../../streams/document-reader.ts'
import { innerMessage } from '../inner-message.ts'
import { Upload } from '../upload.ts'

const Text = z.union([z.string(), z.instanceof(LongString)], { error: 'must be a string' })
const Picture = z.union([Text, z.instanceof(Upload)], { error: 'must be a file, a data URL or base64 text' })
const tooLong = 'must not be longer than 256 characters'
const Name = z
  .string({ error: ({ input }) => (input instanceof LongString ? tooLong : 'must be a string') })
  .max(256, tooLong)
const Switch = z.boolean({ error: 'must be true or false' })
const Whole = z.int({ error: 'must be a whole number' })
const oneOf = <const Values extends readonly string[]>(values: Values) =>
  z.enum(values, { error: `must be one of: ${values.join(', ')}` })

const PictureUrl = z.looseObject({ url: Text })
// https://platform.openai.com/docs/api-reference/images/createEdit: the JSON form of an edit. `url` is other vendors' word.
const PictureObject = z.looseObject({
  image_url: z.union([Text, PictureUrl]).nullish(),
  file_id: z.string().nullish(),
  url: Text.nullish(),
})
const ImageRef = z.union([Picture, PictureObject], {
  error: 'must be a file, a data URL, base64 text or {"image_url": …}',
})
const Pictures = z.union([z.array(ImageRef), ImageRef], { error: 'must be a picture or a list of pictures' })

const outOfRange = `must be between 1 and ${mostPictures}`

/** Null means «not given» for every field: SDKs do send literal nulls. */
export const ImageFields = z.object({
  model: Name.nullish(),
  prompt: Text.nullish(),
  n: Whole.min(1, outOfRange).max(mostPictures, outOfRange).nullish(),
  size: Name.nullish(),
  width: Whole.min(1, 'must be at least 1').max(65_535, 'must be at most 65535').nullish(),
  height: Whole.min(1, 'must be at least 1').max(65_535, 'must be at most 65535').nullish(),
  aspect_ratio: Name.nullish(),
  image_size: Name.nullish(),
  resolution: Name.nullish(),
  media_resolution: Name.nullish(),
  enable_web_search: Switch.nullish(),
  seed: Whole.nullish(),
  response_format: oneOf(['b64_json', 'url']).nullish(),
  background: oneOf(['transparent', 'opaque', 'auto']).nullish(),
  output_format: oneOf(['png', 'jpeg', 'webp']).nullish(),
  output_compression: Whole.min(0, 'must be between 0 and 100').max(100, 'must be between 0 and 100').nullish(),
  stream: Switch.nullish(),
  partial_images: Whole.min(0, 'must be between 0 and 3').max(3, 'must be between 0 and 3').nullish(),
  image: Pictures.nullish(),
  images: Pictures.nullish(),
  image_urls: Pictures.nullish(),
  input_references: Pictures.nullish(),
  mask: ImageRef.nullish(),
  markup: z.unknown().optional(),
  frame_count: z.unknown().optional(),
  frame_duration_ms: z.unknown().optional(),
  svg: z.unknown().optional(),
})

export type ImageFields = z.infer<typeof ImageFields>
export type ImageRef = z.infer<typeof ImageRef>
export type PictureValue = z.infer<typeof Picture>

/** Which form fields are numbers and switches: a form has only strings. */
export const numberFields: ReadonlySet<string> = new Set([
  'n',
  'width',
  'height',
  'seed',
  'output_compression',
  'partial_images',
])
export const switchFields: ReadonlySet<string> = new Set(['enable_web_search', 'stream'])

const Count = z.int().nonnegative().nullish().catch(null)
const Details = z.object({ text_tokens: Count, image_tokens: Count })
const Usage = z.object({
  input_tokens: Count,
  output_tokens: Count,
  total_tokens: Count,
  input_tokens_details: Details.nullish().catch(null),
  output_tokens_details: Details.nullish().catch(null),
})

const Label = z.string().max(20).nullish().catch(null)

/** An upstream's answer, or one event of its stream: forgiving, so that only nonsense fails. */
export const ImagesAnswer = z.object({
  data: z
    .array(
      z.object({ b64_json: Text.nullish(), url: Text.nullish(), revised_prompt: Text.nullish().catch(null) }).nullish(),
    )
    .nullish(),
  output_format: Label,
  quality: Label,
  background: Label,
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
