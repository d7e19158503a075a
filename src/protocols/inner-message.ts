/** Errors within errors: gateways in front of a vendor put its whole document where its sentence belongs. */

// A gateway behind a gateway behind the vendor's SDK, and one more.
const deepest = 4

/** The innermost sentence; of what is no document in a text, the text itself. */
export function innerMessage(text: string): string {
  let message = text
  for (let depth = 0; depth < deepest; depth++) {
    const inner = messageIn(message)
    if (inner === null) break
    message = inner
  }
  return message
}

function messageIn(text: string): string | null {
  if (!/^\s*[[{]/.test(text)) return null
  try {
    const value: unknown = JSON.parse(text)
    const document: unknown = Array.isArray(value) ? value[0] : value
    const message = fieldOf(fieldOf(document, 'error') ?? document, 'message')
    return typeof message === 'string' && message !== '' ? message : null
  } catch {
    return null
  }
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
