/** Which call an HTTP request is, by Google's paths: `POST /v1beta/models/{id}:generateContent` and its kin. */
import { invalid } from './errors.ts'

export type Route =
  | {
      readonly call: 'generate'
      readonly model: string
      readonly version: string
      readonly stream: 'none' | 'sse' | 'array'
    }
  | { readonly call: 'count'; readonly model: string; readonly version: string }
  | { readonly call: 'unsupported'; readonly model: string; readonly version: string; readonly method: string }
  | { readonly call: 'list'; readonly pageSize: number; readonly pageToken: string | null }
  | { readonly call: 'get'; readonly model: string; readonly version: string }

/** The target that the first line named; null where it is no path of ours to read. */
export function readTarget(target: string): URL | null {
  // `//host/x` would be read as another host's address.
  return target.startsWith('/') ? URL.parse(`http://sandbox${target}`) : null
}

/** Null: Google has no such path. Throws 400 for a query it does not know. */
export function readRoute(method: string | undefined, { pathname, searchParams }: URL): Route | null {
  const match = /^\/(v1beta|v1alpha|v1)\/models(?:\/([^/]+))?$/.exec(decode(pathname) ?? '')
  if (!match) return null
  const [, version = '', name] = match
  if (method === 'GET') {
    if (name !== undefined) {
      checkQuery(searchParams, [])
      return { call: 'get', model: name, version }
    }
    checkQuery(searchParams, ['pageSize', 'page_size', 'pageToken', 'page_token'])
    return { call: 'list', ...readPage(searchParams) }
  }
  const [, model, action] = /^(.+):(\w+)$/.exec(name ?? '') ?? []
  if (method !== 'POST' || model === undefined || action === undefined) return null
  checkQuery(searchParams, [])
  switch (action) {
    case 'generateContent':
      return { call: 'generate', model, version, stream: 'none' }
    case 'streamGenerateContent':
      return { call: 'generate', model, version, stream: searchParams.get('alt') === 'sse' ? 'sse' : 'array' }
    case 'countTokens':
      return { call: 'count', model, version }
    default:
      return { call: 'unsupported', model, version, method: action }
  }
}

function decode(path: string): string | null {
  try {
    return decodeURIComponent(path)
  } catch {
    return null
  }
}

/** What every call of Google's takes in its query. */
const commonQuery = [
  'key',
  'alt',
  '$alt',
  'prettyPrint',
  '$prettyPrint',
  'fields',
  '$fields',
  'access_token',
  'quotaUser',
]

function checkQuery(query: URLSearchParams, own: readonly string[]): void {
  const unknown = [...query.keys()].find(name => !commonQuery.includes(name) && !own.includes(name))
  if (unknown === undefined) return
  throw invalid(
    `Invalid JSON payload received. Unknown name "${unknown}": Cannot bind query parameter. Field '${unknown}' could not be found in request message.`,
  )
}

function readPage(query: URLSearchParams): { readonly pageSize: number; readonly pageToken: string | null } {
  const asked = query.get('pageSize') ?? query.get('page_size')
  if (asked !== null && !/^\d{1,9}$/.test(asked)) {
    throw invalid(`Invalid value at 'page_size' (TYPE_INT32), ${JSON.stringify(asked)}`)
  }
  return { pageSize: Math.min(1000, Number(asked) || 50), pageToken: query.get('pageToken') ?? query.get('page_token') }
}
