/** The secret that signs addresses, where the operator gave none: made once, and kept beside the pictures. */
import { randomBytes, randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const leastCharacters = 32

/**
 * The same for all processes that use the folder, at once or one after the other. Makes the folder where it is missing.
 * @throws the file system's error, or Error where the file holds no secret.
 */
export function sharedSecret(directory: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, 'signing-secret')
  const secret = read(path) ?? make(directory, path)
  if (secret.length < leastCharacters) {
    throw new Error(
      `${path} holds no secret: delete it, and a new one is made (addresses given out before end with it)`,
    )
  }
  return secret
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    throw error
  }
}

/** Appears whole or not at all; of several processes that make one at the same moment, all take the first. */
function make(directory: string, path: string): string {
  const draft = join(directory, `signing-secret-${randomUUID()}`)
  writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { flag: 'wx', mode: 0o600, flush: true })
  try {
    linkSync(draft, path)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  } finally {
    unlinkSync(draft)
  }
  return readFileSync(path, 'utf8').trim()
}

const isCode = (error: unknown, code: string) => error instanceof Error && 'code' in error && error.code === code
