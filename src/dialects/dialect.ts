/** What a vendor calls things within a protocol, and where it takes less than the protocol's own vendor. Data, with as little code as can be. */
import type { Tier } from '../images/geometry.ts'

export interface Dialect {
  readonly name: string
  readonly protocol: 'openai' | 'gemini'
  /** The header that carries a key; `authorization` as `Bearer`. */
  readonly keyHeader: 'authorization' | 'x-goog-api-key' | 'api-key'
  /** Answers as a stream of events where it is asked to. */
  readonly streams: boolean
  /** Counts the tokens of a call in Google's form. */
  readonly countsTokens?: boolean
  /**
   * Its name for a model of the catalogue; undefined: it does not serve it. `resolution`: the tier that is asked for, where
   * one is, since some sell a tier as a model of its own.
   */
  nameOf(model: KnownModel, resolution?: string): string | undefined
  /** Where it takes less of the model than the catalogue says; absent: as the catalogue says. */
  boundsOf(id: string): Bounds
}

export interface KnownModel {
  readonly id: string
  /** Of the model's own vendor. */
  readonly protocol: 'openai' | 'gemini'
}

export interface Bounds {
  readonly ratios?: readonly string[]
  readonly tiers?: readonly Tier[]
  /** Reference pictures at most. */
  readonly references?: number
  readonly search?: boolean
}

/** Of vendors who take all that the catalogue says. */
export const asInTheCatalogue = (): Bounds => ({})
