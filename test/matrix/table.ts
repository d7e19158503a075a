/** The matrix as README shows it: every cell's words come from what the matrix test holds the gateway to. */
import { type Caller, callers, canAsk } from './callers.ts'
import { type Cell, cellOf } from './cells.ts'
import { type UpstreamKind, upstreams } from './upstreams.ts'
import { type Feature, features } from './wishes.ts'

/** Rows that say the same of several upstreams are one, and so are callers of whom all rows say the same. */
export function matrixTable(): string {
  const blocks = new Map<string, string[]>()
  for (const caller of callers.filter(({ streamsOnly }) => !streamsOnly)) {
    const rows = rowsOf(caller).join('\n')
    blocks.set(rows, [...(blocks.get(rows) ?? []), caller.name])
  }
  const head = ['caller', 'upstream', ...features.map(feature => feature.head)]
  const rows = [...blocks].flatMap(([block, names]) =>
    block.split('\n').map((row, index) => `| ${index === 0 ? names.join(' · ') : ''} | ${row} |`),
  )
  return [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows].join('\n')
}

/** From the second column on. */
function rowsOf(caller: Caller): readonly string[] {
  const labelsByWords = new Map<string, Set<string>>()
  for (const upstream of upstreams) {
    const words = features.map(feature => wordsOf(caller, upstream, feature)).join(' | ')
    labelsByWords.set(words, (labelsByWords.get(words) ?? new Set()).add(upstream.label))
  }
  return [...labelsByWords].map(([words, labels]) => `${[...labels].join(', ')} | ${words}`)
}

const asItIs = '='

/** What a cell's test holds, in two words. */
export function wordsOf(caller: Caller, upstream: UpstreamKind, feature: Feature): string {
  if (!canAsk(caller, feature)) return '—'
  const cell = cellOf(caller, upstream, feature)
  if (cell.outcome !== 'ok') return failureWords(cell)
  if (feature.count > 1)
    return cell.passed ? asItIs : cell.calls.length === 1 ? 'one call' : `${cell.calls.length} calls`
  if (cell.passed) return asItIs
  if (feature.byAddress) return 'url'
  return feature.stream ? streamWords(cell) : 'translated'
}

function streamWords({ order, heard }: Cell): string {
  if (heard?.frames[0] === 'a document') return 'whole answer'
  return order.kind === 'drafts' ? 'drafts, picture' : 'picture'
}

function failureWords({ heard, wait, outcome }: Cell): string {
  if (heard === null) return 'cut'
  const reason = outcome === 'refused' ? ` \`${heard.reason}\`` : ''
  return `${heard.status}${reason}${wait ? ', wait' : ''}`
}
