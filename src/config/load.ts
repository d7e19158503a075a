/** The file and the environment → one frozen Config, or one error that lists everything that is wrong with them. */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { assemble } from './assemble.ts'
import { checkCredentials, checkTogether, type SandboxMode, sandboxServes } from './checks.ts'
import type { Config } from './config.ts'
import { createEnvironment, type Environment, type EnvironmentParams, whyUnreadable } from './environment.ts'
import { expandReferences } from './expand.ts'
import { frozen } from './frozen.ts'
import { Mistakes } from './mistakes.ts'
import { readTree } from './read-tree.ts'
import type { Path } from './tree.ts'
import { overlayVariables } from './variables.ts'
import { parseYamlFile } from './yaml-file.ts'

export interface LoadParams {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where relative paths begin: the file's own and those written in it. */
  readonly cwd: string
  /** UTF-8 text of a file; throws as node:fs does. Left out: the disk. */
  readonly readFile?: (path: string) => string
  /** What is wrong with the entries of `models:`, which the catalogue alone understands. Left out: they are taken as they are. */
  readonly modelMistakes?: (models: readonly unknown[]) => readonly { readonly path: Path; readonly problem: string }[]
}

const defaultConfigFile = 'config/gateway.yaml'

/** @throws ConfigError with every mistake at once. */
export function loadConfig({
  env,
  cwd,
  readFile = path => readFileSync(path, 'utf8'),
  modelMistakes = () => [],
}: LoadParams): Config {
  const file = env.PLANTAIN_CONFIG || defaultConfigFile
  const mistakes = new Mistakes(file)
  const surroundings = { env, cwd, readFile, mistakes }
  const environment = createEnvironment(surroundings)
  const text = readConfigText(file, !env.PLANTAIN_CONFIG, surroundings)
  const yaml = parseYamlFile(text ?? '', mistakes)
  mistakes.readLinesWith(yaml.lineOf)
  const expanded = expandReferences(yaml.tree ?? {}, environment, mistakes)
  const overlay = overlayVariables(expanded.tree, { environment, mistakes, referred: expanded.names })
  const mode = readSandboxMode(environment, mistakes)
  const workers = readWorkers(environment, mistakes)
  const read = readTree(overlay.tree, mistakes)
  for (const { path, problem } of modelMistakes(read.fields.models)) mistakes.add(path, problem)
  // Of a file that could not be read, everything would be told as missing.
  if (text !== null && yaml.tree !== undefined) checkTogether(read, { sandbox: mode, workers }, mistakes)
  checkCredentials(read, environment, mistakes)
  mistakes.throwIfAny()
  return frozen(assemble(read, { sandbox: sandboxServes(read, mode), workers }, overlay.notices, cwd))
}

/** Null: there is a file, or should be, and it cannot be read. An absent file at the default place is an empty one. */
function readConfigText(
  file: string,
  isDefault: boolean,
  { readFile, cwd, mistakes }: EnvironmentParams,
): string | null {
  try {
    return readFile(resolve(cwd, file))
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (absent && isDefault) return ''
    mistakes.addVariable('PLANTAIN_CONFIG', `${file} cannot be read: ${whyUnreadable(error)}`)
    return null
  }
}

function readSandboxMode(environment: Environment, mistakes: Mistakes): SandboxMode {
  const variable = environment.plain('PLANTAIN_SANDBOX')
  if (variable.state !== 'set') return 'auto'
  switch (variable.value) {
    case 'auto':
      return 'auto'
    case 'on':
    case 'true':
      return 'on'
    case 'off':
    case 'false':
      return 'off'
    default:
      mistakes.addVariable('PLANTAIN_SANDBOX', 'must be auto, on or off')
      mistakes.doubt(['upstreams'])
      return 'auto'
  }
}

// More than any machine has use for: a figure above it is a mistake.
const mostWorkers = 128

function readWorkers(environment: Environment, mistakes: Mistakes): number {
  const variable = environment.plain('PLANTAIN_WORKERS')
  if (variable.state !== 'set') return 1
  const workers = /^[1-9]\d{0,2}$/.test(variable.value) ? Number(variable.value) : Number.NaN
  if (workers <= mostWorkers) return workers
  mistakes.addVariable('PLANTAIN_WORKERS', `must be a whole number from 1 to ${mostWorkers}`)
  return 1
}
