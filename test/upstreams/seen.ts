/** What a fake vendor was sent, as tests like to look at it. */
import type { SeenRequest } from './contract.ts'
import type { FormPart } from './form.ts'

/** The body as a JSON document. Throws where it is none. */
// biome-ignore lint/suspicious/noExplicitAny: documents of every vendor, looked into by tests
export function jsonOf(request: SeenRequest | undefined): any {
  if (request?.body.kind !== 'json')
    throw new Error(`The request's body is ${request?.body.kind ?? 'missing'}, not JSON.`)
  return request.body.value
}

/** The form's files, in order. Throws where the body is no form. */
export const filesOf = (request: SeenRequest | undefined): readonly FormPart[] =>
  formOf(request).filter(({ fileName }) => fileName !== null)

/** The form's text fields by name. Throws where the body is no form. */
export const textsOf = (request: SeenRequest | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    formOf(request).flatMap(({ name, fileName, bytes }) => (fileName === null ? [[name, bytes.toString()]] : [])),
  )

function formOf(request: SeenRequest | undefined): readonly FormPart[] {
  if (request?.body.kind !== 'form')
    throw new Error(`The request's body is ${request?.body.kind ?? 'missing'}, not a form.`)
  return request.body.parts
}
