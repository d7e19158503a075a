/** The folders that settings name, tried before anything is served: an answer that finds no place to lie was painted and paid for. */

import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, statSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Config } from './config.ts'
import { ConfigError, type Mistake } from './config-error.ts'

/** Makes those that are missing. @throws ConfigError that lists each in which no file can be written. */
export function checkFolders({ answers, assets }: Pick<Config, 'answers' | 'assets'>): void {
  const mistakes = [
    ...(answers.spillBytes > 0 ? tryFolder('answers.spill_dir', answers.spillDir) : []),
    ...(assets.s3 === null ? tryAssets(assets.dir) : []),
  ]
  if (mistakes.length > 0) throw new ConfigError(mistakes)
}

/** Pictures are written in `tmp`, and find their place beside it. */
function tryAssets(path: string): readonly Mistake[] {
  const mistakes = tryFolder('assets.dir', path)
  return mistakes.length > 0 ? mistakes : tryFolder('assets.dir', join(path, 'tmp'))
}

function tryFolder(place: string, path: string): readonly Mistake[] {
  try {
    makeFolder(path)
    const file = join(path, `probe-${randomUUID()}`)
    closeSync(openSync(file, 'wx', 0o600))
    unlinkSync(file)
    return []
  } catch (error) {
    const problem = `no file can be written in ${path} (${whyUnwritable(error)}): name a folder that this user may write to`
    return [{ place, location: null, problem }]
  }
}

/** With those above it. Node's own way does not end where a folder takes no other and says ENOENT, as /proc does. */
function makeFolder(path: string): void {
  const above = dirname(path)
  if (!existsSync(above)) makeFolder(above)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

function whyUnwritable(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied'
    case 'EROFS':
      return 'the file system is read-only'
    case 'EEXIST':
    case 'ENOTDIR':
      return 'something that is no folder is in the way'
    case 'ENOENT':
      return 'no folder can be made there'
    case 'ENOSPC':
      return 'the disk is full'
    default:
      return code || 'writing failed'
  }
}
