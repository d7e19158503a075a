/** Request bodies: bounded, and as JSON or as Google's 400. */
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { GoogleError, invalid } from './errors.ts'

/** Google's bound since January 2026. */
export const maxBodyBytes = 100 * 1024 * 1024

/** Reads no further than the bound. Throws 413 past it; whoever answers closes the connection then. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge()
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of request.iterator({ destroyOnReturn: false })) {
    pieces.push(piece)
    length += piece.length
    if (length > maxBodyBytes) throw tooLarge()
  }
  return Buffer.concat(pieces)
}

const tooLarge = () =>
  new GoogleError(413, 'INVALID_ARGUMENT', `Request payload size exceeds the limit: ${maxBodyBytes} bytes.`)

/** Nothing at all is an empty message. */
export function parseJson(body: Buffer): unknown {
  if (!isUtf8(body)) throw invalid('Invalid JSON payload received. Encountered non UTF-8 code points.')
  const text = body.toString()
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid(describe(text, error instanceof Error ? error.message : ''))
  }
}

/** Google's form: what is wrong, the line, and a caret under the place. */
function describe(text: string, message: string): string {
  if (/end of JSON|Unterminated/.test(message)) {
    return `Invalid JSON payload received. Unexpected end of string. Expected a value.\n${text.slice(-40)}\n${' '.repeat(Math.min(40, text.length))}^`
  }
  const place = Number(/position (\d+)/.exec(message)?.[1] ?? 0)
  const from = Math.max(0, place - 40)
  return `Invalid JSON payload received. Unexpected token.\n${text.slice(from, place + 40)}\n${' '.repeat(place - from)}^`
}
