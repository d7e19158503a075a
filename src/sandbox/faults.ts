/**
 * Faults that a prompt can ask for, so that people can see how their program copes: `[sandbox status=429 retry=3s]`.
 * Words stand between brackets after `sandbox`, several in one bracket or in several brackets, anywhere in the prompt; the rest of the prompt
 * is painted as if they were not there. An unknown word is a 400 that lists the known ones.
 */
import { invalid } from './errors.ts'
import { type FaultStatus, type FaultWords, faultStatuses } from './fault-errors.ts'

export interface Faults extends FaultWords {
  /** Wait this long before anything is answered. */
  readonly delayMs: number
  /** Answer with this error. */
  readonly status: FaultStatus | null
  /** Answer 200 without a picture. */
  readonly refusal: { readonly stage: 'prompt' | 'answer'; readonly reason: string } | null
  readonly textOnly: boolean
  readonly empty: boolean
  /** Pictures before the picture. */
  readonly drafts: number
  /** Break the connection in the middle of the picture. */
  readonly cut: boolean
  readonly bytesPerSecond: number | null
}

const none: Faults = {
  delayMs: 0,
  status: null,
  retryDelay: null,
  quota: 'minute',
  refusal: null,
  textOnly: false,
  empty: false,
  drafts: 0,
  cut: false,
  bytesPerSecond: null,
}

// Neither brackets nor endless text inside: a prompt of open brackets is not to be read once for each.
const bracket = /\[sandbox\b([^[\]]{0,1000})\]/gi

/** Takes the faults out of the prompt. Throws 400 for words or values it does not know. */
export function takeFaults(prompt: string): { readonly faults: Faults; readonly prompt: string } {
  let faults = none
  const rest = prompt.replace(bracket, (_, words: string) => {
    for (const word of words.split(/[\s,;]+/).filter(Boolean)) faults = { ...faults, ...readWord(word) }
    return ''
  })
  return { faults, prompt: rest.trim() }
}

function readWord(word: string): Partial<Faults> {
  const [name = '', ...values] = word.split('=')
  const read = readers.get(name.toLowerCase())
  if (!read) throw invalid(`The sandbox does not know '${word}'. It knows: ${[...usages.values()].join(', ')}.`)
  const fault = read(values.join('='))
  if (!fault) throw invalid(`The sandbox cannot read '${word}'. It takes: ${usages.get(name.toLowerCase())}.`)
  return fault
}

type Reader = (value: string) => Partial<Faults> | null
const flag =
  (fault: Partial<Faults>): Reader =>
  value =>
    value === '' ? fault : null

const longestDelayMs = 120_000

/** What the outcome of a refused picture may be (Google's FinishReason without success, and without what only continues). */
export const refusalReasons = [
  'MAX_TOKENS',
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'OTHER',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'MALFORMED_FUNCTION_CALL',
  'IMAGE_SAFETY',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'IMAGE_PROHIBITED_CONTENT',
  'NO_IMAGE',
  'IMAGE_RECITATION',
  'IMAGE_OTHER',
  'MALFORMED_RESPONSE',
] as const

/** Google's BlockReason. */
export const blockReasons = ['SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'IMAGE_SAFETY'] as const

const words: readonly (readonly [name: string, usage: string, read: Reader])[] = [
  ['refuse', `refuse=<${refusalReasons.join('|')}> or refuse=prompt:<${blockReasons.join('|')}>`, readRefusal],
  ['status', `status=<${faultStatuses.join('|')}>`, readStatus],
  ['retry', 'retry=<time, as 3s>', readRetry],
  ['daily', 'daily', flag({ quota: 'day' })],
  ['depleted', 'depleted', flag({ quota: 'credits' })],
  ['delay', `delay=<time, at most ${longestDelayMs / 1000}s>`, readDelay],
  ['cut', 'cut', flag({ cut: true })],
  ['text-only', 'text-only', flag({ textOnly: true })],
  ['empty', 'empty', flag({ empty: true })],
  ['drafts', 'drafts=<1-10>', readDrafts],
  ['slow', 'slow=<rate, as 64KB/s, at least 1KB/s>', readRate],
]
const readers = new Map(words.map(([name, , read]) => [name, read]))
const usages = new Map(words.map(([name, usage]) => [name, usage]))

function readRefusal(value: string): Partial<Faults> | null {
  const [stage, asked] = value.toLowerCase().startsWith('prompt:')
    ? (['prompt', value.slice('prompt:'.length)] as const)
    : (['answer', value] as const)
  const reasons: readonly string[] = stage === 'prompt' ? blockReasons : refusalReasons
  const reason = reasons.find(known => known === asked.toUpperCase())
  return reason ? { refusal: { stage, reason } } : null
}

function readStatus(value: string): Partial<Faults> | null {
  const status = faultStatuses.find(known => String(known) === value)
  return status ? { status } : null
}

function readRetry(value: string): Partial<Faults> | null {
  const waitMs = readTimeMs(value)
  return waitMs === null ? null : { retryDelay: `${waitMs / 1000}s` }
}

function readDelay(value: string): Partial<Faults> | null {
  const delayMs = readTimeMs(value)
  return delayMs === null || delayMs > longestDelayMs ? null : { delayMs }
}

function readDrafts(value: string): Partial<Faults> | null {
  return /^([1-9]|10)$/.test(value) ? { drafts: Number(value) } : null
}

/** `2s`, `1500ms`, `1.5s`, `1m`; a bare number is seconds. */
function readTimeMs(value: string): number | null {
  const match = /^(\d{1,7}(?:\.\d{1,3})?)(ms|s|m)?$/i.exec(value)
  if (!match) return null
  const unitMs = { ms: 1, s: 1000, m: 60_000 }[(match[2] ?? 's').toLowerCase()] ?? 1000
  return Math.round(Number(match[1]) * unitMs)
}

/** `64KB/s`, `1MB/s`, also without `/s`. */
function readRate(value: string): Partial<Faults> | null {
  const match = /^(\d{1,6}(?:\.\d{1,3})?)(KB|MB)(\/s)?$/i.exec(value)
  if (!match) return null
  const bytesPerSecond = Math.round(Number(match[1]) * (match[2]?.toUpperCase() === 'MB' ? 2 ** 20 : 2 ** 10))
  return bytesPerSecond >= 2 ** 10 ? { bytesPerSecond } : null
}
