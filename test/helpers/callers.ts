/** What a caller of either protocol sees of an exchange, and what was written down of it. */

import type { TestGateway } from './gateway.ts'
import { lineOf } from './log.ts'

export interface Answer {
  readonly status: number
  /** Of the status line. */
  readonly reason: string
  readonly headers: Headers
  readonly text: string
  /** The body, where it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  readonly json: any
}

export interface Told extends Answer {
  /** The exchange's line in the log. */
  readonly line: Readonly<Record<string, unknown>>
}

let asked = 0

/** An image request in OpenAI's form. */
export const askOpenai = (gateway: TestGateway, body: object = {}, headers: Record<string, string> = {}) =>
  ask(gateway, '/v1/images/generations', { prompt: 'A red kite', ...body }, headers)

/** A call in Google's form. */
export const askGemini = (gateway: TestGateway, model = 'gemini-3.1-flash-image', method = 'generateContent') =>
  ask(gateway, `/v1beta/models/${model}:${method}`, { contents: [{ parts: [{ text: 'A red kite' }] }] })

/** Posts to any route. A string goes out as it is. */
export async function ask(
  gateway: TestGateway,
  path: string,
  body: object | string,
  headers: Record<string, string> = {},
): Promise<Told> {
  const id = `test-${process.pid}-${asked++}`
  return told(gateway, await gateway.post(path, body, { 'x-request-id': id, ...headers }))
}

/** Reads an answer and waits for its line: that is written once the last byte is out. */
export async function told(gateway: TestGateway, response: Response): Promise<Told> {
  return { ...(await read(response)), line: await lineOf(gateway, response.headers.get('x-request-id')) }
}

/** Reads an answer that is no exchange's, or whose line is of no interest. */
export async function read(response: Response): Promise<Answer> {
  const { status, statusText: reason, headers } = response
  const text = await response.text()
  return { status, reason, headers, text, json: parsed(text) }
}

function parsed(text: string): Answer['json'] {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
