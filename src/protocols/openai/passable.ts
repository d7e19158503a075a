/** Which calls are in OpenAI's own words throughout: those can be passed on as they came to an upstream that speaks no others. */
import { LongString } from '../../streams/document-reader.ts'
import { isAddress } from '../picture-address.ts'
import type { FormPartHead, Operation, SeenBody } from '../protocol.ts'
import { snakeCase } from '../snake-case.ts'
import { pictureListOf } from './picture-parts.ts'
import { ImageFields } from './request-wire.ts'

type WireForm = 'generation' | 'json-edit' | 'form-edit'

function wireFormOf(operation: Operation, { kind }: SeenBody): WireForm | null {
  if (operation === 'generate') return kind === 'json' ? 'generation' : null
  return kind === 'json' ? 'json-edit' : 'form-edit'
}

const painting = [
  'model',
  'prompt',
  'n',
  'size',
  'quality',
  'background',
  'output_format',
  'output_compression',
  'partial_images',
  'stream',
  'response_format',
  'user',
  'safety_identifier',
  'complexity',
  'frame_count',
  'frame_duration_ms',
]

// https://platform.openai.com/docs/api-reference/images
const own: Readonly<Record<WireForm, ReadonlySet<string>>> = {
  generation: new Set([...painting, 'moderation', 'style', 'svg']),
  'json-edit': new Set([...painting, 'moderation', 'input_fidelity', 'images', 'mask']),
  'form-edit': new Set([...painting, 'input_fidelity', 'image', 'image[]', 'mask', 'markup']),
}
const everywhere: ReadonlySet<string> = new Set(Object.values(own).flatMap(names => [...names]))
const understoodHere: ReadonlySet<string> = new Set(Object.keys(ImageFields.shape))

/**
 * Does the field belong to the form, or to nobody (then the upstream says so)? Not, where it is another vendor's, or OpenAI's
 * in another spelling: the upstream would refuse what is understood here.
 */
function isOwnField(name: string, form: WireForm): boolean {
  if (own[form].has(name)) return true
  const plain = snakeCase(pictureListOf(name) ?? name)
  return !understoodHere.has(plain) && !everywhere.has(plain)
}

export interface UpstreamForm {
  /** Its model takes `response_format`. */
  readonly takesResponseFormat: boolean
  /** It takes edits as JSON. */
  readonly jsonEdits: boolean
}

/** Is this a call that the upstream understands as it is? Its values are the upstream's to judge. */
export function isPassable(operation: Operation, body: SeenBody, upstream: UpstreamForm): boolean {
  const form = wireFormOf(operation, body)
  if (form === null || (form === 'json-edit' && !upstream.jsonEdits)) return false
  return body.kind === 'json' ? isOwnJson(body.value, form, upstream) : areOwnParts(body.parts)
}

function isOwnJson(value: unknown, form: WireForm, { takesResponseFormat }: UpstreamForm): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const fields = new Map<string, unknown>(Object.entries(value))
  if (![...fields.keys()].every(name => isOwnField(name, form))) return false
  const delivery = fields.get('response_format')
  // An address of the upstream's own is not handed on.
  if (delivery != null && (!takesResponseFormat || delivery === 'url')) return false
  return form !== 'json-edit' || (arePictureRefs(fields.get('images')) && isMaskRef(fields.get('mask')))
}

/** `[{ image_url }]` and `[{ file_id }]`: plain texts in the list are others' habit. */
const arePictureRefs = (images: unknown) => Array.isArray(images) && images.every(isPictureRef)
const isMaskRef = (mask: unknown) => mask == null || isPictureRef(mask)

function isPictureRef(ref: unknown): boolean {
  if (typeof ref !== 'object' || ref === null || ref instanceof LongString) return false
  return Object.entries(ref).every(
    ([name, text]) =>
      (name === 'image_url' || name === 'file_id') && (typeof text === 'string' || text instanceof LongString),
  )
}

/** The addresses of pictures that its upstream would have to read, but for very long ones. Forms that are passed on have none. */
export function picturesAt(body: SeenBody): readonly string[] {
  if (body.kind === 'form' || typeof body.value !== 'object' || body.value === null) return []
  const { images, mask }: { readonly images?: unknown; readonly mask?: unknown } = body.value
  return [images, mask].flat().flatMap(ref => {
    const url: unknown = typeof ref === 'object' && ref !== null && 'image_url' in ref ? ref.image_url : null
    return typeof url === 'string' && isAddress(url) ? [url] : []
  })
}

const fileFields: ReadonlySet<string> = new Set(['image', 'image[]', 'mask', 'markup'])
// OpenAI refuses files of any other type, `application/octet-stream` among them, which is what many clients call any file.
const fileTypes: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp'])

function areOwnParts(parts: readonly FormPartHead[]): boolean {
  const names = parts.map(({ name }) => name)
  // OpenAI takes any name once, but for `image[]`, and that not beside `image` (`duplicate_parameter`).
  const others = names.filter(name => name !== 'image[]')
  if (new Set(others).size !== others.length) return false
  // None is a prompt alone, which is painted at another address.
  if (names.includes('image') === names.includes('image[]')) return false
  // It may ask for an address, and one of the upstream's own is not handed on.
  if (names.includes('response_format')) return false
  return parts.every(({ name, mediaType }) =>
    mediaType === null
      ? isOwnField(name, 'form-edit') && !fileFields.has(name)
      : fileFields.has(name) && fileTypes.has(mediaType),
  )
}
