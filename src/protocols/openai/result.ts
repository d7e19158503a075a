/** Answers of OpenAI's form, whole or as events, from OpenAI and from vendors who leave out much of it. */
import { bytesOfText, join } from '../../images/bytes.ts'
import { GatewayError } from '../../images/error.ts'
import type { ImagePart, Remarks, TokenDetails, Usage } from '../../images/result.ts'
import { isThere, type Soon, whenThere } from '../../images/soon.ts'
import type { Observation, WireDocument } from '../protocol.ts'
import { decodeError } from './upstream-errors.ts'
import { ImagesAnswer, innerErrorStatus, type WireDetails, type WireText, type WireUsage } from './wire.ts'

/** @throws GatewayError where the document is an error, or none of this protocol. */
export async function decodeResult(document: WireDocument): Promise<readonly ImagePart[]> {
  const answer = parse(document.value)
  const mediaType = answer.output_format ? `image/${answer.output_format}` : undefined
  const parts: ImagePart[] = []
  for (const [index, wire] of picturesOf(answer).entries()) {
    const { b64_json, url, thought } = wire
    // Vendors who fill in every field leave the one that they don't mean empty.
    const picture = b64_json || url
    if (!picture) continue
    const facts = { index, mediaType, thought, isLink: !b64_json }
    const part = whenThere(decodePicture(picture, facts, document), shown =>
      whenThere(decodeRemarks(answer, wire, document), remarks => (remarks ? { ...shown, remarks } : shown)),
    )
    parts.push(isThere(part) ? part : await part)
  }
  const usage = answer.usage && decodeUsage(answer.usage)
  if (usage) parts.push({ type: 'usage', usage })
  if (!parts.some(({ type }) => type === 'image' || type === 'link')) parts.push({ type: 'finish', reason: 'no-image' })
  return parts
}

function parse(value: unknown): ImagesAnswer {
  const failure = innerError(value)
  if (failure) throw failure
  const parsed = ImagesAnswer.safeParse(value)
  if (parsed.success) return parsed.data
  throw new GatewayError('upstream-failed', 'The upstream sent a document that is no answer.', { cause: parsed.error })
}

function innerError(value: unknown): GatewayError | null {
  const status = innerErrorStatus(value)
  return status === null ? null : decodeError({ status, body: Buffer.from(JSON.stringify(value)) })
}

interface WirePicture {
  readonly b64_json?: WireText | null | undefined
  readonly url?: WireText | null | undefined
  readonly revised_prompt?: WireText | null | undefined
  readonly thought: boolean
}

/** Of a whole answer those in its list; an event is a picture itself, and a partial one is a draft. */
function picturesOf({ type, b64_json, data }: ImagesAnswer): readonly WirePicture[] {
  if (b64_json) return [{ b64_json, thought: type?.endsWith('.partial_image') ?? false }]
  return (data ?? []).flatMap(item => (item ? [{ ...item, thought: false }] : []))
}

interface PictureFacts {
  readonly index: number
  readonly mediaType: string | undefined
  readonly thought: boolean
  readonly isLink: boolean
}

type PicturePart = Extract<ImagePart, { type: 'image' | 'link' }>

/** Null where it says nothing: most say nothing. */
function decodeRemarks(
  { quality, background }: ImagesAnswer,
  { revised_prompt: revised }: WirePicture,
  document: WireDocument,
): Soon<Remarks | null> {
  if (!quality && !background && !revised) return null
  const inAnswer = { ...(quality && { quality }), ...(background && { background }) }
  return revised ? whenThere(wholeText(revised, document), text => ({ ...inAnswer, revisedPrompt: text })) : inAnswer
}

// Some vendors put a data URL in either place.
const dataUrl = /^data:([a-z]+\\?\/[a-z0-9.+-]+)?(?:;[a-z0-9=._-]+)*;base64,/i
const longestPrefix = 128
const longestUrl = 16 * 1024

function decodePicture(
  text: WireText,
  { index, mediaType, thought, isLink }: PictureFacts,
  document: WireDocument,
): Soon<PicturePart> {
  const inside = typeof text === 'string' ? bytesOfText(text) : document.bytesOf(text)
  return whenThere(join(inside.slice(0, Math.min(longestPrefix, inside.length))), (start): Soon<PicturePart> => {
    const prefix = dataUrl.exec(start.toString('latin1'))
    if (isLink && !prefix) {
      if (inside.length > longestUrl)
        throw new GatewayError('upstream-failed', "The address of the upstream's picture is too long.")
      return whenThere(wholeText(text, document), url => ({ type: 'link', index, url }))
    }
    const length = prefix?.[0].length ?? 0
    const label = prefix?.[1]?.replace('\\', '') ?? mediaType
    const base64 = length === 0 ? inside : inside.slice(length, inside.length - length)
    return { type: 'image', index, base64, thought, ...(label && { mediaType: label }) }
  })
}

function wholeText(text: WireText, document: WireDocument): Soon<string> {
  if (typeof text === 'string') return text
  return whenThere(join(document.bytesOf(text)), inside => {
    try {
      return String(JSON.parse(`"${inside.toString()}"`))
    } catch (cause) {
      // A long string is not parsed with its document: what is wrong inside of it shows here.
      throw new GatewayError('upstream-failed', "A text in the upstream's answer is no JSON text.", { cause })
    }
  })
}

/** Absent where the vendor counts something other than tokens. */
function decodeUsage(usage: WireUsage): Usage | null {
  const { input_tokens, output_tokens, input_tokens_details: input, output_tokens_details: output } = usage
  if (input_tokens == null || output_tokens == null) return null
  return {
    inputTokens: input_tokens,
    outputTokens: output_tokens,
    totalTokens: usage.total_tokens ?? input_tokens + output_tokens,
    ...(input && { inputDetails: split(input, input_tokens) }),
    ...(output && { outputDetails: split(output, output_tokens) }),
  }
}

/** What is no image counts as text, so that the two always add up. */
function split({ image_tokens }: WireDetails, total: number): TokenDetails {
  const imageTokens = Math.min(image_tokens ?? 0, total)
  return { imageTokens, textTokens: total - imageTokens }
}

/** What a relay learns from documents it passed on: one, or the events of a stream. */
export function observe(values: readonly unknown[]): Observation {
  let usage: Usage | null | undefined
  let images = 0
  let failure: GatewayError | null = null
  for (const value of values) {
    failure = innerError(value) ?? failure
    const parsed = ImagesAnswer.safeParse(value)
    if (!parsed.success) continue
    images += picturesOf(parsed.data).filter(({ b64_json, url, thought }) => (b64_json || url) && !thought).length
    usage = (parsed.data.usage && decodeUsage(parsed.data.usage)) ?? usage
  }
  const refusal = failure?.kind === 'content-refused' ? (failure.facts.reason ?? 'moderation_blocked') : undefined
  return { images, ...(usage && { usage }), ...(refusal && { refusal }), ...(failure && { failure }) }
}
