/** What a caller said, and where: several places may say the same. */
import { invalid } from './fields.ts'

export interface Said<Value = string> {
  readonly said: Value | undefined
  /** Its path, for errors. */
  readonly place: string
}

/** What stands in two places, and says the same where it stands in both. @throws GatewayError where it differs. */
export function agreed(first: Said, second: Said): Said {
  if (!second.said || first.said === second.said) return first
  if (!first.said) return second
  throw invalid(`${first.place} and ${second.place} mean the same and differ. Send one of them.`, second.place)
}

/** For errors. */
export const shortened = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}…` : text)
