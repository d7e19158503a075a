/** Facts about a JSON text that `JSON.parse` does not tell: how deep it is, and which outer keys it repeats. */

const [quote, backslash, colon, comma] = [0x22, 0x5c, 0x3a, 0x2c]
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]

export interface SkeletonFacts {
  readonly depth: number
  /** Commas between members and items. Where they pass the bound, the text behind was not looked at. */
  readonly commas: number
  /** Keys that the outermost object has more than once, whichever way each is spelt. */
  readonly repeatedKeys: readonly string[]
  /** A key begins with the stand-in for a long string. */
  readonly longKey: boolean
}

/** One pass over the text's bytes. The text need not be valid: then the facts are of no use, and the parse that follows fails. */
export function inspectSkeleton(text: Buffer, placeholder: Buffer, maxCommas: number): SkeletonFacts {
  const outerKeys = new Set<string>()
  const repeatedKeys = new Set<string>()
  let [depth, deepest, commas, longKey] = [0, 0, 0, false]
  for (let at = 0; at < text.length && commas <= maxCommas; at++) {
    switch (text[at]) {
      case openBrace:
      case openBracket:
        depth += 1
        if (depth > deepest) deepest = depth
        break
      case closeBrace:
      case closeBracket:
        depth -= 1
        break
      case comma:
        commas += 1
        break
      case quote: {
        const start = at + 1
        at = endOfString(text, start)
        if (!isKey(text, at + 1)) break
        longKey ||= begins(text, start, placeholder)
        if (depth !== 1) break
        const key = unescaped(text.toString('utf8', start, at))
        if (outerKeys.has(key)) repeatedKeys.add(key)
        outerKeys.add(key)
        break
      }
    }
  }
  return { depth: deepest, commas, repeatedKeys: [...repeatedKeys], longKey }
}

function begins(text: Buffer, at: number, start: Buffer): boolean {
  for (let index = 0; index < start.length; index++) if (text[at + index] !== start[index]) return false
  return true
}

/** `\u006dodel` is `model` to whoever parses it. */
function unescaped(key: string): string {
  if (!key.includes('\\')) return key
  try {
    return String(JSON.parse(`"${key}"`))
  } catch {
    return key
  }
}

function endOfString(text: Buffer, start: number): number {
  let at = start
  while (at < text.length && text[at] !== quote) at += text[at] === backslash ? 2 : 1
  return at
}

function isKey(text: Buffer, after: number): boolean {
  let at = after
  while (isSpace(text[at])) at += 1
  return text[at] === colon
}

const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/**
 * The beginning of a JSON text, up to the last item of a list that is whole, made a text of its own: what stands around is
 * closed. Null where none is whole yet. An item that is not is left out: of what it is, its last member may say the opposite.
 */
export function closedPrefix(text: Buffer): Buffer | null {
  const open: number[] = []
  let [end, depth] = [0, 0]
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]
    if (byte === quote) at = endOfString(text, at + 1)
    else if (byte === openBrace) open.push(closeBrace)
    else if (byte === openBracket) open.push(closeBracket)
    else if (byte === closeBrace || byte === closeBracket) {
      open.pop()
      if (open.length > 0 && open.at(-1) !== closeBracket) continue
      end = at + 1
      depth = open.length
    }
  }
  // What was opened behind the end stands above `depth`.
  const closers = open.slice(0, depth).toReversed()
  return end === 0 ? null : Buffer.concat([text.subarray(0, end), Buffer.from(closers)])
}
