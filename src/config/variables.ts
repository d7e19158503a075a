/** What the environment says, laid over the file's tree: where both speak, the environment wins. */

import type { Environment } from './environment.ts'
import type { Mistakes } from './mistakes.ts'
import { splitKeys } from './schema.ts'
import { nearest } from './spelling.ts'
import { isTree, type Path, type Tree } from './tree.ts'

export interface Overlay {
  /** The file's tree with the variables' values in it. */
  readonly tree: Tree
  readonly notices: readonly string[]
}

const plainVariables: readonly (readonly [variable: string, path: readonly [string, string]])[] = [
  ['PLANTAIN_HOST', ['listen', 'host']],
  ['PLANTAIN_PORT', ['listen', 'port']],
  ['PLANTAIN_ADMIN_HOST', ['admin', 'host']],
  ['PLANTAIN_ADMIN_PORT', ['admin', 'port']],
  ['PLANTAIN_LOG_LEVEL', ['log', 'level']],
]

const secretVariables: typeof plainVariables = [
  ['PLANTAIN_ADMIN_TOKEN', ['admin', 'token']],
  ['REDIS_URL', ['store', 'redis']],
]

const ownNames = [
  ...[...plainVariables, ...secretVariables].map(([variable]) => variable),
  ...[
    'PLANTAIN_CONFIG',
    'PLANTAIN_API_KEYS',
    'PLANTAIN_SANDBOX',
    'PLANTAIN_WORKERS',
    'PLANTAIN_ADMIN_TOKEN_FILE',
    'PLANTAIN_API_KEYS_FILE',
  ],
].filter(name => name.startsWith('PLANTAIN_'))

/** `referred`: the variables that the file refers to by itself; they make no upstream of their own. */
export function overlayVariables(
  fileTree: Tree,
  referred: ReadonlySet<string>,
  environment: Environment,
  mistakes: Mistakes,
): Overlay {
  const tree: Record<string, unknown> = { ...fileTree }
  const notices: string[] = []

  function put([sectionName, key]: readonly [string, string], value: unknown): void {
    const section = tree[sectionName] ?? {}
    if (isTree(section)) tree[sectionName] = { ...section, [key]: value }
  }

  function putVariable(path: readonly [string, string], variable: ReturnType<Environment['plain']>): void {
    if (variable.state === 'faulty') mistakes.doubt(path)
    if (variable.state !== 'set') return
    mistakes.gaveBy(path, variable.name)
    put(path, variable.value)
  }

  function addCallers(): void {
    const variable = environment.secret('PLANTAIN_API_KEYS')
    if (variable.state === 'faulty') mistakes.doubt(['callers'])
    if (variable.state !== 'set') return
    const callers = tree.callers ?? []
    if (!Array.isArray(callers)) return
    const keys = splitKeys(variable.value)
    if (keys.length === 0)
      mistakes.addVariable(variable.name, 'holds no key: write keys separated by commas, or unset it')
    const made = keys.map((key, position) => ({ id: `key-${position + 1}`, key }))
    for (const [position, { id }] of made.entries()) {
      mistakes.gaveBy(['callers', callers.length + position], `${variable.name} (${id})`)
    }
    tree.callers = [...callers, ...made]
    const [first, last] = [made.at(0), made.at(-1)]
    if (first && last)
      notices.push(
        `${first === last ? `caller ${first.id}` : `callers ${first.id} to ${last.id}`} from ${variable.name}`,
      )
  }

  function addGeminiUpstream(): void {
    const names = ['GEMINI_API_KEY', 'GOOGLE_API_KEY']
    const base = environment.plain('GEMINI_BASE_URL')
    if (names.some(name => referred.has(name))) return
    const [gemini, google] = names.map(name => environment.secret(name))
    if (gemini?.state === 'faulty' || google?.state === 'faulty') mistakes.doubt(['upstreams'])
    const key = gemini?.state === 'set' ? gemini : google
    if (key?.state !== 'set') {
      const noted = base.state === 'set' && !referred.has(base.name)
      if (noted) notices.push('GEMINI_BASE_URL makes no upstream: GEMINI_API_KEY is not set')
      return
    }
    if (google?.state === 'set' && google.value !== key.value) {
      notices.push(`${google.name} is not used: ${key.name} is set to another key`)
    }
    const upstreams = tree.upstreams ?? {}
    if (!isTree(upstreams)) return
    const path = ['upstreams', 'gemini']
    if ('gemini' in upstreams) {
      const problem = `makes an upstream named gemini, and so does ${mistakes.whereIs(path)}: rename that one, let it have keys: ["\${GEMINI_API_KEY}"], or unset the variable`
      mistakes.addVariable(key.name, problem)
      return
    }
    mistakes.gaveBy(path, key.name)
    if (base.state === 'set') mistakes.gaveBy([...path, 'base_url'], base.name)
    const made = { protocol: 'gemini', keys: [key.value], ...(base.state === 'set' && { base_url: base.value }) }
    tree.upstreams = { ...upstreams, gemini: made }
    notices.push(`upstream gemini from ${key.name}${base.state === 'set' ? ` and ${base.name}` : ''}`)
  }

  for (const [variable, path] of plainVariables) putVariable(path, environment.plain(variable))
  for (const [variable, path] of secretVariables) putVariable(path, environment.secret(variable))
  refuseKubernetesPort(environment, mistakes)
  addCallers()
  addGeminiUpstream()
  const openai = environment.secret('OPENAI_API_KEY')
  if (openai.state === 'set' && !referred.has('OPENAI_API_KEY')) {
    notices.push(`${openai.name} makes no upstream: OpenAI upstreams are not served by this version yet`)
  }
  return { tree, notices: [...notices, ...misspelt(environment.names, referred)] }
}

/** Kubernetes gives every pod `<SERVICE>_PORT=tcp://…` for the services beside it: one named plantain overwrites our variable. */
function refuseKubernetesPort(environment: Environment, mistakes: Mistakes): void {
  const port = environment.plain('PLANTAIN_PORT')
  if (port.state !== 'set' || !port.value.startsWith('tcp://')) return
  const path: Path = ['listen', 'port']
  mistakes.add(path, 'is what Kubernetes sets for a service named plantain: give the pod enableServiceLinks: false')
}

function misspelt(names: readonly string[], referred: ReadonlySet<string>): readonly string[] {
  const strangers = names.filter(
    name => name.startsWith('PLANTAIN_') && !ownNames.includes(name) && !referred.has(name),
  )
  return strangers.flatMap(name => {
    const meant = nearest(
      name.slice('PLANTAIN_'.length),
      ownNames.map(own => own.slice('PLANTAIN_'.length)),
    )
    return meant === null || name.length > meant.length + 'PLANTAIN_'.length + 2
      ? []
      : [`${name} is not read: PLANTAIN_${meant} is meant, perhaps`]
  })
}
