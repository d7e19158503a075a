/** What the catalogue knows of a model. All of it is data from config/models.yaml; nothing here is guessed at run time. */
import type { Pixels, Tier } from '../images/geometry.ts'
import type { MediaType } from '../images/media-type.ts'

export type Protocol = 'gemini' | 'openai'

export interface Model {
  /** The vendor's own id. */
  readonly id: string
  /** What people call it: `Nano Banana 2`. */
  readonly name: string
  readonly protocol: Protocol
  /** null: any (within `pixels.maxRatio` where there is one). */
  readonly ratios: readonly string[] | null
  /** Small to large. Empty: one size of about 1K that nobody chooses. null: not known. */
  readonly tiers: readonly Tier[] | null
  /** Reference pictures at most; null: no fixed bound. */
  readonly references: number | null
  /** What it makes, the type it makes unasked first; empty: not known. */
  readonly outputs: readonly MediaType[]
  /** Can it search the web. */
  readonly search: boolean
  /** Levels of thought that may be asked for. */
  readonly thinkingLevels: readonly string[]
  /** Output tokens of one picture; null: not known, or not a fixed number. */
  readonly tokensPerImage: PerTier | null
  readonly usdPerImage: PerTier | null
  /** By quality, then by size in pixels: `high` → `1024x1024` → USD. */
  readonly usdPerImageAt: Readonly<Record<string, Readonly<Record<string, number>>>> | null
  readonly usdPerMillionTokens: TokenPrices | null
  /** USD for a request that searches the web; null: nothing is known. */
  readonly usdPerSearch: number | null
  readonly pixels: PixelRules | null
}

/** Another name for a model, perhaps with a tier for callers who name none. */
export interface Alias {
  readonly name: string
  readonly resolution?: Tier | undefined
}

/** One number for every picture, or one for each tier the model has. */
export type PerTier = number | Readonly<Partial<Record<Tier, number>>>

/** USD for a million tokens. Absent: not known. Thoughts are billed as `textOut`. */
export interface TokenPrices {
  readonly textIn?: number | undefined
  readonly imageIn?: number | undefined
  readonly textOut?: number | undefined
  readonly imageOut?: number | undefined
}

/** Which sizes in pixels a model takes: a few, or any within bounds. */
export type PixelRules =
  | { readonly kind: 'fixed'; readonly sizes: readonly Pixels[] }
  | {
      readonly kind: 'free'
      /** Both sides are multiples of this. */
      readonly multipleOf: number
      /** The longer side at most this many times the shorter. */
      readonly maxRatio: number
      readonly maxSide: number
      readonly minPixels: number
      readonly maxPixels: number
    }

/** A name that its vendor no longer serves. */
export interface Retired {
  /** May be a pattern: `imagen-*`. */
  readonly id: string
  /** Ids of living models, best first. */
  readonly successors: readonly string[]
}
