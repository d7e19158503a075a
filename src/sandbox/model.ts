/** What the sandbox knows of a model: its abilities, the pixels of its pictures and the tokens they count as. */
import { nearestRatio, type Pixels, parseRatio, type Tier } from '../images/geometry.ts'

export interface SandboxModel {
  readonly id: string
  readonly displayName: string
  readonly ratios: readonly string[]
  /** Empty: one fixed size near 1K, as `gemini-2.5-flash-image` has. */
  readonly tiers: readonly Tier[]
  readonly mediaType: 'image/png' | 'image/jpeg'
  /** Null: no bound. */
  readonly maxReferences: number | null
  readonly search: boolean
  readonly thinking: boolean
  /** `minimal`, `high`: what may be asked for; empty: it thinks as it likes. */
  readonly thinkingLevels: readonly string[]
  /** Output tokens of one picture; null: not known, 1120 is counted. */
  readonly tokensPerImage: number | Readonly<Partial<Record<Tier, number>>> | null
}

export const isFixed = (model: SandboxModel): boolean => model.tiers.length === 0

/** Pixels at 1K; the other tiers are a half, twice and four times as long. Source: Google's image generation guide. */
const pixelsAt1K: Readonly<Record<string, Pixels>> = {
  '1:1': { width: 1024, height: 1024 },
  '1:4': { width: 512, height: 2048 },
  '1:8': { width: 384, height: 3072 },
  '2:3': { width: 848, height: 1264 },
  '3:2': { width: 1264, height: 848 },
  '3:4': { width: 896, height: 1200 },
  '4:1': { width: 2048, height: 512 },
  '4:3': { width: 1200, height: 896 },
  '4:5': { width: 928, height: 1152 },
  '5:4': { width: 1152, height: 928 },
  '8:1': { width: 3072, height: 384 },
  '9:16': { width: 768, height: 1376 },
  '16:9': { width: 1376, height: 768 },
  '21:9': { width: 1584, height: 672 },
}

/** The one size of models without tiers, from the same page. */
const fixedPixels: Readonly<Record<string, Pixels>> = {
  '1:1': { width: 1024, height: 1024 },
  '2:3': { width: 832, height: 1248 },
  '3:2': { width: 1248, height: 832 },
  '3:4': { width: 864, height: 1184 },
  '4:3': { width: 1184, height: 864 },
  '4:5': { width: 896, height: 1152 },
  '5:4': { width: 1152, height: 896 },
  '9:16': { width: 768, height: 1344 },
  '16:9': { width: 1344, height: 768 },
  '21:9': { width: 1536, height: 672 },
}

/** Every ratio that some model has, in the order of Google's error text. */
export const knownRatios: readonly string[] = Object.keys(pixelsAt1K)

const lengthOf: Readonly<Record<Tier, number>> = { '512': 0.5, '1K': 1, '2K': 2, '4K': 4 }

/** The true size of the model's picture. A ratio that stands in no table gets as many pixels as a square. */
export function pixelsOf(model: SandboxModel, ratio: string, tier: Tier): Pixels {
  if (isFixed(model)) return fixedPixels[ratio] ?? unlisted(ratio)
  const { width, height } = pixelsAt1K[ratio] ?? unlisted(ratio)
  return { width: width * lengthOf[tier], height: height * lengthOf[tier] }
}

function unlisted(ratio: string): Pixels {
  const stretch = Math.sqrt(parseRatio(ratio) ?? 1)
  return { width: Math.round(128 * stretch) * 8, height: Math.round(128 / stretch) * 8 }
}

/** The ratio of a picture nobody asked a ratio for: the first reference's; else square, or on models with tiers what suits the prompt. */
export function ratioFor(model: SandboxModel, prompt: string, reference: Pixels | undefined): string {
  if (reference) return nearestRatio(reference, model.ratios) ?? '1:1'
  if (isFixed(model)) return '1:1'
  const upright = /\b(portrait|poster|phone|tall|story)\b/i.test(prompt)
  const square = /\b(logo|icon|avatar|square|sticker)\b/i.test(prompt)
  const wanted = upright ? '3:4' : square ? '1:1' : '16:9'
  return model.ratios.includes(wanted) ? wanted : '1:1'
}

export function imageTokens({ tokensPerImage }: SandboxModel, tier: Tier): number {
  return (typeof tokensPerImage === 'number' ? tokensPerImage : tokensPerImage?.[tier]) ?? 1120
}

export const mediaResolutions = [
  'MEDIA_RESOLUTION_UNSPECIFIED',
  'MEDIA_RESOLUTION_LOW',
  'MEDIA_RESOLUTION_MEDIUM',
  'MEDIA_RESOLUTION_HIGH',
] as const
export type MediaResolution = (typeof mediaResolutions)[number]

/** Input tokens of one reference: models with tiers look closer where they are asked to. */
export function referenceTokens(model: SandboxModel, resolution: MediaResolution): number {
  if (isFixed(model)) return 258
  switch (resolution) {
    case 'MEDIA_RESOLUTION_LOW':
      return 280
    case 'MEDIA_RESOLUTION_HIGH':
      return 1120
    default:
      return 560
  }
}

/** Four letters a token, as Google's own rule of thumb says. */
export const textTokens = (text: string): number => Math.ceil(text.length / 4)
