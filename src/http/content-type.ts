/** What a request says its body is. */
import type { FastifyRequest } from 'fastify'
import { GatewayError } from '../images/error.ts'

/** The content type without its parameters, when the whole of it makes sense; else as it came. */
export function mediaTypeOf({ headers }: FastifyRequest): string {
  const text = (headers['content-type'] ?? '').trim()
  if (!text.includes(';')) return text.toLowerCase()
  const [type = '', ...parameters] = text.split(';')
  const charset = parameters.map(parameter => /^\s*charset="?([^"\s]+)"?\s*$/i.exec(parameter)?.[1]).find(Boolean)
  if (charset && !/^(?:utf-?8|us-ascii)$/i.test(charset)) return text
  return type.trim().toLowerCase()
}

export function unreadType(type: string, wanted: string): GatewayError {
  const found = type === '' ? 'The request says no content type.' : `The content type '${type}' is not read here.`
  return new GatewayError('unsupported-media', `${found} Send ${wanted}.`)
}
