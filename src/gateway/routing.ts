/** Which upstreams can serve a model, best first. Knows names and patterns, not health. */
import type { RouteConfig } from '../config/config.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { Resolution } from '../models/catalogue.ts'
import type { OwnNames } from '../models/own-names.ts'
import { patternMatches } from '../models/patterns.ts'
import type { Outbound, ProtocolName } from '../protocols/protocol.ts'
import type { Upstream } from '../upstreams/upstream.ts'

/** An upstream with what routing needs to know of it. */
export interface Candidate {
  readonly upstream: Upstream
  readonly protocol: ProtocolName
  readonly dialect: Dialect
  readonly outbound: Outbound
  /** Where it is: its answers may name pictures there. */
  readonly origin: string
  /** The operator's word on what it calls models. */
  readonly modelNames: OwnNames
}

export interface RoutedModel {
  readonly id: string
  /** The protocol its vendor speaks; null: an id the catalogue does not know. */
  readonly protocol: ProtocolName | null
}

/** The model that a request means, and who can serve it. */
export interface ModelChoice {
  readonly resolution: Resolution
  /** At least one, best first. */
  readonly candidates: readonly Candidate[]
}

export type Routing = (model: RoutedModel) => readonly Candidate[]

/**
 * By the first route whose pattern matches; without routes, upstreams of the model's own protocol and then the others that
 * have it, and for an unknown id the first upstream. An id that is known by some upstreams' `models` alone is theirs. Empty:
 * nobody serves it.
 */
export function createRouting(candidates: readonly Candidate[], routes: readonly RouteConfig[]): Routing {
  const byName = new Map(candidates.map(candidate => [candidate.upstream.name, candidate]))
  return ({ id, protocol }) => {
    const serves = ({ modelNames, dialect }: Candidate) =>
      protocol === null || modelNames.has(id) || dialect.nameOf({ id, protocol }) !== undefined
    const route = routes.find(({ model }) => patternMatches(model, id))
    if (!route && routes.length > 0) return []
    const among = route ? route.upstreams.flatMap(name => byName.get(name) ?? []) : candidates
    if (protocol === null) {
      const named = among.filter(({ modelNames }) => modelNames.has(id))
      if (named.length > 0) return named
    }
    if (route) return among.filter(serves)
    if (protocol === null) return candidates.slice(0, 1)
    const serving = candidates.filter(serves)
    const isOwn = (candidate: Candidate) => candidate.protocol === protocol
    return [...serving.filter(isOwn), ...serving.filter(candidate => !isOwn(candidate))]
  }
}
