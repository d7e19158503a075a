/** OpenAI's error envelope, and its words for what is wrong with a request (platform.openai.com, error codes; messages as users report them). */

import { badGatewayReply, type FakeAnswer, json, Refused, type Reply } from './contract.ts'
import type { Fault } from './fields.ts'

export interface OpenAIError {
  readonly message: string
  readonly type?: string | null
  readonly param?: string | null
  readonly code?: string | null
  readonly [more: string]: unknown
}

/** All four keys are always there. */
export function openaiReply(status: number, error: OpenAIError, headers: Readonly<Record<string, string>> = {}): Reply {
  return json(status, { error: { type: 'invalid_request_error', param: null, code: null, ...error } }, headers)
}

export const refuse = (status: number, error: OpenAIError): Refused =>
  new Refused(error.message, openaiReply(status, error))

export const invalidValue = (param: string, message: string, code = 'invalid_value'): Refused =>
  refuse(400, { message, param, code })

export const modelNotFound = (model: string): Refused =>
  refuse(404, {
    message: `The model '${model}' does not exist or you do not have access to it.`,
    param: 'model',
    code: 'model_not_found',
  })

export const unsupportedContentType = (got: string, wanted: string): Refused =>
  refuse(400, {
    message: `Unsupported content type: '${got}'. This API method only accepts '${wanted}' requests, but you specified the header 'Content-Type: ${got}'. Please try again with a supported content type.`,
    code: 'unsupported_content_type',
  })

export const unreadable = (problem: string): Refused =>
  refuse(400, {
    message: `We could not parse the body of your request. (HINT: This likely means you aren't using your HTTP library correctly. ${problem})`,
  })

export function asOpenAI(fault: Fault): Refused {
  const { field } = fault
  switch (fault.why) {
    case 'unknown':
      return invalidValue(field, `Unknown parameter: '${field}'.`, 'unknown_parameter')
    case 'missing':
      return invalidValue(field, `Missing required parameter: '${field}'.`, 'missing_required_parameter')
    case 'repeated':
      return invalidValue(
        field,
        `Duplicate parameter: '${field}'. You provided multiple values for this parameter, whereas only one is allowed. If you are trying to provide a list of values, use the array syntax instead e.g. '${field}[]=<value>'.`,
        'duplicate_parameter',
      )
    case 'type':
      return invalidValue(
        field,
        `Invalid type for '${field}': expected ${fault.expected}, but got ${fault.got} instead.`,
        'invalid_type',
      )
    case 'value': {
      const supported = fault.allowed.map(value => `'${value}'`).join(', ')
      return invalidValue(field, `Invalid value: '${fault.value}'. Supported values are: ${supported}.`)
    }
    case 'range': {
      const { value, from, to } = fault
      const [side, code, sign, bound] =
        value > to ? ['above maximum', 'above_max', '<=', to] : ['below minimum', 'below_min', '>=', from]
      return invalidValue(
        field,
        `Invalid '${field}': integer ${side} value. Expected a value ${sign} ${bound}, but got ${value} instead.`,
        `integer_${code}_value`,
      )
    }
    case 'length':
      return invalidValue(
        field,
        `Invalid '${field}': string too long. Expected a string with maximum length ${fault.most}, but got a string with length ${fault.length} instead.`,
        'string_above_max_length',
      )
  }
}

/** A vendor's words for the failures that a test can order. */
export interface FailureWords {
  unauthorized(): Reply
  rateLimited(waitSeconds: number | null): Reply
  quotaExhausted(): Reply
  serverError(status: 500 | 503): Reply
  refusal(stage: 'input' | 'output' | null, reason: string | null): Reply
}

/** Null: the order is no failure. */
export function failureOf(answer: FakeAnswer, words: FailureWords): Reply | null {
  switch (answer.kind) {
    case 'unauthorized':
      return words.unauthorized()
    case 'rate-limited':
      return words.rateLimited(answer.waitSeconds === undefined ? 12 : answer.waitSeconds)
    case 'quota-exhausted':
      return words.quotaExhausted()
    case 'server-error':
      return answer.status === 502 ? badGatewayReply : words.serverError(answer.status)
    case 'refusal':
      return words.refusal(answer.stage ?? null, answer.reason ?? null)
    default:
      return null
  }
}
