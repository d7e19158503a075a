/** An upstream's keys, used in turn. Printing one by mistake prints nothing. */
import { inspect } from 'node:util'
import type { Dialect } from '../dialects/dialect.ts'
import { holdsSecret, withoutSecrets } from './echoes.ts'

export type Headers = Readonly<Record<string, string>>

export interface Credentials {
  /** What the next call carries. `key`: the place of the one to use; null: the one whose turn it is. */
  headers(key: number | null): Headers | Promise<Headers>
  /** The same headers without the secret in them. */
  masked(): Headers
  /** Takes every key out of a text that an upstream sent. */
  scrub(text: string): string
  /** Is one of the keys in there? */
  contains(bytes: Buffer): boolean
}

// Servers of one's own take any key, and people write `x`: no secret, and a letter of every word in their answers.
const shortestSecretChars = 4

/** `header`: the one that carries the key; `authorization` as `Bearer`. */
export function createCredentials(keys: readonly string[], header: Dialect['keyHeader']): Credentials {
  const carrying = (key: string) => ({ [header]: header === 'authorization' ? `Bearer ${key}` : key })
  const headers = keys.map(carrying)
  const secrets = keys.filter(key => key.length >= shortestSecretChars)
  let turn = 0
  return {
    headers: key => headers[key ?? turn++ % headers.length] ?? {},
    masked: () => carrying('***'),
    scrub: text => withoutSecrets(text, secrets),
    contains: bytes => holdsSecret(bytes, secrets),
    ...{ toJSON: () => '[redacted]', [inspect.custom]: () => '[redacted]' },
  }
}
