/** What operators watch with: the dashboards and the rules that are shipped, taken apart into their queries. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../..')
const folder = join(root, 'docker/grafana/dashboards')

export const prometheusFile = join(root, 'docker/prometheus.yml')
export const rulesFile = join(root, 'docker/rules.yml')

export interface Panel {
  readonly id: number
  readonly title: string
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource?: { readonly uid: string }
  readonly targets?: readonly { readonly expr: string }[]
}

export interface Dashboard {
  readonly file: string
  readonly uid: string
  readonly title: string
  readonly tags: readonly string[]
  readonly panels: readonly Panel[]
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: { readonly query: string } }[]
  }
}

export const dashboards: readonly Dashboard[] = readdirSync(folder)
  .filter(file => file.endsWith('.json'))
  .map(file => ({ file, ...JSON.parse(readFileSync(join(folder, file), 'utf8')) }))

export interface Rule {
  readonly record?: string
  readonly alert?: string
  readonly expr: string
  readonly labels?: { readonly severity?: string }
  readonly annotations?: { readonly summary?: string; readonly runbook?: string }
}

export const rules: readonly Rule[] = parse(readFileSync(rulesFile, 'utf8')).groups.flatMap(
  (group: { readonly rules: readonly Rule[] }) => group.rules,
)

/** A query by where it stands: `latency.json: Exchanges`. */
export interface Query {
  readonly where: string
  readonly expr: string
}

export const panelQueries: readonly Query[] = dashboards.flatMap(({ file, panels }) =>
  panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: `${file}: ${title}`, expr }))),
)

/** The lists that variables choose from, as the series and the label they are of: `label_values(metric, label)`. */
export const variables = dashboards.flatMap(({ file, templating }) =>
  templating.list.map(({ name, query: { query } }) => {
    const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(query) ?? []
    return { where: `${file}: $${name}`, name, metric, label }
  }),
)

export const ruleQueries: readonly Query[] = rules.map(({ record, alert, expr }) => ({
  where: record ?? alert ?? '',
  expr,
}))

const words = new Set([
  'and',
  'or',
  'unless',
  'on',
  'ignoring',
  'by',
  'without',
  'group_left',
  'group_right',
  'offset',
  'bool',
])

/** The series a query asks for. */
export function seriesNamesIn(expr: string): readonly string[] {
  const bare = expr
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\boffset\s+\w+/g, '')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '')
  const names = [...bare.matchAll(/(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])/g)].map(([name]) => name)
  return names.filter(name => !words.has(name))
}
