/** Every name in the catalogue, and what it means. */
import type { Entry } from './entries.ts'
import { type CatalogueMistake, mistakeAt, type Place } from './mistake.ts'
import type { Alias, Model, Retired } from './model.ts'

/** What a name means. `alias` is absent where the name is an id. */
export type Meaning = { readonly alias?: Alias } & ({ readonly model: Model } | { readonly retired: Retired })

interface Claim {
  readonly name: string
  readonly own: boolean
  readonly place: Place
  /** From the entry to where it has the name. */
  readonly steps: readonly PropertyKey[]
  readonly meaning: Meaning
}

/**
 * Every name in lower case → what it means. Two meanings of one name are a mistake, with one exception:
 * a name the operator writes is taken from whatever shipped entry had it as an alias, or as a name that is retired.
 */
export function nameTable(entries: readonly Entry[], mistakes: CatalogueMistake[]): ReadonlyMap<string, Meaning> {
  const holders = new Map<string, Claim>()
  for (const claim of entries.flatMap(claimsOf).toSorted((a, b) => rank(a) - rank(b))) {
    const key = claim.name.toLowerCase()
    const holder = holders.get(key)
    if (!holder || (claim.own && canBeTaken(holder))) holders.set(key, claim)
    else {
      const problem = `${JSON.stringify(claim.name)} is already a name of ${idOf(holder.meaning)}`
      mistakes.push(mistakeAt(claim.place, claim.steps, problem))
    }
  }
  return new Map([...holders].map(([key, { meaning }]) => [key, meaning]))
}

function claimsOf(entry: Entry): readonly Claim[] {
  const target = 'model' in entry ? { model: entry.model } : { retired: entry.retired }
  const { place, own } = entry
  const aliases = entry.aliases.map((alias, index) => ({
    name: alias.name,
    own: alias.own,
    place,
    steps: ['aliases', index],
    meaning: { ...target, alias },
  }))
  return [{ name: idOf(target), own, place, steps: ['id'], meaning: target }, ...aliases]
}

/** What is shipped before what the operator says of it, and ids first: a clash is the alias's mistake. */
const rank = ({ own, meaning }: Claim) => (own ? 2 : 0) + (meaning.alias ? 1 : 0)
const canBeTaken = ({ own, meaning }: Claim) => !own && (meaning.alias !== undefined || 'retired' in meaning)
const idOf = (meaning: Meaning) => ('model' in meaning ? meaning.model.id : meaning.retired.id)

/**
 * The forms of a name to look up, as written first, in lower case: `google/x` is looked up as `x` too.
 * Vendors' prefixes are what clients of aggregators are used to write.
 */
export function spellings(name: string): readonly string[] {
  const whole = name.toLowerCase()
  return [whole, ...['google/', 'openai/'].flatMap(prefix => withoutPrefix(whole, prefix) ?? [])]
}

/** What follows the prefix, in whichever case that is written; null where it is not there. */
export function withoutPrefix(name: string, prefix: string): string | null {
  return name.slice(0, prefix.length).toLowerCase() === prefix ? name.slice(prefix.length) : null
}
