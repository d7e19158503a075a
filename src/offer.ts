/** Which models are offered here: what lists show to whom, what operators may call them, and what a request has to name. */
import type { CallerConfig, Config, RouteConfig } from './config/config.ts'
import type { ModelChoiceParts } from './gateway/model-choice.ts'
import type { RoutedModel } from './gateway/routing.ts'
import { coveredId, mayUse } from './models/access.ts'
import type { Catalogue } from './models/catalogue.ts'
import type { OfferedName } from './models/offered.ts'

export interface Offer {
  /** May a caller with these models use it (null: all), and does an upstream serve it? */
  isServedTo(callerModels: readonly string[] | null): (name: OfferedName) => boolean
  /** A request that names no model is served (null), or must name one: this, for instance. */
  readonly modelToName: string | null
  /** Ids of all models: what usage and limits know them by. */
  readonly modelIds: readonly string[]
  /** By any of the names that operators may write; null: nobody knows it. */
  modelIdOf(name: string): string | null
}

/** Operators name models as they like; routes and limits are found by ids. */
export function byModelIds(
  { callers, routing }: Pick<Config, 'callers' | 'routing'>,
  catalogue: Catalogue,
): { readonly callers: readonly CallerConfig[]; readonly routing: readonly RouteConfig[] } {
  const byId = <Named extends { readonly model: string }>(entries: readonly Named[]): readonly Named[] =>
    entries.map(entry => ({ ...entry, model: coveredId(entry.model, catalogue) }))
  return {
    callers: callers.map(caller => ({ ...caller, modelLimits: byId(caller.modelLimits ?? []) })),
    routing: byId(routing),
  }
}

export function createOffer({ catalogue, names, routing, settings }: ModelChoiceParts): Offer {
  const isServed = (model: RoutedModel) => routing(model).length > 0
  return {
    isServedTo: callerModels => name =>
      isServed(name.model) && mayUse(callerModels, catalogue.resolve(name.id), catalogue),
    modelToName: findModelToName(),
    modelIds: catalogue
      .list()
      .filter(({ isAlias }) => !isAlias)
      .map(({ id }) => id),
    modelIdOf: name => catalogue.resolve(name).model?.id ?? null,
  }

  /** Where there are but OpenAI's models, say, the usual default is none of them. */
  function findModelToName(): string | null {
    const { defaultModel, legacyAliases } = settings
    const { id, model } = catalogue.resolve(defaultModel, { legacyAliases, isServed })
    if (isServed({ id, protocol: model?.protocol ?? null })) return null
    return names.find(({ model: its }) => isServed(its))?.id ?? null
  }
}
