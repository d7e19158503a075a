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
import { isTree, type Path } from './tree.ts'

export interface Entry<T> {
  readonly path: Path
  /** As the file has it. */
  readonly written: unknown
  /** Undefined: something is wrong with it. */
  readonly whole: T | undefined
  /** What is right about it, for the checks between keys. */
  readonly readable: Partial<T>
}

export interface ReadTree {
  /** A value that is wrong has its default here. */
  readonly fields: FileFields
  readonly callers: readonly Entry<CallerFields>[]
  readonly upstreams: ReadonlyMap<string, Entry<UpstreamFields>>
  readonly routes: readonly Entry<RouteFields>[]
}

export function readTree(tree: Readonly<Record<string, unknown>>, mistakes: Mistakes): ReadTree {
  const file = readEntry(fileSchema, tree, [], mistakes)
  const fields = file.whole ?? fileSchema.parse(file.readable)
  const upstreams = Object.entries(fields.upstreams).map(([name, raw]) => {
    const path = ['upstreams', name]
    const entry = readEntry(upstreamSchema, raw, path, mistakes)
    for (const issue of upstreamName.safeParse(name).error?.issues ?? [])
      mistakes.add(path, `its name ${issue.message}`)
    return [name, entry] as const
  })
  return {
    fields,
    callers: fields.callers.map((raw, position) => readEntry(callerSchema, raw, ['callers', position], mistakes)),
    upstreams: new Map(upstreams),
    routes: fields.routing.map((raw, position) => readEntry(routeSchema, raw, ['routing', position], mistakes)),
  }
}

function readEntry<S extends z.core.$ZodShape>(
  schema: z.ZodObject<S>,
  raw: unknown,
  path: Path,
  mistakes: Mistakes,
): Entry<z.output<z.ZodObject<S>>> {
  const whole = schema.safeParse(raw)
  if (whole.success)
    return { path, written: raw, whole: whole.data, readable: whole.data as Partial<typeof whole.data> }
  for (const issue of whole.error.issues) mistakes.add([...path, ...issue.path], issue.message)
  const rest = whole.error.issues.reduce((tree, issue) => without(tree, issue.path), raw)
  // Partial, because what is missing is known to be.
  const readable = schema.partial().safeParse(rest)
  return { path, written: raw, whole: undefined, readable: (readable.data ?? {}) as Partial<z.output<z.ZodObject<S>>> }
}

/** The tree without what lies at the path; a list with something wrong in it goes altogether. */
function without(tree: unknown, path: Path): unknown {
  const [step, ...rest] = path
  if (!isTree(tree) || step === undefined) return tree
  const { [String(step)]: inner, ...others } = tree
  return rest.length === 0 || !isTree(inner) ? others : { ...others, [String(step)]: without(inner, rest) }
}
