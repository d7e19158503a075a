/** What is wrong with the catalogue, and where: in words, and for the operator's own entries as a path into their file. */

/** Of an entry, or of something in it. */
export interface Place {
  /** Where people find it: `models.yaml: models[2] (gpt-image-2)`. */
  readonly name: string
  /** From the root of the operator's file: `['models', 2]`. Null: it is of the shipped list. */
  readonly path: readonly PropertyKey[] | null
}

export interface CatalogueMistake {
  readonly place: Place
  readonly problem: string
}

/** `steps`: from the place to what is wrong in it. */
export function mistakeAt({ name, path }: Place, steps: readonly PropertyKey[], problem: string): CatalogueMistake {
  const within = steps.map(step => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  return { place: { name: name + within, path: path && [...path, ...steps] }, problem }
}

export class CatalogueError extends Error {
  override readonly name = 'CatalogueError'
  readonly mistakes: readonly CatalogueMistake[]

  constructor(mistakes: readonly CatalogueMistake[]) {
    const lines = mistakes.map(({ place, problem }) => `${place.name}: ${problem}`)
    super(`The model catalogue has mistakes:\n${lines.join('\n')}`)
    this.mistakes = mistakes
  }
}
