/** Reads JSON into a protobuf message as Google's front does: either spelling of a name, and every mistake told at once. */
import { detail, type GoogleError, invalid } from './errors.ts'

export interface Enum<Name extends string> {
  readonly enum: string
  readonly names: readonly Name[]
}

export interface List<Item> {
  readonly list: Item
}

export interface Message<F extends Fields> {
  readonly message: string
  /** By camelCase name. */
  readonly fields: F
  /** A group of which only one may be there. */
  readonly oneof?: { readonly name: string; readonly fields: readonly string[] }
}

type Scalar = 'string' | 'bytes' | 'bool' | 'int32' | 'float' | 'any'
// Messages nest, so the type of their fields cannot be said before them.
type Kind = Scalar | Enum<string> | Message<Fields> | List<Scalar | Enum<string> | Message<Fields>>
export interface Fields {
  readonly [camelCase: string]: Kind
}

/** What reading a kind gives. Base64 is decoded; nothing is required, as in all of proto3. */
export type Read<K> = K extends 'string'
  ? string
  : K extends 'bytes'
    ? Buffer
    : K extends 'bool'
      ? boolean
      : K extends 'int32' | 'float'
        ? number
        : K extends Enum<infer Name>
          ? Name
          : K extends Message<infer F>
            ? { readonly [N in keyof F]?: Read<F[N]> }
            : K extends List<infer Item>
              ? readonly Read<Item>[]
              : unknown

interface Violation {
  /** Empty: the root. */
  readonly field: string
  readonly description: string
}

/** Throws Google's 400 with every violation found. */
export function readMessage<F extends Fields>(message: Message<F>, json: unknown): Read<Message<F>> {
  const violations: Violation[] = []
  if (!isObject(json))
    throw rejection([{ field: '', description: `${received} Unknown name "": Root element must be a message.` }])
  const read = readFields(message, json, '', violations)
  if (violations.length > 0) throw rejection(violations)
  // The one place where the table's word is taken for the types': readKind makes of each kind what Read says of it.
  return read as Read<Message<F>>
}

function rejection(violations: readonly Violation[]): GoogleError {
  const fieldViolations = violations.map(({ field, description }) => ({ ...(field && { field }), description }))
  return invalid(violations.map(({ description }) => description).join('\n'), [
    detail('BadRequest', { fieldViolations }),
  ])
}

const received = 'Invalid JSON payload received.'

type Json = Readonly<Record<string, unknown>>
const isObject = (json: unknown): json is Json => typeof json === 'object' && json !== null && !Array.isArray(json)

function readFields({ fields, oneof }: Message<Fields>, json: Json, path: string, violations: Violation[]): Json {
  const names = namesOf(fields)
  const read: Record<string, unknown> = {}
  for (const [spelt, value] of Object.entries(json)) {
    const note = (description: string) => violations.push({ field: path, description })
    const name = names.get(spelt)
    const kind = name === undefined ? undefined : fields[name]
    if (name === undefined || kind === undefined) {
      note(`${received} Unknown name "${cut(spelt)}"${at(path)}: Cannot find field.`)
      // Nobody reads more than that, and a body of nothing but mistakes is not to be answered with twice its size.
      if (violations.length >= mostViolations) break
    } else if (value === null) {
      // null is how ProtoJSON says that a field is absent.
    } else if (oneof?.fields.includes(name) && oneof.fields.some(other => other in read)) {
      note(`Invalid value at '${path}' (oneof), oneof field '${oneof.name}' is already set. Cannot set '${spelt}'`)
    } else if (Array.isArray(value) && !takesLists(kind)) {
      note(`${received} Unknown name "${spelt}"${at(path)}: Proto field is not repeating, cannot start list.`)
    } else {
      read[name] = readKind(kind, value, path ? `${path}.${snake(name)}` : snake(name), violations)
    }
  }
  return read
}

const mostViolations = 100
const takesLists = (kind: Kind) => kind === 'any' || (typeof kind === 'object' && 'list' in kind)

const at = (path: string) => (path ? ` at '${path}'` : '')
const snake = (camelCase: string) => camelCase.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

const spellings = new WeakMap<Fields, ReadonlyMap<string, string>>()

/** Every accepted spelling → the camelCase name. */
function namesOf(fields: Fields): ReadonlyMap<string, string> {
  const known = spellings.get(fields)
  if (known) return known
  const names = new Map(Object.keys(fields).flatMap(name => [[name, name] as const, [snake(name), name] as const]))
  spellings.set(fields, names)
  return names
}

function readKind(kind: Kind, value: unknown, path: string, violations: Violation[]): unknown {
  const wrong = (type: string, why = shown(value)) => {
    violations.push({ field: path, description: `Invalid value at '${path}' (${type}), ${why}` })
    return undefined
  }
  if (typeof kind === 'object') {
    if ('list' in kind) {
      // One thing where a list is due is a list of one.
      const items: readonly unknown[] = Array.isArray(value) ? value : [value]
      return items.map((item, index) =>
        violations.length < mostViolations ? readKind(kind.list, item, `${path}[${index}]`, violations) : undefined,
      )
    }
    if ('enum' in kind) return readEnum(kind, value) ?? wrong(typeUrl(kind.enum))
    return isObject(value) ? readFields(kind, value, path, violations) : wrong(typeUrl(kind.message))
  }
  switch (kind) {
    case 'string':
      return typeof value === 'string' ? value : wrong('TYPE_STRING')
    case 'bytes':
      if (typeof value !== 'string') return wrong('TYPE_BYTES')
      return decodeBase64(value) ?? wrong('TYPE_BYTES', `Base64 decoding failed for ${shown(value)}`)
    case 'bool':
      return readBoolean(value) ?? wrong('TYPE_BOOL')
    case 'int32':
      return readNumber(value, number => Number.isInteger(number) && Math.abs(number) < 2 ** 31) ?? wrong('TYPE_INT32')
    case 'float':
      return readNumber(value, Number.isFinite) ?? wrong('TYPE_FLOAT')
    case 'any':
      return value
  }
}

const typeUrl = (name: string) => `type.googleapis.com/google.ai.generativelanguage.v1beta.${name}`

/** A wrong value as it came, but no novel, no picture, and nothing nested a thousand deep. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[…]' : '{…}'
  return JSON.stringify(typeof value === 'string' ? cut(value) : value)
}

const cut = (text: string) => (text.length <= 200 ? text : `${text.slice(0, 200)}…`)

/** By name in any case, as Google takes them, or by number. */
function readEnum({ names }: Enum<string>, value: unknown): string | undefined {
  if (typeof value === 'number') return names[value]
  return typeof value === 'string' ? names.find(name => name === value.toUpperCase()) : undefined
}

function readBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  return value === 'true' ? true : value === 'false' ? false : undefined
}

/** ProtoJSON takes numbers in quotes too. */
function readNumber(value: unknown, fits: (number: number) => boolean): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && fits(number) ? number : undefined
}

/** Either alphabet, padded or not; undefined where it is none. */
function decodeBase64(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/_-]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined
}
