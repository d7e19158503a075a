/** A JSON document as the gateway has it in hand: read by its skeleton, its long strings where they lie. */
import { bytesOf } from '../../src/images/bytes.ts'
import type { WireDocument } from '../../src/protocols/protocol.ts'
import { DocumentReader } from '../../src/streams/document-reader.ts'

export function wireDocument(value: unknown): WireDocument {
  const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  const reader = new DocumentReader()
  reader.push(bytes)
  const whole = bytesOf(bytes)
  return { value: reader.finish().value, bytesOf: ({ start, length }) => whole.slice(start, length) }
}
