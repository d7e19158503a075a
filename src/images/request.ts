/** The neutral request: what every caller's protocol is decoded to, and every upstream's protocol is encoded from. */
import type { Bytes } from './bytes.ts'
import type { InputMediaType } from './media-type.ts'

/** A reference picture: base64 text (standard alphabet, padded) and what its first bytes say it is. */
export interface ImageInput {
  readonly mediaType: InputMediaType
  readonly base64: Bytes
  /** The field it stood in, for errors; absent for one that was made here. */
  readonly param?: string
}

/** A picture that is named by its address: fetched before the call, unless the upstream can read it there itself. */
export interface ImageLink {
  readonly url: string
  /** The field it stood in, for errors. */
  readonly param: string
  /** What the caller says it is. */
  readonly mediaType?: string
}

export type Reference = ImageInput | ImageLink

export const isLink = (reference: Reference): reference is ImageLink => 'url' in reference

/** What was said before the request, in a chat. */
export interface Turn {
  readonly role: 'user' | 'model'
  readonly text: string
  readonly images: readonly Reference[]
}

/** The wanted picture's shape, as far as the caller said it. An absent half is the model's own choice. */
export interface Shape {
  /** `16:9` */
  readonly ratio?: string
  /** `512`, `1K`, `2K`, `4K`: asked for by name */
  readonly resolution?: string
  /** Asked for in pixels (`size: "1024x1536"`): stands in for whichever half above is absent. */
  readonly pixels?: { readonly width: number; readonly height: number }
}

export type MediaResolution = 'low' | 'medium' | 'high'

export interface ImageRequest {
  /** The name the caller used; `null`: the configured default. */
  readonly model: string | null
  readonly prompt: string
  readonly images: readonly Reference[]
  /**
   * Where the first picture is to change: a PNG of its size, transparent there. Upstreams that take no masks get in its place
   * a picture of it, white there and black elsewhere.
   */
  readonly mask?: Reference
  /** The chat before the prompt, eldest first. */
  readonly turns: readonly Turn[]
  /** Standing instructions, beside what was said. */
  readonly system?: string
  /** How many pictures, from 1 to `mostPictures`. */
  readonly count: number
  readonly shape: Shape
  /** Wanted file type; absent: whatever the model makes. */
  readonly format?: 'png' | 'jpeg' | 'webp'
  /** Quality of a jpeg or webp, 0–100. */
  readonly compression?: number
  /** How the pictures come back; absent: as configured. */
  readonly delivery?: 'base64' | 'url'
  /** As events, with so many drafts at most; absent: one whole answer. */
  readonly stream?: { readonly previews: number }
  readonly background?: 'transparent' | 'opaque'
  /** Let the model search the web. */
  readonly search: boolean
  readonly seed?: number
  readonly mediaResolution?: MediaResolution
  /** How the caller spelt fields, where errors should name them: `aspect_ratio` → `aspectRatio`. */
  readonly spelling: ReadonlyMap<string, string>
  /** Fields that were sent and have no twin here. An upstream of the same protocol may take them; for any other they are named as ignored. */
  readonly extras: Extras
}

/** Pictures that one request can ask for, in either protocol. */
export const mostPictures = 10

/** Names under which callers may send reference pictures, in the order in which they count; each in `spelling` where it was given. */
export const pictureFields = ['image', 'images', 'image_urls', 'input_references'] as const

/** The first of them that was given, as the caller spelt it: for errors that are about a request's pictures. */
export const picturesField = ({ spelling }: Pick<ImageRequest, 'spelling'>): string =>
  pictureFields.flatMap(name => spelling.get(name) ?? [])[0] ?? 'image'

export interface Extras {
  readonly protocol: 'openai' | 'gemini'
  /** By name, as the caller spelt it; a `LongString` of the caller's document where the value is a long one. */
  readonly fields: ReadonlyMap<string, unknown>
  /**
   * The whole request in its protocol's own form, for an upstream of the same protocol; only that protocol's folder looks inside.
   * It numbers the references of all turns and then the request's: what is fetched or changed takes the place of what it was.
   */
  readonly own?: unknown
}
