/** The names that lists show: those of the catalogue, and those that operators gave to models it does not know. */
import type { Catalogue } from './catalogue.ts'
import type { Model } from './model.ts'
import type { OwnNames } from './own-names.ts'

export interface OfferedName {
  readonly id: string
  readonly isAlias: boolean
  readonly model: Pick<Model, 'id' | 'name'> & {
    /** Null: a model that the catalogue does not know. */
    readonly protocol: Model['protocol'] | null
  }
}

/** Canonical ids, then aliases, then what the upstreams' own names add. */
export function offeredNames(catalogue: Catalogue, upstreams: readonly OwnNames[]): readonly OfferedName[] {
  const strangers = new Map(upstreams.flatMap(({ unknown }) => unknown.map(id => [id.toLowerCase(), id])))
  return [
    ...catalogue.list(),
    ...[...strangers.values()].map(id => ({ id, isAlias: false, model: { id, name: id, protocol: null } })),
  ]
}
