/** OpenAI's image request as it may lie on the wire, JSON and form alike, with the fields that resellers add to it. */
import { z } from 'zod'
import { mostPictures } from '../../images/request.ts'
import { LongString } from '../../streams/document-reader.ts'
import { harmCategoryStart, harmThresholds } from '../harm.ts'
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

const longLabel = 'must be a text of at most 1024 characters'
const Label = z.string({ error: longLabel }).max(1024, longLabel)
/** Of DALL·E: without a twin in the models that live. */
export const retiredQualities = ['standard', 'hd'] as const

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

const isThreshold = (name: string) => harmThresholds.some(known => known === name)
// Google's, sent where the model has them.
const SafetySetting = z.strictObject(
  {
    category: Name.refine(name => name.toUpperCase().startsWith(harmCategoryStart), {
      error: `must begin with ${harmCategoryStart}`,
    }),
    threshold: Name.refine(name => isThreshold(name.toUpperCase()), {
      error: `must be one of: ${harmThresholds.join(', ')}`,
    }),
  },
  { error: 'must be { category, threshold }' },
)

const mostSettings = 32
// Counted before each is looked at: a form's text holds a hundred thousand.
const SafetySettings = z
  .preprocess(
    value => (Array.isArray(value) ? value : [value]),
    z.custom(value => Array.isArray(value) && value.length <= mostSettings, {
      error: `must be a list of at most ${mostSettings} { category, threshold }`,
    }),
  )
  .pipe(z.array(SafetySetting))

/**
 * What the neutral request has no place for: sent where an upstream has such a field, named as ignored elsewhere, and checked either
 * way. `style` is any text, since each vendor has styles of its own.
 */
export const ExtraFields = z
  .object({
    quality: oneOf(['low', 'medium', 'high', 'xhigh', 'max', 'auto', ...retiredQualities]),
    moderation: oneOf(['low', 'auto']),
    input_fidelity: oneOf(['low', 'high']),
    complexity: oneOf(['low', 'medium', 'high']),
    user: Label,
    safety_identifier: Label,
    style: Label,
    negative_prompt: Text,
    steps: Whole.min(0, 'must not be negative'),
    cfg: z.number({ error: 'must be a number' }),
    safety_settings: SafetySettings,
  })
  .partial()

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
  'steps',
  'cfg',
])
export const switchFields: ReadonlySet<string> = new Set(['enable_web_search', 'stream'])
/** And which hold JSON. */
export const jsonFields: ReadonlySet<string> = new Set(['safety_settings'])
