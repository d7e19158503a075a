/** Which limits a call to an upstream falls under, by the key it is made with. */
import { createHash } from 'node:crypto'
import type { KeySettings, RateLimits, UpstreamConfig } from '../config/config.ts'
import type { RuleBook, Rules } from './rules.ts'

export type LimitedUpstream = Pick<UpstreamConfig, 'name' | 'keys' | 'keySettings' | 'limits' | 'projectLimits'>

/** A way to call: with this key, by its place in the list; null: the upstream has none, or any will do. */
export interface Way {
  readonly key: number | null
  readonly rules: Rules
}

/** The ways to call an upstream, each time beginning with the next key. */
export type UpstreamRules = (upstream: string) => readonly Way[]

export function createUpstreamRules(upstreams: readonly LimitedUpstream[], book: RuleBook): UpstreamRules {
  const ways = new Map(upstreams.map(upstream => [upstream.name, waysOf(upstream, book)]))
  const turns = new Map<string, number>()
  return name => {
    const its = ways.get(name) ?? []
    const turn = turns.get(name) ?? 0
    turns.set(name, (turn + 1) % Math.max(1, its.length))
    return [...its.slice(turn), ...its.slice(0, turn)]
  }
}

/** None where nothing is limited. */
function waysOf(upstream: LimitedUpstream, book: RuleBook): readonly Way[] {
  const { name, keys, keySettings = [], limits = {}, projectLimits = {} } = upstream
  const whole = book.ofLimits('upstream', name, limits, name)
  const projects = new Map<string | null, Rules>()
  const ofProject = (project: string | null) => {
    const known = projects.get(project) ?? projectRules(name, project, projectLimits, book)
    projects.set(project, known)
    return known
  }
  const ways = keys.map((key, index): Way => {
    const { project, limits: own }: KeySettings = keySettings[index] ?? { project: null, limits: {} }
    // Keys lie in no store, not even by a name that one could be guessed from: a part of their hash is enough.
    const owner = `${name}/key/${createHash('sha256').update(key).digest('hex').slice(0, 12)}`
    return { key: index, rules: [...whole, ...ofProject(project), ...book.ofLimits('upstream-key', owner, own, name)] }
  })
  const all = ways.length > 0 ? ways : [{ key: null, rules: [...whole, ...ofProject(null)] }]
  return all.some(({ rules }) => rules.length > 0) ? all : []
}

function projectRules(upstream: string, project: string | null, limits: RateLimits, book: RuleBook): Rules {
  return book.ofLimits('upstream-project', `${upstream}/project/${project ?? ''}`, limits, upstream)
}
