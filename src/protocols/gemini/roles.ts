/** Whose words a caller's contents are: Google's own API takes «the user's» where nobody is named, Vertex refuses the call. */
import type { JsonText } from '../../streams/json-text.ts'

/** Of each of a list, and of the one that some callers send in place of a list. */
export const withRoles = (body: JsonText): JsonText => body.insertInEach(['contents'], 'role', 'user')
