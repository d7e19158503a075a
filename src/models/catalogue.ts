/** The models there are, by every name people call them. Pure: the same name always leads to the same model. */
import type { Tier } from '../images/geometry.ts'
import { type Entry, readEntries } from './entries.ts'
import { CatalogueError, type CatalogueMistake, mistakeAt } from './mistake.ts'
import type { Model, Retired } from './model.ts'
import { type Meaning, nameTable, spellings, withoutPrefix } from './names.ts'
import { patternMatches } from './patterns.ts'

export interface Catalogue {
  /**
   * The model a name means. Spelling: any case, with or without `models/` and a vendor's `google/` or `openai/` before it.
   * A name nobody knows is no error: it comes back as an id without a model, and whatever upstream gets it decides.
   */
  resolve(name: string, retirement?: Retirement): Resolution
  /** What model lists show: the ids of living models, then the aliases. Retired names are not shown. */
  list(): readonly ListedName[]
}

/** What is to become of names that vendors have retired. */
export interface Retirement {
  /** Let a living model stand in. */
  readonly legacyAliases: boolean
  /** Does an upstream serve this model? A stand-in that nobody serves is none. */
  isServed(model: Model): boolean
}

export interface Resolution {
  /** The name as the caller wrote it. */
  readonly asked: string
  /** The vendor's id; of an unknown name the name itself without `models/`. */
  readonly id: string
  readonly model: Model | null
  /** What the name asks for by itself: `nano-banana-hd` means 4K. */
  readonly defaults: Defaults
  /** The retired name that the model stands in for. */
  readonly successorOf?: string
}

export interface Defaults {
  readonly resolution?: Tier | undefined
}

export interface ListedName {
  readonly id: string
  readonly model: Model
  readonly isAlias: boolean
}

const nothingStandsIn: Retirement = { legacyAliases: false, isServed: () => false }

/**
 * Builds the catalogue from the text of config/models.yaml and the operator's own entries (`extra`, in the same form).
 * Throws one CatalogueError that lists every mistake with its place.
 */
export function loadCatalogue(yamlText: string, extra: readonly unknown[]): Catalogue {
  const mistakes: CatalogueMistake[] = []
  const entries = readEntries(yamlText, extra, mistakes)
  const names = nameTable(entries, mistakes)
  mistakes.push(...entries.flatMap(entry => strayNames(entry, names)))
  if (mistakes.length > 0) throw new CatalogueError(mistakes)

  const gone = entries.flatMap(entry => ('retired' in entry ? [entry.retired] : []))
  const list = listed(entries, names)
  return {
    resolve: (asked, retirement = nothingStandsIn) => {
      const name = withoutPrefix(asked, 'models/') ?? asked
      const meaning = meaningOf(name, names, gone)
      if (meaning && 'model' in meaning) {
        const { model, alias } = meaning
        return { asked, id: model.id, model, defaults: alias?.resolution ? { resolution: alias.resolution } : {} }
      }
      const model = meaning && retirement.legacyAliases && standIn(meaning.retired, retirement, names)
      if (model) return { asked, id: model.id, model, defaults: {}, successorOf: name }
      return { asked, id: name, model: null, defaults: {} }
    },
    list: () => list,
  }
}

/** A name that is written out goes before a pattern that covers it. */
function meaningOf(name: string, names: ReadonlyMap<string, Meaning>, gone: readonly Retired[]): Meaning | undefined {
  const forms = spellings(name)
  const written = forms.flatMap(form => names.get(form) ?? [])[0]
  if (written) return written
  const retired = gone.find(({ id }) => forms.some(form => patternMatches(id, form)))
  return retired && { retired }
}

/** The first living model among the successors, and theirs where they are retired too, that some upstream serves. */
function standIn(
  { id, successors }: Retired,
  retirement: Retirement,
  names: ReadonlyMap<string, Meaning>,
  seen: ReadonlySet<string> = new Set(),
): Model | undefined {
  if (seen.has(id)) return undefined
  for (const successor of successors) {
    const meaning = names.get(successor.toLowerCase())
    if (!meaning) continue
    const model =
      'model' in meaning ? meaning.model : standIn(meaning.retired, retirement, names, new Set([...seen, id]))
    if (model && retirement.isServed(model)) return model
  }
  return undefined
}

function strayNames(entry: Entry, names: ReadonlyMap<string, Meaning>): readonly CatalogueMistake[] {
  if ('model' in entry) return []
  return entry.retired.successors
    .filter(successor => !names.has(successor.toLowerCase()))
    .map(successor => mistakeAt(entry.place, ['successors'], `no model is called ${JSON.stringify(successor)}`))
}

function listed(entries: readonly Entry[], names: ReadonlyMap<string, Meaning>): readonly ListedName[] {
  const models = entries.flatMap(entry => ('model' in entry ? [entry.model] : []))
  const aliases = [...names.values()].flatMap(meaning =>
    'model' in meaning && meaning.alias ? [{ id: meaning.alias.name, model: meaning.model, isAlias: true }] : [],
  )
  return [...models.map(model => ({ id: model.id, model, isAlias: false })), ...aliases]
}
