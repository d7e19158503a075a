/** What a caller of either protocol sees of an exchange, and what was written down of it. */
import { vi } from 'vitest'
import type { TestGateway } from './gateway.ts'

export interface Told {
  readonly status: number
  /** Of the status line. */
  readonly reason: string
  readonly headers: Headers
  readonly text: string
  /** The body, where it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  readonly json: any
  /** The exchange's line in the log; null where the request became no exchange. */
  readonly line: Readonly<Record<string, unknown>> | null
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
  const text = await response.text()
  const id = response.headers.get('x-request-id')
  return {
    status: response.status,
    reason: response.statusText,
    headers: response.headers,
    text,
    json: parsed(text),
    line: await lineOf(gateway, id),
  }
}

function parsed(text: string): Told['json'] {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function lineOf(gateway: TestGateway, requestId: string | null): Promise<Told['line']> {
  const find = () => gateway.log.find(line => line.msg === 'exchange' && line.requestId === requestId)
  return vi
    .waitFor(
      () => {
        const line = find()
        if (!line) throw new Error('not there yet')
        return line
      },
      { timeout: 1000, interval: 1 },
    )
    .catch(() => null)
}
