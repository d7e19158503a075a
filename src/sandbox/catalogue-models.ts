/** The sandbox's models out of the product's catalogue: every living model that speaks Gemini. */
import { tiers } from '../images/geometry.ts'
import type { Catalogue } from '../models/catalogue.ts'
import type { Model } from '../models/model.ts'
import { knownRatios, type SandboxModel } from './model.ts'

export function sandboxModels(catalogue: Catalogue): readonly SandboxModel[] {
  const models = catalogue.list().flatMap(({ isAlias, model }) => (isAlias ? [] : [model]))
  return models.filter(({ protocol }) => protocol === 'gemini').map(sandboxModel)
}

/** What the catalogue does not know, the sandbox allows. */
function sandboxModel(model: Model): SandboxModel {
  const { id, name, ratios, references, outputs, search, thinkingLevels, tokensPerImage } = model
  const itsTiers = model.tiers ?? tiers
  return {
    id,
    displayName: name,
    ratios: ratios ?? knownRatios,
    tiers: itsTiers,
    mediaType: outputs[0] === 'image/png' ? 'image/png' : 'image/jpeg',
    maxReferences: references,
    search,
    // Thinking and a choice of sizes came with the same generation of models.
    thinking: itsTiers.length > 0,
    thinkingLevels,
    tokensPerImage,
  }
}
