/** Which names a pattern such as `gemini-*` covers: in callers' lists, in routes, in the catalogue itself. */

/**
 * Does the pattern cover the whole name? `*` stands for any run of characters, everything else for itself in either case.
 * Each piece between stars is taken where it first fits and never tried again, so no pattern can be made slow.
 */
export function patternMatches(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.toLowerCase().split('*')
  const text = name.toLowerCase()
  const tail = rest.pop()
  if (tail === undefined) return text === head
  if (!text.startsWith(head)) return false

  let position = head.length
  for (const piece of rest) {
    const found = text.indexOf(piece, position)
    if (found < 0) return false
    position = found + piece.length
  }
  return text.endsWith(tail) && text.length - tail.length >= position
}
