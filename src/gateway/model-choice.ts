/** From the name a caller used to the model it means and the upstreams that serve it to this caller. */
import { GatewayError } from '../images/error.ts'
import { mayUse } from '../models/access.ts'
import type { Catalogue, Resolution } from '../models/catalogue.ts'
import type { OfferedName } from '../models/offered.ts'
import { isModelName } from '../protocols/model-name.ts'
import type { Exchange } from './exchange.ts'
import type { ModelChoice, RoutedModel, Routing } from './routing.ts'

export interface ModelChoiceParts {
  readonly catalogue: Catalogue
  readonly names: readonly OfferedName[]
  readonly routing: Routing
  readonly settings: { readonly legacyAliases: boolean; readonly defaultModel: string }
}

/** `asked`: null is the default model. @throws GatewayError `model-unknown`, which lists what is served. */
export type ChooseModel = (exchange: Exchange, asked: string | null) => ModelChoice

export function createModelChoice({ catalogue, names, routing, settings }: ModelChoiceParts): ChooseModel {
  const { legacyAliases, defaultModel } = settings
  const isServed = ({ id, protocol }: RoutedModel) => routing({ id, protocol }).length > 0

  return ({ record, caller, headers }, asked) => {
    const resolution = catalogue.resolve(asked ?? defaultModel, { legacyAliases, isServed })
    const { id, model } = resolution
    record.modelAsked = asked
    record.model = id
    record.modelKnown = model !== null
    const isPossible = (model !== null || isModelName(id)) && mayUse(caller.models, resolution, catalogue)
    const candidates = isPossible ? routing({ id, protocol: model?.protocol ?? null }) : []
    if (candidates.length === 0) throw unknownModel(caller, resolution)
    headers.set('x-plantain-model', id)
    return { resolution, candidates }
  }

  function unknownModel(caller: Exchange['caller'], { asked }: Resolution): GatewayError {
    const served = names
      .filter(({ isAlias, model }) => !isAlias && isServed(model))
      .filter(({ id }) => mayUse(caller.models, catalogue.resolve(id), catalogue))
      .map(({ id }) => id)
    const list = served.length > 0 ? ` Models served here: ${served.join(', ')}.` : ''
    const message = `The model '${asked}' does not exist or you do not have access to it.${list}`
    return new GatewayError('model-unknown', message, { param: 'model' })
  }
}
