/**
 * From what is written to checked entries: the shipped list, then the operator's over it.
 * Every mistake is collected with its place, so that one look at the message is enough to mend them all.
 */
import { parseDocument } from 'yaml'
import { type CatalogueMistake, mistakeAt, type Place } from './mistake.ts'
import type { Alias, Model, Retired } from './model.ts'
import { readEntry } from './schema.ts'

/** An entry that was understood. */
export type Entry = {
  readonly place: Place
  /** Its id was not known before the operator wrote it. */
  readonly own: boolean
  /** Those the operator wrote come first. */
  readonly aliases: readonly (Alias & { readonly own: boolean })[]
} & ({ readonly model: Model } | { readonly retired: Retired })

type Raw = Readonly<Record<string, unknown>>

interface Written {
  readonly place: Place
  readonly by: 'product' | 'operator'
  /** Nobody had written its id before. */
  readonly own: boolean
  /** How many of its aliases the operator wrote. */
  readonly ownAliases: number
  readonly raw: Raw
}

/**
 * Reads both lists and fills `mistakes`. An operator's entry with a shipped id replaces the fields it gives and adds its
 * aliases; where it also changes the `state`, nothing but the aliases is left of what was shipped.
 */
export function readEntries(
  yamlText: string,
  extra: readonly unknown[],
  mistakes: CatalogueMistake[],
): readonly Entry[] {
  const written = new Map<string, Written>()
  const note = (value: unknown, by: Written['by'], place: Place) => {
    const result = layOver(written, value, by, place)
    if ('problem' in result) mistakes.push(result)
    else written.set(result.key, result)
  }
  for (const [index, value] of shippedList(yamlText, mistakes).entries()) {
    note(value, 'product', { name: `models.yaml: models[${index}]`, path: null })
  }
  for (const [index, value] of extra.entries()) {
    note(value, 'operator', { name: `models[${index}]`, path: ['models', index] })
  }
  return [...written.values()].flatMap(each => read(each, mistakes))
}

function shippedList(yamlText: string, mistakes: CatalogueMistake[]): readonly unknown[] {
  const place = { name: 'models.yaml', path: null }
  const document = parseDocument(yamlText)
  mistakes.push(...document.errors.map(error => mistakeAt(place, [], error.message)))
  if (document.errors.length > 0) return []

  const content: unknown = document.toJS()
  if (isRaw(content) && Array.isArray(content.models)) return content.models
  mistakes.push(mistakeAt(place, [], 'expected a list under `models:`'))
  return []
}

/** One entry laid over what it starts from: the shipped one of its id, or the one it is `like`. */
function layOver(
  written: ReadonlyMap<string, Written>,
  value: unknown,
  by: Written['by'],
  bare: Place,
): (Written & { readonly key: string }) | CatalogueMistake {
  if (!isRaw(value) || typeof value.id !== 'string') return mistakeAt(bare, [], 'expected an entry with an id')
  const { like, ...fields } = value
  const place = { ...bare, name: `${bare.name} (${value.id})` }
  const key = value.id.toLowerCase()
  const same = written.get(key)
  if (same?.by === by) return mistakeAt(place, [], `${same.place.name} has this id already`)
  const model = typeof like === 'string' ? written.get(like.toLowerCase())?.raw : undefined
  if (like !== undefined && (!model || model.state === 'retired')) {
    return mistakeAt(place, ['like'], `no model before this one has the id ${JSON.stringify(like)}`)
  }

  const base = model ? likeness(model) : same && stateOf(same.raw) === stateOf(fields) ? same.raw : {}
  // Aliases that are no list are left for the schema to refuse.
  const aliases = Array.isArray(fields.aliases ?? []) && {
    aliases: withOlder(listOf(fields.aliases), listOf(same?.raw.aliases)),
  }
  return {
    key,
    place,
    by,
    own: by === 'operator' && !same,
    ownAliases: by === 'operator' ? listOf(fields.aliases).length : 0,
    raw: { ...base, ...fields, ...aliases },
  }
}

/** The older aliases follow, but those that were written anew: perhaps with another default. */
function withOlder(fresh: readonly unknown[], older: readonly unknown[]): readonly unknown[] {
  const names = new Set(fresh.map(aliasName))
  return [...fresh, ...older.filter(alias => !names.has(aliasName(alias)))]
}

const aliasName = (alias: unknown) => (isRaw(alias) ? alias.name : alias)

/** Everything known of a model but its names. */
function likeness({ id: _id, name: _name, aliases: _aliases, ...rest }: Raw): Raw {
  return rest
}

const stateOf = (raw: Raw) => raw.state ?? 'living'
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function read({ place, own, ownAliases, raw }: Written, mistakes: CatalogueMistake[]): readonly Entry[] {
  const entry = readEntry(raw)
  if ('mistakes' in entry) {
    mistakes.push(...entry.mistakes.map(({ path, problem }) => mistakeAt(place, path, problem)))
    return []
  }
  return [
    { ...entry, place, own, aliases: entry.aliases.map((alias, index) => ({ ...alias, own: index < ownAliases })) },
  ]
}

function isRaw(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
