/** Secrets as they may stand in a header, and the one form in which a caller's key is kept. */

import { createHash } from 'node:crypto'

/** Of a key or a token. */
export const maxKeyBytes = 256

/** Why this cannot be a key or a token; null: it can. */
export function keyFault(key: string): string | null {
  if (!/^[\x21-\x7e]*$/.test(key))
    return 'must be printable ASCII without spaces or line breaks, as it travels in a header'
  return key.length > maxKeyBytes ? `must have at most ${maxKeyBytes} characters` : null
}

/** SHA-256 in lower-case hex, as `key_sha256` takes it. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
