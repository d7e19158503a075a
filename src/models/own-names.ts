/** What an upstream calls models by its operator's word (`upstreams.*.models`), whichever of our names that was written under. */
import type { Catalogue, Resolution } from './catalogue.ts'
import { spellings, withoutPrefix } from './names.ts'

export interface OwnNames {
  /** Ids of the models that the catalogue does not know, as they were written. */
  readonly unknown: readonly string[]
  /** `id`: the vendor's, or an unknown name itself. */
  has(id: string): boolean
  /** What goes before the name that the vendor has for the model. */
  nameOf(resolution: Pick<Resolution, 'asked' | 'id' | 'model'>): string | undefined
}

/**
 * `written`: our name → its name. The name that a caller used goes before the model's id, so that one alias may lead elsewhere;
 * an alias that asks for more than the model by itself (`nano-banana-hd`) says nothing of the model's other names.
 */
export function ownNames(written: ReadonlyMap<string, string>, catalogue: Catalogue): OwnNames {
  const byName = new Map([...written].map(([ours, theirs]) => [ours.toLowerCase(), theirs]))
  const byId = new Map<string, string>()
  const unknown: string[] = []
  for (const [ours, theirs] of written) {
    const { id, model, defaults } = catalogue.resolve(ours)
    if (!model) unknown.push(id)
    const key = id.toLowerCase()
    if (!byId.has(key) && !defaults.resolution) byId.set(key, byName.get(key) ?? theirs)
  }
  return {
    unknown,
    has: id => byId.has(id.toLowerCase()),
    nameOf: ({ asked, id, model }) => {
      // Of a model that nobody else knows, routes and limits know the id alone: no other form of it may lead there.
      const forms = model ? spellings(withoutPrefix(asked, 'models/') ?? asked) : []
      return forms.flatMap(form => byName.get(form) ?? [])[0] ?? byId.get(id.toLowerCase())
    },
  }
}
