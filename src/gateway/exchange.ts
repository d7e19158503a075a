/** One caller's request while it is served: who asks and until when, and what is written down and told about it. */
import type { CallerConfig } from '../config/config.ts'
import { GatewayError } from '../images/error.ts'
import type { Patience } from '../limits/patience.ts'
import type { ExchangeRecord } from '../telemetry/record.ts'
import type { DryRun } from './dry-run.ts'

export interface Exchange {
  readonly record: ExchangeRecord
  readonly caller: Pick<CallerConfig, 'id' | 'models' | 'limits' | 'modelLimits' | 'chargeOnDisconnect'>
  /** Aborts with a GatewayError when the caller left or the deadline passed. */
  readonly signal: AbortSignal
  readonly deadlineMs: number
  /** How long it may wait for limits; null: it is refused at once. */
  readonly patience: Patience | null
  /** Gateways it has passed, this one included. */
  readonly trail: string
  /** Headers its answer will carry, whatever becomes of it. */
  readonly headers: Map<string, string>
  /** Fields without effect, of each call that is under way or was sent. */
  readonly ignored: Set<readonly string[]>
  /** Refuse what would be ignored. */
  readonly strict: boolean
  /** Work everything out and send nothing. */
  readonly dryRun: DryRun | null
}

/**
 * Tells the caller which fields have no effect on a call, or refuses them where that was asked for: another upstream may know them.
 * @returns takes it back, for a call that was never sent.
 */
export function nameIgnored({ ignored, headers, strict, dryRun }: Exchange, names: readonly string[]): () => void {
  dryRun?.ignores(names)
  const [first] = names
  if (first === undefined) return () => {}
  if (strict) {
    const message = `Parameters that no upstream here understands: ${headerList(names)}. Leave them out, or do not ask for strictness.`
    throw new GatewayError('unsupported-parameter', message, { param: first, notSent: true })
  }
  const tell = () => {
    const all = [...new Set([...ignored].flat())]
    if (all.length > 0) headers.set('x-plantain-ignored-params', headerList(all))
    else headers.delete('x-plantain-ignored-params')
  }
  ignored.add(names)
  tell()
  return () => {
    ignored.delete(names)
    tell()
  }
}

// Clients give up on headers of some 16 KB in all, and the names are the caller's to choose.
const longestList = 2000

function headerList(names: readonly string[]): string {
  let text = ''
  for (const [index, name] of names.entries()) {
    const next = (index === 0 ? '' : ', ') + name.replace(/[^\x21-\x2b\x2d-\x7e]/g, '?')
    if (text.length + next.length > longestList) return `${text}, and ${names.length - index} more`.replace(/^, /, '')
    text += next
  }
  return text
}
