/** An upstream's keys, used in turn. Printing one by mistake prints nothing. */
import { inspect } from 'node:util'

export interface Credentials {
  /** The key for the next call. */
  next(): string
  /** Takes every key out of a text that an upstream sent. */
  scrub(text: string): string
  contains(bytes: Buffer): boolean
}

export function createCredentials(keys: readonly string[]): Credentials {
  let turn = 0
  return {
    next: () => keys[turn++ % keys.length] ?? '',
    scrub: text => keys.reduce((scrubbed, key) => scrubbed.replaceAll(key, '[redacted]'), text),
    contains: bytes => keys.some(key => bytes.includes(key)),
    ...{ toJSON: () => '[redacted]', [inspect.custom]: () => '[redacted]' },
  }
}
