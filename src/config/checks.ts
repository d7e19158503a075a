/** What keys mean together: rules that no single key can break. Each takes what could be read, so that all are told at once. */

import { arrivesAt, collide, hostAndPortOf, isLoopback, isPrivateAddress, rootFault } from './address.ts'
import type { Environment } from './environment.ts'
import { hashKey } from './keys.ts'
import type { Mistakes } from './mistakes.ts'
import type { Entry, ReadTree } from './read-tree.ts'
import type { UpstreamFields } from './schema.ts'
import { nearest } from './spelling.ts'
import { isTree, type Path, pathText } from './tree.ts'
import { dialectsOf, usualDialect, vendorOf } from './vendors.ts'

export type SandboxMode = 'auto' | 'on' | 'off'

/** What the built-in sandbox is called as an upstream. */
export const sandboxName = 'sandbox'

/** What stands in the environment alone. */
export interface Modes {
  readonly sandbox: SandboxMode
  readonly workers: number
}

/** What breaks a rule is added to `mistakes`. */
export function checkTogether(read: ReadTree, { sandbox, workers }: Modes, mistakes: Mistakes): void {
  checkListeners(read, mistakes)
  checkCallers(read, mistakes)
  checkDoor(read, mistakes)
  checkUpstreams(read, mistakes)
  checkUpstreamExists(read, sandbox, mistakes)
  checkRoutes(read, sandbox, mistakes)
  checkAssets(read, mistakes)
  checkWorkers(read, workers, mistakes)
}

/** The built-in sandbox serves when it is asked for, and by itself where nothing else does and nobody else can reach it. */
export function sandboxServes(read: ReadTree, sandbox: SandboxMode): boolean {
  return sandbox === 'on' || (sandbox === 'auto' && read.upstreams.size === 0 && isLoopback(read.fields.listen.host))
}

function checkListeners({ fields: { listen, admin } }: ReadTree, mistakes: Mistakes): void {
  const inDoubt = mistakes.touches(['listen', 'host']) || mistakes.touches(['listen', 'port'])
  if (!inDoubt && collide(listen, admin)) {
    mistakes.add(['admin', 'port'], 'is the port of the public listener too: give each its own')
  }
  if (!isLoopback(admin.host) && admin.token === undefined && !mistakes.touches(['admin', 'token'])) {
    const problem =
      'is reached from other machines, and no token guards it: set PLANTAIN_ADMIN_TOKEN or admin.token, or listen on 127.0.0.1'
    mistakes.add(['admin', 'host'], problem)
  }
}

function checkCallers({ callers }: ReadTree, mistakes: Mistakes): void {
  const ids = new Map<string, Path>()
  const keys = new Map<string, Path>()
  for (const { path, readable } of callers) {
    const { id, key, key_sha256 } = readable
    const keyPath = [...path, key === undefined ? 'key_sha256' : 'key']
    if (key !== undefined && key_sha256 !== undefined) {
      mistakes.add(keyPath, 'stands beside key_sha256: give one of the two')
    } else if (key === undefined && key_sha256 === undefined) {
      const wrong = mistakes.touches([...path, 'key']) || mistakes.touches([...path, 'key_sha256'])
      if (!wrong) mistakes.add([...path, 'key'], 'is missing: give key or key_sha256')
    } else {
      const hash = key_sha256 ?? hashKey(key ?? '')
      const first = keys.get(hash)
      if (first !== undefined)
        mistakes.add(keyPath, `is the key of ${named(first, mistakes)} too: each caller needs its own`)
      keys.set(hash, first ?? path)
    }
    for (const pattern of Object.keys(readable.model_limits ?? {})) {
      if (/^\S+$/.test(pattern)) continue
      mistakes.add(
        [...path, 'model_limits', pattern],
        'must be the name of a model or a pattern like gemini-*, without spaces',
      )
    }
    if (id === undefined) continue
    const first = ids.get(id)
    if (first !== undefined)
      mistakes.add([...path, 'id'], `is the id of ${named(first, mistakes)} too: each caller needs its own`)
    if (id === 'anonymous') mistakes.add([...path, 'id'], 'must be another: anonymous is a caller without a key')
    ids.set(id, first ?? path)
  }
}

