/** What pictures cost by the catalogue's figures. */
import type { Model, PerTier } from './model.ts'

export interface PicturesWanted {
  /** Absent: the model's own choice, which is about 1K. */
  readonly resolution?: string
  readonly count: number
}

/** USD for the pictures alone, without what is read; null where the catalogue has no price for them. */
export function picturesUsd({ usdPerImage }: Model, { resolution = '1K', count }: PicturesWanted): number | null {
  const each = usdPerImage === null ? null : priceAt(usdPerImage, resolution)
  return each === null ? null : Math.round(each * count * 1e6) / 1e6
}

const priceAt = (prices: PerTier, resolution: string): number | null =>
  typeof prices === 'number' ? prices : ((prices as Readonly<Record<string, number>>)[resolution] ?? null)
