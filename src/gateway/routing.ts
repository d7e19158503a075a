/** Which upstreams can serve a model, best first. Knows names and patterns, not health. */
import type { RouteConfig } from '../config/config.ts'
import { patternMatches } from '../models/patterns.ts'
import type { Outbound, ProtocolName } from '../protocols/protocol.ts'
import type { Upstream } from '../upstreams/upstream.ts'

/** An upstream with what routing needs to know of it. */
export interface Candidate {
  readonly upstream: Upstream
  readonly protocol: ProtocolName
  readonly outbound: Outbound
  /** Our name of a model → the upstream's own. */
  readonly modelNames: ReadonlyMap<string, string>
}

export interface RoutedModel {
  readonly id: string
  /** The protocol its vendor speaks; null: an id the catalogue does not know. */
  readonly protocol: ProtocolName | null
}

export type Routing = (model: RoutedModel) => readonly Candidate[]

/**
 * By the first route whose pattern matches; without routes, upstreams of the model's own protocol, and for an unknown id the
 * first upstream. Empty: nobody serves it.
 */
export function createRouting(candidates: readonly Candidate[], routes: readonly RouteConfig[]): Routing {
  const byName = new Map(candidates.map(candidate => [candidate.upstream.name, candidate]))
  return ({ id, protocol }) => {
    const serves = (candidate: Candidate) =>
      protocol === null || candidate.protocol === protocol || candidate.modelNames.has(id)
    const route = routes.find(({ model }) => patternMatches(model, id))
    if (route) return route.upstreams.flatMap(name => byName.get(name) ?? []).filter(serves)
    if (routes.length > 0) return []
    return protocol === null ? candidates.slice(0, 1) : candidates.filter(serves)
  }
}
