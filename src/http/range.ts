/** Which part of a file a request asks for: RFC 9110, 14. */

export type Part = 'whole' | 'none' | { readonly start: number; readonly length: number }

// Nobody who looks at a picture asks for so many parts of it.
const mostParts = 8

/**
 * `none`: not one byte of it is there. A unit nobody knows, nonsense, or several parts at once mean the whole file, as the RFC
 * allows; very many parts are an attack.
 */
export function partOf(header: string | undefined, length: number): Part {
  const [, list] = /^bytes=(.*)$/i.exec(header ?? '') ?? []
  if (list === undefined) return 'whole'
  const parts = list.split(',', mostParts + 1)
  if (parts.length > mostParts) return 'none'
  const [, first = '', last = ''] = (parts.length === 1 && /^\s*(\d{0,15})-(\d{0,15})\s*$/.exec(list)) || []
  if (first === '' && last === '') return 'whole'
  if (first === '') return between(length - Math.min(Number(last), length), length)
  if (last !== '' && Number(last) < Number(first)) return 'whole'
  return between(Number(first), Math.min(last === '' ? length : Number(last) + 1, length))
}

const between = (start: number, end: number): Part => (start < end ? { start, length: end - start } : 'none')
