/** The table, on the terminal and as Markdown. */
import { availableParallelism } from 'node:os'
import { type Detail, type Figure, type Findings, isMet, printBound, printMeasured } from './figure.ts'

export interface Run {
  readonly findings: Findings
  /** Absent: each figure has its own. */
  readonly rounds?: number
  readonly slack: number
  readonly date: Date
  readonly seconds: number
}

const head = ['figure', 'measured: median (lowest–highest)', 'must reach', '']

/** For the terminal: columns aligned. */
export function printRun(run: Run): string {
  const { findings } = run
  const tables = [
    { title: 'Figures', head, rows: findings.figures.map(figure => row(figure, run.slack)) },
    ...findings.details,
  ]
  return [
    ...tables.filter(({ rows }) => rows.length > 0).map(alignTable),
    ...findings.notes,
    '',
    circumstances(run),
  ].join('\n')
}

/** For the repository, under a heading that says how to read it. */
export function renderRun(run: Run, heading: string): string {
  const { findings } = run
  const tables = [
    { title: 'Figures', head, rows: findings.figures.map(figure => row(figure, run.slack)) },
    ...findings.details,
  ]
  return `${heading}

${circumstances(run)}

${tables
  .filter(({ rows }) => rows.length > 0)
  .map(markdownTable)
  .join('\n')}
${findings.notes.map(note => `- ${note}`).join('\n')}
`
}

function row(figure: Figure, slack: number): string[] {
  return [figure.name, printMeasured(figure.values, figure.unit), printBound(figure), verdict(figure, slack)]
}

/** `near`: missed, but not by more than the slack of a short run. */
function verdict(figure: Figure, slack: number): string {
  if (isMet(figure) === null) return ''
  if (isMet(figure)) return 'met'
  return isMet(figure, slack) ? 'near' : 'MISSED'
}

function circumstances({ date, seconds, rounds, slack }: Run): string {
  const cores = availableParallelism()
  const widened = slack === 1 ? '' : ` Bounds widened ${slack}-fold: the run was too short to be exact.`
  const interleaved = rounds === undefined ? '' : `, ${rounds} interleaved rounds`
  const day = date.toISOString().slice(0, 10)
  return `${day}, Node ${process.versions.node}, ${cores} cores${interleaved}, ${Math.round(seconds)} s.${widened}`
}

function markdownTable({ title, head, rows }: Detail): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [`## ${title}`, '', line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n')
}

function alignTable({ title, head, rows }: Detail): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map(cells => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  return [title, line(head), ...rows.map(line), ''].join('\n')
}
