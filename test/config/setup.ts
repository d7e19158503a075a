/** A configuration out of texts: the file, the environment, and other files by their absolute path. */

import type { Config } from '../../src/config/config.ts'
import { ConfigError } from '../../src/config/config-error.ts'
import { loadConfig } from '../../src/config/load.ts'

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
}

export const file = 'config/gateway.yaml'

export function load(yaml: string | null, { env = {}, files = {} }: Surroundings = {}): Config {
  const known = new Map(Object.entries({ ...files, ...(yaml !== null && { [`/srv/${file}`]: yaml }) }))
  return loadConfig({
    env,
    cwd: '/srv',
    readFile: path => {
      const content = known.get(path)
      if (content === undefined) throw Object.assign(new Error('absent'), { code: 'ENOENT' })
      return content
    },
  })
}

export function errorOf(yaml: string | null, surroundings: Surroundings = {}): ConfigError {
  try {
    load(yaml, surroundings)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('The configuration was taken.')
}

/** Place → problem. */
export function mistakesOf(yaml: string | null, surroundings: Surroundings = {}): Record<string, string> {
  return Object.fromEntries(errorOf(yaml, surroundings).mistakes.map(({ place, problem }) => [place, problem]))
}

/** A file with one upstream that nothing is wrong with, and more keys in it; one line. */
export function withUpstream(name: string, ...more: readonly string[]): string {
  return `upstreams: { ${name}: { ${['protocol: gemini', 'keys: [k]', ...more].join(', ')} } }`
}

/** A file with a bucket that nothing is wrong with but what `line` says of it. */
export function withBucket(line: string): string {
  const fields = ['bucket: pictures', 'endpoint: "https://s3.example"', 'access_key: k', 'secret_key: k']
  const [name] = line.split(':')
  const others = fields.filter(field => !field.startsWith(`${name}:`))
  return `assets: { s3: { ${[line, ...others].join(', ')} }, signing_secret: ${'s'.repeat(32)} }`
}
