/**
 * From what is written to checked entries: the shipped list, then the operator's over it.
 * Every mistake is collected with its place, so that one look at the message is enough to mend them all.
 */
import { parseDocument } from 'yaml'
import type { Alias, Model, Retired } from './model.ts'
import { readEntry } from './schema.ts'

/** An entry that was understood. */
export type Entry = {
  /** Where people find it: `models[2] (gpt-image-2)`. */
  readonly place: string
  /** Its id was not known before the operator wrote it. */
  readonly own: boolean
  /** Those the operator wrote come first. */
  readonly aliases: readonly (Alias & { readonly own: boolean })[]
} & ({ readonly model: Model } | { readonly retired: Retired })

type Raw = Readonly<Record<string, unknown>>

interface Written {
  readonly place: string
  readonly by: 'us' | 'operator'
  readonly own: boolean
  /** How many of its aliases the operator wrote. */
  readonly ownAliases: number
  readonly raw: Raw
}

/**
 * Reads both lists and fills `mistakes`.
 * An operator's entry with a shipped id replaces the fields it gives and adds its aliases; with another `state` it replaces all but the aliases.
 */
export function readEntries(yamlText: string, extra: readonly unknown[], mistakes: string[]): readonly Entry[] {
  const written = new Map<string, Written>()
  for (const [index, value] of shippedList(yamlText, mistakes).entries()) {
    write(written, value, 'us', `models.yaml: models[${index}]`, mistakes)
  }
  for (const [index, value] of extra.entries()) write(written, value, 'operator', `models[${index}]`, mistakes)
  return [...written.values()].flatMap(each => read(each, mistakes))
}

function shippedList(yamlText: string, mistakes: string[]): readonly unknown[] {
  const document = parseDocument(yamlText)
  mistakes.push(...document.errors.map(error => `models.yaml: ${error.message}`))
  if (document.errors.length > 0) return []

  const content: unknown = document.toJS()
  if (isRaw(content) && Array.isArray(content.models)) return content.models
  mistakes.push('models.yaml: expected a list under `models:`')
  return []
}

/** Notes one entry, laid over what it starts from: the shipped one of its id, or the one it is `like`. */
function write(
  written: Map<string, Written>,
  value: unknown,
  by: Written['by'],
  bare: string,
  mistakes: string[],
): void {
  if (!isRaw(value) || typeof value.id !== 'string') {
    mistakes.push(`${bare}: expected an entry with an id`)
    return
  }
  const { like, ...fields } = value
  const place = `${bare} (${value.id})`
  const key = value.id.toLowerCase()
  const same = written.get(key)
  if (same?.by === by) {
    mistakes.push(`${place}: ${same.place} has this id already`)
    return
  }
  const model = typeof like === 'string' ? written.get(like.toLowerCase())?.raw : undefined
  if (like !== undefined && (!model || model.state === 'retired')) {
    mistakes.push(`${place}.like: no model before this one has the id ${JSON.stringify(like)}`)
    return
  }
  const aliases = listOf(fields.aliases)
  written.set(key, {
    place,
    by,
    own: by === 'operator' && !same,
    ownAliases: by === 'operator' ? aliases.length : 0,
    raw: {
      ...(model ? likeness(model) : same && stateOf(same.raw) === stateOf(fields) && same.raw),
      ...fields,
      // A list that is none is left for the schema to refuse.
      ...(Array.isArray(fields.aliases ?? []) && { aliases: [...aliases, ...listOf(same?.raw.aliases)] }),
    },
  })
}

/** Everything known of a model but its names. */
function likeness({ id: _id, name: _name, aliases: _aliases, ...rest }: Raw): Raw {
  return rest
}

const stateOf = (raw: Raw) => raw.state ?? 'living'
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function read({ place, own, ownAliases, raw }: Written, mistakes: string[]): readonly Entry[] {
  const entry = readEntry(raw)
  if ('mistakes' in entry) {
    mistakes.push(...entry.mistakes.map(mistake => `${place}${mistake.place}: ${mistake.message}`))
    return []
  }
  return [
    { ...entry, place, own, aliases: entry.aliases.map((alias, index) => ({ ...alias, own: index < ownAliases })) },
  ]
}

function isRaw(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
