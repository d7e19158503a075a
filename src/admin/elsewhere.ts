/** Requests of the operator's that one process takes and another answers. */
import type { FastifyInstance } from 'fastify'

/** Takes a request to whoever can answer it. */
export type Elsewhere = (request: ElsewhereRequest) => Promise<ElsewhereAnswer>

export interface ElsewhereRequest {
  readonly method: 'GET' | 'HEAD'
  /** Path and query. */
  readonly url: string
  readonly authorization: string | null
}

export interface ElsewhereAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The other process' part: its listener answers, though it has no port. */
export function answerWith(admin: FastifyInstance): Elsewhere {
  return async ({ method, url, authorization }) => {
    const answer = await admin.inject({ method, url, headers: authorization === null ? {} : { authorization } })
    const own = Object.entries(answer.headers).filter(([name]) => !ofTheConnection.has(name))
    return {
      status: answer.statusCode,
      headers: Object.fromEntries(own.map(([name, value]) => [name, String(value)])),
      body: answer.body,
    }
  }
}

/** Whoever passes the answer on writes these anew. */
const ofTheConnection = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'])
