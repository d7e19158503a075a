/** What fields a JSON object or a form may have, as data; finds the first fault, which each vendor then says in its own words. */
import type { FormPart } from './form.ts'

export type Rule = { readonly required?: true } & (
  | { readonly is: 'text'; readonly most?: number }
  | { readonly is: 'choice'; readonly of: readonly string[] }
  | { readonly is: 'whole'; readonly from: number; readonly to: number }
  | { readonly is: 'switch' }
  /** Looked at by the vendor's own code. */
  | { readonly is: 'list' }
  | { readonly is: 'object' }
)

export type Rules = Readonly<Record<string, Rule>>
export type Fields = Readonly<Record<string, unknown>>

export type Fault = { readonly field: string } & (
  | { readonly why: 'unknown' | 'missing' | 'repeated' }
  | { readonly why: 'type'; readonly expected: string; readonly got: string }
  | { readonly why: 'value'; readonly value: string; readonly allowed: readonly string[] }
  | { readonly why: 'range'; readonly value: number; readonly from: number; readonly to: number }
  | { readonly why: 'length'; readonly length: number; readonly most: number }
)

export interface FormFields {
  readonly fields: Fields
  readonly files: readonly FormPart[]
  /** A text field that came twice. */
  readonly fault: Fault | null
}

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `nullIsAbsent`: what a vendor's documents say of null; who says nothing of it takes none. */
export function findFault(rules: Rules, fields: Fields, { nullIsAbsent = false } = {}): Fault | null {
  const names = Object.keys(fields)
  const unknown = names.find(name => !Object.hasOwn(rules, name))
  if (unknown !== undefined) return { why: 'unknown', field: unknown }
  const isThere = (name: string) => Object.hasOwn(fields, name) && !(nullIsAbsent && fields[name] === null)
  for (const [field, rule] of Object.entries(rules)) {
    if (!isThere(field)) {
      if (rule.required) return { why: 'missing', field }
    } else {
      const fault = faultOf(field, rule, fields[field])
      if (fault) return fault
    }
  }
  return null
}

function faultOf(field: string, rule: Rule, value: unknown): Fault | null {
  const wrongType = (expected: string): Fault => ({ why: 'type', field, expected, got: typeName(value) })
  switch (rule.is) {
    case 'text': {
      if (typeof value !== 'string') return wrongType('a string')
      const { most = Number.POSITIVE_INFINITY } = rule
      if (value === '') return rule.required ? { why: 'missing', field } : { why: 'value', field, value, allowed: [] }
      return value.length > most ? { why: 'length', field, length: value.length, most } : null
    }
    case 'choice':
      if (typeof value !== 'string') return wrongType('a string')
      return rule.of.includes(value) ? null : { why: 'value', field, value, allowed: rule.of }
    case 'whole': {
      if (typeof value !== 'number' || !Number.isInteger(value)) return wrongType('an integer')
      const { from, to } = rule
      return value >= from && value <= to ? null : { why: 'range', field, value, from, to }
    }
    case 'switch':
      return typeof value === 'boolean' ? null : wrongType('a boolean')
    case 'list':
      return Array.isArray(value) ? null : wrongType('an array')
    case 'object':
      return isObject(value) ? null : wrongType('an object')
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal number'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** A form has only strings: numbers and switches are read by their rules; what reads as none stays the string it is. */
export function readFormFields(rules: Rules, parts: readonly FormPart[]): FormFields {
  const texts = parts.filter(({ fileName }) => fileName === null)
  const names = texts.map(({ name }) => name)
  const repeated = names.find((name, index) => names.indexOf(name) !== index)
  return {
    fields: Object.fromEntries(texts.map(({ name, bytes }) => [name, readText(rules[name], bytes.toString())])),
    files: parts.filter(({ fileName }) => fileName !== null),
    fault: repeated === undefined ? null : { why: 'repeated', field: repeated },
  }
}

function readText(rule: Rule | undefined, text: string): unknown {
  if (rule?.is === 'whole' && /^-?\d{1,9}$/.test(text)) return Number(text)
  if (rule?.is === 'switch' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

export function textOf(fields: Fields, name: string): string | null {
  const value = fields[name]
  return typeof value === 'string' ? value : null
}

export function numberOf(fields: Fields, name: string): number | null {
  const value = fields[name]
  return typeof value === 'number' ? value : null
}
