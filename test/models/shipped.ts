/** The catalogue that comes with the product, for tests about it. */
import { type Catalogue, loadCatalogue, type Retirement } from '../../src/models/catalogue.ts'
import type { Model, Protocol } from '../../src/models/model.ts'
import { readShippedCatalogue } from '../../src/models/shipped.ts'

export const yamlText = readShippedCatalogue()
export const catalogue = loadCatalogue(yamlText, [])

export function modelNamed(name: string, from: Catalogue = catalogue): Model {
  const { model } = from.resolve(name)
  if (!model) throw new Error(`The catalogue has no ${name}.`)
  return model
}

/** Retired names lead to living models of upstreams that serve all models of these vendors. */
export function speaking(...protocols: readonly Protocol[]): Retirement {
  return { legacyAliases: true, isServed: ({ protocol }) => protocols.includes(protocol) }
}
