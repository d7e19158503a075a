/** Google's finish reasons and what they mean. Both its lists are open: an unknown word is judged by whether a picture came. */
import type { FinishReason } from '../../images/result.ts'

const reasons = new Map<string, FinishReason>([
  ['STOP', 'done'],
  ['MAX_TOKENS', 'length'],
  ['SAFETY', 'refused'],
  ['RECITATION', 'refused'],
  ['BLOCKLIST', 'refused'],
  ['PROHIBITED_CONTENT', 'refused'],
  ['SPII', 'refused'],
  ['LANGUAGE', 'no-image'],
  ['IMAGE_SAFETY', 'refused'],
  ['IMAGE_PROHIBITED_CONTENT', 'refused'],
  ['IMAGE_RECITATION', 'refused'],
  ['NO_IMAGE', 'no-image'],
  ['IMAGE_OTHER', 'no-image'],
  ['OTHER', 'no-image'],
  ['MALFORMED_FUNCTION_CALL', 'malformed'],
  ['MALFORMED_RESPONSE', 'malformed'],
  ['UNEXPECTED_TOOL_CALL', 'malformed'],
  ['TOO_MANY_TOOL_CALLS', 'malformed'],
])

export const finishReasonOf = (wireReason: string): FinishReason => reasons.get(wireReason) ?? 'done'

/** Is it one of Google's own words, so that its SDKs know it? */
export const isFinishReason = (word: string): boolean => word !== 'STOP' && reasons.has(word)

const blockReasons: ReadonlySet<string> = new Set([
  'SAFETY',
  'OTHER',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'IMAGE_SAFETY',
  'MODEL_ARMOR',
  'JAILBREAK',
])

/** Why a prompt was not even painted from. */
export const isBlockReason = (word: string): boolean => blockReasons.has(word)
