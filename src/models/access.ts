/** Which models a caller may use. */
import type { Catalogue, Resolution } from './catalogue.ts'
import { patternMatches } from './patterns.ts'

/**
 * May a caller with this list use the model that was resolved? A plain entry means the model it leads to, whatever that is
 * called; a pattern covers ids. Whoever may use a retired name may use what stands in for it. `null`: everything.
 */
export function mayUse(callerModels: readonly string[] | null, resolution: Resolution, catalogue: Catalogue): boolean {
  if (callerModels === null) return true
  const ids = [resolution.id, ...(resolution.successorOf === undefined ? [] : [resolution.successorOf])]
  return callerModels.some(entry => {
    const pattern = entry.includes('*') ? entry : catalogue.resolve(entry).id
    return ids.some(id => patternMatches(pattern, id))
  })
}
