/** Keys and tokens in what an upstream sent: it may repeat what it was called with. */

const redacted = '[redacted]'

/** Without the secrets, also where the text is JSON that spells some of their characters as escapes. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce(
    (left, secret) => (left.includes(secret) || left.includes('\\') ? left.replace(spellings(secret), redacted) : left),
    text,
  )
}

export function holdsSecret(bytes: Buffer, secrets: readonly string[]): boolean {
  if (secrets.some(secret => bytes.includes(secret))) return true
  const text = bytes.includes('\\') ? bytes.toString() : ''
  return secrets.some(secret => spellings(secret).test(text))
}

/** In JSON `A` may be `\u0041`, and `/` be `\/` (RFC 8259, 7). */
function spellings(secret: string): RegExp {
  const characters = Array.from(secret, character => {
    const hex = character.charCodeAt(0).toString(16).padStart(4, '0')
    const eitherCase = hex.replace(/[a-f]/g, digit => `[${digit}${digit.toUpperCase()}]`)
    return `(?:\\\\?\\u${hex}|\\\\u${eitherCase})`
  })
  return new RegExp(characters.join(''), 'g')
}
