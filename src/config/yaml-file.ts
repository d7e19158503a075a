/** The YAML file as text → its tree, with the line of every key. */

import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml'
import type { Mistakes } from './mistakes.ts'
import { isTree, type Path, type Tree } from './tree.ts'

export interface YamlFile {
  /** Undefined: the text could not be read, and the mistakes say why. */
  readonly tree: Tree | undefined
  /** The line of the innermost key on the path that is in the file, from 1. Null: not even the first is. */
  lineOf(path: Path): number | null
}

// Enough for one set of timeouts shared by many upstreams, too little for a "billion laughs".
const maxAliasCount = 100

/** The core schema without merge keys: `on` stays text, `<<` is a key like any other (so an unknown one). */
export function parseYamlFile(text: string, mistakes: Mistakes): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    stringKeys: true,
    // The pretty form quotes the line at fault, which may hold a key.
    prettyErrors: false,
    lineCounter: lines,
  })
  // A key that stands twice leaves a tree to look at. Of what derails the parser only the first fault is told: the rest
  // of the file, read out of step, would give one for every word.
  const derailments = document.errors.filter(fault => fault.code !== 'DUPLICATE_KEY')
  const doubles = document.errors.filter(fault => fault.code === 'DUPLICATE_KEY')
  for (const fault of [...doubles, ...document.warnings, ...derailments.slice(0, 1)]) {
    const { line, col } = lines.linePos(fault.pos[0])
    mistakes.addLine(line, col, sentences[fault.code] ?? `not YAML: ${fault.message}`)
  }
  const lineOf = (path: Path) => lineOfPath(document.contents, path, lines)
  if (derailments.length > 0) return { tree: undefined, lineOf }
  return { tree: isSound(document, lines, mistakes) ? treeOf(document, mistakes) : undefined, lineOf }
}

/** Each alias leads to an anchor before it that does not hold the alias itself, and no key is one that JavaScript hides. */
function isSound(document: Document.Parsed, lines: LineCounter, mistakes: Mistakes): boolean {
  let sound = true
  const refuse = (offset: number, problem: string) => {
    const { line, col } = lines.linePos(offset)
    mistakes.addLine(line, col, problem)
    sound = false
  }
  visit(document, {
    Alias: (_, alias) => {
      const [at, target] = [alias.range?.[0] ?? 0, alias.resolve(document)]
      if (target !== undefined && (target.range?.[1] ?? 0) <= at) return
      refuse(at, 'an alias (*name) needs its anchor (&name) before it; put a text that begins with * in quotes')
    },
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value === '__proto__') refuse(key.range?.[0] ?? 0, 'unknown key')
    },
  })
  return sound
}

function treeOf(document: Document.Parsed, mistakes: Mistakes): Tree | undefined {
  try {
    const tree: unknown = document.toJS({ maxAliasCount }) ?? {}
    if (isTree(tree)) return tree
    mistakes.addLine(1, 1, 'the file must be a map of keys, like "listen: { port: 8080 }"')
  } catch {
    mistakes.addLine(1, 1, 'too many aliases (*name): write the values out')
  }
  return undefined
}

/** In place of the library's own words where those quote the file or need a remedy. */
const sentences: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'not YAML: an alias (*name) stands alone; put a text that begins with * in quotes',
  BAD_ALIAS: 'not YAML: a name is missing after * or &; put a text that begins so in quotes',
  BAD_DIRECTIVE: 'not YAML: a line that begins with % is a directive; put a text that begins so in quotes',
  BAD_DQ_ESCAPE: "not YAML: a backslash in double quotes begins an escape; use 'single quotes'",
  BAD_SCALAR_START: 'not YAML: a text cannot begin with this character; put it in quotes',
  DUPLICATE_KEY: 'this key stands twice in its map: keep one',
  MULTIPLE_DOCS: 'the file holds several documents: keep the first, without the --- after it',
  TAB_AS_INDENT: 'not YAML: indent with spaces, not with tabs',
  TAG_RESOLVE_FAILED: 'tags (!name) are not used here; put a text that begins with ! in quotes',
  UNEXPECTED_TOKEN:
    'not YAML: something stands here that does not belong; put a text with special characters in quotes',
}

function lineOfPath(root: unknown, path: Path, lines: LineCounter): number | null {
  let node = root
  let line: number | null = null
  for (const step of path) {
    if (isSeq(node)) {
      node = node.items[Number(step)]
      line = isNode(node) ? lineOfNode(node, lines) : line
    } else if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
      if (pair === undefined || !isScalar(pair.key)) return line
      line = lineOfNode(pair.key, lines)
      node = pair.value
    } else if (isAlias(node)) {
      // What an alias stands for lies elsewhere: the alias itself is where people look.
      return line
    }
  }
  return line
}

function lineOfNode(node: Node, lines: LineCounter): number | null {
  return node.range ? lines.linePos(node.range[0]).line : null
}
