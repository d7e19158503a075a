/** Whose words a caller's contents are: Google's own API takes «the user's» where nobody is named, Vertex refuses the call. */
import type { JsonPath, JsonText } from '../../streams/json-text.ts'

export function withRoles(body: JsonText): JsonText {
  let text = body
  for (const place of contentPlaces(body)) {
    if (!text.has([...place, 'role'])) text = text.insert([...place, 'role'], 'user')
  }
  return text
}

/** Each of a list, or the one that some callers send in place of a list. */
function contentPlaces(body: JsonText): readonly JsonPath[] {
  const places: JsonPath[] = []
  while (body.has(['contents', places.length])) places.push(['contents', places.length])
  return places.length === 0 && body.has(['contents', 'parts']) ? [['contents']] : places
}
