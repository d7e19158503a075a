/** Fields that only OpenAI's protocol has: which of them go up to a vendor. What they say was checked when they came. */
import type { CallersField, WireField } from '../../dialects/openai-form.ts'
import type { Extras } from '../../images/request.ts'
import { snakeCase } from '../snake-case.ts'
import { retiredQualities } from './request-wire.ts'

export interface CallersFields {
  readonly sent: ReadonlyMap<CallersField, string>
  /** As the caller spelt them. */
  readonly ignored: readonly string[]
}

const callersFieldNames: Readonly<Record<CallersField, true>> = {
  quality: true,
  moderation: true,
  input_fidelity: true,
  complexity: true,
  user: true,
  safety_identifier: true,
}
const retired: ReadonlySet<unknown> = new Set(retiredQualities)

/** `documented`: what this vendor has for this call. */
export function callersFields({ protocol, fields }: Extras, documented: readonly WireField[]): CallersFields {
  const sent = new Map<CallersField, string>()
  const ignored: string[] = []
  for (const [spelt, value] of fields) {
    const name = protocol === 'openai' ? nameOf(spelt) : undefined
    const isTaken = name && documented.includes(name) && !(name === 'quality' && retired.has(value))
    if (isTaken && typeof value === 'string') sent.set(name, value)
    else ignored.push(spelt)
  }
  return { sent, ignored }
}

function nameOf(spelt: string): CallersField | undefined {
  const name = snakeCase(spelt)
  return isCallersField(name) ? name : undefined
}

const isCallersField = (name: string): name is CallersField => Object.hasOwn(callersFieldNames, name)
