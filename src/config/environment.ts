/** The environment as the configuration reads it: empty is not set, and a secret may lie in a file (`NAME_FILE`). */

import { resolve } from 'node:path'
import type { Mistakes } from './mistakes.ts'

export type Variable =
  /** `name`: the variable that gave the value, so `NAME_FILE` where it was a file. */
  | { readonly state: 'set'; readonly name: string; readonly value: string }
  | { readonly state: 'unset' }
  /** Set in a way that cannot be used. The mistake is noted already. */
  | { readonly state: 'faulty' }

export interface Environment {
  /** The variable alone. */
  plain(name: string): Variable
  /** The variable, or the content of the file that its `_FILE` twin names. Both set is a mistake. */
  secret(name: string): Variable
  /** A file's content without the newlines at its end. Undefined: it cannot be read; `why` is told in words. */
  file(path: string): { readonly content: string } | { readonly why: string }
  /** Every name that is set. */
  readonly names: readonly string[]
}

export interface EnvironmentParams {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths begin here. */
  readonly cwd: string
  readonly readFile: (path: string) => string
  readonly mistakes: Mistakes
}

/** A variable that can't be used is added to `mistakes`, once. */
export function createEnvironment({ env, cwd, readFile, mistakes }: EnvironmentParams): Environment {
  const secrets = new Map<string, Variable>()

  function plain(name: string): Variable {
    const value = env[name]
    return value === undefined || value === '' ? { state: 'unset' } : { state: 'set', name, value }
  }

  function file(path: string): { content: string } | { why: string } {
    try {
      return { content: readFile(resolve(cwd, path)).replace(/[\r\n]+$/, '') }
    } catch (error) {
      return { why: whyUnreadable(error) }
    }
  }

  function readSecret(name: string): Variable {
    const twinName = `${name}_FILE`
    const [itself, twin] = [plain(name), plain(twinName)]
    if (twin.state !== 'set') return itself
    if (itself.state === 'set') {
      mistakes.addVariable(name, `is set, and ${twinName} too: unset one of the two`)
      return { state: 'faulty' }
    }
    const read = file(twin.value)
    if ('why' in read) {
      mistakes.addVariable(
        twinName,
        `names a file that cannot be read (${read.why}): its content is the value of ${name}`,
      )
      return { state: 'faulty' }
    }
    return read.content === '' ? { state: 'unset' } : { state: 'set', name: twinName, value: read.content }
  }

  return {
    plain,
    file,
    secret: name => {
      // Asked for by the file and by the house itself; its mistake is told once.
      const known = secrets.get(name) ?? readSecret(name)
      secrets.set(name, known)
      return known
    },
    names: Object.keys(env).filter(name => plain(name).state === 'set'),
  }
}

/** What kept a file from being read, in words, without its path (which may be a secret put into the wrong variable). */
export function whyUnreadable(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'there is no such file'
    case 'EACCES':
      return 'permission denied'
    case 'EISDIR':
      return 'it is a directory'
    default:
      return 'reading failed'
  }
}
