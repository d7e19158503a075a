/** A call in OpenAI's own form on its way to an upstream that speaks it: the caller's bytes, with only the model renamed. */
import { type Bytes, bytesOfText, concat } from '../../images/bytes.ts'
import type { JsonText } from '../../streams/json-text.ts'
import type { Addresses, Operation, WireRequest } from '../protocol.ts'

export interface RelayedCall {
  readonly operation: Operation
  /** The name that stands in the body; null: none does. */
  readonly named: string | null
  readonly body: RelayedBody
}

export type RelayedBody = { readonly kind: 'json'; readonly text: JsonText } | RelayedForm

export interface RelayedForm {
  readonly kind: 'form'
  readonly bytes: Bytes
  readonly boundary: string
  /** Where the model's name lies; null: there is no such part. */
  readonly modelAt: { readonly start: number; readonly length: number } | null
}

/** The call as it goes up. `model`: the upstream's own name of it. */
export function encodeRelay({ operation, named, body }: RelayedCall, model: string, addresses: Addresses): WireRequest {
  const path = addresses.pathOf(model, operation)
  if (body.kind === 'json') return { method: 'POST', path, body: renamedJson(body.text, named, model) }
  // The caller's own header might say more than one boundary: this is the one that its form was read by.
  const contentType = `multipart/form-data; boundary="${body.boundary}"`
  return { method: 'POST', path, contentType, body: renamedForm(body, named, model) }
}

function renamedJson(text: JsonText, named: string | null, model: string): Bytes {
  if (named === model) return text.bytes
  return (text.has(['model']) ? text.replace(['model'], model) : text.insert(['model'], model)).bytes
}

function renamedForm({ bytes, boundary, modelAt }: RelayedForm, named: string | null, model: string): Bytes {
  if (named === model) return bytes
  const name = bytesOfText(model)
  if (!modelAt) {
    const head = bytesOfText(`--${boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\n`)
    return concat([head, name, bytesOfText('\r\n'), bytes])
  }
  const after = modelAt.start + modelAt.length
  return concat([bytes.slice(0, modelAt.start), name, bytes.slice(after, bytes.length - after)])
}
