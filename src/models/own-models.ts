/** The operator's own entries (`models:` of gateway.yaml) against the catalogue, for whoever reads the file they stand in. */
import { loadCatalogue } from './catalogue.ts'
import { CatalogueError } from './mistake.ts'
import { readShippedCatalogue } from './shipped.ts'

export interface OwnMistake {
  /** From the root of the file: `['models', 0, 'protocol']`. */
  readonly path: readonly PropertyKey[]
  readonly problem: string
}

/** Everything that would keep these entries from being taken. */
export function mistakesInOwnModels(models: readonly unknown[]): readonly OwnMistake[] {
  try {
    if (models.length > 0) loadCatalogue(readShippedCatalogue(), models)
    return []
  } catch (error) {
    if (!(error instanceof CatalogueError)) throw error
    return error.mistakes.flatMap(({ place: { path }, problem }) => (path ? [{ path, problem }] : []))
  }
}
