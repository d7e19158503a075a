/** What the environment says, laid over the file's tree: where both speak, the environment wins. */

import type { Environment, Variable } from './environment.ts'
import { misspeltVariables } from './misspelt-variables.ts'
import type { Mistakes } from './mistakes.ts'
import { splitKeys } from './schema.ts'
import { isTree, type Tree } from './tree.ts'

export interface Overlay {
  /** The file's tree with the variables' values in it. */
  readonly tree: Tree
  readonly notices: readonly string[]
}

interface Surroundings {
  readonly environment: Environment
  readonly mistakes: Mistakes
  /** The variables that the file refers to by itself. */
  readonly referred: ReadonlySet<string>
}

/** A variable that can't be used is added to `mistakes`; what else the operator should know are notices. */
export function overlayVariables(fileTree: Tree, surroundings: Surroundings): Overlay {
  const { environment, referred } = surroundings
  const settings = overlaySettings(fileTree, surroundings)
  const callers = overlayCallers(settings, surroundings)
  const upstreams = vendorVariables.reduce<Overlay>(
    ({ tree, notices }, vendor) => {
      const made = overlayVendor(tree, vendor, surroundings)
      return { tree: made.tree, notices: [...notices, ...made.notices] }
    },
    { tree: callers.tree, notices: [] },
  )
  const misspelt = misspeltVariables(environment.names, referred)
  return { tree: upstreams.tree, notices: [...callers.notices, ...upstreams.notices, ...misspelt] }
}

function overlaySettings(tree: Tree, { environment, mistakes }: Surroundings): Tree {
  const settings: readonly (readonly [section: string, key: string, variable: Variable])[] = [
    ['listen', 'host', environment.plain('PLANTAIN_HOST')],
    ['listen', 'port', environment.plain('PLANTAIN_PORT')],
    ['admin', 'host', environment.plain('PLANTAIN_ADMIN_HOST')],
    ['admin', 'port', environment.plain('PLANTAIN_ADMIN_PORT')],
    ['admin', 'token', environment.secret('PLANTAIN_ADMIN_TOKEN')],
    ['store', 'redis', environment.secret('REDIS_URL')],
    ['assets', 'signing_secret', environment.secret('PLANTAIN_ASSET_SECRET')],
    ['log', 'level', environment.plain('PLANTAIN_LOG_LEVEL')],
  ]
  const changed: Record<string, unknown> = { ...tree }
  for (const [name, key, variable] of settings) {
    if (variable.state === 'faulty') mistakes.doubt([name, key])
    if (variable.state !== 'set') continue
    mistakes.gaveBy([name, key], variable.name)
    const section = changed[name] ?? {}
    if (isTree(section)) changed[name] = { ...section, [key]: variable.value }
    if (variable.name === 'PLANTAIN_PORT') refuseKubernetesPort(variable.value, mistakes)
  }
  return changed
}

/** Kubernetes gives pods `<SERVICE>_PORT=tcp://…` for the services beside them: one named plantain overwrites our variable. */
function refuseKubernetesPort(value: string, mistakes: Mistakes): void {
  if (!value.startsWith('tcp://')) return
  const problem = 'is what Kubernetes sets for a service named plantain: give the pod enableServiceLinks: false'
  mistakes.add(['listen', 'port'], problem)
}

function overlayCallers(tree: Tree, { environment, mistakes }: Surroundings): Overlay {
  const variable = environment.secret('PLANTAIN_API_KEYS')
  if (variable.state === 'faulty') mistakes.doubt(['callers'])
  const callers = tree.callers ?? []
  if (variable.state !== 'set' || !Array.isArray(callers)) return { tree, notices: [] }
  const made = splitKeys(variable.value).map((key, position) => ({ id: `key-${position + 1}`, key }))
  for (const [position, { id }] of made.entries()) {
    mistakes.gaveBy(['callers', callers.length + position], `${variable.name} (${id})`)
  }
  const [first, last] = [made.at(0), made.at(-1)]
  if (first === undefined || last === undefined) {
    mistakes.addVariable(variable.name, 'holds no key: write keys separated by commas, or unset it')
    return { tree, notices: [] }
  }
  const who = first === last ? `caller ${first.id}` : `callers ${first.id} to ${last.id}`
  return { tree: { ...tree, callers: [...callers, ...made] }, notices: [`${who} from ${variable.name}`] }
}

/** An upstream that a variable makes. */
interface VendorVariables {
  readonly upstream: string
  readonly protocol: 'gemini' | 'openai'
  /** The first that is set counts. */
  readonly keys: readonly [string, ...string[]]
  readonly baseUrl: string
}

const vendorVariables: readonly VendorVariables[] = [
  { upstream: 'gemini', protocol: 'gemini', keys: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'], baseUrl: 'GEMINI_BASE_URL' },
  { upstream: 'openai', protocol: 'openai', keys: ['OPENAI_API_KEY'], baseUrl: 'OPENAI_BASE_URL' },
]

/** A key that the file itself refers to makes no upstream of its own: it has one already. */
function overlayVendor(tree: Tree, vendor: VendorVariables, surroundings: Surroundings): Overlay {
  const { environment, mistakes, referred } = surroundings
  const variables = vendor.keys.map(name => environment.secret(name))
  if (variables.some(({ state }) => state === 'faulty')) mistakes.doubt(['upstreams'])
  const base = environment.plain(vendor.baseUrl)
  const inFile = vendor.keys.find(name => referred.has(name))
  const [key, ...others] = variables.filter(variable => variable.state === 'set')
  if (inFile !== undefined || key === undefined) {
    const reason = inFile === undefined ? `${vendor.keys[0]} is not set` : `the file has an upstream with ${inFile}`
    const isNoted = base.state === 'set' && !referred.has(base.name)
    return { tree, notices: isNoted ? [`${vendor.baseUrl} makes no upstream: ${reason}`] : [] }
  }
  const upstreams = tree.upstreams ?? {}
  if (!isTree(upstreams)) return { tree, notices: [] }
  const name = vendor.upstream
  const path = ['upstreams', name]
  if (name in upstreams) {
    const remedy = `rename that one, let it have keys: ["\${${key.name}}"], or unset the variable`
    mistakes.addVariable(key.name, `makes an upstream named ${name}, and so does ${mistakes.whereIs(path)}: ${remedy}`)
    return { tree, notices: [] }
  }
  mistakes.gaveBy(path, key.name)
  const isElsewhere = base.state === 'set'
  if (isElsewhere) mistakes.gaveBy([...path, 'base_url'], base.name)
  const made = { protocol: vendor.protocol, keys: [key.value], ...(isElsewhere && { base_url: base.value }) }
  const unused = others.filter(({ value }) => value !== key.value)
  return {
    tree: { ...tree, upstreams: { ...upstreams, [name]: made } },
    notices: [
      `upstream ${name} from ${key.name}${isElsewhere ? ` and ${base.name}` : ''}`,
      ...unused.map(other => `${other.name} is not used: ${key.name} is set to another key`),
    ],
  }
}
