/** Which models an operator's words cover, and so which a caller may use. */
import type { Catalogue, Resolution } from './catalogue.ts'
import { patternMatches } from './patterns.ts'

/** A pattern covers ids and stays as it is; a plain name means the model it leads to, whatever that is called. */
export function coveredId(entry: string, catalogue: Pick<Catalogue, 'resolve'>): string {
  return entry.includes('*') ? entry : catalogue.resolve(entry).id
}

/**
 * May a caller with this list use the model that was resolved? Whoever may use a retired name may use what stands in for it.
 * `null`: everything.
 */
export function mayUse(callerModels: readonly string[] | null, resolution: Resolution, catalogue: Catalogue): boolean {
  if (callerModels === null) return true
  const ids = [resolution.id, ...(resolution.successorOf === undefined ? [] : [resolution.successorOf])]
  return callerModels.some(entry => {
    const pattern = coveredId(entry, catalogue)
    return ids.some(id => patternMatches(pattern, id))
  })
}
