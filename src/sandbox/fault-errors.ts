/** The errors that a fault word can ask for, in Google's own words. */
import { type Detail, detail, GoogleError, type Status } from './errors.ts'

export const faultStatuses = [400, 401, 403, 404, 429, 500, 503, 504] as const
export type FaultStatus = (typeof faultStatuses)[number]

const texts: Readonly<Record<FaultStatus, readonly [Status, string]>> = {
  400: ['INVALID_ARGUMENT', 'Request contains an invalid argument.'],
  401: ['UNAUTHENTICATED', 'Request had invalid authentication credentials.'],
  403: ['PERMISSION_DENIED', 'The caller does not have permission'],
  404: ['NOT_FOUND', 'Requested entity was not found.'],
  429: ['RESOURCE_EXHAUSTED', 'Resource has been exhausted (e.g. check quota).'],
  500: [
    'INTERNAL',
    'An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
  ],
  503: ['UNAVAILABLE', 'The model is overloaded. Please try again later.'],
  504: ['DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.'],
}

/** What a fault word says beside the status. */
export interface FaultWords {
  /** How long Google would have the caller wait, as it writes it: `3s`. */
  readonly retryDelay: string | null
  readonly quota: 'minute' | 'day' | 'credits'
}

/** The wait stands in the details and in the text, never in a header: so does Google. */
export function faultError(status: FaultStatus, { quota, retryDelay }: FaultWords, model: string): GoogleError {
  const [name, text] = texts[status]
  const retry = retryDelay === null ? [] : [detail('RetryInfo', { retryDelay })]
  if (status !== 429) return new GoogleError(status, name, text, retry)
  if (quota === 'credits') {
    return new GoogleError(
      429,
      name,
      'Your prepayment credits are depleted. Please add credits to continue using the API.',
    )
  }
  const wait = retryDelay === null ? '' : ` Please retry in ${retryDelay}.`
  const message = `You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.${wait}`
  return new GoogleError(429, name, message, [quotaFailure(quota, model), help, ...retry])
}

const help = detail('Help', {
  links: [
    { description: 'Learn more about Gemini API quotas', url: 'https://ai.google.dev/gemini-api/docs/rate-limits' },
  ],
})

function quotaFailure(quota: 'minute' | 'day', model: string): Detail {
  return detail('QuotaFailure', {
    violations: [
      {
        quotaMetric: 'generativelanguage.googleapis.com/generate_content_requests',
        quotaId: `GenerateRequestsPer${quota === 'day' ? 'Day' : 'Minute'}PerProjectPerModel`,
        quotaDimensions: { location: 'global', model },
        quotaValue: quota === 'day' ? '250' : '10',
      },
    ],
  })
}
