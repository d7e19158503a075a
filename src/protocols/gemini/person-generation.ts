/** Whether people may be painted, as callers of Imagen's form say it: Vertex AI has a word for it in Google's own form too. */
import type { SpecialWord } from '../../dialects/gemini.ts'
import type { ImageRequest } from '../../images/request.ts'

export interface PersonGeneration {
  /** The field's place in the call. */
  readonly name: string
  readonly value: unknown
}

/** Null where nothing is said, or the upstream has no word for it. */
export function personGenerationOf({ extras }: ImageRequest, known: readonly SpecialWord[]): PersonGeneration | null {
  const name = 'parameters.person_generation'
  const said = extras.protocol === 'gemini' && known.includes('personGeneration') ? extras.fields.get(name) : undefined
  return said === undefined ? null : { name, value: said === 'DONT_ALLOW' ? 'ALLOW_NONE' : said }
}
