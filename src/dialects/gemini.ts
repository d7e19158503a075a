/** What differs between the vendors who speak Gemini's protocol. */
import type { Dialect } from './dialect.ts'

export interface GeminiDialect extends Dialect {
  readonly protocol: 'gemini'
  /** What stands between the base address and `/{model}:{method}`. */
  readonly modelsPath: string
  /** How addresses begin that it reads by itself. */
  readonly readsFrom: readonly string[]
  /** Refuses contents that don't say whose they are. */
  readonly needsRole: boolean
  /** Reads no file whose type it is not told. */
  readonly needsFileType: boolean
  /** The special words of `imageConfig` that it knows: others refuse them. */
  readonly specialWords: readonly SpecialWord[]
}

/** What not every vendor takes in `imageConfig`. */
export const specialWords = ['imageOutputOptions', 'personGeneration', 'prominentPeople'] as const
export type SpecialWord = (typeof specialWords)[number]
