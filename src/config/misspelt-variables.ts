/** Variables that look like ours and are not: a setting that silently does nothing is worse than one that is refused. */

import { nearest } from './spelling.ts'

const prefix = 'PLANTAIN_'

const ownNames = [
  'CONFIG',
  'HOST',
  'PORT',
  'ADMIN_HOST',
  'ADMIN_PORT',
  'ADMIN_TOKEN',
  'ADMIN_TOKEN_FILE',
  'API_KEYS',
  'API_KEYS_FILE',
  'ASSET_SECRET',
  'ASSET_SECRET_FILE',
  'SANDBOX',
  'WORKERS',
  'LOG_LEVEL',
]

/**
 * One sentence for each. Noted, not refused: Kubernetes and others set variables with our prefix too, so a name counts
 * only when it is about as long as ours. `referred`: what the file refers to has a use.
 */
export function misspeltVariables(names: readonly string[], referred: ReadonlySet<string>): readonly string[] {
  return names.flatMap(name => {
    const rest = name.slice(prefix.length)
    if (!name.startsWith(prefix) || ownNames.includes(rest) || referred.has(name)) return []
    const meant = nearest(rest, ownNames)
    if (meant === null || rest.length > meant.length + 2) return []
    return [`${name} is not read: perhaps ${prefix}${meant} is meant`]
  })
}
