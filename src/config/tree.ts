/** The file as maps, lists and scalars before anything is known about it, and paths into it. */

export type Tree = Readonly<Record<string, unknown>>

/** Keys and list positions from the root: `['callers', 0, 'key']`. */
export type Path = readonly PropertyKey[]

/** Is it a map? */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `['callers', 0, 'key']` → `callers[0].key`. */
export function pathText(path: Path): string {
  const steps = path.map(step => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
  return steps.join('').replace(/^\./, '')
}

/** Whether the path lies at the start or inside of it. */
export function isWithin(path: Path, start: Path): boolean {
  return start.every((step, position) => path[position] === step)
}
