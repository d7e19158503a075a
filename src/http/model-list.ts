/** The model lists of both APIs: what the caller may use, canonical ids first, then aliases. */

import { GatewayError } from '../images/error.ts'
import type { Catalogue, ListedName } from '../models/catalogue.ts'

/** May be used by the caller and is served by an upstream. */
export type IsServed = (name: ListedName) => boolean

const longestPage = 1000

/** Both lists in one object, which the SDKs of both sides read: `/v1/models` is a path of both. */
export function unionList(catalogue: Catalogue, isServed: IsServed, query: URLSearchParams, created: number): object {
  const { names, next } = page(catalogue.list().filter(isServed), query)
  return {
    object: 'list',
    data: names.map(name => openaiModel(name, created)),
    models: names.map(geminiModel),
    ...next,
  }
}

export function geminiList(catalogue: Catalogue, isServed: IsServed, query: URLSearchParams): object {
  const { names, next } = page(catalogue.list().filter(isServed), query)
  return { models: names.map(geminiModel), ...next }
}

/** Vertex' list: https://cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/publishers.models/list */
export function publisherList(catalogue: Catalogue, isServed: IsServed, query: URLSearchParams): object {
  const { names, next } = page(catalogue.list().filter(isServed), query)
  return {
    publisherModels: names.map(({ id, model }) => ({
      name: `publishers/google/models/${id}`,
      versionId: 'default',
      openSourceCategory: 'PROPRIETARY',
      publisherModelTemplate: model.name,
    })),
    ...next,
  }
}

/** @throws GatewayError `model-unknown`. */
export function unionModel(catalogue: Catalogue, isServed: IsServed, id: string, created: number): object {
  const found = find(catalogue, isServed, id)
  return { ...geminiModel(found), ...openaiModel(found, created) }
}

/** @throws GatewayError `model-unknown`. */
export function oneGeminiModel(catalogue: Catalogue, isServed: IsServed, id: string): object {
  return geminiModel(find(catalogue, isServed, id))
}

function find(catalogue: Catalogue, isServed: IsServed, asked: string): ListedName {
  const { id, model } = catalogue.resolve(asked)
  const found = model && { id: asked.replace(/^models\//, ''), model, isAlias: asked !== id }
  if (found && isServed(found)) return found
  throw new GatewayError('model-unknown', `The model '${asked}' does not exist or you do not have access to it.`, {
    param: 'model',
  })
}

function page(
  names: readonly ListedName[],
  query: URLSearchParams,
): { names: readonly ListedName[]; next: { nextPageToken?: string } } {
  const size = wholeNumber('pageSize', query.get('pageSize'), names.length)
  const start = wholeNumber('pageToken', query.get('pageToken'), 0)
  const end = start + Math.min(Math.max(1, size), longestPage)
  return { names: names.slice(start, end), next: end < names.length ? { nextPageToken: String(end) } : {} }
}

function wholeNumber(param: string, text: string | null, otherwise: number): number {
  if (text === null || text === '') return otherwise
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new GatewayError('invalid-request', `Invalid value for '${param}': '${text.slice(0, 40)}'.`, {
    param,
    code: 'invalid_value',
  })
}

/** `supported_endpoint_types` is what some clients choose image models by. */
const openaiModel = ({ id, model }: ListedName, created: number) => ({
  id,
  object: 'model',
  created,
  owned_by: model.protocol === 'gemini' ? 'google' : 'openai',
  supported_endpoint_types: ['image-generation', 'openai', 'gemini'],
})

const geminiModel = ({ id, model, isAlias }: ListedName) => ({
  name: `models/${id}`,
  ...(isAlias && { baseModelId: model.id }),
  version: '001',
  displayName: model.name,
  description: isAlias ? `${model.name}: another name of ${model.id}.` : `${model.name}: makes and edits images.`,
  supportedGenerationMethods: ['generateContent', 'countTokens'],
})
