/** The tree through the schema: every mistake in it, and whatever of it can be read in spite of them. */

import type { z } from 'zod'
import type { Mistakes } from './mistakes.ts'
import {
  type CallerFields,
  callerSchema,
  type FileFields,
  fileSchema,
  type RouteFields,
  routeSchema,
  type UpstreamFields,
  upstreamName,
  upstreamSchema,
} from './schema.ts'
import { isTree, type Path, type Tree } from './tree.ts'

type Readable<T> = { readonly [K in keyof T]?: T[K] | undefined }

export interface Entry<T> {
  readonly path: Path
  /** As the file has it. */
  readonly written: unknown
  /** Undefined: something is wrong with it. */
  readonly whole: T | undefined
  /** What is right about it, for the checks between keys. */
  readonly readable: Readable<T>
}

export interface ReadTree {
  /** A value that is wrong has its default here. */
  readonly fields: FileFields
  readonly callers: readonly Entry<CallerFields>[]
  readonly upstreams: ReadonlyMap<string, Entry<UpstreamFields>>
  readonly routes: readonly Entry<RouteFields>[]
}

const file = bothWays(fileSchema)
const caller = bothWays(callerSchema)
const upstream = bothWays(upstreamSchema)
const route = bothWays(routeSchema)

/** What is wrong is added to `mistakes`. */
export function readTree(tree: Tree, mistakes: Mistakes): ReadTree {
  const entry = readEntry(file, tree, [], mistakes)
  const fields = entry.whole ?? fileSchema.parse(entry.readable)
  const upstreams = Object.entries(fields.upstreams).map(([name, written]) => {
    const path = ['upstreams', name]
    const read = readEntry(upstream, written, path, mistakes)
    for (const issue of upstreamName.safeParse(name).error?.issues ?? [])
      mistakes.add(path, `its name ${issue.message}`)
    return [name, read] as const
  })
  return {
    fields,
    callers: fields.callers.map((written, position) => readEntry(caller, written, ['callers', position], mistakes)),
    upstreams: new Map(upstreams),
    routes: fields.routing.map((written, position) => readEntry(route, written, ['routing', position], mistakes)),
  }
}

/** The schema, and the one for what is left when the wrong parts are taken out: there, anything may be missing. */
function bothWays<S extends z.core.$ZodShape>(schema: z.ZodObject<S>) {
  return { whole: schema, partial: schema.partial() }
}

interface BothWays<T> {
  readonly whole: z.ZodType<T>
  readonly partial: z.ZodType<Readable<T>>
}

function readEntry<T>(schema: BothWays<T>, written: unknown, path: Path, mistakes: Mistakes): Entry<T> {
  const { data, error } = schema.whole.safeParse(written)
  if (error === undefined) return { path, written, whole: data, readable: data }
  for (const issue of error.issues) mistakes.add([...path, ...issue.path], issue.message)
  const rest = error.issues.reduce((tree, issue) => without(tree, issue.path), written)
  return { path, written, whole: undefined, readable: schema.partial.safeParse(rest).data ?? {} }
}

/** The tree without what lies at the path; a list with something wrong in it goes altogether. */
function without(tree: unknown, path: Path): unknown {
  const [step, ...rest] = path
  if (!isTree(tree) || step === undefined) return tree
  const { [String(step)]: inner, ...others } = tree
  return rest.length === 0 || !isTree(inner) ? others : { ...others, [String(step)]: without(inner, rest) }
}
