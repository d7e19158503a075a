/** What differs between the vendors who speak OpenAI's images protocol. */
import type { InputMediaType } from '../images/media-type.ts'
import type { Dialect } from './dialect.ts'

export type ImageOperation = 'generate' | 'edit'

export interface OpenAiDialect extends Dialect {
  readonly protocol: 'openai'
  /** Its form is OpenAI's, no more and no less: calls in it are passed on as they came. */
  readonly ownForm: boolean
  /** Below the base address. */
  pathOf(model: string, operation: ImageOperation): string
  /** Pictures that one call can be asked for; with 1 there is no `n`. */
  readonly mostPerCall: number
  /** How reference pictures travel. */
  readonly references: FormReferences | ListedReferences
  /** Takes an edit as JSON too, with `images: [{ image_url }]`. */
  readonly jsonEdits: boolean
  /** File types of pictures it takes. */
  readonly pictureTypes: readonly InputMediaType[]
  /**
   * The request fields its documents have beside model, prompt and pictures. What is not among them is not sent. `model`: its
   * own name.
   */
  fieldsOf(model: string, operation: ImageOperation): readonly WireField[]
}

/** Every field that some dialect has, in the spelling of the wire. */
export type WireField =
  | 'n'
  | 'size'
  | 'aspect_ratio'
  | 'image_size'
  | 'resolution'
  | 'background'
  | 'output_format'
  | 'output_compression'
  | 'response_format'
  | 'media_resolution'
  | 'enable_web_search'
  | CallersField

/** What callers of OpenAI's protocol may say and nobody else has a word for. */
export type CallersField = 'quality' | 'moderation' | 'input_fidelity' | 'complexity' | 'user' | 'safety_identifier'

/** As files of a multipart edit. */
export interface FormReferences {
  readonly as: 'form'
  readonly single: 'image' | 'image[]'
  readonly several: 'image[]'
  /** Takes a `mask` beside them. */
  readonly mask: boolean
}

/** As texts in a list of the JSON body, which goes to the same address as a request without pictures. */
export interface ListedReferences {
  readonly as: 'list'
  readonly field: 'image' | 'image_urls'
  readonly text: 'base64' | 'data-url'
}
