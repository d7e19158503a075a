/** Google's safety settings in the requests of other protocols' callers, who send them as a field that their own API lacks. */
import type { ImageRequest } from '../../images/request.ts'
import { snakeCase } from '../snake-case.ts'

export interface SafetySettings {
  /** As the caller spelt the field. */
  readonly name: string
  /** Checked when they came. */
  readonly settings: readonly unknown[]
}

/** Null where there are none. */
export function safetySettingsOf({ extras }: ImageRequest): SafetySettings | null {
  if (extras.protocol !== 'openai') return null
  const [found] = [...extras.fields].filter(([name]) => snakeCase(name) === 'safety_settings')
  return found ? { name: found[0], settings: [found[1]].flat() } : null
}
