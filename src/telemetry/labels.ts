/** What a metric label may say. Every function here has a bounded range, whatever callers and upstreams send. */
import type { Usage } from '../images/result.ts'

/** Names from outside the catalogue share one series. */
export const other = 'other'

/** The label of a model: its id where the catalogue knows it. */
export function modelLabel(model: string | null, known: boolean): string {
  return known && model !== null ? model : other
}

/** The label of a caller: its configured id, `none` for a request whose caller was not recognised. */
export function callerLabel(caller: string | null): string {
  return caller ?? 'none'
}

/** The label of an HTTP status: three digits, or `none` where no answer came. */
export function statusLabel(status: number | null): string {
  return status !== null && Number.isInteger(status) && status >= 100 && status <= 599 ? String(status) : 'none'
}

const resolutions = new Set(['512', '1K', '2K', '4K'])

/** The label of an image's tier. */
export function resolutionLabel(resolution: string | null): string {
  return resolution !== null && resolutions.has(resolution) ? resolution : other
}

// The finish and block reasons of the Gemini API (those that end without an answer) and OpenAI's own code for a refusal.
const refusalReasons = new Set([
  'BLOCKLIST',
  'IMAGE_OTHER',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'IMAGE_SAFETY',
  'JAILBREAK',
  'LANGUAGE',
  'MALFORMED_RESPONSE',
  'MAX_TOKENS',
  'MODEL_ARMOR',
  'NO_IMAGE',
  'OTHER',
  'PROHIBITED_CONTENT',
  'RECITATION',
  'SAFETY',
  'SPII',
  'STOP',
  'moderation_blocked',
])

/** The label of a refusal. A reason invented later counts as `other`; the log line has its own word. */
export function reasonLabel(reason: string | undefined): string {
  return reason !== undefined && refusalReasons.has(reason) ? reason : other
}

export interface TokenCount {
  readonly direction: 'input' | 'output'
  /** `unsplit`: what the upstream counted without saying of what. */
  readonly modality: 'text' | 'image' | 'unsplit'
  readonly tokens: number
}

/** Tokens by direction and modality. The modalities of a direction add up to its total, unless the upstream's own details exceed it. */
export function tokenCounts(usage: Usage): TokenCount[] {
  const directions = [
    { direction: 'input', total: usage.inputTokens, details: usage.inputDetails },
    { direction: 'output', total: usage.outputTokens, details: usage.outputDetails },
  ] as const
  return directions
    .flatMap(({ direction, total, details }): TokenCount[] => {
      const text = details?.textTokens ?? 0
      const image = details?.imageTokens ?? 0
      return [
        { direction, modality: 'text', tokens: text },
        { direction, modality: 'image', tokens: image },
        { direction, modality: 'unsplit', tokens: total - text - image },
      ]
    })
    .filter(count => count.tokens > 0 && Number.isFinite(count.tokens))
}
