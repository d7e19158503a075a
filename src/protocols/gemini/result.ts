/** Answers of Google's form, whole or as events: they look the same. */
import { type Bytes, bytesOfText, join } from '../../images/bytes.ts'
import { GatewayError } from '../../images/error.ts'
import type { ImagePart, TokenDetails, Usage } from '../../images/result.ts'
import { isThere, type Soon, whenThere } from '../../images/soon.ts'
import { LongString } from '../../streams/document-reader.ts'
import type { Observation, WireDocument } from '../protocol.ts'
import { finishReasonOf } from './finish-reason.ts'
import { decodeError } from './upstream-errors.ts'
import {
  type Candidate,
  GenerateContentResponse,
  innerErrorStatus,
  type Part,
  type UsageMetadata,
  type WireText,
} from './wire.ts'

/** @throws GatewayError where the document is an error, or none of this protocol. */
export async function decodeResult(document: WireDocument): Promise<readonly ImagePart[]> {
  const { candidates, promptFeedback, usageMetadata } = parse(document.value)
  const parts: ImagePart[] = []
  for (const [index, candidate] of (candidates ?? []).entries()) {
    for (const part of decodeCandidate(candidate, index, document)) parts.push(isThere(part) ? part : await part)
  }
  const usage = usageMetadata && decodeUsage(usageMetadata)
  if (usage) parts.push({ type: 'usage', usage })
  if (promptFeedback?.blockReason) {
    const message = await textOf(promptFeedback.blockReasonMessage, document)
    parts.push({ type: 'finish', reason: 'refused', stage: 'input', wireReason: promptFeedback.blockReason, message })
  }
  return parts
}

function parse(value: unknown): GenerateContentResponse {
  const failure = innerError(value)
  if (failure) throw failure
  const parsed = GenerateContentResponse.safeParse(value)
  if (parsed.success) return parsed.data
  throw new GatewayError('upstream-failed', 'The upstream sent a document that is no answer.', { cause: parsed.error })
}

function innerError(value: unknown): GatewayError | null {
  const status = innerErrorStatus(value)
  return status === null ? null : decodeError({ status, body: Buffer.from(JSON.stringify(value)) })
}

/** One after the other: the next is read when this one was taken. */
function* decodeCandidate(candidate: Candidate, index: number, document: WireDocument): Generator<Soon<ImagePart>> {
  for (const part of candidate.content?.parts ?? []) {
    const thought = part.thought ?? false
    const data = part.inlineData?.data
    if (data) {
      const mediaType = part.inlineData?.mimeType
      const signature = part.thoughtSignature ? jsonText(part.thoughtSignature, document) : undefined
      const base64 = rawText(data, document)
      yield {
        type: 'image',
        index,
        base64,
        thought,
        ...(mediaType && { mediaType }),
        ...(signature && { signature }),
      }
    }
    const address = thought ? null : addressIn(part)
    if (address) yield whenThere(textOf(address, document), url => ({ type: 'link', index, url }))
    if (part.text) yield whenThere(textOf(part.text, document), text => ({ type: 'text', text, thought }))
  }
  const wireReason = candidate.finishReason
  if (!wireReason) return
  const reason = finishReasonOf(wireReason)
  yield whenThere(textOf(candidate.finishMessage, document), message => ({
    type: 'finish',
    reason,
    stage: 'output',
    wireReason,
    message,
  }))
}

/** Of a picture that stayed where the upstream keeps it. */
const addressIn = ({ fileData }: Part) =>
  (fileData?.mimeType ?? 'image/').startsWith('image/') ? fileData?.fileUri : undefined

const rawText = (text: WireText, document: WireDocument): Bytes =>
  typeof text === 'string' ? bytesOfText(text) : document.bytesOf(text)

/** The inside of a JSON string, whatever it says. */
const jsonText = (text: WireText, document: WireDocument): Bytes =>
  typeof text === 'string' ? bytesOfText(JSON.stringify(text).slice(1, -1)) : document.bytesOf(text)

// Enough for any sentence of a model; what is longer is cut.
const longestText = 16_384

function textOf(text: WireText | null | undefined, document: WireDocument): Soon<string> {
  if (!text) return ''
  if (typeof text === 'string') return text
  const bytes = document.bytesOf(text)
  return whenThere(join(bytes.length > longestText ? bytes.slice(0, longestText) : bytes), inside =>
    inside.toString().replace(/\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])/g, coded => String(JSON.parse(`"${coded}"`))),
  )
}

/**
 * Output is total − input: `candidatesTokenCount` and its details do not add up on Google's side, the total does.
 * Absent where Google gave no total.
 */
function decodeUsage(usage: UsageMetadata): Usage | null {
  const { totalTokenCount: totalTokens, promptTokensDetails, candidatesTokensDetails } = usage
  if (totalTokens == null) return null
  const inputTokens = Math.min(totalTokens, (usage.promptTokenCount ?? 0) + (usage.toolUsePromptTokenCount ?? 0))
  const outputTokens = totalTokens - inputTokens
  return {
    inputTokens,
    outputTokens,
    totalTokens,
    ...(promptTokensDetails && { inputDetails: splitTokens(promptTokensDetails, inputTokens) }),
    ...(candidatesTokensDetails && { outputDetails: splitTokens(candidatesTokensDetails, outputTokens) }),
  }
}

/** What is no image (text, thoughts, tool use) counts as text, so that the two always add up. */
function splitTokens(details: NonNullable<UsageMetadata['promptTokensDetails']>, total: number): TokenDetails {
  const counted = details
    .filter(({ modality }) => modality === 'IMAGE')
    .reduce((sum, { tokenCount }) => sum + (tokenCount ?? 0), 0)
  const imageTokens = Math.min(counted, total)
  return { imageTokens, textTokens: total - imageTokens }
}

/** Of each candidate all but the last picture that is no thought, or the last thought where there is nothing else. */
export function superseded(value: unknown): readonly LongString[] {
  const parsed = GenerateContentResponse.safeParse(value)
  const candidates = parsed.success ? (parsed.data.candidates ?? []) : []
  return candidates.flatMap(({ content }) => {
    const images = (content?.parts ?? []).filter(part => part.inlineData?.data instanceof LongString)
    const answer = images.findLast(part => !part.thought) ?? images.at(-1)
    return images.flatMap(part => {
      const data = part.inlineData?.data
      return part !== answer && data instanceof LongString ? [data] : []
    })
  })
}

/**
 * What a relay learns from documents it passed on: one, or the array or the events of a stream. A candidate is one picture, however
 * many drafts of it came.
 */
export function observe(values: readonly unknown[]): Observation {
  let usage: Usage | null | undefined
  const pictured = new Set<number>()
  let refusal: string | undefined
  let failure: GatewayError | null = null
  for (const value of values.flat()) {
    failure = innerError(value) ?? failure
    const parsed = GenerateContentResponse.safeParse(value)
    if (!parsed.success) continue
    const { candidates, promptFeedback, usageMetadata } = parsed.data
    usage = (usageMetadata && decodeUsage(usageMetadata)) ?? usage
    refusal = promptFeedback?.blockReason ?? refusal
    for (const [position, { index, content, finishReason }] of (candidates ?? []).entries()) {
      const isPainted = content?.parts?.some(part => !part.thought && (part.inlineData?.data || addressIn(part)))
      if (isPainted) pictured.add(index ?? position)
      if (finishReason && ['refused', 'no-image'].includes(finishReasonOf(finishReason))) refusal = finishReason
    }
  }
  return { images: pictured.size, ...(usage && { usage }), ...(refusal && { refusal }), ...(failure && { failure }) }
}
