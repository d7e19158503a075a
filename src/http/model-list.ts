/** The model lists of both APIs: what the caller may use, canonical ids first, then aliases, then what operators alone know. */
import { GatewayError } from '../images/error.ts'
import type { Catalogue } from '../models/catalogue.ts'
import type { OfferedName } from '../models/offered.ts'

/** What a caller may choose from. */
export interface Shelf {
  readonly catalogue: Catalogue
  readonly names: readonly OfferedName[]
  /** May be used by the caller and is served by an upstream. */
  readonly isServed: (name: OfferedName) => boolean
  /** Told as the time at which each model came, for clients that sort by it. */
  readonly createdSeconds: number
}

export type ListModels = (shelf: Shelf, query: URLSearchParams) => object
/** @throws GatewayError `model-unknown`. */
export type TellModel = (shelf: Shelf, name: string) => object

/** Both lists in one object, which the SDKs of both sides read: `/v1/models` is a path of both. */
export const unionList: ListModels = (shelf, query) => {
  const { names, next } = page(shelf, query)
  return { object: 'list', data: names.map(name => openaiEntry(name, shelf)), models: names.map(geminiEntry), ...next }
}

export const geminiList: ListModels = (shelf, query) => {
  const { names, next } = page(shelf, query)
  return { models: names.map(geminiEntry), ...next }
}

/** Vertex' list: https://cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/publishers.models/list */
export const publisherList: ListModels = (shelf, query) => {
  const { names, next } = page(shelf, query)
  return { publisherModels: names.map(vertexEntry), ...next }
}

export const unionModel: TellModel = (shelf, name) => {
  const found = find(shelf, name)
  return { ...geminiEntry(found), ...openaiEntry(found, shelf) }
}

export const geminiModel: TellModel = (shelf, name) => geminiEntry(find(shelf, name))

export const publisherModel: TellModel = (shelf, name) => vertexEntry(find(shelf, name))

function find({ catalogue, names, isServed }: Shelf, asked: string): OfferedName {
  const { id, model } = catalogue.resolve(asked)
  const name = asked.replace(/^models\//i, '')
  const isMeant = (other: string) => other.toLowerCase() === id.toLowerCase()
  const found = model ? { id: name, model, isAlias: !isMeant(name) } : names.find(({ id: its }) => isMeant(its))
  if (found && isServed(found)) return found
  const shown = asked.length > 256 ? `${asked.slice(0, 256)}…` : asked
  throw new GatewayError('model-unknown', `The model '${shown}' does not exist or you do not have access to it.`, {
    param: 'model',
  })
}

const longestPage = 1000

function page(
  { names: all, isServed }: Shelf,
  query: URLSearchParams,
): { names: readonly OfferedName[]; next: { nextPageToken?: string } } {
  const names = all.filter(isServed)
  // Google's clients send 0 for «as many as you like».
  const size = wholeNumber('pageSize', query.get('pageSize')) || longestPage
  const start = wholeNumber('pageToken', query.get('pageToken'))
  const end = start + Math.min(size, longestPage)
  return { names: names.slice(start, end), next: end < names.length ? { nextPageToken: String(end) } : {} }
}

function wholeNumber(param: string, text: string | null): number {
  if (text === null || text === '') return 0
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new GatewayError('invalid-request', `Invalid value for '${param}': '${text.slice(0, 40)}'.`, {
    param,
    code: 'invalid_value',
  })
}

/** `supported_endpoint_types` is what some clients choose image models by. */
const openaiEntry = ({ id, model }: OfferedName, { createdSeconds: created }: Shelf) => ({
  id,
  object: 'model',
  created,
  owned_by: ownerOf(model),
  supported_endpoint_types: ['image-generation', 'openai', 'gemini'],
})

function ownerOf({ protocol }: OfferedName['model']): string {
  if (protocol === null) return 'custom'
  return protocol === 'gemini' ? 'google' : 'openai'
}

const geminiEntry = ({ id, model, isAlias }: OfferedName) => ({
  name: `models/${id}`,
  ...(isAlias && { baseModelId: model.id }),
  version: '001',
  displayName: model.name,
  description: isAlias ? `${model.name}: another name of ${model.id}.` : `${model.name}: makes and edits images.`,
  supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens', 'predict'],
})

const vertexEntry = ({ id, model }: OfferedName) => ({
  name: `publishers/google/models/${id}`,
  versionId: 'default',
  openSourceCategory: 'PROPRIETARY',
  publisherModelTemplate: model.name,
})
