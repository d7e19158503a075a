/** From a JSON body to a request in Google's form: one spelling, the right types, and the places of what nobody else understands. */
import { GatewayError } from '../../images/error.ts'
import type { Schema } from '../schema.ts'
import { snakeCase } from '../snake-case.ts'

/** @throws GatewayError in Google's words, naming the first field at fault by its path. */
export function checkFields<Value>(schema: Schema<Value>, value: unknown): Value {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = pathOf(issue?.path ?? [])
  throw invalid(`Invalid value at '${path}' ${issue?.message ?? ''}`.trim(), path)
}

/** A field as Google's errors name it: `generation_config.image_config.aspect_ratio`, `contents[0].parts[1].text`. */
export const pathOf = (keys: readonly PropertyKey[]): string =>
  keys.reduce<string>((path, key) => {
    if (typeof key === 'number') return `${path}[${key}]`
    const name = snakeCase(String(key))
    return path ? `${path}.${name}` : name
  }, '')

export const invalid = (message: string, param: string): GatewayError =>
  new GatewayError('invalid-request', message, { param, code: 'invalid_value' })

export type Fields = Readonly<Record<string, unknown>>

/** The members that are there and none of `known`, by their path. */
export function unknownFields(
  fields: Fields | undefined,
  known: ReadonlySet<string>,
  place: readonly PropertyKey[] = [],
): readonly (readonly [string, unknown])[] {
  if (!fields) return []
  return Object.keys(fields)
    .filter(name => !known.has(name) && fields[name] !== undefined)
    .map(name => [pathOf([...place, name]), fields[name]])
}
