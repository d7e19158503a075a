/** A model as one vendor offers it: what both the catalogue and the vendor's bounds allow. */
import type { Tier } from '../images/geometry.ts'
import type { Model } from './model.ts'

/** What a vendor takes of a model; absent: all that the model can. */
export interface VendorBounds {
  readonly ratios?: readonly string[]
  readonly tiers?: readonly Tier[]
  /** Reference pictures at most. */
  readonly references?: number
  readonly search?: boolean
}

/** The very model where the vendor sets no bounds. */
export function narrowed(model: Model, { ratios, tiers, references, search }: VendorBounds): Model {
  if (!ratios && !tiers && references === undefined && search === undefined) return model
  return {
    ...model,
    ratios: both(model.ratios, ratios),
    tiers: both(model.tiers, tiers),
    references: least(model.references, references),
    search: model.search && search !== false,
  }
}

function both<Value>(ours: readonly Value[] | null, theirs: readonly Value[] | undefined): readonly Value[] | null {
  if (!theirs || !ours) return theirs ?? ours
  return ours.filter(value => theirs.includes(value))
}

const least = (ours: number | null, theirs: number | undefined) =>
  ours === null || theirs === undefined ? (theirs ?? ours) : Math.min(ours, theirs)
