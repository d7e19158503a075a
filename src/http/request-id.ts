/** The id of a request: the caller's own where it is a plain one, else a new one. */
import { randomUUID } from 'node:crypto'

const plainId = /^[A-Za-z0-9._-]{1,128}$/

export function requestIdOf(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' && plainId.test(header) ? header : `req_${randomUUID()}`
}
