/** Fields that only OpenAI's protocol has: which of them go up to a vendor, and that they are what its documents let them be. */
import type { CallersField, WireField } from '../../dialects/openai-form.ts'
import { GatewayError } from '../../images/error.ts'
import type { Extras } from '../../images/request.ts'
import { snakeCase } from '../snake-case.ts'

export interface CallersFields {
  readonly sent: ReadonlyMap<CallersField, string>
  /** As the caller spelt them. */
  readonly ignored: readonly string[]
}

/** What each may say; null: any text. */
const values: Readonly<Record<CallersField, readonly string[] | null>> = {
  quality: ['low', 'medium', 'high', 'xhigh', 'max', 'auto'],
  moderation: ['low', 'auto'],
  input_fidelity: ['low', 'high'],
  complexity: ['low', 'medium', 'high'],
  user: null,
  safety_identifier: null,
}
// Of DALL·E: without a twin in the models that live.
const retiredQualities: ReadonlySet<unknown> = new Set(['standard', 'hd'])

/** `documented`: what this vendor has for this call. @throws GatewayError naming a field whose value it can't be. */
export function callersFields({ protocol, fields }: Extras, documented: readonly WireField[]): CallersFields {
  const sent = new Map<CallersField, string>()
  const ignored: string[] = []
  for (const [spelt, value] of fields) {
    const name = protocol === 'openai' ? nameOf(spelt) : undefined
    if (name && documented.includes(name) && !(name === 'quality' && retiredQualities.has(value))) {
      sent.set(name, checked(name, spelt, value))
    } else ignored.push(spelt)
  }
  return { sent, ignored }
}

function nameOf(spelt: string): CallersField | undefined {
  const name = snakeCase(spelt)
  return isCallersField(name) ? name : undefined
}

const isCallersField = (name: string): name is CallersField => Object.hasOwn(values, name)

function checked(name: CallersField, param: string, value: unknown): string {
  const allowed = values[name]
  if (typeof value === 'string' && (allowed === null || allowed.includes(value))) return value
  const why = allowed ? `it must be one of: ${allowed.join(', ')}` : 'it must be a text of at most 1024 characters'
  throw new GatewayError('invalid-request', `Invalid value for '${param}': ${why}.`, { param, code: 'invalid_value' })
}
