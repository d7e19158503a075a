/** Google's error documents (google.rpc.Status): `code` is the HTTP status as a number, `status` its canonical name. */

export type Status =
  | 'INVALID_ARGUMENT'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'NOT_FOUND'
  | 'RESOURCE_EXHAUSTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'

/** One of `details`: a message with its type's address. */
export type Detail = { readonly '@type': string; readonly [field: string]: unknown }

/** Thrown anywhere in the sandbox, answered as it stands. */
export class GoogleError extends Error {
  readonly code: number
  readonly status: Status
  readonly details: readonly Detail[]

  constructor(code: number, status: Status, message: string, details: readonly Detail[] = []) {
    super(message)
    this.name = 'GoogleError'
    this.code = code
    this.status = status
    this.details = details
  }
}

export const invalid = (message: string, details: readonly Detail[] = []): GoogleError =>
  new GoogleError(400, 'INVALID_ARGUMENT', message, details)

export const detail = (type: string, fields: Readonly<Record<string, unknown>>): Detail => ({
  '@type': `type.googleapis.com/google.rpc.${type}`,
  ...fields,
})

export function errorDocument({ code, message, status, details }: GoogleError): object {
  return { error: { code, message, status, ...(details.length > 0 && { details }) } }
}

const service = 'generativelanguage.googleapis.com'

export function keyMissing(): GoogleError {
  return new GoogleError(
    403,
    'PERMISSION_DENIED',
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
  )
}

export function keyInvalid(): GoogleError {
  const message = 'API key not valid. Please pass a valid API key.'
  return invalid(message, [
    detail('ErrorInfo', { reason: 'API_KEY_INVALID', domain: 'googleapis.com', metadata: { service } }),
    detail('LocalizedMessage', { locale: 'en-US', message }),
  ])
}

/** A bearer token where a key is due: the sandbox knows no OAuth. */
export function tokenInvalid(): GoogleError {
  return new GoogleError(
    401,
    'UNAUTHENTICATED',
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.',
    [
      detail('ErrorInfo', {
        reason: 'ACCESS_TOKEN_TYPE_UNSUPPORTED',
        domain: 'googleapis.com',
        metadata: { service },
      }),
    ],
  )
}

export const routeMissing = (): GoogleError => new GoogleError(404, 'NOT_FOUND', 'Method not found.')

export function modelMissing(model: string, version: string, method: string): GoogleError {
  return new GoogleError(
    404,
    'NOT_FOUND',
    `models/${model} is not found for API version ${version}, or is not supported for ${method}. Call ListModels to see the list of available models and their supported methods.`,
  )
}
