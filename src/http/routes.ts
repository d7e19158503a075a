/** The addresses of the public listener, and which methods each takes. */
import { assetFolder } from '../assets/signed-url.ts'
import { isMethod, parseMethodPath } from '../protocols/gemini/index.ts'
import { isModelName } from '../protocols/model-name.ts'
import type { Operation } from '../protocols/protocol.ts'
import {
  geminiList,
  geminiModel,
  type ListModels,
  publisherList,
  publisherModel,
  type TellModel,
  unionList,
  unionModel,
} from './model-list.ts'

/** Every form of a base address that people set in OpenAI's clients, Azure's and Google's among them. */
export const imagePaths = [
  '/v1/images',
  '/images',
  '/openai/v1/images',
  '/openai/images', // Azure's SDKs, where neither a deployment nor a model is named.
  '/v1beta/openai/images',
  '/v1beta1/images',
]
/** Pictures that were answered by URL. */
export const assetPaths = `${assetFolder}*`
export const deploymentPath = '/openai/deployments/:model/images'

export const operations: readonly (readonly [string, Operation])[] = [
  ['generations', 'generate'],
  ['edits', 'edit'],
]

interface ModelRoutes {
  readonly paths: readonly string[]
  readonly list: ListModels
  /** Below the list, by the model's name. */
  readonly one: TellModel
}

const publisherPaths = ['/v1beta1', '/v1', ''].flatMap(version =>
  ['google', 'openai'].map(publisher => `${version}/publishers/${publisher}/models`),
)

export const modelRoutes: readonly ModelRoutes[] = [
  {
    paths: ['/v1/models', '/models', '/openai/v1/models', '/openai/models', '/v1beta/openai/models'],
    list: unionList,
    one: unionModel,
  },
  { paths: ['/v1beta/models', '/v1alpha/models', '/v1/v1beta/models'], list: geminiList, one: geminiModel },
  { paths: publisherPaths, list: publisherList, one: publisherModel },
]

/** A call of a model's method, in any of Google's forms. */
export const isCallPath = (path: string): boolean => {
  const found = parseMethodPath(path)
  return found !== null && isMethod(found.method)
}

const operationPath = /^(.+)\/(?:generations|edits)$/
const deployment = /^\/openai\/deployments\/[^/]+\/images$/
const readPaths: ReadonlySet<string> = new Set(['/healthz', ...modelRoutes.flatMap(({ paths }) => paths)])
const modelFolders = modelRoutes.flatMap(({ paths }) => paths.map(path => `${path}/`))

/** Empty: there is nothing at this path. */
export function methodsAt(path: string): readonly string[] {
  if (isCallPath(path)) return ['POST']
  const images = operationPath.exec(path)?.[1] ?? ''
  if (imagePaths.includes(images) || deployment.test(images)) return ['POST']
  const isModel = modelFolders.some(start => path.startsWith(start) && isName(path, start.length))
  const isRead = readPaths.has(path) || isModel || path.startsWith(assetFolder)
  return isRead ? ['GET', 'HEAD'] : []
}

// A method that is not served (`models/x:predict`) is no model's name either: such a path is not there at all.
function isName(path: string, start: number): boolean {
  try {
    return isModelName(decodeURIComponent(path.slice(start)))
  } catch {
    return false
  }
}
