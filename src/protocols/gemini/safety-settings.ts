/** Google's safety settings in the requests of other protocols' callers, who send them as a field that their own API lacks. */
import { GatewayError } from '../../images/error.ts'
import type { ImageRequest } from '../../images/request.ts'
import { snakeCase } from '../snake-case.ts'

export interface SafetySettings {
  /** As the caller spelt the field. */
  readonly name: string
  readonly settings: readonly object[]
}

/** Null where there are none. @throws GatewayError where they are no list of pairs of texts. */
export function safetySettingsOf({ extras }: ImageRequest): SafetySettings | null {
  for (const [name, value] of extras.fields) {
    if (extras.protocol !== 'openai' || snakeCase(name) !== 'safety_settings' || !Array.isArray(value)) continue
    if (value.every(isSetting)) return { name, settings: value }
    const sentence = `Invalid value for '${name}': it is a list of { category, threshold }, both texts.`
    throw new GatewayError('invalid-request', sentence, { param: name, code: 'invalid_value', notSent: true })
  }
  return null
}

const isSetting = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).every(([name, text]) => ['category', 'threshold'].includes(name) && typeof text === 'string')
