/** `${NAME}`, `${NAME:-default}` and `${file:/path}` in the file's strings. */

import type { Environment } from './environment.ts'
import type { Mistakes } from './mistakes.ts'
import type { Path, Tree } from './tree.ts'

export interface Expanded {
  /** The tree with every reference filled in; keys without a value (`token:`, `token: ""`) are gone, as if never written. */
  readonly tree: Tree
  /** The variables the file refers to, set or not. */
  readonly names: ReadonlySet<string>
}

/** A reference that leads nowhere is a mistake at its place, and its string counts as empty. */
export function expandReferences(tree: Tree, environment: Environment, mistakes: Mistakes): Expanded {
  const names = new Set<string>()

  function lookUp(reference: string, path: Path): string {
    const file = /^file:(.+)$/s.exec(reference)
    if (file?.[1] !== undefined) {
      const read = environment.file(file[1])
      if ('content' in read) return read.content
      mistakes.add(path, `refers to a file that cannot be read (${read.why})`)
      return ''
    }
    const [, name, fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(reference) ?? []
    if (name === undefined) {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what the reader should write
      mistakes.add(path, 'holds a reference that is none: write ${NAME}, ${NAME:-default} or ${file:/path}')
      return ''
    }
    names.add(name)
    const variable = environment.secret(name)
    if (variable.state === 'set') return variable.value
    if (variable.state === 'faulty') mistakes.doubt(path)
    else if (fallback === undefined)
      mistakes.add(path, `refers to ${name}, which is not set: set it, or write \${${name}:-default}`)
    return fallback ?? ''
  }

  function expandText(text: string, path: Path): string {
    const filled = text.replace(/\$\{([^}]*)\}/g, (_, reference: string) => lookUp(reference, path))
    // Looked for in what was written, not in what a variable holds.
    const unclosed = text.replace(/\$\{[^}]*\}/g, '').includes('${')
    if (unclosed) mistakes.add(path, 'holds a reference without its closing brace')
    return mistakes.touches(path) ? '' : filled
  }

  function expand(node: unknown, path: Path): unknown {
    if (typeof node === 'string') return expandText(node, path)
    if (Array.isArray(node)) return node.map((item, position) => expand(item, [...path, position]))
    return typeof node === 'object' && node !== null ? expandMap(node, path) : node
  }

  function expandMap(map: object, path: Path): Tree {
    const entries = Object.entries(map).map(([key, value]) => [key, expand(value, [...path, key])] as const)
    // Models are passed on as they are: what empty means there is the catalogue's matter.
    if (path[0] === 'models') return Object.fromEntries(entries)
    // An upstream with nothing below its name is meant to be one: what it lacks is said, and the sandbox does not paint for it.
    if (path.length === 1 && path[0] === 'upstreams')
      return Object.fromEntries(entries.map(([name, its]) => [name, its ?? {}]))
    return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== ''))
  }

  return { tree: expandMap(tree, []), names }
}
