/** Ratios and resolution tiers: pure arithmetic on `16:9`, `1024x1536` and `2K`. */

export interface Pixels {
  readonly width: number
  readonly height: number
}

/** Reads `1536x1024` (also with `X`, `×` or `*`); null where it is none. */
export function parsePixels(text: string): Pixels | null {
  const match = /^(\d{1,6})[xX×*](\d{1,6})$/.exec(text)
  if (!match) return null
  const pixels = { width: Number(match[1]), height: Number(match[2]) }
  return pixels.width > 0 && pixels.height > 0 ? pixels : null
}

/** Reads `16:9`; null where it is none. */
export function parseRatio(text: string): number | null {
  const match = /^(\d{1,4}):(\d{1,4})$/.exec(text)
  if (!match) return null
  const [width, height] = [Number(match[1]), Number(match[2])]
  return width > 0 && height > 0 ? width / height : null
}

/** The ratio of the list that lies nearest on a logarithmic scale, so that 2:1 is as far from 1:1 as 1:2 is. */
export function nearestRatio({ width, height }: Pixels, ratios: readonly string[]): string | undefined {
  const wanted = Math.log(width / height)
  const distance = (ratio: string) => Math.abs(Math.log(parseRatio(ratio) ?? 1) - wanted)
  return ratios.toSorted((a, b) => distance(a) - distance(b))[0]
}

/** Resolution tiers from small to large. */
export const tiers = ['512', '1K', '2K', '4K'] as const
export type Tier = (typeof tiers)[number]

/** Reads a tier however it is spelt (`2k`, `0.5K`, `512px`, `512P`); null where it is none. */
export function parseTier(text: string): Tier | null {
  const upper = text.toUpperCase()
  if (upper === '0.5K' || upper === '512PX' || upper === '512P') return '512'
  return tiers.find(tier => tier === upper) ?? null
}

/** The tier that a picture of this many pixels belongs to: by the side of a square of its area. */
export function tierOf({ width, height }: Pixels): Tier {
  const side = Math.sqrt(width * height)
  if (side < 768) return '512'
  if (side < 1536) return '1K'
  if (side < 2800) return '2K'
  return '4K'
}

/** The tier of the list nearest to the wanted one; between two equally near, the larger. */
export function nearestTier(wanted: Tier, available: readonly Tier[]): Tier | undefined {
  const distance = (tier: Tier) => Math.abs(tiers.indexOf(tier) - tiers.indexOf(wanted))
  return available.toSorted((a, b) => distance(a) - distance(b) || tiers.indexOf(b) - tiers.indexOf(a))[0]
}
