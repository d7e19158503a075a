/** Google's paths: `…/models/{model}:{method}` in every form that its SDKs, Vertex and gateway users write. */
import { isModelName } from '../model-name.ts'

const methods = ['generateContent', 'streamGenerateContent', 'countTokens', 'predict'] as const
export type Method = (typeof methods)[number]
/** What Google's upstreams are called by; the last one is Imagen's, and always translated. */
export type RelayedMethod = Exclude<Method, 'predict'>

export interface MethodPath {
  readonly model: string
  /** As spelt: may be one that exists at Google and not here. */
  readonly method: string
}

const versions = '(?:v1/v1beta|v1beta1|v1beta|v1alpha|v1)'
const resource = new RegExp(
  `^/(?:${versions}/)?(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/([^/]+)/)?(?:models|tunedModels|dynamic)/(.+):([A-Za-z]+)$`,
)

/** Reads a path without its query. Null where it is no path of this form, or its model is no possible name. */
export function parseMethodPath(path: string): MethodPath | null {
  const match = resource.exec(decoded(path))
  const [, publisher = 'google', name = '', method = ''] = match ?? []
  // Google's SDK in Vertex mode makes `publishers/openai/models/x` of `openai/x`.
  const model = publisher === 'google' ? name : `${publisher}/${name}`
  // The path may have come percent-encoded (`models%2Fx%3AgenerateContent`), so what is decoded is checked again.
  return match && isModelName(model) ? { model, method } : null
}

export const isMethod = (method: string): method is Method => methods.some(known => known === method)

/** Does this path look like Google's, whatever its model is? Then its errors are in Google's envelope. */
export function isGooglePath(path: string): boolean {
  const plain = decoded(path)
  return (
    /:[A-Za-z]+$/.test(plain) ||
    /^\/(?:v1\/)?v1(?:beta1?|alpha)(?:\/(?!openai\/|images\/)|$)/.test(plain) ||
    /\/publishers\/[^/]+\//.test(plain)
  )
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