/** Who may come in, by `auth`, `callers` and the listener's host. */
function checkDoor({ fields: { auth, listen }, callers }: ReadTree, mistakes: Mistakes): void {
  if (callers.length > 0 || mistakes.touches(['callers']) || mistakes.touches(['auth'])) return
  if (auth === 'keys') {
    mistakes.add(['auth'], 'asks for keys, and there is no caller who has one: set PLANTAIN_API_KEYS or add callers')
  } else if (auth === undefined && !isLoopback(listen.host)) {
    const problem =
      'is reached from other machines, and no caller has a key: set PLANTAIN_API_KEYS or add callers, listen on 127.0.0.1, or write auth: open'
    mistakes.add(['listen', 'host'], problem)
  }
}

function checkUpstreams({ fields: { listen, admin }, upstreams }: ReadTree, mistakes: Mistakes): void {
  for (const [name, { path, readable }] of upstreams) {
    if (name === sandboxName) mistakes.add(path, 'has the name of the built-in sandbox: give it another')
    checkVendor(path, readable, mistakes)
    if (readable.base_url === undefined) continue
    const called = hostAndPortOf(readable.base_url)
    const basePath = [...path, 'base_url']
    if (arrivesAt(called, listen) || arrivesAt(called, admin)) {
      mistakes.add(basePath, 'is the gateway itself: give the address of the upstream')
    } else if (isPrivateAddress(called.host) && readable.allow_private_network === false) {
      mistakes.add(
        basePath,
        'lies in a private network: if that is meant, its upstream must stand in the file, with allow_private_network: true',
      )
    }
  }
}

/** A file that is not there would be found by the first call, whose caller can't mend it. What it holds is judged there. */
export function checkCredentials({ upstreams }: ReadTree, environment: Environment, mistakes: Mistakes): void {
  for (const { path, readable } of upstreams.values()) {
    const { credentials = 'adc' } = readable
    const read = credentials === 'adc' ? null : environment.file(credentials)
    if (read && 'why' in read) {
      const problem = `names a file that cannot be read (${read.why}): give the file of a service account or of a federation, or adc`
      mistakes.add([...path, 'credentials'], problem)
    }
  }
}

/** What the vendor's dialect needs, and what means nothing to it. */
function checkVendor(path: Path, upstream: Entry<UpstreamFields>['readable'], mistakes: Mistakes): void {
  const { protocol, base_url, keys, project, location, credentials, api_version } = upstream
  if (protocol === undefined || mistakes.touches([...path, 'dialect'])) return
  const dialect = upstream.dialect ?? usualDialect[protocol]
  const vendor = vendorOf(protocol, dialect)
  if (vendor === undefined) {
    mistakes.add([...path, 'dialect'], `does not speak ${protocol}: there are ${dialectsOf(protocol).join(', ')}`)
    return
  }
  if (!mistakes.touches([...path, 'base_url'])) {
    const fault = baseUrlFault(base_url, vendor)
    if (fault !== null) mistakes.add([...path, 'base_url'], fault)
  }
  if (keys === undefined && project === undefined && !mistakes.touches([...path, 'keys'])) {
    const orProject = dialect === 'vertex' ? ', or there is a project, for calls with Google credentials' : ''
    mistakes.add(
      [...path, 'keys'],
      `is missing: it must be a list, like ["\${${protocol === 'gemini' ? 'GEMINI' : 'OPENAI'}_API_KEY}"]${orProject}`,
    )
  }
  if (keys !== undefined && project !== undefined) {
    mistakes.add([...path, 'keys'], 'stands beside project: keys are for express mode, a project takes credentials')
  }
  const strange = Object.entries({
    vertex: { project, location, credentials },
    azure: { api_version },
  }).flatMap(([owner, settings]) => (owner === dialect ? [] : Object.entries(settings).map(entry => [owner, ...entry])))
  for (const [owner, key, value] of strange) {
    if (value !== undefined) mistakes.add([...path, String(key)], `means nothing here: it belongs to dialect ${owner}`)
  }
}

