/** The neutral request: what every caller's protocol is decoded to, and every upstream's protocol is encoded from. */
import type { Bytes } from './bytes.ts'
import type { InputMediaType } from './media-type.ts'

/** A reference picture: base64 text (standard alphabet, padded) and what its first bytes say it is. */
export interface ImageInput {
  readonly mediaType: InputMediaType
  readonly base64: Bytes
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
  readonly images: readonly ImageInput[]
  /** How many pictures, 1–10. */
  readonly count: number
  readonly shape: Shape
  /** Wanted file type; absent: whatever the model makes. */
  readonly format?: 'png' | 'jpeg' | 'webp'
  readonly background?: 'transparent' | 'opaque'
  /** Let the model search the web. */
  readonly search: boolean
  readonly seed?: number
  readonly mediaResolution?: MediaResolution
  /** How the caller spelt fields, where errors should name them: `aspect_ratio` → `aspectRatio`. */
  readonly spelling: ReadonlyMap<string, string>
  /** Names of fields that were sent and have no twin in the neutral request: named to the caller, never dropped in silence. */
  readonly ignored: readonly string[]
}
