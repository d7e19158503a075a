/** Whose words a caller's contents are: Google's own API takes «the user's» where nobody is named, Vertex refuses the call. */
import type { JsonText } from '../../streams/json-text.ts'

/** Of each of a list, and of the one that some callers send in place of a list. */
export const withRoles = (body: JsonText): JsonText => body.insertInEach(['contents'], 'role', 'user')

export type Speaker = 'user' | 'model' | 'system'

/** Whoever is not named is the user. Null: nobody knows the role. */
export function speakerOf(role = ''): Speaker | null {
  switch (role.toLowerCase()) {
    case '':
    case 'user':
      return 'user'
    case 'model':
    case 'assistant':
      return 'model'
    case 'system':
      return 'system'
    default:
      return null
  }
}