function baseUrlFault(baseUrl: string | undefined, vendor: NonNullable<ReturnType<typeof vendorOf>>): string | null {
  if (baseUrl === undefined)
    return vendor.baseUrl === undefined ? 'is missing: it must be the address of the upstream' : null
  if (vendor.anyEnding) return null
  if (vendor.ending === undefined) return rootFault(baseUrl)
  return new URL(baseUrl).pathname === '/' ? `must end in ${vendor.ending}, as the vendor's SDKs take it` : null
}

function checkUpstreamExists(read: ReadTree, sandbox: SandboxMode, mistakes: Mistakes): void {
  if (read.upstreams.size > 0 || sandboxServes(read, sandbox)) return
  const remedy = 'set GEMINI_API_KEY or OPENAI_API_KEY, or add upstreams'
  if (sandbox === 'off') {
    mistakes.add(['upstreams'], `there is none, and PLANTAIN_SANDBOX is off: ${remedy}`)
  } else {
    mistakes.add(
      ['upstreams'],
      `there is none, and off loopback the sandbox does not step in by itself: ${remedy}, or set PLANTAIN_SANDBOX=on`,
    )
  }
}

function checkRoutes(read: ReadTree, sandbox: SandboxMode, mistakes: Mistakes): void {
  const known = [...read.upstreams.keys(), ...(sandboxServes(read, sandbox) ? [sandboxName] : [])]
  for (const { path, written } of read.routes) {
    const names = isTree(written) && Array.isArray(written.upstreams) ? written.upstreams : []
    const seen = new Set<string>()
    for (const [position, name] of names.entries()) {
      if (typeof name !== 'string') continue
      const place = [...path, 'upstreams', position]
      if (seen.has(name)) mistakes.add(place, 'stands twice in this list: keep one')
      else if (!known.includes(name)) mistakes.add(place, noSuchUpstream(name, known))
      seen.add(name)
    }
  }
}

function noSuchUpstream(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'is no upstream: there is none'
  const meant = nearest(name, known)
  return `is no upstream; ${meant === null ? `there are ${known.join(', ')}` : `did you mean ${meant}? (there are ${known.join(', ')})`}`
}

/** Beside a folder a secret can be made and kept; a bucket may be read by more people than should sign. */
function checkAssets({ fields: { assets } }: ReadTree, mistakes: Mistakes): void {
  const place = ['assets', 'signing_secret']
  if (assets.s3 === undefined || assets.signing_secret !== undefined || mistakes.touches(place)) return
  const problem =
    'is missing: gateways that share a bucket need one secret, so set PLANTAIN_ASSET_SECRET to what "openssl rand -hex 32" prints'
  mistakes.add(place, problem)
}

/** Each process would count for itself, and admit the whole limit. */
function checkWorkers(read: ReadTree, workers: number, mistakes: Mistakes): void {
  if (workers === 1 || read.fields.store.redis !== undefined || mistakes.touches(['store', 'redis'])) return
  const limited = limitedPath(read)
  if (limited === undefined) return
  const problem = `asks for ${workers} processes, which can't share the limits of ${named(limited, mistakes)} without Redis: set REDIS_URL, or unset this`
  mistakes.addVariable('PLANTAIN_WORKERS', problem)
}

/** The first caller or upstream with a limit. */
function limitedPath({ callers, upstreams }: ReadTree): Path | undefined {
  const isLimit = (limits: object = {}) => Object.values(limits).some(value => value !== undefined)
  const caller = callers.find(
    ({ readable: { limits, model_limits = {} } }) => isLimit(limits) || Object.values(model_limits).some(isLimit),
  )
  const upstream = [...upstreams.values()].find(
    ({ readable: { limits, project_limits, keys = [] } }) =>
      isLimit(limits) || isLimit(project_limits) || keys.some(key => isLimit(key.limits)),
  )
  return caller?.path ?? upstream?.path
}

/** `callers[0] (config/gateway.yaml:12)`, or the variable that made it. */
function named(path: Path, mistakes: Mistakes): string {
  return `${pathText(path)} (${mistakes.whereIs(path)})`
}
