/** From a JSON object or a form to checked fields: one spelling, the right types, and a list of what nobody here understands. */
import { GatewayError } from '../../images/error.ts'
import { pictureFields } from '../../images/request.ts'
import type { Schema } from '../schema.ts'
import { snakeCase } from '../snake-case.ts'
import { ExtraFields, ImageFields, jsonFields, numberFields, switchFields } from './request-wire.ts'

export type FieldName = keyof ImageFields

export interface CheckedFields {
  readonly fields: ImageFields
  /** How the caller spelt each field: errors name it so. */
  readonly spelling: ReadonlyMap<string, string>
  readonly spelt: (name: FieldName) => string
  /** Fields with a value that have no twin in the neutral request, as spelt. */
  readonly unknown: ReadonlyMap<string, unknown>
}

const inRequest: ReadonlySet<string> = new Set(Object.keys(ImageFields.shape))
const inExtras: ReadonlySet<string> = new Set(Object.keys(ExtraFields.shape))

/** `mostPictures`: in one list. @throws GatewayError naming the first field at fault. */
export function checkFields(value: unknown, mostPictures: number): CheckedFields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new GatewayError(
      'invalid-request',
      'The body must be a JSON object with a prompt, such as {"prompt": "A red kite"}.',
    )
  }
  const spelling = new Map<string, string>()
  const given: Record<string, unknown> = {}
  const extra: Record<string, unknown> = {}
  const unknown = new Map<string, unknown>()
  for (const [spelt, item] of Object.entries(value)) {
    if (item === null || item === undefined || item === '') continue
    const name = snakeCase(spelt)
    if (!inRequest.has(name)) unknown.set(spelt, item)
    const group = inRequest.has(name) ? given : inExtras.has(name) ? extra : null
    const twin = spelling.get(name)
    if (group && twin !== undefined && !isSame(group[name], item)) {
      throw invalid(`'${twin}' and '${spelt}' are the same field and differ. Send one of them.`, spelt)
    }
    if (!group || twin !== undefined) continue
    spelling.set(name, spelt)
    group[name] = item
  }
  const speltAs = (name: string) => spelling.get(name) ?? name
  // Before each is looked at: tens of thousands that are none would hold everybody up for seconds.
  for (const name of pictureFields) {
    const pictures = given[name]
    if (Array.isArray(pictures) && pictures.length > mostPictures) throw tooManyPictures(mostPictures, speltAs(name))
  }
  const fields = checkedBy(ImageFields, given, speltAs)
  if (Object.keys(extra).length > 0) checkedBy(ExtraFields, extra, speltAs)
  return { fields, spelling, spelt: speltAs, unknown }
}

/** Texts that were left where they lie, and files, are the same only where they are one. */
function isSame(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other
  return one.length === other.length && one.every((item, index) => item === other[index])
}

function checkedBy<Fields>(schema: Schema<Fields>, value: unknown, speltAs: (name: string) => string): Fields {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const [name, ...below] = issue?.path ?? []
  const param = below.reduce<string>(
    (path, key) => path + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`),
    speltAs(String(name)),
  )
  throw invalid(`Invalid value for '${param}': it ${issue?.message ?? 'is not understood'}.`, param)
}

export const invalid = (message: string, param: string) =>
  new GatewayError('invalid-request', message, { param, code: 'invalid_value' })

export const tooManyPictures = (most: number, param: string) =>
  invalid(`At most ${most} reference pictures are allowed.`, param)

/** Gives a form's strings the types that JSON would have had. What is none of that type stays a string, and is refused as one. */
export function typedFormValue(name: string, text: string): unknown {
  const field = snakeCase(name)
  if (numberFields.has(field) && /^-?\d{1,16}(\.\d+)?$/.test(text)) return Number(text)
  if (switchFields.has(field) && (text === 'true' || text === 'false')) return text === 'true'
  return jsonFields.has(field) ? parsed(text) : text
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
